// SPDX-License-Identifier: BSL-1.0
// When an operation that has to be repeated may be repeated.
#pragma once

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

namespace codynamo::detail {

/// Jittered exponential pauses between the rounds of one slice, starting over whenever there was
/// progress.
class rounds {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Without a deadline there is the time of a call for all rounds, and as much again for a call
    /// that has begun by then.
    explicit rounds(const dynamodb_backend_config& config,
                    std::optional<time_point> deadline = std::nullopt)
        : config_(config), is_bound_(deadline.has_value()),
          deadline_(deadline.value_or(config.env.time->steady_now() + config.call_timeout)) {}

    /// For the call of the next round.
    [[nodiscard]] dynamodb::call_options options() const {
        dynamodb::call_options made;
        if (is_bound_) made.timeout = time_left(deadline_ - config_.env.time->steady_now());
        return made;
    }
    /// As the timeout of a call: rounded up, and positive.
    [[nodiscard]] static std::chrono::milliseconds
    time_left(std::chrono::steady_clock::duration left) noexcept {
        return std::max(std::chrono::milliseconds(1),
                        std::chrono::ceil<std::chrono::milliseconds>(left));
    }

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
    bool is_bound_;
    time_point deadline_;
    unsigned idle_ = 0;
};

/// Of a key that the service has left unprocessed until the time was used up.
inline failure unprocessed(const dynamodb_backend_config& config) {
    return make_failure(errc::unprocessed, "the service left the key unprocessed for " +
                                               std::to_string(config.call_timeout.count()) + " ms");
}

} // namespace codynamo::detail
