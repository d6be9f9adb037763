// SPDX-License-Identifier: BSL-1.0
// The insides of a client: runs the request machine over the transport.
#pragma once

#include "aws/adaptive_limiter.hpp"
#include "dynamodb/client_settings.hpp"
#include "dynamodb/clock_skew.hpp"
#include "dynamodb/hedging.hpp"
#include "dynamodb/operation_call.hpp"
#include "dynamodb/request_fsm.hpp"
#include "dynamodb/route.hpp"

#include <codynamo/detail/recycled.hpp>
#include <codynamo/dynamodb/client.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace codynamo::dynamodb {

class client::core {
public:
    explicit core(client_config config);

    /// Runs `what` to its end: nullopt when its decode() has seen the answer. `what` and `place`,
    /// whose wait is over, must outlive the call. Throws nothing but cancellation.
    [[nodiscard]] boost::asio::awaitable<std::optional<failure>>
    call(operation_call& what, call_options options, net::turn* place = nullptr,
         codynamo::detail::recycled = codynamo::detail::recycled());

    /// Whether to take a turn before a call. An estimate; takes no lock.
    [[nodiscard]] bool crowded() const noexcept { return !limiter_ && routes_.crowded(); }
    /// A place in the queue that such a call would come to, from now on; the caller waits if he has
    /// to, and makes the call with it. Nothing where the call has more to do than to wait.
    void enter_queue(std::optional<net::turn>& place, std::string_view table_arn,
                     const call_options& options, const boost::asio::any_io_executor& executor);

    [[nodiscard]] boost::asio::awaitable<void> close();
    [[nodiscard]] const aws::endpoint& endpoint() const noexcept {
        return routes_.standard().endpoint;
    }
    [[nodiscard]] const client_config& config() const noexcept { return settings_.config; }
    [[nodiscard]] const environment& env() const noexcept { return config().env; }
    [[nodiscard]] net::transport_stats stats() const { return routes_.stats(); }
    /// To be added to our clock for the times of records in a table.
    [[nodiscard]] std::chrono::microseconds table_offset() const noexcept {
        return skew_.table_offset();
    }
    /// Whether any further answer may change table_offset() so that it matters.
    [[nodiscard]] bool table_offset_in_doubt() const noexcept {
        return skew_.table_offset_in_doubt();
    }

private:
    struct running;
    struct hedged_read;

    /// Credentials that somebody has to be asked for, and what follows.
    [[nodiscard]] boost::asio::awaitable<request_action> fetch_credentials(running& call);
    [[nodiscard]] request_action depart(running& call);
    [[nodiscard]] std::optional<request_fsm::time_point> hedge_at(running& call);
    [[nodiscard]] request_action landed(running& call, net::send_outcome sent);
    [[nodiscard]] request_action land(running& call, attempt_outcome outcome);
    /// Sends twice, at once and then, and lands what ended first.
    [[nodiscard]] boost::asio::awaitable<request_action>
    send_hedged(running& call, net::send_options options, request_fsm::time_point second_at);
    [[nodiscard]] bool may_send_second(request_fsm::time_point now);
    [[nodiscard]] std::chrono::milliseconds patience(const call_options& options) const noexcept;
    void log(log_level level, const std::string& line) const;
    void log_changes(const running& call) const;

    const client_settings settings_;
    route_table routes_;
    clock_skew skew_;
    aws::retry_quota quota_;
    std::optional<aws::adaptive_limiter> limiter_;
    std::optional<hedge_policy> hedges_;
    std::atomic<bool> closed_{false};
};

} // namespace codynamo::dynamodb
