// SPDX-License-Identifier: BSL-1.0
// The cache: values in, values out; a serializer policy on one side, a backend on the other.
#pragma once

#include <codynamo/any_backend.hpp>
#include <codynamo/cache_config.hpp>
#include <codynamo/detail/cache_core.hpp>
#include <codynamo/detail/recycled.hpp>
#include <codynamo/detail/value_argument.hpp>
#include <codynamo/error.hpp>
#include <codynamo/json_serializer.hpp>
#include <codynamo/record.hpp>
#include <codynamo/serializer.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace codynamo {

/// A value with what is known about its record.
template <class T>
struct entry {
    T value;
    /// Time since it was written; negative when the writer's clock is ahead of ours.
    std::chrono::microseconds age{};
    /// What is left of its lifetime; nullopt when it is for ever.
    std::optional<ttl> remaining;
    /// When it was written, by the clock of whoever wrote it.
    timestamp written{};
    /// Which backend answered: "memory", "dynamodb", or empty when that backend does not say.
    std::string_view source;
};

/// A cache of values of type T over any backend. A handle: copies share backend, policy and
/// statistics.
///
/// Keys are 1 to 2048 bytes of valid UTF-8 (DynamoDB's bound); anything else is
/// errc::invalid_argument before anything is sent. Lifetimes are any chrono duration: zero is for
/// ever, a negative one is written and never seen (as in pynamodb_mate), fractions of a second
/// count, and one that is not a number is errc::invalid_argument.
///
/// Thread safety: every function may be called at any time from any thread.
/// Completion: on the caller's executor; a hit in memory completes without suspending.
/// Errors: codynamo::error, with errc::serialize_failed or errc::deserialize_failed and the
/// policy's own words when the policy throws, and otherwise whatever the backend reports. Functions
/// named try_… and …_many return them instead.
/// Cancellation: as the backend's; always thrown as boost::asio::error::operation_aborted, from
/// try_… and …_many too. Whether a set, touch or erase happened is unknown after it was cancelled
/// or failed with failure::outcome_unknown.
/// Lifetime: an awaitable owns what it needs; the cache may be destroyed meanwhile. The policy
/// serializes at the call of set, everything else happens when it is awaited.
/// Beware of g++ 12: any aggregate with members of class type that is made *inside* a co_await
/// expression, `co_await cache.set("k", profile{"Alice", 41})`, is destroyed twice. Name it first,
/// or let set make it: `co_await cache.set("k", {"Alice", 41})`.
template <class T, class Serializer = json_serializer<T>>
    requires serializer<Serializer, T>
class cache {
public:
    using value_type = T;
    using serializer_type = Serializer;
    /// What set takes: a T, or when T is an aggregate also its members in braces (without nested
    /// braces or designators).
    using argument = std::conditional_t<std::is_aggregate_v<T>, detail::value_argument<T>, T>;

    explicit cache(any_backend backend, cache_config config = cache_config(),
                   Serializer policy = {})
        : state_(
              std::make_shared<state>(std::move(backend), std::move(config), std::move(policy))) {}
    /// Moving copies: a handle that was moved from is as good as before.
    cache(const cache&) = default;
    cache& operator=(const cache&) = default;
    ~cache() = default;

    /// The value; nullopt when there is none or it has expired. A stored JSON null is a value.
    [[nodiscard]] boost::asio::awaitable<std::optional<T>> get(std::string key) const {
        return do_get(state_, std::move(key));
    }
    [[nodiscard]] boost::asio::awaitable<result<std::optional<T>>> try_get(std::string key) const {
        return do_try_get(state_, std::move(key));
    }
    /// The value with its age, what remains of its lifetime, and where it came from.
    [[nodiscard]] boost::asio::awaitable<std::optional<entry<T>>> get_entry(std::string key) const {
        return do_get_entry(state_, std::move(key));
    }

    /// Stores the value in place of whatever is there, for the default lifetime.
    [[nodiscard]] boost::asio::awaitable<void> set(std::string key, argument value) const {
        return set(std::move(key), std::move(value), state_->default_lifetime());
    }
    /// Stores the value in place of whatever is there.
    [[nodiscard]] boost::asio::awaitable<void> set(std::string key, argument value,
                                                   lifespan lifetime) const {
        return detail::cache_core::store(state_, std::move(key),
                                         state_->serialize(detail::take(value)), lifetime);
    }
    [[nodiscard]] boost::asio::awaitable<result<void>> try_set(std::string key,
                                                               argument value) const {
        return try_set(std::move(key), std::move(value), state_->default_lifetime());
    }
    [[nodiscard]] boost::asio::awaitable<result<void>> try_set(std::string key, argument value,
                                                               lifespan lifetime) const {
        return detail::cache_core::try_store(state_, std::move(key),
                                             state_->serialize(detail::take(value)), lifetime);
    }

    /// True when there was a record, fresh or not.
    [[nodiscard]] boost::asio::awaitable<bool> erase(std::string key) const {
        return detail::cache_core::erase(state_, std::move(key));
    }
    /// Makes sure that there is no record, without saying whether there was one: on a table cheaper
    /// than erase where several are under way at once, for it can share a request with others.
    [[nodiscard]] boost::asio::awaitable<void> discard(std::string key) const {
        return detail::cache_core::discard(state_, std::move(key));
    }
    /// Whether get would find a value; transfers no value where the backend can avoid it.
    [[nodiscard]] boost::asio::awaitable<bool> contains(std::string key) const {
        return detail::cache_core::contains(state_, std::move(key));
    }
    /// Lets the value live for `lifetime` from now on. False when there is none or it has expired:
    /// nothing is revived or created.
    [[nodiscard]] boost::asio::awaitable<bool> touch(std::string key, lifespan lifetime) const {
        return detail::cache_core::touch(state_, std::move(key), lifetime);
    }

    /// Any number of keys, duplicates allowed (each key is asked for once). Answers in the order of
    /// the keys, each with its own outcome; an empty question gets an empty answer.
    [[nodiscard]] boost::asio::awaitable<std::vector<result<std::optional<T>>>>
    get_many(std::vector<std::string> keys) const {
        return do_get_many(state_, std::move(keys));
    }
    /// Any number of entries, stored for the default lifetime. Outcomes in the order of the
    /// entries, a failing serializer policy included. Of equal keys the last entry is stored, and
    /// its outcome is that of the others too, unless they failed on their own.
    [[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
    set_many(std::vector<std::pair<std::string, T>> entries) const {
        return do_set_many(state_, std::move(entries), state_->default_lifetime());
    }
    [[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
    set_many(std::vector<std::pair<std::string, T>> entries, lifespan lifetime) const {
        return do_set_many(state_, std::move(entries), lifetime);
    }
    /// Any number of keys, duplicates allowed. Success says that the key is gone, whether or not it
    /// was there.
    [[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
    erase_many(std::vector<std::string> keys) const {
        return detail::cache_core::erase_many(state_, std::move(keys));
    }

    /// Deletes everything in the backend, whichever cache wrote it.
    [[nodiscard]] boost::asio::awaitable<clear_progress>
    clear_all(clear_options options = clear_options()) const {
        return detail::cache_core::clear_all(state_, std::move(options));
    }
    /// Deletes what has expired; what is rewritten meanwhile survives.
    [[nodiscard]] boost::asio::awaitable<clear_progress>
    clear_expired(clear_options options = clear_options()) const {
        return detail::cache_core::clear_expired(state_, std::move(options));
    }
    /// Closes the backend: waits for background work, closes connections. Later operations fail
    /// with errc::closed where the backend holds connections.
    [[nodiscard]] boost::asio::awaitable<void> close() const {
        return detail::cache_core::close(state_);
    }

    [[nodiscard]] cache_stats stats() const noexcept { return state_->stats(); }
    [[nodiscard]] const any_backend& backend() const noexcept { return state_->backend(); }

private:
    struct state;
    using shared_state = std::shared_ptr<state>;

    static boost::asio::awaitable<std::optional<T>> do_get(shared_state self, std::string key,
                                                           detail::recycled = detail::recycled());
    static boost::asio::awaitable<result<std::optional<T>>> do_try_get(shared_state self,
                                                                       std::string key);
    static boost::asio::awaitable<std::optional<entry<T>>> do_get_entry(shared_state self,
                                                                        std::string key);
    static boost::asio::awaitable<std::vector<result<std::optional<T>>>>
    do_get_many(shared_state self, std::vector<std::string> keys);
    static boost::asio::awaitable<std::vector<result<void>>>
    do_set_many(shared_state self, std::vector<std::pair<std::string, T>> entries,
                lifespan lifetime);

    shared_state state_;
};

/// A cache of JSON objects: what JsonDictDynamodbCache is in pynamodb_mate.
using json_dict_cache = cache<boost::json::object>;
/// A cache of JSON arrays: what JsonListDynamodbCache is in pynamodb_mate.
using json_list_cache = cache<boost::json::array>;

} // namespace codynamo

#include <codynamo/detail/cache_impl.hpp>
