// SPDX-License-Identifier: BSL-1.0
// The records of a memory_backend: a bounded table that many threads use. Knows no coroutine and no
// clock, and runs nobody's code.
#pragma once

#include "cache/eviction_policy.hpp"
#include "cache/keyed_hash.hpp"
#include "cache/memory_node.hpp"
#include "cache/memory_table.hpp"
#include "cache/read_buffer.hpp"
#include "cache/timer_wheel.hpp"

#include <codynamo/environment.hpp>
#include <codynamo/memory_backend.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

namespace codynamo::detail {

/// A look-up takes the mutex of one shard for as long as the probing takes, and leaves a note of
/// the use in a buffer. Everything that changes entries is done under one lock, which also is the
/// policy's and the wheel's; it takes the shards' mutexes within. Each change applies the notes
/// first, so that a single thread's uses count in order. Whatever takes the lock drops some expired
/// entries as well.
class memory_store {
public:
    /// Throws std::bad_alloc.
    memory_store(std::size_t max_bytes, std::size_t max_entries, memory_eviction eviction,
                 random_source& random);

    struct found {
        node_ptr node; ///< null when there is none; may have expired
        read_buffer::read use;
    };
    [[nodiscard]] found find(std::string_view key) const noexcept;
    /// As find; but a small value that `out` has the capacity for is copied there at once, which is
    /// cheaper than to share the node: then `copied` and no node. `source` is not set.
    struct found_or_copied : found {
        bool copied = false;
    };
    [[nodiscard]] found_or_copied find(std::string_view key, record& out) const noexcept;
    /// The node was of use. True when it is time to call maintain.
    [[nodiscard]] bool note(const found& used) noexcept { return !uses_.add(used.use); }
    /// Likewise of a look-up that found nothing: maintenance is due after as many of these as of
    /// others, or expired entries would stay while keys are asked for that are not there.
    [[nodiscard]] bool note_miss() noexcept { return !uses_.add({no_use, 0}); }
    /// Applies notes and drops some expired entries, one for each note; nothing when another thread
    /// is at it.
    void maintain(timestamp now) noexcept;

    enum class condition { always, if_newer, if_same };
    /// Replaces what is there: if it was not written later, or if it is `expected`; false when the
    /// condition fails. Too heavy a node is not kept, and neither is the old one. Throws
    /// std::bad_alloc and has changed nothing then.
    bool put(node_ptr node, timestamp now, condition when = condition::always,
             const memory_node* expected = nullptr);
    /// Whether a node of so many bytes can be kept.
    [[nodiscard]] bool fits(std::size_t key_size, std::size_t value_size) const noexcept {
        return memory_node::weight_of(key_size, value_size) <= bound_.bytes;
    }
    /// As put of a node that does not fit, which need not be made.
    bool put_too_heavy(std::string_view key, timestamp written, timestamp now,
                       condition when = condition::always,
                       const memory_node* expected = nullptr) noexcept;
    bool erase(std::string_view key, timestamp now) noexcept;
    /// The key's node has expired: it goes, if it is still this one.
    void drop(const memory_node& expired, timestamp now) noexcept;
    /// Drops everything; returns how many entries.
    std::size_t clear() noexcept;

    [[nodiscard]] memory_stats stats() const noexcept;

    /// How far a sweep has come, and what was dropped since it began.
    struct sweep {
        std::size_t shard = 0;
        memory_shard::index next = 0;
        bool begun = false;
        std::uint64_t expired_before = 0;
        clear_progress done;
    };
    /// Drops what is not fresh from the next `slice` entries; false when the sweep is over. What
    /// others find expired meanwhile is counted as well.
    bool drop_expired(sweep& s, timestamp now, std::size_t slice) noexcept;

private:
    static constexpr entry_id no_use = no_entry - 1; ///< of no entry: a shard has 2^24 at most
    struct place {
        std::size_t shard;
        memory_shard::index at;
        std::uint32_t hash;
    };

    template <class Take>
    [[nodiscard]] auto look_up(std::string_view key, Take&& take) const noexcept;
    [[nodiscard]] place locate(std::string_view key) const noexcept;
    /// The entry that lies there, or no_entry.
    [[nodiscard]] static entry_id entry_at(const place& where) noexcept;
    [[nodiscard]] const memory_node* node_of(entry_id entry) const noexcept;
    [[nodiscard]] bool over() const noexcept;
    /// What is not stored stays in `node`, and is freed by the caller after the lock.
    entry_id insert(const place& where, node_ptr& node, timestamp now);
    void replace(entry_id entry, node_ptr node, timestamp now, released_nodes& released) noexcept;
    void remove(entry_id entry, released_nodes& released) noexcept;
    void apply_notes() noexcept;
    void apply(read_buffer::read* reads, std::size_t count) noexcept;
    void expire(timestamp now, int budget, released_nodes& released) noexcept;
    /// Evicts all but `spared`, which may be no_entry, until nothing is over its bound.
    void make_room(entry_id spared, released_nodes& released) noexcept;
    /// Gives back the room in table and policy that many entries before have left behind. For when
    /// hardly any are left: looks at every shard.
    void shrink() noexcept;
    bool put_locked(node_ptr& node, timestamp now, condition when, const memory_node* expected,
                    released_nodes& released);
    void sweep_entry(sweep& s, timestamp now, released_nodes& released) noexcept;

    const memory_load bound_;
    const std::size_t heap_bound_; ///< of nodes, table and policy
    const hash_seed seed_;
    memory_table table_;
    read_buffer uses_;

    mutable std::mutex mutex_; ///< of what follows, and of changes to the table
    std::unique_ptr<eviction_policy> policy_;
    timer_wheel wheel_;
    memory_load held_;
    std::size_t block_bytes_ = 0; ///< of the nodes that are held
    std::uint64_t evicted_ = 0;
    std::uint64_t expired_ = 0;
};

} // namespace codynamo::detail
