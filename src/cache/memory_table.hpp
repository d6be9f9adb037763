// SPDX-License-Identifier: BSL-1.0
// The entries of a memory and where a key's is. Split into shards, so that readers seldom meet.
#pragma once

#include "cache/memory_node.hpp"
#include "cache/short_lock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace codynamo::detail {

/// Names an entry: its place in its shard, and the shard in the lowest bits.
using entry_id = std::uint32_t;
inline constexpr entry_id no_entry = ~entry_id{0};

/// What the policy and the timer wheel know of a kept node. Ids rather than pointers: half the
/// memory.
struct memory_entry {
    memory_node* node = nullptr; ///< owned; null in a free entry
    std::uint32_t hash = 0;
    entry_id newer = no_entry; ///< in a list of the policy; the next free entry in a free one
    entry_id older = no_entry;
    entry_id timer_next = no_entry;
    entry_id timer_previous = no_entry;
    std::uint16_t timer_bucket = 0xffff;
    std::uint8_t segment = 0; ///< the policy's
    std::uint8_t uses = 0;    ///< the policy's
};
static_assert(sizeof(memory_entry) == 32);

/// One part of the table: slots of 4 bytes that are probed linearly, 8 bits of hash and 24 of
/// index.
///
/// There is one writer at a time, who holds the store's lock, and changes what readers look at only
/// with the mutex held as well. So a reader needs the mutex, and the writer needs it to change.
class alignas(64) memory_shard {
public:
    using index = std::uint32_t;
    static constexpr index none = 0xffffff;
    static constexpr std::size_t max_entries = none;

    memory_shard() = default;
    memory_shard(const memory_shard&) = delete;
    memory_shard& operator=(const memory_shard&) = delete;
    ~memory_shard();

    [[nodiscard]] short_lock& mutex() const noexcept { return mutex_; }
    [[nodiscard]] index find(std::uint32_t hash, std::string_view key) const noexcept;
    [[nodiscard]] memory_entry& operator[](index at) const noexcept {
        return chunks_[at / chunk_size][at % chunk_size];
    }
    /// Entries that exist, free ones included.
    [[nodiscard]] index size() const noexcept { return used_; }

    /// The writer's; takes the mutex itself. Room for one more: false when the shard is full.
    /// Throws std::bad_alloc and has changed nothing then.
    [[nodiscard]] bool reserve();
    /// After reserve.
    index insert(std::uint32_t hash, node_ptr node) noexcept;
    [[nodiscard]] node_ptr replace(index at, node_ptr node) noexcept;
    [[nodiscard]] node_ptr remove(index at) noexcept;

    /// What a shard holds, to be destroyed outside a lock.
    class contents;
    [[nodiscard]] contents take() noexcept;

private:
    using chunk = std::unique_ptr<memory_entry[]>;
    static constexpr index chunk_size = 16;
    static constexpr std::uint32_t empty = 0xffffffff;

    [[nodiscard]] static std::uint32_t slot_of(std::uint32_t hash, index at) noexcept {
        return (hash & 0xff000000) | at;
    }
    [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
    void place(std::vector<std::uint32_t>& slots, std::uint32_t slot,
               std::uint32_t hash) const noexcept;
    [[nodiscard]] std::size_t slot_holding(index at) const noexcept;
    void close_gap(std::size_t gap) noexcept;
    void grow_slots();
    void grow_entries();

    mutable short_lock mutex_;
    std::vector<std::uint32_t> slots_;
    std::vector<chunk> chunks_;
    index used_ = 0;
    index live_ = 0;
    index free_ = none;
};

class memory_shard::contents {
public:
    contents() = default;
    contents(contents&&) = default;
    contents& operator=(contents&&) = default;
    ~contents();

private:
    friend class memory_shard;
    std::vector<std::uint32_t> slots_;
    std::vector<chunk> chunks_;
};

/// All shards.
class memory_table {
public:
    static constexpr std::size_t shard_count = 32;
    /// Of all shards; hashes are not quite evenly spread over them.
    static constexpr std::size_t max_entries = shard_count * memory_shard::max_entries / 2;

    [[nodiscard]] static std::size_t shard_of(std::uint64_t hash) noexcept {
        return hash % shard_count;
    }
    [[nodiscard]] static entry_id id_of(std::size_t shard, memory_shard::index at) noexcept {
        return static_cast<entry_id>(at * shard_count + shard);
    }
    [[nodiscard]] memory_shard& shard(std::size_t number) noexcept { return shards_[number]; }
    [[nodiscard]] const memory_shard& shard(std::size_t number) const noexcept {
        return shards_[number];
    }
    [[nodiscard]] memory_shard& shard_with(entry_id id) noexcept {
        return shards_[id % shard_count];
    }
    [[nodiscard]] static memory_shard::index index_of(entry_id id) noexcept {
        return static_cast<memory_shard::index>(id / shard_count);
    }
    [[nodiscard]] memory_entry& operator[](entry_id id) const noexcept {
        return shards_[id % shard_count][index_of(id)];
    }
    /// Whether there is such an entry, free or not.
    [[nodiscard]] bool exists(entry_id id) const noexcept {
        return index_of(id) < shards_[id % shard_count].size();
    }

private:
    std::array<memory_shard, shard_count> shards_;
};

} // namespace codynamo::detail
