// SPDX-License-Identifier: BSL-1.0
// When an operation that has to be repeated may be repeated.
#pragma once

#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>

namespace codynamo::detail {

/// Jittered exponential pauses between the rounds of one slice, starting over whenever there was
/// progress.
class rounds {
public:
    explicit rounds(const dynamodb_backend_config& config)
        : config_(config), deadline_(config.env.time->steady_now() + config.call_timeout) {}

    /// False when the time of the call is used up.
    boost::asio::awaitable<bool> wait(bool progress) {
        idle_ = progress ? 0 : std::min(idle_ + 1, 6U);
        const double most = 25.0 * static_cast<double>(1U << idle_); // ms; at most 1.6 s
        const auto pause = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
            std::chrono::duration<double, std::milli>(most * config_.env.random->uniform()));
        const auto until = config_.env.time->steady_now() + pause;
        if (until >= deadline_) co_return false;
        co_await config_.env.time->sleep_until(until);
        co_return true;
    }

private:
    const dynamodb_backend_config& config_;
    std::chrono::steady_clock::time_point deadline_;
    unsigned idle_ = 0;
};

} // namespace codynamo::detail
