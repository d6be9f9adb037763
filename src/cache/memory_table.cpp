// SPDX-License-Identifier: BSL-1.0
#include "cache/memory_table.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace codynamo::detail {

namespace {

template <class Chunks>
void release_all(Chunks& chunks, std::size_t chunk_size) noexcept {
    for (auto& chunk : chunks)
        for (std::size_t i = 0; i != chunk_size; ++i)
            node_ptr(chunk[i].node, false).reset();
}

} // namespace

memory_shard::contents::~contents() {
    release_all(chunks_, chunk_size);
}

memory_shard::~memory_shard() {
    release_all(chunks_, chunk_size);
}

memory_shard::index memory_shard::find(std::uint32_t hash, std::string_view key) const noexcept {
    if (slots_.empty()) return none;
    for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
        const std::uint32_t slot = slots_[i];
        if (slot == empty) return none;
        if ((slot ^ hash) >> 24 != 0) continue;
        const memory_entry& entry = (*this)[slot & none];
        if (entry.hash == hash && entry.node->key() == key) return slot & none;
    }
}

bool memory_shard::reserve() {
    if (free_ == none && used_ == max_entries) return false;
    if (std::size_t{live_} + 1 > slots_.size() / 16 * 13) grow_slots();
    if (free_ == none && used_ == chunks_.size() * chunk_size) grow_entries();
    return true;
}

void memory_shard::grow_slots() {
    std::vector<std::uint32_t> larger(std::max<std::size_t>(16, slots_.size() * 2), empty);
    for (const std::uint32_t slot : slots_)
        if (slot != empty) place(larger, slot, (*this)[slot & none].hash);
    const std::lock_guard guard(mutex_);
    slots_.swap(larger);
}

void memory_shard::grow_entries() {
    auto made = std::make_unique<memory_entry[]>(chunk_size);
    std::vector<chunk> longer; // the one there is stays as it is while readers use it
    const bool full = chunks_.size() == chunks_.capacity();
    if (full) longer.reserve(std::max<std::size_t>(4, chunks_.size() * 2));
    const std::lock_guard guard(mutex_);
    if (full) {
        for (chunk& one : chunks_)
            longer.push_back(std::move(one));
        chunks_.swap(longer);
    }
    chunks_.push_back(std::move(made));
}

void memory_shard::place(std::vector<std::uint32_t>& slots, std::uint32_t slot,
                         std::uint32_t hash) const noexcept {
    const std::size_t last = slots.size() - 1;
    std::size_t i = hash & last;
    while (slots[i] != empty)
        i = (i + 1) & last;
    slots[i] = slot;
}

memory_shard::index memory_shard::insert(std::uint32_t hash, node_ptr node) noexcept {
    const std::lock_guard guard(mutex_);
    index at = free_;
    if (at == none)
        at = used_++;
    else
        free_ = (*this)[at].newer;
    memory_entry& entry = (*this)[at];
    entry = memory_entry();
    entry.node = node.detach();
    entry.hash = hash;
    place(slots_, slot_of(hash, at), hash);
    ++live_;
    return at;
}

node_ptr memory_shard::replace(index at, node_ptr node) noexcept {
    const std::lock_guard guard(mutex_);
    return {std::exchange((*this)[at].node, node.detach()), false};
}

std::size_t memory_shard::slot_holding(index at) const noexcept {
    const std::uint32_t hash = (*this)[at].hash;
    std::size_t i = hash & mask();
    while (slots_[i] != slot_of(hash, at))
        i = (i + 1) & mask();
    return i;
}

/// What was placed beyond the gap because of what was in it moves back, so no tombstone stays.
void memory_shard::close_gap(std::size_t gap) noexcept {
    for (std::size_t i = (gap + 1) & mask(); slots_[i] != empty; i = (i + 1) & mask()) {
        const std::size_t home = (*this)[slots_[i] & none].hash & mask();
        if (((i - home) & mask()) < ((i - gap) & mask())) continue;
        slots_[gap] = slots_[i];
        gap = i;
    }
    slots_[gap] = empty;
}

node_ptr memory_shard::remove(index at) noexcept {
    const std::lock_guard guard(mutex_);
    memory_entry& entry = (*this)[at];
    close_gap(slot_holding(at));
    entry.newer = std::exchange(free_, at);
    --live_;
    return {std::exchange(entry.node, nullptr), false};
}

memory_shard::contents memory_shard::take() noexcept {
    contents taken;
    const std::lock_guard guard(mutex_);
    taken.slots_.swap(slots_);
    taken.chunks_.swap(chunks_);
    used_ = live_ = 0;
    free_ = none;
    return taken;
}

} // namespace codynamo::detail
