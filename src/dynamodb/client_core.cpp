// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/client_core.hpp"

#include "dynamodb/attempt_exchange.hpp"
#include "dynamodb/awaited_credentials.hpp"
#include "dynamodb/race.hpp"
#include "exception_words.hpp"
#include "fork_count.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <new>
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

std::chrono::milliseconds client::core::patience(const call_options& options) const noexcept {
    return options.timeout.count() > 0 ? std::min(options.timeout, longest_timeout)
                                       : config().call_timeout;
}

std::chrono::milliseconds client::core::attempt_patience() const noexcept {
    return std::min(patience({}), config().attempt_timeout);
}

std::optional<net::wake> client::core::enter_queue(net::turn& place, const std::string& table_name,
                                                   const asio::any_io_executor& executor) noexcept {
    // What is thrown here would end nobody's wait. The call meets the same, and says it.
    try {
        place.since = env().time->steady_now();
        place.held.join(queue_for(table_name, executor));
        if (!place.held.pool()) return net::wake::closed;
        return place.held.checkout(place.since, place.since + attempt_patience());
    } catch (...) {
        place.held.leave();
        return net::wake::closed;
    }
}

/// Null where a call does more than to wait for a connection.
std::shared_ptr<net::context_pool> client::core::queue_for(const std::string& table_name,
                                                           const asio::any_io_executor& executor) {
    const auto who = config().credentials->current();
    if (!who) return nullptr;
    const route& by = routes_.find(who->account_id, arn_or_nothing(table_name));
    return by.queue && by.breaker.is_quiet() ? by.queue->pool_of(executor) : nullptr;
}

namespace {

/// In a catch block: a user's transport threw, although a transport throws nothing but
/// cancellations. That is a failed attempt; errors pass, of a request that cannot be written.
net::send_outcome outcome_of_thrown() {
    try {
        throw;
    } catch (const boost::system::system_error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        net::send_outcome failed;
        failed.code = make_error_code(errc::connection_lost);
        failed.sent = true;
        failed.message = "the transport threw: " +
                         codynamo::detail::words_of(std::current_exception(),
                                                    "something that is no std::exception");
        return failed;
    }
}

asio::awaitable<net::send_outcome> send_through(net::transport& transport, net::exchange& exchange,
                                                net::send_options options) {
    try {
        co_return co_await transport.send(exchange, options);
    } catch (...) {
        co_return outcome_of_thrown();
    }
}

} // namespace

/// One call under way. All of it is in the frame of each call that waits for a connection, as is
/// every local of call(): what need not be there is left to functions.
struct client::core::running {
    running(core& self, operation_call& op, const call_options& options, net::turn* turn)
        : what(op), place(turn), at(turn ? turn->since : self.env().time->steady_now()),
          replay_safe(options.replay == replay::automatic ? op.traits().replay_safe
                                                          : options.replay == replay::safe),
          deadline(at + self.patience(options)),
          machine({self.config().retry, self.quota_, self.limiter_ ? &*self.limiter_ : nullptr,
                   *self.env().random},
                  {deadline, self.config().attempt_timeout, replay_safe, op.traits().writes}),
          one(*self.env().time, self.skew_, op) {}

    [[nodiscard]] asio::awaitable<net::send_outcome> send(net::send_options options) {
        if (!by->queue) return send_through(*by->transport, one, options);
        return by->queue->send_now(one, options, at, std::exchange(place, nullptr));
    }

    /// Before a pause: who does not send holds no connection, and what time it was does not matter.
    void pause() noexcept {
        if (net::turn* const mine = std::exchange(place, nullptr)) mine->held.drop();
        at = {};
    }

    /// Whether the process was forked since: the parent's call goes on.
    [[nodiscard]] bool is_copy() const noexcept { return forks != codynamo::detail::fork_count(); }

    operation_call& what;
    unsigned forks = codynamo::detail::fork_count();
    net::turn* place; ///< until the first attempt, or a pause before it
    /// When the attempt began: an attempt begins when one queues up for it. Zero when time has gone
    /// by since it was looked at.
    request_fsm::time_point at;
    bool replay_safe;
    request_fsm::time_point deadline;
    request_fsm machine;
    attempt_exchange one;
    aws::credentials_ptr who;
    route* by = nullptr;
    request_fsm::time_point began{}; ///< an attempt that may be hedged
};

namespace {

failure forked(bool writes) {
    diagnostics words;
    words.message = "the program was forked during the call, which goes on in the parent process";
    words.outcome_unknown = writes;
    return make_failure(errc::closed, std::move(words));
}

} // namespace

asio::awaitable<std::optional<failure>> client::core::call(operation_call& what,
                                                           call_options options, net::turn* place,
                                                           codynamo::detail::recycled) {
    if (closed_.load(std::memory_order_relaxed)) {
        co_return make_failure(errc::closed, "the client is closed");
    }
    running now(*this, what, options, place);
    request_action next = now.machine.start();
    for (;;) {
        if (next.what != request_action::kind::done && now.is_copy())
            co_return forked(what.traits().writes);
        switch (next.what) {
        case request_action::kind::refresh_credentials:
            // By the service's clock the provider sees whether the next ones have expired too.
            if (skew_.is_known()) config().credentials->set_clock_offset(skew_.offset());
            config().credentials->invalidate(now.who);
            [[fallthrough]];
        case request_action::kind::credentials:
            now.who = config().credentials->current();
            if (now.who)
                next = depart(now);
            else
                next = co_await fetch_credentials(now);
            break;
        case request_action::kind::send:
            try {
                const net::send_options sending{next.until, now.replay_safe};
                if (const auto second_at = hedge_at(now))
                    next = co_await send_hedged(now, sending, *second_at);
                else
                    next = landed(now, co_await now.send(sending));
            } catch (const error& why) { // the request itself cannot be written
                co_return why.as_failure();
            }
            break;
        case request_action::kind::sleep:
            now.pause();
            co_await env().time->sleep_until(next.until);
            next = now.machine.on_slept();
            break;
        case request_action::kind::done:
            co_return now.machine.result();
        }
    }
}

asio::awaitable<request_action> client::core::fetch_credentials(running& call) {
    call.pause();
    auto got =
        co_await credentials_before(call.deadline, config().credentials, env().time, closing_);
    if (!got) co_return call.machine.on_no_credentials(got.error());
    call.who = *std::move(got);
    co_return depart(call);
}

/// Chooses the way that fits the credentials.
request_action client::core::depart(running& call) {
    try {
        call.by = &routes_.find(call.who->account_id, call.what.table_arn());
    } catch (const error& why) {
        return call.machine.on_no_credentials(why.as_failure());
    }
    call.one.begin(*call.by, call.who);
    // An open circuit is not to be judged by the time at which somebody queued up.
    if (call.at == request_fsm::time_point() || !call.by->breaker.is_quiet())
        call.at = env().time->steady_now();
    return call.machine.on_credentials(call.at, call.by->breaker);
}

/// When a second request is to be sent, if at all.
std::optional<request_fsm::time_point> client::core::hedge_at(running& call) {
    // A probe is to show how the endpoint is, and with as little as possible.
    if (!hedges_ || !call.what.traits().hedgeable || call.machine.is_probe()) return std::nullopt;
    call.began = env().time->steady_now();
    const auto pause = hedges_->begin();
    if (!pause) return std::nullopt;
    return call.began + *pause;
}

request_action client::core::landed(running& call, net::send_outcome sent) {
    return land(call, call.one.finish(std::move(sent)));
}

request_action client::core::land(running& call, attempt_outcome outcome) {
    if (call.began != request_fsm::time_point()) {
        const auto took = env().time->steady_now() - call.began;
        if (!outcome.why) hedges_->measured(std::chrono::duration_cast<microseconds>(took));
        call.began = {};
    }
    if (outcome.why && env().log.wants(log_level::info)) {
        log(log_level::info,
            std::string(call.what.target()) + " failed: " + outcome.why->message());
    }
    if (outcome.why || call.machine.times_success()) call.at = env().time->steady_now();
    const auto next = call.machine.on_attempt(call.at, std::move(outcome));
    log_changes(call);
    return next;
}

void client::core::log(log_level level, const std::string& line) const {
    env().log.write(level, line);
}

void client::core::take_in_skew(const running& call) const {
    config().credentials->set_clock_offset(skew_.offset());
    if (!env().log.wants(log_level::warning)) return;
    const auto ahead = std::chrono::round<std::chrono::milliseconds>(skew_.offset());
    const std::string url = call.by->endpoint.url();
    if (call.one.dropped_skew())
        log(log_level::warning, url + " refuses signatures dated by its own Date header: the "
                                      "correction of the clock learnt from it is dropped");
    else
        log(log_level::warning,
            "the clock of " + url + " is " + std::to_string(ahead.count()) + " ms ahead of ours");
}

void client::core::log_changes(const running& call) const {
    if (call.one.learnt_skew() || call.one.dropped_skew()) take_in_skew(call);
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
        read.first = read.call.one.finish(co_await read.call.send(read.options));
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
        read.second = read.two->finish(
            co_await send_through(*read.call.by->transport, *read.two, read.options));
    }
};

bool client::core::may_send_second(request_fsm::time_point now) {
    if (!hedges_->take()) return false;
    if (!limiter_ || limiter_->acquire(now).count() == 0) return true;
    hedges_->give_back();
    return false;
}

asio::awaitable<request_action> client::core::send_hedged(running& call, net::send_options options,
                                                          request_fsm::time_point second_at) {
    hedged_read read{*this, call, options, second_at};
    co_await race(hedged_read::send_first(read), hedged_read::send_second(read),
                  race_end::all_ended);
    const bool second_won = read.second && !read.second->why;
    // The machine reports the one that is returned.
    const auto& other = second_won ? read.first : read.second;
    if (limiter_ && other) tell(*limiter_, *other, env().time->steady_now());
    if (!second_won) co_return land(call, *std::move(read.first));
    call.what.take_answer(*read.twin);
    co_return land(call, *std::move(read.second));
}

asio::awaitable<void> client::core::close() {
    closed_.store(true, std::memory_order_relaxed);
    closing_->close();
    config().credentials->abandon_renewal();
    const auto all = routes_.close();
    for (const auto& one : all)
        co_await one->close();
}

} // namespace codynamo::dynamodb
