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
/// How soon waiting calls read the rate again.
constexpr std::chrono::milliseconds look_after{500};
/// How late the first waiting call may be with that.
constexpr std::chrono::seconds latest{1};

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
    // Enough for those ahead too.
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
    drop_late(now);
    return take(queue_.size());
}

adaptive_limiter::clock::duration adaptive_limiter::acquire(clock::time_point now, ticket& place) {
    const std::lock_guard lock(mutex_);
    if (!enabled_) return {};
    refill(seconds(now));
    drop_late(now);
    auto at = place == 0 ? queue_.end() : find(place);
    const bool is_queued = at != queue_.end() && at->place == place;
    const auto wait = take(static_cast<std::size_t>(at - queue_.begin()));
    if (wait.count() == 0) {
        if (is_queued) queue_.erase(at);
        place = 0;
        return wait;
    }
    const auto pause = std::min<clock::duration>(wait, look_after);
    if (is_queued) {
        at->asks_again = now + pause;
    } else {
        const ticket mine = place == 0 ? last_ticket_ + 1 : place;
        queue_.insert(at, {mine, now + pause});
        last_ticket_ = std::max(last_ticket_, mine);
        place = mine;
    }
    return pause;
}

void adaptive_limiter::drop_late(clock::time_point now) noexcept {
    while (!queue_.empty() && now - queue_.front().asks_again > latest)
        queue_.pop_front();
}

auto adaptive_limiter::find(ticket place) noexcept -> std::deque<waiting>::iterator {
    return std::lower_bound(queue_.begin(), queue_.end(), place,
                            [](const waiting& w, ticket p) { return w.place < p; });
}

void adaptive_limiter::leave(ticket& place) noexcept {
    if (place == 0) return;
    const std::lock_guard lock(mutex_);
    const auto found = find(place);
    if (found != queue_.end() && found->place == place) queue_.erase(found);
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
