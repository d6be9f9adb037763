// SPDX-License-Identifier: BSL-1.0
#include "cache/timer_wheel.hpp"

#include <algorithm>
#include <numeric>

namespace codynamo::detail {

namespace {
constexpr std::uint16_t no_bucket = 0xffff;
} // namespace

timer_wheel::timer_wheel(const memory_table& table) noexcept : table_(&table) {
    buckets_.fill(no_entry);
}

std::size_t timer_wheel::bucket_of(tick due) const noexcept {
    // Compared before they are subtracted: deadlines go up to the ends of time.
    due = due <= tick_ ? tick_ : std::min(due, tick_ + reach - 1);
    std::size_t level = 0;
    while ((due - tick_) >> (level_bits * (level + 1)) != 0)
        ++level;
    return level * level_size +
           (static_cast<std::size_t>(due >> (level_bits * level)) & (level_size - 1));
}

void timer_wheel::put(entry_id entry) noexcept {
    memory_entry& one = (*table_)[entry];
    const std::size_t bucket = bucket_of(tick_of(one.node->deadline()));
    one.timer_bucket = static_cast<std::uint16_t>(bucket);
    one.timer_previous = no_entry;
    one.timer_next = buckets_[bucket];
    if (one.timer_next != no_entry) (*table_)[one.timer_next].timer_previous = entry;
    buckets_[bucket] = entry;
    ++held_[bucket / level_size];
}

void timer_wheel::take(entry_id entry) noexcept {
    memory_entry& one = (*table_)[entry];
    if (one.timer_previous == no_entry)
        buckets_[one.timer_bucket] = one.timer_next;
    else
        (*table_)[one.timer_previous].timer_next = one.timer_next;
    if (one.timer_next != no_entry) (*table_)[one.timer_next].timer_previous = one.timer_previous;
    --held_[one.timer_bucket / level_size];
    one.timer_bucket = no_bucket;
}

void timer_wheel::schedule(entry_id entry, timestamp now) noexcept {
    if (size() == 0) {
        tick_ = tick_of(now);
        cascaded_ = true;
    }
    follow_back(tick_of(now));
    put(entry);
}

/// No entry is missed: the bucket of a deadline is met at the latest when the deadline is, from
/// whichever earlier tick one starts.
void timer_wheel::follow_back(tick now) noexcept {
    if (now >= tick_) return;
    tick_ = now;
    cascaded_ = false;
}

void timer_wheel::cancel(entry_id entry) noexcept {
    if ((*table_)[entry].timer_bucket != no_bucket) take(entry);
}

void timer_wheel::clear() noexcept {
    buckets_.fill(no_entry);
    held_.fill(0);
}

std::size_t timer_wheel::size() const noexcept {
    return std::accumulate(held_.begin(), held_.end(), std::size_t{0});
}

entry_id timer_wheel::next_due(timestamp now, int& budget) noexcept {
    const tick until = tick_of(now);
    follow_back(until);
    while (budget > 0 && size() != 0 && tick_ < until) {
        if (!cascaded_) {
            if (!cascade(budget)) return no_entry;
            continue; // perhaps with nothing left of the budget
        }
        const entry_id due = buckets_[static_cast<std::size_t>(tick_) & (level_size - 1)];
        --budget;
        if (due == no_entry) {
            step(until);
            continue;
        }
        take(due);
        if (tick_of((*table_)[due].node->deadline()) <= tick_) return due;
        put(due); // the clock has gone back since it was put here
    }
    return no_entry;
}

bool timer_wheel::cascade(int& budget) noexcept {
    for (std::size_t level = levels - 1; level != 0; --level) {
        const auto shift = level_bits * level;
        if ((tick_ & ((tick{1} << shift) - 1)) != 0) continue;
        const std::size_t bucket =
            level * level_size + (static_cast<std::size_t>(tick_ >> shift) & (level_size - 1));
        // What is taken off here never comes back here: at the bucket's begin, all that is due
        // within it goes to a finer level.
        entry_id chain = buckets_[bucket];
        for (; chain != no_entry && budget > 0; --budget) {
            const entry_id moved = chain;
            chain = (*table_)[moved].timer_next;
            take(moved);
            put(moved);
        }
        if (chain != no_entry) return false;
    }
    cascaded_ = true;
    return true;
}

/// To the next tick at which anything can be, but not beyond `until`. What is more than the wheel's
/// reach behind, because the clock was, is left out: every bucket is met on the rest of the way.
void timer_wheel::step(tick until) noexcept {
    std::size_t level = 0;
    while (level != levels - 1 && held_[level] == 0)
        ++level;
    const tick unit = tick{1} << (level_bits * level);
    tick_ = std::max(until - reach, std::min(until, (tick_ & -unit) + unit));
    cascaded_ = false;
}

} // namespace codynamo::detail
