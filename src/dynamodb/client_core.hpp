// SPDX-License-Identifier: BSL-1.0
// The insides of a client: runs the request machine over the transport.
#pragma once

#include "aws/adaptive_limiter.hpp"
#include "aws/clock_skew.hpp"
#include "dynamodb/client_settings.hpp"
#include "dynamodb/close_signal.hpp"
#include "dynamodb/hedging.hpp"
#include "dynamodb/operation_call.hpp"
#include "dynamodb/request_fsm.hpp"
#include "dynamodb/route.hpp"

#include <codynamo/detail/recycled.hpp>
#include <codynamo/dynamodb/client.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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
    /// Awaitable; the result is a wake. Waits in the queue that a call for that table would come
    /// to, as long as the call itself would with default options. `place` has no pool afterwards
    /// where a call has more to do first than to wait, or fails. It and `table_name` must outlive
    /// the wait.
    [[nodiscard]] auto take_turn(net::turn& place, const std::string& table_name) {
        return boost::asio::async_initiate<const boost::asio::deferred_t, void(net::wake)>(
            [](auto handler, core* self, net::turn* where, const std::string* table) {
                const auto executor = boost::asio::get_associated_executor(handler);
                if (const auto how = self->enter_queue(*where, *table, executor))
                    boost::asio::post(executor, [handler = std::move(handler), how]() mutable {
                        std::move(handler)(*how);
                    });
                else
                    where->held.start_wait(std::move(handler),
                                           where->since + self->attempt_patience());
            },
            boost::asio::deferred, this, &place, &table_name);
    }

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
    /// How the wait ended before it began; nothing where one has to wait.
    [[nodiscard]] std::optional<net::wake>
    enter_queue(net::turn& place, const std::string& table_name,
                const boost::asio::any_io_executor& executor) noexcept;
    [[nodiscard]] std::shared_ptr<net::context_pool>
    queue_for(const std::string& table_name, const boost::asio::any_io_executor& executor);
    [[nodiscard]] std::chrono::milliseconds attempt_patience() const noexcept;
    [[nodiscard]] std::chrono::milliseconds patience(const call_options& options) const noexcept;
    void log(log_level level, const std::string& line) const;
    void take_in_skew(const running& call) const;
    void log_changes(const running& call) const;

    const client_settings settings_;
    route_table routes_;
    aws::clock_skew skew_;
    const std::shared_ptr<close_signal> closing_ = std::make_shared<close_signal>();
    aws::retry_quota quota_;
    std::optional<aws::adaptive_limiter> limiter_;
    std::optional<hedge_policy> hedges_;
    std::atomic<bool> closed_{false};
};

} // namespace codynamo::dynamodb
