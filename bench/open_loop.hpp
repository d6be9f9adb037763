// SPDX-License-Identifier: BSL-1.0
// When operations are to begin at a given rate, whatever becomes of those before: pure decisions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace bench {

/// Offsets from the beginning at which operations arrive, one after the other.
class arrivals {
public:
    /// At fixed spacing; or, `poisson`, independent of each other and that many on average.
    arrivals(double per_second, bool poisson, std::uint64_t seed)
        : per_second_(per_second), poisson_(poisson), random_(seed) {
        advance();
    }
    [[nodiscard]] std::chrono::nanoseconds next() const noexcept { return next_; }
    void advance();

private:
    double per_second_;
    bool poisson_;
    std::mt19937_64 random_;
    std::uint64_t count_ = 0;
    double at_ = 0; ///< seconds
    std::chrono::nanoseconds next_{0};
};

/// Which operations begin now. An arrival that finds as many in flight as are allowed waits, and
/// its latency counts from when it came: whatever stalls is seen by all who came meanwhile.
class open_loop {
public:
    using clock = std::chrono::steady_clock;
    using time_point = clock::time_point;

    /// Those that arrive from `begin` on and before `end`.
    open_loop(arrivals schedule, unsigned most_in_flight, time_point begin, time_point end)
        : schedule_(schedule), limit_(most_in_flight), begin_(begin), end_(end) {}

    /// When the next operation was to begin, if it may begin now: then it is in flight. To be
    /// called until it has none, so that a late timer begins all that are due.
    [[nodiscard]] std::optional<time_point> take(time_point now);
    /// One that was in flight is over.
    void finished() noexcept { --in_flight_; }
    /// When the next one arrives. nullopt: no more do; or there is no room, and the next one to
    /// end makes it.
    [[nodiscard]] std::optional<time_point> next_look() const;

    [[nodiscard]] bool full() const noexcept { return in_flight_ >= limit_; }
    /// No more begin.
    [[nodiscard]] bool over(time_point now) const noexcept;
    [[nodiscard]] unsigned in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] unsigned most_in_flight() const noexcept { return most_; }
    [[nodiscard]] std::uint64_t begun() const noexcept { return begun_; }
    /// How many arrived before `now` and have not begun.
    [[nodiscard]] std::uint64_t waiting(time_point now) const;

private:
    [[nodiscard]] time_point next_arrival() const { return begin_ + schedule_.next(); }

    arrivals schedule_;
    unsigned limit_;
    time_point begin_;
    time_point end_;
    unsigned in_flight_ = 0;
    unsigned most_ = 0;
    std::uint64_t begun_ = 0;
};

} // namespace bench
