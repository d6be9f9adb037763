// SPDX-License-Identifier: BSL-1.0
// Which entries were read, for a policy that is told of it later, in batches, by one thread.
#pragma once

#include "cache/memory_table.hpp"

#include <codynamo/detail/striped_counter.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace codynamo::detail {

/// Rings that threads write to without waiting for each other; a thread has its ring, which few
/// others share. What finds no room is lost: a policy can do without. (BP-Wrapper, Ding et al.,
/// 2009; Caffeine's striped buffer.)
class read_buffer {
public:
    struct read {
        entry_id entry = no_entry;
        std::uint32_t hash = 0;
    };
    static constexpr std::size_t capacity = 64; ///< of a ring

    /// Any thread. False when the ring is full now: it is time to drain.
    bool add(read what) noexcept {
        ring& mine = rings_[own_ring()];
        std::uint32_t end = mine.end.load(std::memory_order_relaxed);
        std::uint32_t used = end - mine.begin.load(std::memory_order_acquire);
        if (used >= capacity) return false;
        // When somebody else is writing, this read is lost rather than waited for.
        if (!mine.end.compare_exchange_strong(end, end + 1, std::memory_order_relaxed)) return true;
        mine.slots[end % capacity].store(packed(what), std::memory_order_release);
        return used + 1 < capacity;
    }
    /// One thread at a time. Calls `apply(reads, count)` with what each ring holds, which it may
    /// change.
    template <class Apply>
    void drain(Apply&& apply) noexcept {
        for (ring& one : rings_) {
            const std::uint32_t begin = one.begin.load(std::memory_order_relaxed);
            const std::uint32_t end = one.end.load(std::memory_order_acquire);
            if (begin == end) continue;
            std::array<read, capacity> reads;
            std::size_t count = 0;
            for (std::uint32_t at = begin; at != end; ++at) {
                auto& slot = one.slots[at % capacity];
                const std::uint64_t found = slot.load(std::memory_order_acquire);
                if (found == 0) break; // reserved, not written yet
                slot.store(0, std::memory_order_relaxed);
                reads[count++] = unpacked(found);
            }
            one.begin.store(begin + static_cast<std::uint32_t>(count), std::memory_order_release);
            apply(reads.data(), count);
        }
    }

private:
    static constexpr std::size_t ring_count = 16;
    struct alignas(128) ring { // processors fetch lines in pairs
        std::atomic<std::uint32_t> end{0};
        std::atomic<std::uint32_t> begin{0};
        alignas(64) std::array<std::atomic<std::uint64_t>, capacity> slots{};
    };

    [[nodiscard]] static std::size_t own_ring() noexcept { return number_of_thread() % ring_count; }
    /// Never 0, which is an empty slot: ids have 29 bits.
    static std::uint64_t packed(read what) noexcept {
        return (std::uint64_t{what.entry} + 1) << 32 | what.hash;
    }
    static read unpacked(std::uint64_t slot) noexcept {
        return {static_cast<entry_id>((slot >> 32) - 1), static_cast<std::uint32_t>(slot)};
    }

    std::array<ring, ring_count> rings_;
};

} // namespace codynamo::detail
