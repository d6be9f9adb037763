// SPDX-License-Identifier: BSL-1.0
// A process's clock in a virtual_world; its wall-clock time may be wrong.
#pragma once

#include <codynamo/environment.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace codynamo::testing {

/// The world's time as one process sees it. Monotonic time is the same everywhere; wall-clock time
/// is off by the skew. Sleepers wake in order, when nothing else is left to do. Must not outlive
/// the process.
class virtual_clock final : public clock {
public:
    explicit virtual_clock(virtual_process& whose, std::chrono::microseconds skew = {}) noexcept
        : process_(whose), skew_(skew) {}

    [[nodiscard]] timestamp now() const noexcept override {
        return process_.world().wall() + skew_;
    }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const noexcept override {
        return process_.world().now();
    }
    [[nodiscard]] boost::asio::awaitable<void>
    sleep_until(std::chrono::steady_clock::time_point when) const override {
        if (when <= steady_now()) co_return;
        virtual_signal nobody(process_);
        co_await nobody.wait_until(when);
    }

    [[nodiscard]] std::chrono::microseconds skew() const noexcept { return skew_; }
    /// Sets the wall clock, as an administrator does.
    void set_skew(std::chrono::microseconds skew) noexcept { skew_ = skew; }

private:
    virtual_process& process_;
    std::chrono::microseconds skew_;
};

} // namespace codynamo::testing
