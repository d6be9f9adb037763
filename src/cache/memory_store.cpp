// SPDX-License-Identifier: BSL-1.0
#include "cache/memory_store.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace codynamo::detail {

namespace {

/// Entries and buckets of the wheel that a change looks at, and that maintenance does: which pays
/// for as many look-ups.
constexpr int wheel_budget = 32;
constexpr int maintenance_budget = read_buffer::capacity;
/// A value that is copied as fast as a counter is changed twice.
constexpr std::size_t small_value = 512;

/// What the heap holds for a memory is at most 1.05 times its bound and 200 KiB. The store itself
/// and the heads of what it owns are taken off here, and need not be counted any more; so is a
/// hundredth, because the heap makes some blocks 16 bytes larger than it has to.
std::size_t heap_bound(std::size_t max_bytes) noexcept {
    constexpr std::size_t besides = 200 * 1024 - sizeof(memory_store) - 8192;
    const std::size_t share = max_bytes / 25 + besides;
    return max_bytes + std::min(share, std::numeric_limits<std::size_t>::max() - max_bytes);
}

bool allows(memory_store::condition when, const memory_node* old, timestamp written,
            const memory_node* expected) noexcept {
    if (when == memory_store::condition::if_same) return old == expected;
    return when == memory_store::condition::always || !old || old->written() <= written;
}

} // namespace

memory_store::memory_store(std::size_t max_bytes, std::size_t max_entries, memory_eviction eviction,
                           random_source& random)
    : bound_{std::min(max_entries, memory_table::max_entries), max_bytes},
      heap_bound_(heap_bound(max_bytes)), seed_(draw_hash_seed(random)),
      policy_(make_eviction_policy(eviction, table_, bound_, random.next())), wheel_(table_) {}

/// Also when many entries of few bytes, or what a history of them has left behind, take more than
/// they count for.
bool memory_store::over() const noexcept {
    return held_.exceeds(bound_) ||
           block_bytes_ + table_.heap_bytes() + policy_->heap_bytes() > heap_bound_;
}

memory_store::place memory_store::locate(std::string_view key) const noexcept {
    const std::uint64_t hash = siphash(seed_, key);
    const std::size_t shard = memory_table::shard_of(hash);
    const auto upper = static_cast<std::uint32_t>(hash >> 32);
    return {shard, table_.shard(shard).find(upper, key), upper};
}

entry_id memory_store::entry_at(const place& where) noexcept {
    return where.at == memory_shard::none ? no_entry : memory_table::id_of(where.shard, where.at);
}

const memory_node* memory_store::node_of(entry_id entry) const noexcept {
    return entry == no_entry ? nullptr : table_[entry].node;
}

template <class Take>
auto memory_store::look_up(std::string_view key, Take&& take) const noexcept {
    const std::uint64_t hash = siphash(seed_, key);
    const std::size_t number = memory_table::shard_of(hash);
    const auto upper = static_cast<std::uint32_t>(hash >> 32);
    const memory_shard& shard = table_.shard(number);
    const std::lock_guard guard(shard.mutex());
    const memory_shard::index at = shard.find(upper, key);
    using answer = decltype(take(std::declval<memory_node&>()));
    if (at == memory_shard::none) return answer();
    answer made = take(*shard[at].node);
    made.use = {memory_table::id_of(number, at), upper};
    return made;
}

memory_store::found memory_store::find(std::string_view key) const noexcept {
    return look_up(key, [](memory_node& node) { return found{node_ptr(&node), {}}; });
}

memory_store::found_or_copied memory_store::find(std::string_view key, record& out) const noexcept {
    return look_up(key, [&out](memory_node& node) {
        const std::string_view value = node.value();
        if (value.size() > small_value || value.size() > out.value.capacity())
            return found_or_copied{{node_ptr(&node), {}}, false};
        out.value.assign(value);
        out.written = node.written();
        out.lifetime = node.lifetime();
        return found_or_copied{{nullptr, {}}, true};
    });
}

void memory_store::maintain(timestamp now) noexcept {
    released_nodes released;
    const std::unique_lock guard(mutex_, std::try_to_lock);
    if (!guard) return;
    apply_notes();
    expire(now, maintenance_budget, released);
}

void memory_store::apply_notes() noexcept {
    uses_.drain([this](auto* reads, std::size_t count) { apply(reads, count); });
}

void memory_store::apply(read_buffer::read* reads, std::size_t count) noexcept {
    const read_buffer::read* const end =
        std::remove_if(reads, reads + count,
                       [this](const read_buffer::read& one) { return !table_.exists(one.entry); });
    // The entries lie anywhere in memory: fetched all at once they are waited for only once.
    const auto each = [&](auto&& what) {
        for (const read_buffer::read* one = reads; one != end; ++one)
            what(*one);
    };
    each([this](const read_buffer::read& one) {
        __builtin_prefetch(&table_[one.entry]);
        policy_->prefetch(one.hash);
    });
    each([this](const read_buffer::read& one) {
        const memory_entry& entry = table_[one.entry];
        if (!entry.node) return; // a free one's links are no ids
        if (entry.newer != no_entry) __builtin_prefetch(&table_[entry.newer]);
        if (entry.older != no_entry) __builtin_prefetch(&table_[entry.older]);
    });
    each([this](const read_buffer::read& one) {
        const memory_entry& entry = table_[one.entry];
        // The entry may be another one's by now.
        if (entry.node && entry.hash == one.hash) policy_->on_use(one.entry);
    });
}

void memory_store::expire(timestamp now, int budget, released_nodes& released) noexcept {
    for (;;) {
        const entry_id due = wheel_.next_due(now, budget);
        if (due == no_entry) return;
        remove(due, released);
        ++expired_;
    }
}

bool memory_store::put(node_ptr node, timestamp now, condition when, const memory_node* expected) {
    if (node->weight() > bound_.bytes)
        return put_too_heavy(node->key(), node->written(), now, when, expected);
    released_nodes released;
    const std::lock_guard guard(mutex_);
    apply_notes();
    const bool stored = put_locked(node, now, when, expected, released);
    expire(now, wheel_budget, released);
    return stored;
}

bool memory_store::put_locked(node_ptr& node, timestamp now, condition when,
                              const memory_node* expected, released_nodes& released) {
    const place where = locate(node->key());
    entry_id entry = entry_at(where);
    if (!allows(when, node_of(entry), node->written(), expected)) return false;
    if (entry != no_entry)
        replace(entry, std::move(node), now, released);
    else
        entry = insert(where, node, now);
    make_room(entry, released);
    return true;
}

bool memory_store::put_too_heavy(std::string_view key, timestamp written, timestamp now,
                                 condition when, const memory_node* expected) noexcept {
    released_nodes released;
    const std::lock_guard guard(mutex_);
    apply_notes();
    const entry_id entry = entry_at(locate(key));
    const bool allowed = allows(when, node_of(entry), written, expected);
    if (allowed && entry != no_entry) remove(entry, released);
    expire(now, wheel_budget, released);
    return allowed;
}

void memory_store::make_room(entry_id spared, released_nodes& released) noexcept {
    while (over()) {
        const entry_id victim = policy_->victim(spared);
        if (victim == no_entry) return shrink();
        remove(victim, released);
        ++evicted_;
    }
}

void memory_store::shrink() noexcept {
    try {
        for (std::size_t i = 0; i != memory_table::shard_count; ++i) {
            table_.shard(i).shrink();
            table_.count_heap(i);
        }
        policy_->reserve(held_);
    } catch (const std::bad_alloc&) { // stays wide until the next put
    }
}

/// no_entry when the shard is full.
entry_id memory_store::insert(const place& where, node_ptr& node, timestamp now) {
    const std::size_t weight = node->weight();
    const memory_load after{held_.entries + 1, held_.bytes + weight};
    const std::size_t block = node->block_bytes();
    const bool expires = node->expires();
    memory_shard& shard = table_.shard(where.shard);
    const bool has_room = shard.reserve();
    table_.count_heap(where.shard);
    if (!has_room) return no_entry;
    policy_->reserve(after);
    const entry_id entry =
        memory_table::id_of(where.shard, shard.insert(where.hash, std::move(node)));
    held_ = after;
    block_bytes_ += block;
    policy_->on_insert(entry);
    if (expires) wheel_.schedule(entry, now);
    return entry;
}

void memory_store::replace(entry_id entry, node_ptr node, timestamp now,
                           released_nodes& released) noexcept {
    const std::size_t after = node->weight();
    const std::size_t before = table_[entry].node->weight();
    const bool expires = node->expires();
    block_bytes_ += node->block_bytes() - table_[entry].node->block_bytes();
    wheel_.cancel(entry);
    released.take(table_.shard_with(entry).replace(memory_table::index_of(entry), std::move(node)));
    held_.bytes = held_.bytes - before + after;
    if (before != after) policy_->on_reweigh(entry, before, after);
    policy_->on_use(entry);
    if (expires) wheel_.schedule(entry, now);
}

void memory_store::remove(entry_id entry, released_nodes& released) noexcept {
    held_.bytes -= table_[entry].node->weight();
    --held_.entries;
    block_bytes_ -= table_[entry].node->block_bytes();
    policy_->on_remove(entry);
    wheel_.cancel(entry);
    released.take(table_.shard_with(entry).remove(memory_table::index_of(entry)));
    table_.count_heap(memory_table::shard_number(entry));
}

bool memory_store::erase(std::string_view key, timestamp now) noexcept {
    released_nodes released;
    const std::lock_guard guard(mutex_);
    const entry_id entry = entry_at(locate(key));
    if (entry != no_entry) remove(entry, released);
    expire(now, wheel_budget, released);
    return entry != no_entry;
}

void memory_store::drop(const memory_node& expired, timestamp now) noexcept {
    released_nodes released;
    const std::lock_guard guard(mutex_);
    const entry_id entry = entry_at(locate(expired.key()));
    if (node_of(entry) == &expired) {
        remove(entry, released);
        ++expired_;
    }
    expire(now, wheel_budget, released);
}

std::size_t memory_store::clear() noexcept {
    std::array<memory_shard::contents, memory_table::shard_count> gone; // freed after the lock
    const std::lock_guard guard(mutex_);
    policy_->clear();
    wheel_.clear();
    for (std::size_t i = 0; i != gone.size(); ++i)
        gone[i] = table_.shard(i).take();
    for (std::size_t i = 0; i != gone.size(); ++i)
        table_.count_heap(i);
    block_bytes_ = 0;
    return std::exchange(held_, memory_load()).entries;
}

memory_stats memory_store::stats() const noexcept {
    const std::lock_guard guard(mutex_);
    return {.entries = held_.entries, .bytes = held_.bytes, .evicted = evicted_};
}

bool memory_store::drop_expired(sweep& s, timestamp now, std::size_t slice) noexcept {
    released_nodes released;
    const std::lock_guard guard(mutex_);
    if (!std::exchange(s.begun, true)) s.expired_before = expired_;
    for (; slice != 0 && s.shard != memory_table::shard_count; --slice)
        sweep_entry(s, now, released);
    const bool over = s.shard == memory_table::shard_count;
    if (over) s.done.kept = held_.entries;
    s.done.deleted = expired_ - s.expired_before;
    s.done.scanned = s.done.deleted + s.done.kept;
    return !over;
}

void memory_store::sweep_entry(sweep& s, timestamp now, released_nodes& released) noexcept {
    const memory_shard& shard = table_.shard(s.shard);
    if (s.next >= shard.size()) {
        ++s.shard;
        s.next = 0;
        return;
    }
    const entry_id entry = memory_table::id_of(s.shard, s.next++);
    if (!table_.exists(entry)) return;
    const memory_node* const node = table_[entry].node;
    if (!node) return;
    if (node->fresh(now)) {
        ++s.done.kept;
        return;
    }
    remove(entry, released);
    ++expired_;
}

} // namespace codynamo::detail
