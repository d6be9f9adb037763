// SPDX-License-Identifier: BSL-1.0
// How much time an exchange needs, at most: what a waiter must have left to be worth a connection.
#pragma once

#include <algorithm>
#include <chrono>

namespace codynamo::net {

/// A quarter more than the longest exchange of the last 2.5 to 5 seconds. One that was cut short
/// counts with the time that it had: it would have taken longer. While anything is known
/// no sample counts for more than twice that, so one slow exchange at most doubles the bound.
class service_bound {
public:
    using duration = std::chrono::steady_clock::duration;
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr duration window = std::chrono::milliseconds(2500);

    void add(duration took, time_point now) noexcept {
        if (now - begin_ >= window) {
            older_ = now - begin_ < 2 * window ? newer_ : duration::zero();
            newer_ = duration::zero();
            begin_ = now;
        }
        const duration known = std::max(older_, newer_);
        if (known != duration::zero()) took = std::min(took, 2 * known + least_step);
        newer_ = std::max(newer_, took);
    }

    /// Zero: nothing is known, or nothing any more.
    [[nodiscard]] duration get(time_point now) const noexcept {
        const duration age = now - begin_;
        if (age >= 2 * window) return duration::zero();
        const duration longest = age < window ? std::max(older_, newer_) : newer_;
        return longest + longest / 4;
    }

private:
    static constexpr duration least_step = std::chrono::microseconds(100);

    duration older_{}; // of the window before
    duration newer_{};
    time_point begin_{};
};

} // namespace codynamo::net
