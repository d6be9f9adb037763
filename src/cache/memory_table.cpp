// SPDX-License-Identifier: BSL-1.0
#include "cache/memory_table.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>

namespace codynamo::detail {

namespace {

template <class Chunks>
void release_all(Chunks& chunks, std::size_t chunk_size) noexcept {
    for (auto& chunk : chunks)
        for (std::size_t i = 0; chunk && i != chunk_size; ++i)
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

std::size_t memory_shard::heap_bytes() const noexcept {
    return heap_bytes_of(slots_) + heap_bytes_of(chunks_) + heap_bytes_of(taken_) +
           heap_bytes_of(room_) +
           chunk_count_ * detail::heap_bytes(chunk_size * sizeof(memory_entry));
}

bool memory_shard::reserve() {
    if (live_ == max_entries) return false;
    if (std::size_t{live_} + 1 > usable_slots())
        set_slots(std::max<std::size_t>(16, slots_.size() * 2));
    if (chunks_.size() == chunks_.capacity())
        set_chunk_capacity(std::max<std::size_t>(4, chunks_.size() * 2));
    shrink();
    const std::size_t number = first_with_room();
    if (number == chunks_.size() || !chunks_[number]) add_chunk(number);
    return true;
}

/// What is less than a quarter used, to where it is far from that and from being full.
void memory_shard::shrink() {
    const std::size_t wanted = std::size_t{live_} + 1;
    if (slots_.size() > 16 && wanted < usable_slots() / 4)
        set_slots(std::max<std::size_t>(16, std::bit_ceil(2 * wanted)));
    if (chunks_.capacity() > 16 && chunks_.size() < chunks_.capacity() / 4)
        set_chunk_capacity(std::max<std::size_t>(4, chunks_.size() * 2));
}

void memory_shard::set_slots(std::size_t count) {
    std::vector<std::uint32_t> made(count, empty);
    for (const std::uint32_t slot : slots_)
        if (slot != empty) place(made, slot, (*this)[slot & none].hash);
    const std::lock_guard guard(mutex_);
    slots_.swap(made);
}

void memory_shard::set_chunk_capacity(std::size_t count) {
    std::vector<std::uint16_t> taken;
    taken.reserve(count);
    taken.assign(taken_.begin(), taken_.end());
    std::vector<std::uint64_t> room;
    room.reserve((count + 63) / 64);
    room.assign(room_.begin(), room_.end());
    // Readers use the present list until the new one is whole. For that long both own the chunks:
    // nothing throws until only one does.
    std::vector<chunk> chunks;
    chunks.reserve(count);
    for (const chunk& each : chunks_)
        chunks.emplace_back(each.get());
    taken_.swap(taken);
    room_.swap(room);
    {
        const std::lock_guard guard(mutex_);
        chunks_.swap(chunks);
    }
    for (chunk& each : chunks)
        static_cast<void>(each.release());
}

/// There is capacity for it.
void memory_shard::add_chunk(std::size_t number) {
    auto made = std::make_unique<memory_entry[]>(chunk_size);
    ++chunk_count_;
    const bool last = number == chunks_.size();
    if (last) {
        taken_.push_back(0);
        room_.resize(number / 64 + 1);
        mark_room(number, true);
    }
    const std::lock_guard guard(mutex_);
    if (last)
        chunks_.push_back(std::move(made));
    else
        chunks_[number] = std::move(made);
}

/// The number of chunks when none has.
std::size_t memory_shard::first_with_room() noexcept {
    while (room_from_ < room_.size() && room_[room_from_] == 0)
        ++room_from_;
    if (room_from_ >= room_.size()) return chunks_.size();
    return room_from_ * 64 + static_cast<std::size_t>(std::countr_zero(room_[room_from_]));
}

void memory_shard::mark_room(std::size_t number, bool room) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << number % 64;
    if (room) {
        room_[number / 64] |= bit;
        room_from_ = std::min(room_from_, number / 64);
    } else {
        room_[number / 64] &= ~bit;
    }
}

/// With the mutex held. Its memory is freed by the caller, without it.
memory_shard::chunk memory_shard::release_chunk(std::size_t number) noexcept {
    chunk released = std::move(chunks_[number]);
    --chunk_count_;
    while (!chunks_.empty() && !chunks_.back()) {
        mark_room(chunks_.size() - 1, false);
        chunks_.pop_back();
        taken_.pop_back();
    }
    room_.resize((chunks_.size() + 63) / 64);
    return released;
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
    const std::size_t number = first_with_room();
    const auto place_in_chunk = static_cast<index>(std::countr_one(taken_[number]));
    const auto at = static_cast<index>(number * chunk_size) + place_in_chunk;
    taken_[number] = static_cast<std::uint16_t>(taken_[number] | 1U << place_in_chunk);
    if (taken_[number] == 0xffff) mark_room(number, false);
    ++live_;
    const std::lock_guard guard(mutex_);
    memory_entry& entry = (*this)[at];
    entry = memory_entry();
    entry.node = node.detach();
    entry.hash = hash;
    place(slots_, slot_of(hash, at), hash);
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
    const std::size_t number = at / chunk_size;
    taken_[number] = static_cast<std::uint16_t>(taken_[number] & ~(1U << at % chunk_size));
    mark_room(number, true);
    --live_;
    chunk released; // freed after the lock
    const std::lock_guard guard(mutex_);
    close_gap(slot_holding(at));
    node_ptr removed(std::exchange((*this)[at].node, nullptr), false);
    if (taken_[number] == 0) released = release_chunk(number);
    return removed;
}

memory_shard::contents memory_shard::take() noexcept {
    contents taken;
    std::vector<std::uint16_t>().swap(taken_);
    std::vector<std::uint64_t>().swap(room_);
    room_from_ = chunk_count_ = 0;
    live_ = 0;
    const std::lock_guard guard(mutex_);
    taken.slots_.swap(slots_);
    taken.chunks_.swap(chunks_);
    return taken;
}

} // namespace codynamo::detail
