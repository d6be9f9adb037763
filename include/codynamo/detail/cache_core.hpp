// SPDX-License-Identifier: BSL-1.0
// Whatever of the cache does not depend on the type of its values.
#pragma once

#include <codynamo/any_backend.hpp>
#include <codynamo/cache_config.hpp>
#include <codynamo/detail/hash_seed.hpp>
#include <codynamo/detail/recycled.hpp>
#include <codynamo/detail/striped_counter.hpp>
#include <codynamo/error.hpp>
#include <codynamo/export.hpp>
#include <codynamo/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace codynamo::detail {

/// One entry of a set_many after its policy has spoken.
struct serialized_entry {
    std::string key;
    result<std::string> bytes;
};

/// The distinct keys of a get_many and what was found for them; expired records are gone already.
struct loaded_keys {
    std::vector<result<std::optional<record>>> found;
    /// For each key as asked for, its place in `found`.
    std::vector<std::size_t> place;
};

class CODYNAMO_API cache_core {
public:
    using shared = std::shared_ptr<cache_core>;

    cache_core(any_backend backend, cache_config config);

    [[nodiscard]] const any_backend& backend() const noexcept { return backend_; }
    [[nodiscard]] timestamp now() const noexcept { return config_.env.time->now(); }
    [[nodiscard]] ttl default_lifetime() const noexcept { return config_.default_lifetime; }
    [[nodiscard]] cache_stats stats() const noexcept;

    /// Throws errc::invalid_argument unless the key is 1 to 2048 bytes of valid UTF-8.
    static void check_key(std::string_view key);
    /// Checks the key and asks the backend for what it has at hand.
    [[nodiscard]] std::optional<record> find_now(std::string_view key) const;
    /// Whether there is a record and it is fresh; counts a miss when not.
    [[nodiscard]] bool has_fresh(const std::optional<record>& found) noexcept;
    void count_hit() noexcept { add(hits_); }
    [[nodiscard]] record stamp(std::string bytes, ttl lifetime) const;

    /// In a catch block: counts the failure unless it is a cancellation.
    void count_failure() noexcept;
    /// Likewise; what was caught, to be thrown again.
    [[nodiscard]] thrown counted_failure() noexcept;
    /// In a catch block: the failure now being handled; rethrows a cancellation and what is no
    /// system_error.
    [[nodiscard]] static failure caught();
    /// In a catch block: what a serializer policy threw, as a codynamo::error with that code.
    [[noreturn]] static void rethrow_policy_failure(errc code);
    /// In a catch block: the policy refused the bytes that are stored under the key, for a value of
    /// that type. Throws errc::deserialize_failed, or counts and logs a miss, by the configuration.
    /// The log line has neither the key nor the words of the policy, which may quote the value.
    void on_undecodable(std::string_view key, const std::type_info& type);

    /// `bytes` is what the policy made, or why it could not.
    static boost::asio::awaitable<void> store(shared self, std::string key,
                                              result<std::string> bytes, lifespan lifetime);
    static boost::asio::awaitable<result<void>>
    try_store(shared self, std::string key, result<std::string> bytes, lifespan lifetime);
    static boost::asio::awaitable<bool> erase(shared self, std::string key);
    static boost::asio::awaitable<void> discard(shared self, std::string key);
    static boost::asio::awaitable<bool> contains(shared self, std::string key);
    static boost::asio::awaitable<bool> touch(shared self, std::string key, lifespan lifetime);
    /// The caller keeps the keys and awaits this at once.
    static boost::asio::awaitable<loaded_keys> load_many(shared self,
                                                         const std::vector<std::string>& keys);
    static boost::asio::awaitable<std::vector<result<void>>>
    store_many(shared self, std::vector<serialized_entry> entries, lifespan lifetime);
    static boost::asio::awaitable<std::vector<result<void>>>
    erase_many(shared self, std::vector<std::string> keys);
    static boost::asio::awaitable<clear_progress> clear_all(shared self, clear_options options);
    static boost::asio::awaitable<clear_progress> clear_expired(shared self, clear_options options);
    static boost::asio::awaitable<void> close(shared self);

private:
    using counter = striped_counter;
    static void add(counter& which, std::uint64_t n = 1) noexcept { which.add(n); }
    void count_outcomes(const std::vector<result<void>>& outcomes, counter& successes) noexcept;

    any_backend backend_;
    cache_config config_;
    hash_seed seed_; ///< of the tables of keys in batches
    counter hits_, misses_, expired_, sets_, erased_, errors_, undecodable_;
};

} // namespace codynamo::detail
