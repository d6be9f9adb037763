// SPDX-License-Identifier: BSL-1.0
// Many keys at once: sliced, several slices under way, what the service leaves unprocessed asked
// again.
#include "cache/dynamodb_batch.hpp"

#include "cache/batch_read.hpp"
#include "cache/batch_rounds.hpp"
#include "cache/dynamodb_backend_core.hpp"
#include "cache/empty_handle.hpp"
#include "cache/fan_out.hpp"
#include "cache/record_item.hpp"
#include "dynamodb/client_core.hpp"
#include "dynamodb/codec.hpp"
#include "dynamodb/encode_common.hpp"
#include "dynamodb/response_checks.hpp"

#include <algorithm>
#include <utility>

namespace codynamo {

namespace asio = boost::asio;
using core_ptr = std::shared_ptr<dynamodb_backend::core>;

namespace detail {

namespace {

constexpr std::size_t read_slice = key_list::most;

/// Which of the caller's keys a slice has.
struct slice {
    std::size_t first;
    std::size_t count;
};

std::string key_of(const record_attributes& names, const dynamodb::item& item) {
    const auto found = item.find(names.key);
    if (found == item.end()) return {};
    const auto* text = found->second.get_if<std::string>();
    return text ? *text : std::string();
}

/// The read of one slice; fills in the outcomes of its keys.
class slice_read final : private batch_reader {
public:
    using outcomes = std::vector<result<std::optional<record>>>;

    slice_read(core_ptr self, const std::vector<std::string>& keys, slice which, outcomes& out)
        : self_(std::move(self)), out_(out) {
        for (std::size_t i = which.first; i < which.first + which.count; ++i) {
            try {
                validate_key(keys[i]);
                if (keys_.add(keys[i]) == places_.size()) places_.push_back(i);
            } catch (const error& why) {
                out_[i] = why.as_failure();
            }
        }
    }

    asio::awaitable<void> run() {
        if (keys_.empty()) co_return;
        settled_.resize(keys_.size());
        const std::optional<failure> why = co_await read_batch(self_, keys_, *this, std::nullopt);
        for (std::size_t i = 0; why && i != settled_.size(); ++i)
            if (!settled_[i]) out_[places_[i]] = *why;
    }

private:
    void settle(std::size_t key, result<std::optional<record>> outcome) override {
        settled_[key] = true;
        out_[places_[key]] = std::move(outcome);
    }

    core_ptr self_;
    outcomes& out_;
    key_list keys_;
    std::vector<std::size_t> places_; // of the keys among the caller's
    std::vector<bool> settled_;
};

} // namespace

namespace {

/// Written from where the writes are kept.
class batch_write_call final : public dynamodb::operation_call {
public:
    struct state {
        bool asked = true; ///< in this round
        bool left = false; ///< unprocessed
    };

    /// Both must outlive the call.
    batch_write_call(const dynamodb_backend::core& table,
                     const std::vector<dynamodb::write_request>& writes)
        : operation_call(dynamodb::target_of<dynamodb::batch_write_item_input>::value,
                         {.replay_safe = true, .writes = true, .hedgeable = false}),
          table_(table), writes_(writes), states_(writes.size()) {
        for (std::size_t i = 0; i != writes.size(); ++i)
            if (keys_.add(key_of(table.config.attributes, writes[i].item)) != i)
                throw error(errc::invalid_argument, "request_items has a key twice");
    }

    void encode(std::string& body) const override {
        const dynamodb::path where("RequestItems");
        dynamodb::json_object to(body);
        dynamodb::json_object tables(to.member("RequestItems"));
        dynamodb::append_json_string(body, table_.config.table_name);
        body += ':';
        dynamodb::json_array elements(body);
        for (std::size_t i = 0; i != writes_.size(); ++i)
            if (states_[i].asked)
                dynamodb::append_write(elements.element(), writes_[i], dynamodb::path(where, i));
        elements.close();
        tables.close();
        dynamodb::encode_return_capacity(to, table_.consumed.wanted());
        to.close();
    }
    void decode(std::string_view body) override {
        dynamodb::batch_write_item_output out;
        dynamodb::decode(body, out);
        for (const auto& told : out.consumed_capacity)
            table_.consumed.add_write(told.capacity_units);
        for (state& one : states_)
            one.left = false;
        for (const auto& [table, writes] : out.unprocessed_items) {
            const bool ours = dynamodb::is_same_table(table_.config.table_name, table);
            for (const dynamodb::write_request& one : writes) {
                const auto at = keys_.find(key_of(table_.config.attributes, one.item));
                if (!ours || !at || !states_[*at].asked || one.is_put != writes_[*at].is_put)
                    throw error(errc::bad_response,
                                "BatchWriteItem response: a write that was not asked for");
                states_[*at].left = true;
            }
        }
    }
    [[nodiscard]] std::string_view table_arn() const noexcept override {
        return dynamodb::arn_or_nothing(table_.config.table_name);
    }

    [[nodiscard]] std::vector<state>& states() noexcept { return states_; }

private:
    const dynamodb_backend::core& table_;
    const std::vector<dynamodb::write_request>& writes_;
    key_list keys_;
    std::vector<state> states_;
};

/// The outcomes of one slice.
class slice_write final : public batch_writer {
public:
    slice_write(const std::vector<indexed_write>& writes, std::vector<result<void>>& out)
        : writes_(writes), out_(out), settled_(writes.size()) {}
    void settle(std::size_t write) override { settled_[write] = true; }
    void fail_others(const failure& why) {
        for (std::size_t i = 0; i != settled_.size(); ++i)
            if (!settled_[i]) out_[writes_[i].index] = why;
    }

private:
    const std::vector<indexed_write>& writes_;
    std::vector<result<void>>& out_;
    std::vector<bool> settled_;
};

asio::awaitable<void> write_slice_of(core_ptr self, std::vector<indexed_write> writes,
                                     std::vector<result<void>>& out) {
    std::vector<dynamodb::write_request> requests;
    requests.reserve(writes.size());
    for (indexed_write& one : writes)
        requests.push_back(std::move(one.request));
    slice_write outcomes(writes, out);
    const std::optional<failure> why = co_await write_batch(self, requests, outcomes, std::nullopt);
    if (why) outcomes.fail_others(*why);
}

} // namespace

asio::awaitable<std::optional<failure>>
write_batch(core_ptr self, const std::vector<dynamodb::write_request>& writes, batch_writer& to,
            std::optional<std::chrono::steady_clock::time_point> deadline) {
    std::optional<batch_write_call> call;
    try {
        call.emplace(*self, writes);
    } catch (const error& why) {
        co_return why.as_failure();
    }
    rounds pauses(self->config, deadline);
    std::size_t before = writes.size();
    for (;;) {
        const dynamodb::call_options options = pauses.options();
        std::optional<failure> why = co_await self->client.shared_core()->call(*call, options);
        if (why) co_return why;
        std::size_t left = 0;
        for (std::size_t i = 0; i != writes.size(); ++i) {
            batch_write_call::state& one = call->states()[i];
            if (!one.asked) continue;
            one.asked = one.left;
            left += one.left ? 1 : 0;
            if (!one.left) to.settle(i);
        }
        to.end_of_round();
        if (left == 0) co_return std::nullopt;
        const bool again = co_await pauses.wait(left < before);
        if (!again) co_return unprocessed(self->config);
        before = left;
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
    if (!core_) return detail::answer_empty_each<result<std::optional<record>>>(keys.size());
    return core::load_many(core_, std::move(keys));
}

asio::awaitable<std::vector<result<void>>>
dynamodb_backend::store_many(std::vector<keyed_record> records) {
    if (!core_) return detail::answer_empty_each<result<void>>(records.size());
    return core::store_many(core_, std::move(records));
}

asio::awaitable<std::vector<result<void>>>
dynamodb_backend::erase_many(std::vector<std::string> keys) {
    if (!core_) return detail::answer_empty_each<result<void>>(keys.size());
    return core::erase_many(core_, std::move(keys));
}

} // namespace codynamo
