// SPDX-License-Identifier: BSL-1.0
// The records of a memory_backend: a bounded table. Decides what is kept; knows no lock and no
// coroutine.
#pragma once

#include "cache/lru_policy.hpp"

#include <codynamo/memory_backend.hpp>
#include <codynamo/record.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace codynamo::detail {

/// Records are immutable and shared, so that a reader copies their bytes without holding the lock.
using shared_record = std::shared_ptr<const record>;

class memory_store {
public:
    memory_store(std::size_t max_bytes, std::size_t max_entries)
        : max_bytes_(max_bytes), max_entries_(max_entries) {}

    /// Null when there is none, or when it has expired: then it is dropped.
    [[nodiscard]] shared_record find(std::string_view key, timestamp now);
    /// As find, but does not count as a use and drops nothing.
    [[nodiscard]] shared_record look(std::string_view key) const;
    /// Replaces what is there. Too large a record is not kept, and neither is the old one.
    void put(std::string&& key, shared_record r);
    bool erase(std::string_view key);

    [[nodiscard]] memory_stats stats() const noexcept;
    /// Empties the store; the records come back so that they can be destroyed outside a lock.
    [[nodiscard]] auto take_all() noexcept;

    /// How far a sweep has come, and what it did.
    struct sweep {
        std::size_t bucket = 0;
        std::size_t buckets = 0;
        clear_progress done;
    };
    /// Drops what is not fresh from the next `slice` buckets; false when the sweep is over. When
    /// the table has grown meanwhile the sweep starts over.
    bool drop_expired(sweep& s, timestamp now, std::size_t slice);

    /// What an entry costs beyond the bytes of key and value: the hash node, its bucket, the
    /// record with its reference counts, and what the heap adds to each of those blocks.
    static constexpr std::size_t overhead_bytes = 256;
    [[nodiscard]] static std::size_t cost(std::string_view key, const record& r) noexcept {
        return key.size() + r.value.size() + overhead_bytes;
    }

private:
    struct slot : eviction_hook {
        shared_record kept;
        const std::string* key = nullptr;
    };
    struct hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using table = std::unordered_map<std::string, slot, hash, std::equal_to<>>;

    void remove(table::iterator at) noexcept;
    void make_room() noexcept;

    std::size_t max_bytes_;
    std::size_t max_entries_;
    std::size_t bytes_ = 0;
    std::uint64_t evicted_ = 0;
    table entries_;
    lru_policy policy_;
};

inline auto memory_store::take_all() noexcept {
    policy_.clear();
    bytes_ = 0;
    return std::exchange(entries_, table{});
}

} // namespace codynamo::detail
