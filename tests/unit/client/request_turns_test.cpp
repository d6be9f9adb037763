// SPDX-License-Identifier: BSL-1.0
// Attempts that are not sent at once: an open circuit, and the turns of the adaptive mode.
#include "request_machine.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

namespace codynamo::dynamodb {

using namespace machine_test;

TEST_CASE("an open circuit postpones attempts, which costs attempts and no tokens") {
    machine m({.breaking = {.minimum_calls = 1, .open_for = 3000ms}});
    m.open_the_circuit();
    // Longer than the first back-off of a second at most, so the circuit decides.
    auto wait = m.credentials();
    CHECK(wait == request_action{kind::sleep, start_of_time + 3s});
    m.now += 1s;
    wait = m.credentials();
    CHECK(wait == request_action{kind::sleep, start_of_time + 3s});
    m.now += 1s;
    CHECK(m.credentials() == request_action{kind::done});
    CHECK(m.quota.available() == 500);
    REQUIRE(m.fsm.result());
    CHECK(m.fsm.result()->code == errc::circuit_open);
    CHECK(m.fsm.result()->info->attempts == 0);
    CHECK(m.fsm.result()->message() ==
          "not sent: http://fake has been failing and is left alone for another 1000 ms");
}

TEST_CASE("with one attempt, or a deadline before the next probe, an open circuit fails at once") {
    for (const given& with : {given{.retry = {.max_attempts = 1}, .breaking = {.minimum_calls = 1}},
                              given{.timeout = 400ms, .breaking = {.minimum_calls = 1}}}) {
        machine m(with);
        m.open_the_circuit();
        CHECK(m.credentials() == request_action{kind::done});
        CHECK(m.fsm.result()->code == errc::circuit_open);
    }
}

TEST_CASE("what an attempt said comes before the circuit that opened after it") {
    machine m({.breaking = {.minimum_calls = 1, .open_for = 1h}});
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(refused).what == kind::sleep);
    CHECK(m.fsm.breaker_change() == circuit_breaker::change::opened);
    CHECK(m.credentials() == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::connect_failed);
    CHECK(m.fsm.result()->info->attempts == 1);
}

namespace {

/// Timed out on the wire, after it had waited for a connection for most of its time.
attempt_outcome with_connection_for(std::chrono::milliseconds time) {
    attempt_outcome outcome = lost(errc::timeout, true);
    outcome.exchange_time = time;
    return outcome;
}

} // namespace

TEST_CASE("what opens a circuit and what does not") {
    struct row {
        std::string name;
        attempt_outcome outcome;
        std::chrono::milliseconds timeout; ///< of the call; an attempt may take 5 s
        bool opens;
    };
    const std::vector<row> table{
        {"success", {}, 60s, false},
        {"500", broken, 60s, true},
        {"no connection", refused, 60s, true},
        {"no such host", lost(errc::resolve_failed, false), 60s, true},
        {"lost", lost(errc::connection_lost, true), 60s, true},
        {"time-out", lost(errc::timeout, true), 60s, true},
        {"time-out after a second", lost(errc::timeout, true), 1s, true},
        {"the caller's impatience", lost(errc::timeout, true), 999ms, false},
        {"time-out after most of its time in our queue", with_connection_for(600ms), 60s, false},
        {"time-out after little of its time in our queue", with_connection_for(4s), 60s, true},
        {"throttled", throttled, 60s, false},
        {"throttled with a 503", answered(503, errc::throttled, "SlowDown"), 60s, false},
        {"refused", invalid, 60s, false},
        {"unreadable", answered(200, errc::bad_response, ""), 60s, false},
        {"unreadable, and no HTTP", lost(errc::bad_response, true), 60s, true},
        {"too large, and no status", lost(errc::response_too_large, true), 60s, false},
        {"our own queue", lost(errc::overloaded, false), 60s, false},
        {"no connection of ours became free", queued, 60s, false},
        {"closed", lost(errc::closed, false), 60s, false},
    };
    for (const row& one : table) {
        INFO(one.name);
        machine m({.timeout = one.timeout, .breaking = {.minimum_calls = 1}});
        REQUIRE(m.credentials().what == kind::send);
        (void)m.attempt(one.outcome);
        CHECK((m.fsm.breaker_change() == circuit_breaker::change::opened) == one.opens);
        CHECK(m.breaker.ask(m.now).granted != one.opens);
    }
}

TEST_CASE("an attempt's own bound counts when the server had all of it, a call's deadline never") {
    struct row {
        std::string name;
        std::chrono::milliseconds call, attempt, exchange;
        bool opens;
    };
    const std::vector<row> table{
        {"all of the attempt", 60s, 60ms, 60ms, true},
        {"nearly all of it", 60s, 60ms, 57ms, true},
        {"half of it", 60s, 60ms, 30ms, false},
        {"all of the call, which is as short as an attempt", 60ms, 60ms, 60ms, false},
        {"all of the call, which is shorter", 60ms, 5s, 60ms, false},
    };
    for (const row& one : table) {
        INFO(one.name);
        machine m({.timeout = one.call, .breaking = {.minimum_calls = 1}, .attempt = one.attempt});
        REQUIRE(m.credentials().what == kind::send);
        (void)m.attempt(with_connection_for(one.exchange));
        CHECK((m.fsm.breaker_change() == circuit_breaker::change::opened) == one.opens);
        // What is our doing costs no token of the retry quota.
        CHECK((m.quota.available() == 500) == !one.opens);
    }
}

TEST_CASE("a call that is cancelled on its way gives the probe back") {
    circuit_breaker breaker({.minimum_calls = 1}, "http://fake");
    const aws::retry_config retry;
    aws::retry_quota quota(500);
    longest_jitter jitter;
    (void)breaker.tell({}, circuit_breaker::verdict::bad, start_of_time);
    const time_point later = start_of_time + 1s;
    {
        request_fsm cancelled({retry, quota, nullptr, jitter}, {later + 1min, 5s, true, false});
        REQUIRE(cancelled.on_credentials(later, breaker).what == kind::send);
        CHECK(cancelled.is_probe());
        CHECK_FALSE(breaker.ask(later).granted);
    }
    CHECK(breaker.ask(later).is_probe);
}

TEST_CASE(
    "in adaptive mode every attempt waits for its turn, and nobody who comes later is first") {
    machine m({.adaptive = true});
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(throttled).what == kind::sleep);
    // Half a request per second from now on.
    CHECK(m.credentials() == request_action{kind::sleep, start_of_time + 500ms});
    m.now += 1s;
    CHECK(m.credentials() == request_action{kind::sleep, start_of_time + 1500ms});
    m.now += 1s;
    CHECK(m.limiter.acquire(m.now) == 2s); // the token is not for a call that comes now
    CHECK(m.credentials().what == kind::send);
    CHECK(m.attempt({}).what == kind::done);
}

TEST_CASE("who waits for his turn leaves the probe to somebody else") {
    machine m({.adaptive = true, .breaking = {.minimum_calls = 1}});
    m.open_the_circuit();
    m.limiter.ended(true, m.now);
    m.now += 1s;
    CHECK(m.credentials() == request_action{kind::sleep, start_of_time + 1500ms});
    CHECK_FALSE(m.fsm.is_probe());
    CHECK(m.breaker.ask(m.now).is_probe);
}

TEST_CASE("who meets an open circuit takes nobody's turn") {
    machine m({.adaptive = true, .breaking = {.minimum_calls = 1, .open_for = 10s}});
    m.open_the_circuit();
    m.limiter.ended(true, m.now);
    m.now += 2s;
    CHECK(m.credentials() == request_action{kind::sleep, start_of_time + 10s});
    CHECK(m.limiter.acquire(m.now) == 0s);
}

TEST_CASE("what never reached the service says nothing about how much it can take") {
    struct row {
        std::string name;
        attempt_outcome outcome;
        bool counts;
    };
    for (const row& one : {row{"success", {}, true}, row{"500", broken, true},
                           row{"lost on the wire", lost(errc::connection_lost, true), true},
                           row{"no connection", refused, false}, row{"queued", queued, false},
                           row{"overloaded", lost(errc::overloaded, false), false},
                           row{"closed", lost(errc::closed, false), false}}) {
        INFO(one.name);
        aws::adaptive_limiter limiter{start_of_time};
        tell(limiter, one.outcome, start_of_time + 10s);
        CHECK((limiter.measured() > 0) == one.counts);
    }
}

TEST_CASE("a turn that comes after the deadline is not waited for") {
    machine m({.timeout = 1s, .adaptive = true});
    m.limiter.ended(true, m.now);
    CHECK(m.credentials() == request_action{kind::sleep, start_of_time + 500ms});
    m.now += 900ms; // the next look would be too late
    CHECK(m.credentials() == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::throttled);
    CHECK(m.fsm.result()->info->attempts == 0);
}

} // namespace codynamo::dynamodb
