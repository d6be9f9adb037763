// SPDX-License-Identifier: BSL-1.0
#include "open_loop.hpp"

#include <algorithm>
#include <cmath>

namespace bench {

void arrivals::advance() {
    if (poisson_) {
        at_ += std::exponential_distribution<double>(per_second_)(random_);
    } else {
        // Not summed up: it would drift.
        at_ = static_cast<double>(count_++) / per_second_;
    }
    next_ = std::chrono::nanoseconds(std::llround(at_ * 1e9));
}

std::optional<open_loop::time_point> open_loop::take(time_point now) {
    const time_point next = next_arrival();
    if (full() || next > now || over(now)) return std::nullopt;
    schedule_.advance();
    ++begun_;
    most_ = std::max(most_, ++in_flight_);
    return next;
}

std::optional<open_loop::time_point> open_loop::next_look() const {
    const time_point next = next_arrival();
    if (full() || next >= end_) return std::nullopt;
    return next;
}

bool open_loop::over(time_point now) const noexcept {
    return now >= end_ || next_arrival() >= end_;
}

std::uint64_t open_loop::waiting(time_point now) const {
    const auto until = std::min(now, end_) - begin_;
    std::uint64_t count = 0;
    for (arrivals rest = schedule_; rest.next() < until; rest.advance())
        ++count;
    return count;
}

} // namespace bench
