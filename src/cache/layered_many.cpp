// SPDX-License-Identifier: BSL-1.0
// Many keys, or all of them, through the layers.
#include "cache/failures.hpp"
#include "cache/layered_core.hpp"

#include <boost/asio/this_coro.hpp>

#include <span>
#include <unordered_map>
#include <utility>

namespace codynamo {

namespace asio = boost::asio;
using detail::write_epochs;

/// A load_many on its way down.
struct layered_backend::core::many {
    std::vector<std::string> keys;
    std::vector<epoch> since;
    found_records found;
    std::vector<std::size_t> missing; ///< positions that no layer has answered yet

    many(std::vector<std::string> asked, const write_epochs& epochs) : keys(std::move(asked)) {
        found.resize(keys.size(), result<std::optional<record>>(std::nullopt));
        for (std::size_t i = 0; i != keys.size(); ++i) {
            since.push_back(epochs.now(epochs.stripe_of(keys[i])));
            missing.push_back(i);
        }
    }
    [[nodiscard]] std::vector<std::string> missing_keys() const {
        std::vector<std::string> some;
        some.reserve(missing.size());
        for (const std::size_t i : missing)
            some.push_back(keys[i]);
        return some;
    }
};

namespace {

/// The stripes of a batch, each advanced once before the write and once after it.
class batch_epochs {
public:
    batch_epochs(write_epochs& epochs, std::span<const std::string> keys) : epochs_(epochs) {
        for (const std::string& key : keys) {
            const auto [at, first] = of_.try_emplace(epochs_.stripe_of(key));
            if (first) at->second.before = epochs_.advance(at->first);
        }
    }
    void written() {
        for (auto& [stripe, epoch] : of_)
            epoch.after = epochs_.advance(stripe);
    }
    struct pair {
        write_epochs::number before = 0;
        write_epochs::number after = 0;
    };
    [[nodiscard]] const pair& of(const std::string& key) const {
        return of_.at(epochs_.stripe_of(key));
    }

private:
    write_epochs& epochs_;
    std::unordered_map<std::size_t, pair> of_;
};

} // namespace

asio::awaitable<void> layered_backend::core::ask_upper_many(std::size_t layer, many& question) {
    found_records answers;
    try {
        std::vector<std::string> keys = question.missing_keys();
        answers = co_await layers_[layer].load_many(std::move(keys));
    } catch (...) {
        if (detail::is_cancellation()) throw;
        log_failure(layer, "reading");
        co_return;
    }
    std::vector<std::size_t> still_missing;
    std::vector<std::size_t> answered;
    for (std::size_t i = 0; i != question.missing.size(); ++i) {
        const std::size_t at = question.missing[i];
        const bool ok = i < answers.size() && answers[i].has_value() && *answers[i];
        if (ok && fresh(**answers[i])) {
            question.found[at] = std::move(answers[i]);
            answered.push_back(at);
        } else {
            still_missing.push_back(at);
        }
    }
    question.missing = std::move(still_missing);
    if (layer == 0) co_return;
    for (const std::size_t at : answered)
        co_await copy_up(layer, question.keys[at], **question.found[at], question.since[at],
                         copying::found);
}

asio::awaitable<layered_backend::core::found_records>
layered_backend::core::load_many(shared self, std::vector<std::string> keys) {
    many question(std::move(keys), self->epochs_);
    for (std::size_t layer = 0; layer != self->uppers() && !question.missing.empty(); ++layer)
        co_await self->ask_upper_many(layer, question);
    if (question.missing.empty()) co_return std::move(question.found);

    std::vector<std::string> asked = question.missing_keys();
    found_records answers = co_await self->lowest().load_many(std::move(asked));
    for (std::size_t i = 0; i != question.missing.size(); ++i) {
        const std::size_t at = question.missing[i];
        question.found[at] = std::move(answers.at(i));
        const auto& found = question.found[at];
        if (self->uppers() > 0 && found.has_value() && *found && self->fresh(**found))
            co_await self->copy_up(self->uppers(), question.keys[at], **found, question.since[at],
                                   copying::found);
    }
    co_return std::move(question.found);
}

asio::awaitable<layered_backend::core::outcomes>
layered_backend::core::store_many(shared self, std::vector<keyed_record> records) {
    std::vector<std::string> keys;
    keys.reserve(records.size());
    for (const keyed_record& one : records)
        keys.push_back(one.first);
    batch_epochs epochs(self->epochs_, keys);
    std::exception_ptr failed;
    outcomes done;
    try {
        std::vector<keyed_record> copies;
        if (self->uppers() > 0)
            copies = records;
        else
            copies = std::move(records);
        done = co_await self->lowest().store_many(std::move(copies));
    } catch (...) {
        failed = std::current_exception();
    }
    epochs.written();
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    for (std::size_t i = 0; i != keys.size() && self->uppers() > 0; ++i) {
        const bool certain = i < done.size() && done[i].has_value();
        // NOLINTNEXTLINE(bugprone-use-after-move): moved from only when there is no layer above
        const record* written = certain ? &records[i].second : nullptr;
        const auto [before, after] = epochs.of(keys[i]);
        co_await self->settle(keys[i], written, before, after);
    }
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (failed) std::rethrow_exception(failed);
    co_return done;
}

asio::awaitable<layered_backend::core::outcomes>
layered_backend::core::erase_many(shared self, std::vector<std::string> keys) {
    batch_epochs epochs(self->epochs_, keys);
    std::exception_ptr failed;
    outcomes done;
    try {
        done = co_await self->lowest().erase_many(keys);
    } catch (...) {
        failed = std::current_exception();
    }
    epochs.written();
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    for (const std::string& key : keys)
        co_await self->drop_copies(key);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (failed) std::rethrow_exception(failed);
    co_return done;
}

asio::awaitable<clear_progress> layered_backend::core::clear_all(shared self,
                                                                 clear_options options) {
    const auto advance_all = [&] {
        for (std::size_t stripe = 0; stripe != write_epochs::stripes; ++stripe)
            self->epochs_.advance(stripe);
    };
    advance_all();
    std::exception_ptr failed;
    clear_progress done;
    try {
        done = co_await self->lowest().clear_all(std::move(options));
    } catch (...) {
        failed = std::current_exception();
    }
    advance_all();
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    for (std::size_t layer = self->uppers(); layer-- > 0;) {
        try {
            clear_options plain;
            co_await self->layers_[layer].clear_all(std::move(plain));
        } catch (...) {
            if (!failed) failed = std::current_exception();
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (failed) std::rethrow_exception(failed);
    co_return done;
}

asio::awaitable<clear_progress>
layered_backend::core::clear_expired(shared self, clear_options options, timestamp now) {
    const clear_progress done = co_await self->lowest().clear_expired(std::move(options), now);
    for (std::size_t layer = self->uppers(); layer-- > 0;) {
        try {
            clear_options plain;
            co_await self->layers_[layer].clear_expired(std::move(plain), now);
        } catch (...) {
            if (detail::is_cancellation()) throw;
            // What has expired above is not seen anyway.
            self->log_failure(layer, "clearing");
        }
    }
    co_return done;
}

asio::awaitable<void> layered_backend::core::close(shared self) {
    std::exception_ptr failed;
    for (const any_backend& layer : self->layers_) {
        try {
            co_await layer.close();
        } catch (...) {
            if (!failed) failed = std::current_exception();
        }
    }
    if (failed) std::rethrow_exception(failed);
}

} // namespace codynamo
