// SPDX-License-Identifier: BSL-1.0
// The insides of dynamodb_backend: one table's single-record operations, batches, clears and table
// care.
#pragma once

#include "cache/capacity_counter.hpp"

#include <codynamo/detail/recycled.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo {

namespace net {
struct turn;
}

namespace detail {
struct batching_state;
}

/// Operations are static and hold the core by shared pointer, so that a suspended one outlives its
/// backend.
class dynamodb_backend::core {
public:
    using self_ptr = std::shared_ptr<core>;
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    explicit core(dynamodb_backend_config config);
    core(const core&) = delete;
    core& operator=(const core&) = delete;
    ~core();

    static awaitable<std::optional<record>> load(self_ptr self, std::string key, bool with_value,
                                                 net::turn* place = nullptr,
                                                 detail::recycled = detail::recycled());
    /// As load, by one who has to wait for a connection: until it is there this is all there is.
    static awaitable<std::optional<record>> load_in_turn(self_ptr self, std::string key,
                                                         bool with_value,
                                                         detail::recycled = detail::recycled());
    /// One of the two.
    static awaitable<std::optional<record>> load_alone(const self_ptr& self, std::string key,
                                                       bool with_value);
    /// As load with the value, perhaps in a request with others. A coroutine of its own, so that
    /// who is never merged has no room for it in his frame.
    static awaitable<std::optional<record>> load_merged(self_ptr self, std::string key,
                                                        detail::recycled = detail::recycled());
    /// When the last answer has cast doubt on clock_offset(): asks for a second opinion (the times
    /// of `key`), so that what follows goes by the right clock. Fails silently.
    static awaitable<void> settle_clock(self_ptr self, std::string key);
    [[nodiscard]] bool clock_in_doubt() const noexcept;
    /// After a store whose times were computed by `offset`, which the answer may have proved wrong:
    /// stores it again with better ones, unless somebody has written the record since. `in` is what
    /// was stored; `times`, by our clock, has no value. Both must outlive the call.
    static awaitable<std::optional<failure>> correct_times(self_ptr self,
                                                           dynamodb::put_item_input& in,
                                                           const record& times,
                                                           std::chrono::microseconds offset);
    /// A store alone, unless it is one already, and what correct_times() does. `in` and `times`
    /// must outlive the call.
    static awaitable<std::optional<failure>> put(self_ptr self, dynamodb::put_item_input& in,
                                                 const record& times,
                                                 std::chrono::microseconds offset,
                                                 dynamodb::call_options options, bool was_stored);
    /// A delete alone, without a condition.
    static awaitable<std::optional<failure>> remove(self_ptr self, dynamodb::item key,
                                                    dynamodb::call_options options);
    static awaitable<void> store(self_ptr self, std::string key, record r,
                                 detail::recycled = detail::recycled());
    static awaitable<void> discard(self_ptr self, std::string key);
    static awaitable<bool> store_newer(self_ptr self, std::string key, record r);
    static awaitable<bool> erase(self_ptr self, std::string key);
    static awaitable<bool> touch(self_ptr self, std::string key, timestamp now, ttl lifetime);

    static awaitable<std::vector<result<std::optional<record>>>>
    load_many(self_ptr self, std::vector<std::string> keys);
    static awaitable<std::vector<result<void>>> store_many(self_ptr self,
                                                           std::vector<keyed_record> records);
    static awaitable<std::vector<result<void>>> erase_many(self_ptr self,
                                                           std::vector<std::string> keys);

    static awaitable<clear_progress> clear_all(self_ptr self, clear_options options);
    static awaitable<clear_progress> clear_expired(self_ptr self, clear_options options,
                                                   timestamp now);

    static awaitable<void> ensure_table(self_ptr self);
    static awaitable<bool> delete_table(self_ptr self);

    /// Placeholders for the attributes whose letters are given: "#k", "#v", "#e", "#u", "#t".
    /// Every name goes through one, for most of them are reserved words.
    [[nodiscard]] dynamodb::attribute_names names(std::string_view letters) const;
    [[nodiscard]] dynamodb::put_item_input put_request(std::string key, record&& r) const;
    /// What the table's clock is ahead of ours; see detail::by_table_clock.
    [[nodiscard]] std::chrono::microseconds clock_offset() const noexcept;
    void warn(const std::string& line) const;

    const dynamodb_backend_config config;
    dynamodb::client client;
    /// The GetItem document before and after the key; the second tail asks for the times only.
    std::string load_head;
    std::string load_tail;
    std::string peek_tail;
    /// The BatchGetItem document before the keys, the beginning of each, and what follows them.
    std::string batch_head;
    std::string key_head;
    std::string batch_tail;
    /// Counted into by whoever reads an answer.
    mutable detail::capacity_counter consumed;
    /// Only with batching on.
    const std::unique_ptr<detail::batching_state> batching;
};

namespace detail {

/// Throws errc::invalid_argument naming the field.
void validate(const dynamodb_backend_config& config);

/// Throws errc::invalid_argument unless a key has 1 to 2048 bytes.
void validate_key(std::string_view key);

} // namespace detail
} // namespace codynamo
