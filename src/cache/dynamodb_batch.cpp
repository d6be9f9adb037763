// SPDX-License-Identifier: BSL-1.0
// Many keys at once: sliced, several slices under way, what the service leaves unprocessed asked
// again.
#include "cache/dynamodb_batch.hpp"

#include "cache/batch_rounds.hpp"
#include "cache/dynamodb_backend_core.hpp"
#include "cache/fan_out.hpp"
#include "cache/record_item.hpp"
#include "dynamodb/codec.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace codynamo {

namespace asio = boost::asio;
using core_ptr = std::shared_ptr<dynamodb_backend::core>;

namespace detail {

namespace {

constexpr std::size_t read_slice = 100;
constexpr std::size_t write_slice = 25;
/// Half of the service's 16 MB per request, because base64 and tags swell what is counted here.
constexpr std::size_t write_slice_bytes = 8 * 1024 * 1024;

/// Which of the caller's keys a slice has.
struct slice {
    std::size_t first;
    std::size_t count;
};

using key_index = std::map<std::string, std::size_t, std::less<>>;

failure unprocessed(const dynamodb_backend_config& config) {
    return make_failure(errc::unprocessed, "the service left the key unprocessed for " +
                                               std::to_string(config.call_timeout.count()) + " ms");
}

std::string key_of(const record_attributes& names, const dynamodb::item& item) {
    const auto found = item.find(names.key);
    if (found == item.end()) return {};
    const auto* text = found->second.get_if<std::string>();
    return text ? *text : std::string();
}

/// The read of one slice; fills in the outcomes of its keys.
class slice_read {
public:
    using outcomes = std::vector<result<std::optional<record>>>;

    slice_read(core_ptr self, const std::vector<std::string>& keys, slice which, outcomes& out)
        : self_(std::move(self)), out_(out) {
        for (std::size_t i = which.first; i < which.first + which.count; ++i) {
            try {
                validate_key(keys[i]);
                pending_.emplace(keys[i], i);
            } catch (const error& why) {
                out_[i] = why.as_failure();
            }
        }
    }

    asio::awaitable<void> run() {
        const dynamodb_backend_config& config = self_->config;
        rounds pauses(config);
        dynamodb::keys_and_attributes asked{.consistent_read = config.consistent_read};
        for (const auto& [key, index] : pending_) {
            asked.keys.push_back(key_item(config.attributes, key));
        }
        while (!asked.keys.empty()) {
            dynamodb::batch_get_item_input in;
            const std::size_t before = asked.keys.size();
            in.request_items.emplace(config.table_name, std::move(asked));
            auto answer = co_await self_->client.attempt(std::move(in));
            if (!answer) co_return fail_pending(answer.error());
            if (self_->clock_in_doubt()) {
                std::string key = pending_.begin()->first;
                co_await dynamodb_backend::core::settle_clock(self_, std::move(key));
            }
            for (auto& [table, items] : answer->responses)
                take(items);
            asked = unprocessed_of(*answer);
            if (asked.keys.empty()) break;
            const bool again = co_await pauses.wait(asked.keys.size() < before);
            if (!again) co_return fail_unprocessed(asked.keys);
        }
        // Whatever was asked and not answered is not there; the outcomes began as "no record".
    }

private:
    /// What is to be asked again: of what the answer says only keys that are ours.
    dynamodb::keys_and_attributes unprocessed_of(const dynamodb::batch_get_item_output& answer) {
        dynamodb::keys_and_attributes again{.consistent_read = self_->config.consistent_read};
        const auto rest = answer.unprocessed_keys.find(self_->config.table_name);
        if (rest == answer.unprocessed_keys.end()) return again;
        std::set<std::string> seen; // a store that names a key twice would have us ask for it twice
        for (const dynamodb::item& key : rest->second.keys) {
            std::string text = key_of(self_->config.attributes, key);
            if (!pending_.contains(text) || !seen.insert(text).second) continue;
            again.keys.push_back(key_item(self_->config.attributes, std::move(text)));
        }
        return again;
    }

    void take(const std::vector<dynamodb::item>& items) {
        for (const dynamodb::item& item : items) {
            const auto found = pending_.find(key_of(self_->config.attributes, item));
            if (found == pending_.end()) continue; // an answer nobody asked for
            try {
                record r = to_record(self_->config.attributes, item);
                r.written = by_own_clock(r.written, self_->clock_offset());
                out_[found->second] = std::move(r);
            } catch (const error& why) {
                out_[found->second] = why.as_failure();
            }
            pending_.erase(found);
        }
    }

    void fail_pending(const failure& why) {
        for (const auto& [key, index] : pending_)
            out_[index] = why;
    }

    void fail_unprocessed(const std::vector<dynamodb::item>& keys) {
        for (const dynamodb::item& key : keys) {
            const auto found = pending_.find(key_of(self_->config.attributes, key));
            if (found != pending_.end()) out_[found->second] = unprocessed(self_->config);
        }
    }

    core_ptr self_;
    outcomes& out_;
    key_index pending_;
};

} // namespace

asio::awaitable<void> write_slice_of(core_ptr self, std::vector<indexed_write> writes,
                                     std::vector<result<void>>& out) {
    const dynamodb_backend_config& config = self->config;
    rounds pauses(config);
    key_index pending;
    std::vector<dynamodb::write_request> asked;
    for (indexed_write& one : writes) {
        pending.emplace(key_of(config.attributes, one.request.item), one.index);
        asked.push_back(std::move(one.request));
    }
    while (!asked.empty()) {
        const std::size_t before = asked.size();
        dynamodb::batch_write_item_input in;
        in.request_items.emplace(config.table_name, std::move(asked));
        auto answer = co_await self->client.attempt(std::move(in));
        if (!answer) {
            for (const auto& [key, index] : pending)
                out[index] = answer.error();
            co_return;
        }
        asked.clear();
        key_index left;
        for (dynamodb::write_request& one : answer->unprocessed_items[config.table_name]) {
            const auto found = pending.find(key_of(config.attributes, one.item));
            if (found == pending.end()) continue;      // not ours
            if (!left.insert(*found).second) continue; // named twice
            asked.push_back(std::move(one));
        }
        pending = std::move(left);
        if (asked.empty()) co_return;
        const bool again = co_await pauses.wait(asked.size() < before);
        if (again) continue;
        for (const auto& [key, index] : pending)
            out[index] = unprocessed(config);
        co_return;
    }
}

asio::awaitable<std::vector<result<void>>>
write_all(core_ptr self, std::vector<indexed_write> writes, std::vector<result<void>> outcomes) {
    std::vector<std::vector<indexed_write>> slices;
    std::size_t bytes = 0;
    for (indexed_write& one : writes) {
        const std::size_t size = dynamodb::item_size(one.request.item);
        if (slices.empty() || slices.back().size() == write_slice ||
            bytes + size > write_slice_bytes) {
            slices.emplace_back();
            bytes = 0;
        }
        bytes += size;
        slices.back().push_back(std::move(one));
    }
    co_await fan_out(slices.size(), self->config.batch_concurrency, [&](std::size_t i) {
        return write_slice_of(self, std::move(slices[i]), outcomes);
    });
    co_return outcomes;
}

} // namespace detail

asio::awaitable<std::vector<result<std::optional<record>>>>
dynamodb_backend::core::load_many(core_ptr self, std::vector<std::string> keys) {
    detail::slice_read::outcomes outcomes(keys.size(), std::optional<record>());
    const std::size_t slices = (keys.size() + detail::read_slice - 1) / detail::read_slice;
    co_await detail::fan_out(
        slices, self->config.batch_concurrency, [&](std::size_t i) -> asio::awaitable<void> {
            const std::size_t first = i * detail::read_slice;
            const std::size_t count = std::min(detail::read_slice, keys.size() - first);
            detail::slice_read one(self, keys, {first, count}, outcomes);
            co_await one.run();
        });
    co_return outcomes;
}

asio::awaitable<std::vector<result<void>>>
dynamodb_backend::core::store_many(core_ptr self, std::vector<keyed_record> records) {
    std::vector<result<void>> outcomes(records.size());
    std::vector<detail::indexed_write> writes;
    std::vector<record> times(records.size());
    const auto offset = self->clock_offset();
    for (std::size_t i = 0; i < records.size(); ++i) {
        auto& [key, r] = records[i];
        times[i].written = r.written;
        times[i].lifetime = r.lifetime;
        try {
            dynamodb::put_item_input put = self->put_request(std::move(key), std::move(r));
            dynamodb::validate(put);
            writes.push_back({i, {.is_put = true, .item = std::move(put.item)}});
        } catch (const error& why) {
            outcomes[i] = why.as_failure();
        }
    }
    // Nobody knows yet whether the answers will tell that the times are wrong.
    std::vector<detail::indexed_write> kept = writes;
    outcomes = co_await detail::write_all(self, std::move(writes), std::move(outcomes));
    if (!self->clock_in_doubt() && self->clock_offset() == offset) co_return outcomes;
    co_await detail::fan_out(
        kept.size(), self->config.batch_concurrency, [&](std::size_t i) -> asio::awaitable<void> {
            detail::indexed_write& one = kept[i];
            if (!outcomes[one.index]) co_return;
            dynamodb::put_item_input in;
            in.table_name = self->config.table_name;
            in.item = std::move(one.request.item);
            const auto why = co_await correct_times(self, in, times[one.index], offset);
            if (why) outcomes[one.index] = *why;
        });
    co_return outcomes;
}

asio::awaitable<std::vector<result<void>>>
dynamodb_backend::core::erase_many(core_ptr self, std::vector<std::string> keys) {
    std::vector<result<void>> outcomes(keys.size());
    std::vector<detail::indexed_write> writes;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        try {
            detail::validate_key(keys[i]);
            auto key = detail::key_item(self->config.attributes, std::move(keys[i]));
            writes.push_back({i, {.is_put = false, .item = std::move(key)}});
        } catch (const error& why) {
            outcomes[i] = why.as_failure();
        }
    }
    return detail::write_all(std::move(self), std::move(writes), std::move(outcomes));
}

asio::awaitable<std::vector<result<std::optional<record>>>>
dynamodb_backend::load_many(std::vector<std::string> keys) {
    return core::load_many(core_, std::move(keys));
}

asio::awaitable<std::vector<result<void>>>
dynamodb_backend::store_many(std::vector<keyed_record> records) {
    return core::store_many(core_, std::move(records));
}

asio::awaitable<std::vector<result<void>>>
dynamodb_backend::erase_many(std::vector<std::string> keys) {
    return core::erase_many(core_, std::move(keys));
}

} // namespace codynamo
