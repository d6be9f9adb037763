// SPDX-License-Identifier: BSL-1.0
// When entries expire: a hierarchical timer wheel (Varghese and Lauck, 1987), which drops what no
// read meets.
#pragma once

#include "cache/memory_table.hpp"

#include <codynamo/environment.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace codynamo::detail {

/// Four levels of 64 buckets: of 1.05 s, 67 s, 72 min and 76 h. An entry waits in the bucket that
/// its deadline is in, and moves to a finer one when that one's time comes. So it goes at most
/// 1.05 s late, and costs at most four moves. Not thread-safe.
///
/// Its time is the wall clock's, and follows it back as well: at once, because the entries stay in
/// their buckets and are put into others when a bucket is met too early. Only what was due by the
/// clock before it went back, and had not been taken out yet, may go up to 67 s late.
class timer_wheel {
public:
    explicit timer_wheel(const memory_table& table) noexcept;

    /// The entry's node expires. It is in no bucket.
    void schedule(entry_id entry, timestamp now) noexcept;
    /// No effect on an entry in no bucket.
    void cancel(entry_id entry) noexcept;
    /// An entry whose time has come, in no bucket any more; no_entry when there is none, or when
    /// `budget` has become 0. Each entry and each bucket that is looked at costs 1.
    [[nodiscard]] entry_id next_due(timestamp now, int& budget) noexcept;
    /// All entries are gone at once.
    void clear() noexcept;

    [[nodiscard]] std::size_t size() const noexcept;

private:
    using tick = std::int64_t;
    static constexpr int tick_bits = 20;
    static constexpr int level_bits = 6;
    static constexpr std::size_t level_size = 1U << level_bits;
    static constexpr std::size_t levels = 4;
    static constexpr tick reach = tick{1} << (levels * level_bits);

    [[nodiscard]] static tick tick_of(timestamp when) noexcept {
        return when.time_since_epoch().count() >> tick_bits;
    }
    [[nodiscard]] std::size_t bucket_of(tick due) const noexcept;
    void put(entry_id entry) noexcept;
    void take(entry_id entry) noexcept;
    /// False when the budget ran out before the coarser buckets that begin now were empty.
    [[nodiscard]] bool cascade(int& budget) noexcept;
    void step(tick until) noexcept;
    void follow_back(tick now) noexcept;

    const memory_table* table_;
    std::array<entry_id, levels * level_size> buckets_;
    std::array<std::size_t, levels> held_{};
    tick tick_ = 0; ///< the next to be done with; what is due before it is gone or in its bucket
    bool cascaded_ = false;
};

} // namespace codynamo::detail
