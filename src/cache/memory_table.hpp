// SPDX-License-Identifier: BSL-1.0
// The entries of a memory and where a key's is. Split into shards, so that readers seldom meet.
#pragma once

#include "cache/heap_bytes.hpp"
#include "cache/memory_node.hpp"
#include "cache/short_lock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
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
    entry_id newer = no_entry; ///< in a list of the policy
    entry_id older = no_entry;
    entry_id timer_next = no_entry;
    entry_id timer_previous = no_entry;
    std::uint16_t timer_bucket = 0xffff;
    std::uint8_t segment = 0; ///< the policy's
    std::uint8_t uses = 0;    ///< the policy's
};
static_assert(sizeof(memory_entry) == 32);

/// One part of the table: slots of 4 bytes that are probed linearly, 8 bits of hash and 24 of
/// index. Entries lie in chunks of 16; a new one takes the first free place, and a chunk without
/// entries is freed, so the memory follows the number of entries down as well.
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
    /// Beyond all entries that exist.
    [[nodiscard]] index size() const noexcept {
        return static_cast<index>(chunks_.size() * chunk_size);
    }
    /// Whether there is such an entry, free or not.
    [[nodiscard]] bool exists(index at) const noexcept {
        return at < size() && chunks_[at / chunk_size];
    }
    /// What it takes from the heap, nodes apart.
    [[nodiscard]] std::size_t heap_bytes() const noexcept;

    /// The writer's; takes the mutex itself. Room for one more: false when the shard is full. What
    /// has become much too wide is made smaller. Throws std::bad_alloc and has changed nothing that
    /// counts then.
    [[nodiscard]] bool reserve();
    /// The writer's. Makes smaller what has become much too wide. Throws std::bad_alloc and has
    /// changed nothing that counts then.
    void shrink();
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
    /// Entries that the slots have room for.
    [[nodiscard]] std::size_t usable_slots() const noexcept { return slots_.size() / 16 * 13; }
    void set_slots(std::size_t count);
    void set_chunk_capacity(std::size_t count);
    void add_chunk(std::size_t number);
    [[nodiscard]] std::size_t first_with_room() noexcept;
    void mark_room(std::size_t number, bool room) noexcept;
    [[nodiscard]] chunk release_chunk(std::size_t number) noexcept;

    mutable short_lock mutex_;
    std::vector<std::uint32_t> slots_;
    std::vector<chunk> chunks_; ///< null where no entry is; never at the end
    // The writer's alone.
    std::vector<std::uint16_t> taken_; ///< which entries of a chunk are not free
    std::vector<std::uint64_t> room_;  ///< which chunks have a free entry, a bit each
    std::size_t room_from_ = 0;        ///< words of room_ before this are 0
    std::size_t chunk_count_ = 0;      ///< those that are not null
    index live_ = 0;
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
    [[nodiscard]] static std::size_t shard_number(entry_id id) noexcept { return id % shard_count; }
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
        return shards_[id % shard_count].exists(index_of(id));
    }
    /// What the shards take from the heap, nodes apart, as of the last count of each.
    [[nodiscard]] std::size_t heap_bytes() const noexcept { return heap_bytes_; }
    void count_heap(std::size_t shard) noexcept {
        const std::size_t now = shards_[shard].heap_bytes();
        heap_bytes_ = heap_bytes_ - std::exchange(counted_[shard], now) + now;
    }

private:
    std::array<memory_shard, shard_count> shards_;
    std::array<std::size_t, shard_count> counted_{};
    std::size_t heap_bytes_ = 0;
};

} // namespace codynamo::detail
