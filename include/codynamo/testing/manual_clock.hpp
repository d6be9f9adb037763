// SPDX-License-Identifier: BSL-1.0
// Time that passes only when a test says so, or when somebody sleeps.
#pragma once

#include <codynamo/environment.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <mutex>
#include <vector>

namespace codynamo::testing {

/// A clock for tests. Wall-clock and monotonic time advance together, by `advance` or because a
/// sleeper waits: sleep_until moves the time on to its end at once and completes through the
/// caller's executor, so a test with retries takes no time and still suspends where the real one
/// does. Thread-safe. Must outlive its sleepers.
class manual_clock final : public clock {
public:
    using steady_point = std::chrono::steady_clock::time_point;

    /// 2023-11-14 22:13:20 UTC unless told otherwise.
    explicit manual_clock(timestamp start = timestamp{std::chrono::seconds{1'700'000'000}})
        : start_(start) {}

    [[nodiscard]] timestamp now() const noexcept override {
        const std::lock_guard guard(mutex_);
        return start_ + wall_shift_ + passed_;
    }
    [[nodiscard]] steady_point steady_now() const noexcept override {
        const std::lock_guard guard(mutex_);
        return steady_start + passed_;
    }
    /// Cancellation is noticed after the sleep, which takes no time anyway.
    [[nodiscard]] boost::asio::awaitable<void> sleep_until(steady_point when) const override {
        const bool slept = advance_to(when);
        if (!slept) co_return;
        co_await boost::asio::post(boost::asio::deferred);
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none)
            throw boost::system::system_error(boost::asio::error::operation_aborted);
    }

    void advance(std::chrono::microseconds by) {
        const std::lock_guard guard(mutex_);
        passed_ += by;
    }
    /// Moves wall-clock time alone, as an administrator does.
    void shift_wall(std::chrono::microseconds by) {
        const std::lock_guard guard(mutex_);
        wall_shift_ += by;
    }
    /// How long each sleeper slept, in the order in which they began.
    [[nodiscard]] std::vector<std::chrono::microseconds> sleeps() const {
        const std::lock_guard guard(mutex_);
        return sleeps_;
    }

private:
    /// Far from the clock's zero, so that subtracting a little is no surprise.
    static constexpr steady_point steady_start{std::chrono::hours{1000}};

    bool advance_to(steady_point when) const {
        const std::lock_guard guard(mutex_);
        const auto by =
            std::chrono::ceil<std::chrono::microseconds>(when - (steady_start + passed_));
        if (by <= std::chrono::microseconds{0}) return false;
        passed_ += by;
        sleeps_.push_back(by);
        return true;
    }

    const timestamp start_;
    mutable std::mutex mutex_;
    mutable std::chrono::microseconds passed_{0};
    std::chrono::microseconds wall_shift_{0};
    mutable std::vector<std::chrono::microseconds> sleeps_;
};

} // namespace codynamo::testing
