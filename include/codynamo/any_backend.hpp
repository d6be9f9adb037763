// SPDX-License-Identifier: BSL-1.0
// Any backend behind one type, with what it does not offer made up from what it does.
#pragma once

#include <codynamo/backend.hpp>
#include <codynamo/detail/backend_model.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace codynamo {

/// A type-erased backend; itself a backend that offers everything. Copies share.
///
/// Where the wrapped one lacks an operation: load_now misses; discard erases; peek loads; touch
/// loads, and when the record is fresh stores the same bytes with new times; store_newer loads,
/// then stores unless what is there was written later (between the two steps a write of somebody
/// else may get lost: offer the operations where that matters); the batches go one by one with an
/// outcome per key; clears fail with errc::invalid_argument; close does nothing.
///
/// It costs one virtual call and no coroutine of its own. Lifetime: some copy must live until what
/// it was asked for has completed.
class any_backend {
public:
    /// Empty: load_now misses, close does nothing, every other operation fails with errc::closed.
    any_backend() : wrapped_(detail::make_empty_backend()) {}
    template <backend B>
        requires(!std::same_as<std::remove_cvref_t<B>, any_backend>)
    any_backend(B wrapped) // NOLINT(google-explicit-constructor): a backend is an any_backend
        : wrapped_(detail::erase_backend<B>(std::move(wrapped))) {}
    /// Moving copies: a handle that was moved from is as good as before.
    any_backend(const any_backend&) = default;
    any_backend& operator=(const any_backend&) = default;
    ~any_backend() = default;

    [[nodiscard]] boost::asio::awaitable<std::optional<record>> load(std::string key) const {
        return wrapped_->load(std::move(key));
    }
    [[nodiscard]] boost::asio::awaitable<void> store(std::string key, record r) const {
        return wrapped_->store(std::move(key), std::move(r));
    }
    [[nodiscard]] boost::asio::awaitable<bool> erase(std::string key) const {
        return wrapped_->erase(std::move(key));
    }
    /// Makes sure that there is no record, without saying whether there was one.
    [[nodiscard]] boost::asio::awaitable<void> discard(std::string key) const {
        return wrapped_->discard(std::move(key));
    }
    /// True when the record was at hand, and `out` is filled. Never waits.
    [[nodiscard]] bool load_now(std::string_view key, record& out) const {
        return wrapped_->load_now(key, out);
    }
    /// As load, but the value may be missing.
    [[nodiscard]] boost::asio::awaitable<std::optional<record>> peek(std::string key) const {
        return wrapped_->peek(std::move(key));
    }
    /// Restarts the life of a record that is fresh at `now`; false when there is none.
    [[nodiscard]] boost::asio::awaitable<bool> touch(std::string key, timestamp now,
                                                     ttl lifetime) const {
        return wrapped_->touch(std::move(key), now, lifetime);
    }
    /// Stores unless a record written later is there; whether it stored.
    [[nodiscard]] boost::asio::awaitable<bool> store_newer(std::string key, record r) const {
        return wrapped_->store_newer(std::move(key), std::move(r));
    }
    /// Distinct keys; results in their order.
    [[nodiscard]] boost::asio::awaitable<std::vector<result<std::optional<record>>>>
    load_many(std::vector<std::string> keys) const {
        return wrapped_->load_many(std::move(keys));
    }
    [[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
    store_many(std::vector<keyed_record> records) const {
        return wrapped_->store_many(std::move(records));
    }
    [[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
    erase_many(std::vector<std::string> keys) const {
        return wrapped_->erase_many(std::move(keys));
    }
    [[nodiscard]] boost::asio::awaitable<clear_progress> clear_all(clear_options options) const {
        return wrapped_->clear_all(std::move(options));
    }
    [[nodiscard]] boost::asio::awaitable<clear_progress> clear_expired(clear_options options,
                                                                       timestamp now) const {
        return wrapped_->clear_expired(std::move(options), now);
    }
    [[nodiscard]] boost::asio::awaitable<void> close() const { return wrapped_->close(); }

private:
    std::shared_ptr<detail::backend_interface> wrapped_;
};

} // namespace codynamo
