// SPDX-License-Identifier: BSL-1.0
#include "aws/adaptive_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace codynamo::aws {
namespace {

constexpr double beta = 0.7;
constexpr double scale = 0.4;
constexpr double smoothing = 0.8;
constexpr double buckets_per_second = 2;
constexpr double min_fill_rate = 0.5;
constexpr double min_capacity = 1;
/// How soon those who wait look again at what has become of the rate.
constexpr std::chrono::milliseconds look_after{500};

double recovery_time(double max_rate) noexcept {
    return std::cbrt(max_rate * (1 - beta) / scale);
}

} // namespace

cubic_rate::cubic_rate(double last_max_rate, double last_throttle_time) noexcept
    : last_max_rate_(last_max_rate), last_throttle_(last_throttle_time),
      time_to_recover_(recovery_time(last_max_rate)) {}

double cubic_rate::after_success(double now) const noexcept {
    const double t = now - last_throttle_ - time_to_recover_;
    return scale * t * t * t + last_max_rate_;
}

double cubic_rate::after_throttle(double rate, double now) noexcept {
    *this = cubic_rate(rate, now);
    return rate * beta;
}

void measured_rate::add(double now) noexcept {
    const double bucket = std::floor(now * buckets_per_second) / buckets_per_second;
    ++count_;
    if (bucket <= last_bucket_) return;
    const double current = count_ / (bucket - last_bucket_);
    rate_ = current * smoothing + rate_ * (1 - smoothing);
    count_ = 0;
    last_bucket_ = bucket;
}

adaptive_limiter::clock::duration adaptive_limiter::take(std::size_t ahead) noexcept {
    // Whoever is before this one finds his token still there.
    const double needed = static_cast<double>(ahead) + 1;
    if (tokens_ >= needed) {
        tokens_ -= 1;
        return {};
    }
    // Rounded up: a token that is short by a rounding error would cost another wait.
    const std::chrono::duration<double> wait((needed - tokens_) / fill_rate_);
    return std::chrono::ceil<std::chrono::microseconds>(wait);
}

adaptive_limiter::clock::duration adaptive_limiter::acquire(clock::time_point now) noexcept {
    const std::lock_guard lock(mutex_);
    if (!enabled_) return {};
    refill(seconds(now));
    return take(queue_.size());
}

adaptive_limiter::clock::duration adaptive_limiter::acquire(clock::time_point now, ticket& place) {
    const std::lock_guard lock(mutex_);
    if (!enabled_) return {};
    refill(seconds(now));
    auto found = std::lower_bound(queue_.begin(), queue_.end(), place);
    if (place == 0) found = queue_.end();
    const auto wait = take(static_cast<std::size_t>(found - queue_.begin()));
    if (wait.count() == 0) {
        if (place != 0) queue_.erase(found);
        place = 0;
        return wait;
    }
    if (place == 0) {
        queue_.push_back(last_ticket_ + 1);
        place = ++last_ticket_;
    }
    return std::min<clock::duration>(wait, look_after);
}

void adaptive_limiter::leave(ticket& place) noexcept {
    if (place == 0) return;
    const std::lock_guard lock(mutex_);
    const auto found = std::lower_bound(queue_.begin(), queue_.end(), place);
    if (found != queue_.end() && *found == place) queue_.erase(found);
    place = 0;
}

void adaptive_limiter::ended(bool throttled, clock::time_point at) noexcept {
    const std::lock_guard lock(mutex_);
    const double now = seconds(at);
    measured_.add(now);
    if (!throttled) return set_rate(curve_.after_success(now), now);
    const double sent_at =
        enabled_ ? std::min(measured_.per_second(), fill_rate_) : measured_.per_second();
    const double wanted = curve_.after_throttle(sent_at, now);
    if (!enabled_) last_refill_ = now;
    enabled_ = true;
    set_rate(wanted, now);
}

void adaptive_limiter::set_rate(double wanted, double now) noexcept {
    if (enabled_) refill(now); // what has come until now came at the old rate
    const double rate = std::min(wanted, 2 * measured_.per_second());
    fill_rate_ = std::max(rate, min_fill_rate);
    capacity_ = std::max(rate, min_capacity);
    tokens_ = std::min(tokens_, capacity_);
}

void adaptive_limiter::refill(double now) noexcept {
    // Threads may bring their times in another order than they took them in.
    const double passed = std::max(now - last_refill_, 0.0);
    tokens_ = std::min(capacity_, tokens_ + passed * fill_rate_);
    last_refill_ = std::max(now, last_refill_);
}

double adaptive_limiter::measured() const noexcept {
    const std::lock_guard lock(mutex_);
    return measured_.per_second();
}

double adaptive_limiter::allowed() const noexcept {
    const std::lock_guard lock(mutex_);
    return fill_rate_;
}

double adaptive_limiter::seconds(clock::time_point now) const noexcept {
    return std::chrono::duration<double>(now - start_).count();
}

} // namespace codynamo::aws
