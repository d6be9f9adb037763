// SPDX-License-Identifier: BSL-1.0
// What decides which entry leaves a full memory, whichever way it does.
#pragma once

#include "cache/entry_list.hpp"
#include "cache/memory_table.hpp"

#include <codynamo/memory_backend.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace codynamo::detail {

/// The entries of a memory, as the lists of policies want them.
struct table_links {
    using id = entry_id;
    static constexpr id none = no_entry;
    const memory_table* table;

    memory_entry& operator[](id at) const noexcept { return (*table)[at]; }
    [[nodiscard]] std::size_t weight(id at) const noexcept { return (*table)[at].node->weight(); }
};

/// Is told what happens to entries, and names the next to leave. All in O(1), amortised; not
/// thread-safe: its owner holds a lock. Entries are whole (with a node) in every call.
class eviction_policy {
public:
    eviction_policy() = default;
    eviction_policy(const eviction_policy&) = delete;
    eviction_policy& operator=(const eviction_policy&) = delete;
    virtual ~eviction_policy() = default;

    /// Room for so many entries, and for as many as fit if they go on to weigh what they do. What
    /// has become much too wide is made smaller. Throws std::bad_alloc and has changed nothing that
    /// counts then.
    virtual void reserve(const memory_load& held) = 0;
    virtual void on_insert(entry_id entry) noexcept = 0;
    virtual void on_use(entry_id entry) noexcept = 0;
    /// The entry's node was replaced by one of another weight; no use.
    virtual void on_reweigh(entry_id entry, std::size_t before, std::size_t after) noexcept = 0;
    /// The entry goes away, evicted or not.
    virtual void on_remove(entry_id entry) noexcept = 0;
    /// Which entry makes room; it is removed afterwards. Never `spared`, which was stored last and
    /// may be no_entry; no_entry when there is no other.
    [[nodiscard]] virtual entry_id victim(entry_id spared) noexcept = 0;
    /// All entries are gone at once.
    virtual void clear() noexcept = 0;
    /// What it takes from the heap beyond itself.
    [[nodiscard]] virtual std::size_t heap_bytes() const noexcept = 0;
    /// A hint that on_use of an entry with this hash comes soon.
    virtual void prefetch(std::uint32_t /*hash*/) const noexcept {}
};

/// Throws std::bad_alloc. `table` outlives the policy.
[[nodiscard]] std::unique_ptr<eviction_policy> make_eviction_policy(memory_eviction which,
                                                                    const memory_table& table,
                                                                    const memory_load& bound,
                                                                    std::uint64_t seed);

} // namespace codynamo::detail
