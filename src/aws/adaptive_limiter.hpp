// SPDX-License-Identifier: BSL-1.0
// The adaptive retry mode's send rate: grows along a cubic curve while all goes well, and drops
// when the service throttles.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

namespace codynamo::aws {

/// The curve of the CUBIC congestion control (RFC 8312) with the SDKs' constants. Pure; times are
/// seconds since whenever.
class cubic_rate {
public:
    cubic_rate() = default;
    cubic_rate(double last_max_rate, double last_throttle_time) noexcept;

    /// The rate after a success at `now`.
    [[nodiscard]] double after_success(double now) const noexcept;
    /// The rate after being throttled at `now` while sending at `rate`.
    [[nodiscard]] double after_throttle(double rate, double now) noexcept;

private:
    double last_max_rate_ = 0;
    double last_throttle_ = 0;
    double time_to_recover_ = 0;
};

/// Requests per second, smoothed over buckets of half a second. Pure.
class measured_rate {
public:
    /// One more at `now` seconds.
    void add(double now) noexcept;
    [[nodiscard]] double per_second() const noexcept { return rate_; }

private:
    double rate_ = 0;
    double last_bucket_ = 0;
    unsigned count_ = 0;
};

/// One per client: every attempt takes a token, the first of a call and the retries alike. Lets
/// everything pass until the service throttles for the first time. Waiting calls are served in the
/// order of arrival. Thread-safe. Sources: botocore
/// retries/adaptive.py and throttling.py; smithy-rs client_rate_limiter.rs.
class adaptive_limiter {
public:
    using clock = std::chrono::steady_clock;

    explicit adaptive_limiter(clock::time_point start) noexcept : start_(start) {}

    /// A place in the queue; 0: none. Its holder must call acquire() again or leave(). The first
    /// holder that is a second late with it (its context has stopped or is blocked) is passed over,
    /// and has its place back when it calls.
    using ticket = std::uint64_t;

    /// Takes a token if no call waits for one, and returns zero. Otherwise takes nothing, and
    /// returns the time until a token is free at the present rate.
    [[nodiscard]] clock::duration acquire(clock::time_point now) noexcept;
    /// The same with a place in the queue: the first time at its end. Else how long to wait before
    /// asking again: until the turn at the present rate, but at most half a second, as the rate
    /// changes. May throw std::bad_alloc.
    [[nodiscard]] clock::duration acquire(clock::time_point now, ticket& place);
    /// Gives the place up; those behind it advance.
    void leave(ticket& place) noexcept;
    /// An attempt ended.
    void ended(bool throttled, clock::time_point now) noexcept;

    /// For tests: requests per second, measured and allowed.
    [[nodiscard]] double measured() const noexcept;
    [[nodiscard]] double allowed() const noexcept;

private:
    [[nodiscard]] double seconds(clock::time_point now) const noexcept;
    void refill(double now) noexcept;
    /// With so many before.
    [[nodiscard]] clock::duration take(std::size_t ahead) noexcept;
    void set_rate(double wanted, double now) noexcept;

    const clock::time_point start_;
    mutable std::mutex mutex_;
    measured_rate measured_;
    cubic_rate curve_;
    bool enabled_ = false;
    double fill_rate_ = 0;
    double capacity_ = 0;
    double tokens_ = 0;
    double last_refill_ = 0;
    struct waiting {
        ticket place;
        clock::time_point asks_again;
    };
    /// Who is late and first; the others cannot be served before it.
    void drop_late(clock::time_point now) noexcept;
    [[nodiscard]] std::deque<waiting>::iterator find(ticket place) noexcept;

    /// By place, ascending.
    std::deque<waiting> queue_;
    ticket last_ticket_ = 0;
};

} // namespace codynamo::aws
