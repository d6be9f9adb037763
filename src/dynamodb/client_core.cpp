// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/client_core.hpp"

#include "dynamodb/attempt_exchange.hpp"
#include "dynamodb/awaited_credentials.hpp"
#include "dynamodb/race.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace codynamo::dynamodb {

namespace asio = boost::asio;
using std::chrono::microseconds;

client::core::core(client_config config)
    : settings_(resolve_settings(std::move(config))), routes_(settings_),
      skew_(*this->config().clock_skew_correction), quota_(this->config().retry.quota) {
    if (this->config().retry.mode == aws::retry_mode::adaptive) {
        limiter_.emplace(env().time->steady_now());
    }
    if (this->config().hedging.enabled) hedges_.emplace(this->config().hedging);
}

/// One call under way.
struct client::core::running {
    running(core& self, operation_call& op, const request_fsm::shared& with,
            request_fsm::limits bounds)
        : what(op), machine(with, bounds), one(*self.env().time, self.skew_, op) {}

    operation_call& what;
    request_fsm machine;
    attempt_exchange one;
    aws::credentials_ptr who;
    route* by = nullptr;
};

asio::awaitable<std::optional<failure>> client::core::call(operation_call& what,
                                                           call_options options) {
    if (closed_.load(std::memory_order_relaxed)) {
        co_return make_failure(errc::closed, "the client is closed");
    }
    const clock& time = *env().time;
    const auto timeout = options.timeout.count() > 0 ? std::min(options.timeout, longest_timeout)
                                                     : config().call_timeout;
    const bool replay_safe = options.replay == replay::automatic ? what.traits().replay_safe
                                                                 : options.replay == replay::safe;
    const request_fsm::limits bounds{time.steady_now() + timeout, config().attempt_timeout,
                                     replay_safe, what.traits().writes};
    const request_fsm::shared with{config().retry, quota_, limiter_ ? &*limiter_ : nullptr,
                                   *env().random};
    running now(*this, what, with, bounds);

    request_action next = now.machine.start();
    for (;;) {
        switch (next.what) {
        case request_action::kind::refresh_credentials:
            config().credentials->invalidate(now.who);
            [[fallthrough]];
        case request_action::kind::credentials: {
            now.who = config().credentials->current();
            std::optional<failure> none;
            if (!now.who) none = co_await fetch_credentials(now, bounds.deadline);
            next = depart(now, std::move(none));
            break;
        }
        case request_action::kind::send: {
            const net::send_options sending{next.until, replay_safe};
            // A probe is to show how the endpoint is, and with as little as possible.
            const bool hedgeable = hedges_ && what.traits().hedgeable && !now.machine.is_probe();
            const auto began = hedgeable ? time.steady_now() : request_fsm::time_point();
            const auto hedge_after = hedgeable ? hedges_->begin() : std::nullopt;
            attempt_outcome outcome;
            std::optional<failure> unsent;
            try {
                if (hedge_after) {
                    outcome = co_await send_hedged(now, sending, began + *hedge_after);
                } else {
                    outcome = now.one.finish(co_await now.by->transport->send(now.one, sending));
                }
            } catch (const error& why) {
                unsent = why.as_failure();
            }
            if (unsent) co_return unsent; // the request itself cannot be written
            if (hedgeable && !outcome.why) {
                hedges_->measured(
                    std::chrono::duration_cast<microseconds>(time.steady_now() - began));
            }
            next = land(now, std::move(outcome));
            break;
        }
        case request_action::kind::sleep:
            co_await time.sleep_until(next.until);
            next = now.machine.on_slept();
            break;
        case request_action::kind::done:
            co_return now.machine.result();
        }
    }
}

asio::awaitable<std::optional<failure>>
client::core::fetch_credentials(running& call, request_fsm::time_point deadline) {
    auto got = co_await credentials_before(deadline, config().credentials, env().time);
    if (!got) co_return got.error();
    call.who = *std::move(got);
    co_return std::nullopt;
}

/// Chooses the way that fits the credentials.
request_action client::core::depart(running& call, std::optional<failure> none) {
    if (none) return call.machine.on_no_credentials(*std::move(none));
    try {
        call.by = &routes_.find(call.who->account_id, call.what.table_arn());
    } catch (const error& why) {
        return call.machine.on_no_credentials(why.as_failure());
    }
    call.one.begin(*call.by, call.who);
    return call.machine.on_credentials(env().time->steady_now(), call.by->breaker);
}

request_action client::core::land(running& call, attempt_outcome outcome) {
    if (outcome.why && env().log.wants(log_level::info)) {
        log(log_level::info,
            std::string(call.what.target()) + " failed: " + outcome.why->message());
    }
    const auto next = call.machine.on_attempt(env().time->steady_now(), std::move(outcome));
    log_changes(call);
    return next;
}

void client::core::log(log_level level, const std::string& line) const {
    env().log.write(level, line);
}

void client::core::log_changes(const running& call) const {
    if (call.one.learnt_skew() && env().log.wants(log_level::warning)) {
        const auto ahead = std::chrono::round<std::chrono::milliseconds>(skew_.offset());
        log(log_level::warning, "the clock of " + call.by->endpoint.url() + " is " +
                                    std::to_string(ahead.count()) + " ms ahead of ours");
    }
    using change = circuit_breaker::change;
    const change seen = call.machine.breaker_change();
    if (seen == change::none || !env().log.wants(log_level::warning)) return;
    log(log_level::warning,
        call.by->endpoint.url() +
            (seen == change::opened ? " keeps failing: left alone for a while" : " answers again"));
}

/// Two requests for the same answer; lives in the frame of send_hedged, which outlasts both.
struct client::core::hedged_read {
    core& self;
    running& call;
    net::send_options options;
    std::chrono::steady_clock::time_point second_at;
    std::unique_ptr<operation_call> twin{};
    std::optional<attempt_exchange> two{};
    std::optional<attempt_outcome> first{};
    std::optional<attempt_outcome> second{};

    static asio::awaitable<bool> send_first(hedged_read& read) {
        read.first = read.call.one.finish(
            co_await read.call.by->transport->send(read.call.one, read.options));
        // Any answer will do as long as there is no second request to hope for.
        co_return !read.first->why || !read.two || is_refusal(*read.first);
    }

    static asio::awaitable<bool> send_second(hedged_read& read) {
        std::exception_ptr thrown;
        try {
            co_await try_second(read);
        } catch (...) {
            thrown = std::current_exception();
        }
        if (thrown) {
            const auto state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(thrown);
            read.second.reset(); // it was an extra, and is none of the first one's business
        }
        co_return read.second && !read.second->why;
    }

    static asio::awaitable<void> try_second(hedged_read& read) {
        const clock& time = *read.self.env().time;
        co_await time.sleep_until(read.second_at);
        if (!read.self.may_send_second(time.steady_now())) co_return;
        read.twin = read.call.what.twin();
        read.two.emplace(time, read.self.skew_, *read.twin);
        read.two->begin(*read.call.by, read.call.who);
        read.second =
            read.two->finish(co_await read.call.by->transport->send(*read.two, read.options));
    }
};

bool client::core::may_send_second(request_fsm::time_point now) {
    if (!hedges_->take()) return false;
    if (!limiter_ || limiter_->acquire(now).count() == 0) return true;
    hedges_->give_back();
    return false;
}

asio::awaitable<attempt_outcome> client::core::send_hedged(running& call, net::send_options options,
                                                           request_fsm::time_point second_at) {
    hedged_read read{*this, call, options, second_at};
    co_await race(hedged_read::send_first(read), hedged_read::send_second(read),
                  race_end::all_ended);
    const bool second_won = read.second && !read.second->why;
    // The machine reports the one that is returned.
    const auto& other = second_won ? read.first : read.second;
    if (limiter_ && other) tell(*limiter_, *other, env().time->steady_now());
    if (!second_won) co_return *std::move(read.first);
    call.what.take_answer(*read.twin);
    co_return *std::move(read.second);
}

asio::awaitable<void> client::core::close() {
    closed_.store(true, std::memory_order_relaxed);
    const auto all = routes_.close();
    for (const auto& one : all)
        co_await one->close();
}

} // namespace codynamo::dynamodb
