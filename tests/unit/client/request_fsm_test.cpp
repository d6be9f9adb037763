// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/request_fsm.hpp"

#include <boost/asio/error.hpp>

#include <catch2/catch.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace codynamo::dynamodb {

static std::ostream& operator<<(std::ostream& out, const request_action& action) {
    constexpr const char* names[] = {"credentials", "refresh", "send", "sleep", "done"};
    return out << names[static_cast<int>(action.what)] << " until "
               << action.until.time_since_epoch().count();
}

namespace {

using namespace std::chrono_literals;
using kind = request_action::kind;
using time_point = request_fsm::time_point;

constexpr time_point start_of_time{};

attempt_outcome answered(unsigned status, errc code, std::string service_code) {
    diagnostics words{.message = "no", .service_code = std::move(service_code)};
    words.http_status = status;
    attempt_outcome outcome;
    outcome.why = make_failure(code, std::move(words));
    outcome.maybe_executed = status >= 500 || status / 100 == 2;
    return outcome;
}

attempt_outcome lost(errc code, bool sent) {
    attempt_outcome outcome;
    outcome.why = make_failure(code, "lost");
    outcome.maybe_executed = sent;
    return outcome;
}

const attempt_outcome throttled = answered(400, errc::throttled, "ThrottlingException");
const attempt_outcome broken = answered(500, errc::service_failed, "InternalServerError");
const attempt_outcome invalid = answered(400, errc::validation_failed, "ValidationException");
const attempt_outcome expired = answered(400, errc::token_expired, "ExpiredTokenException");
const attempt_outcome refused = lost(errc::connect_failed, false);

/// Timed out while it waited for one of our own connections.
const attempt_outcome queued = [] {
    attempt_outcome outcome = lost(errc::timeout, false);
    outcome.queued = true;
    return outcome;
}();

/// An outcome whose request was dated that far behind the server's clock.
attempt_outcome misdated(std::string code, std::chrono::microseconds by) {
    attempt_outcome outcome = answered(400, errc::credentials_rejected, std::move(code));
    outcome.date_error = by;
    return outcome;
}

/// Always draws the largest jitter.
class longest_jitter final : public random_source {
public:
    std::uint64_t next() noexcept override { return ~std::uint64_t{0}; }
};

/// What a test may choose.
struct given {
    bool replay_safe = true;
    aws::retry_config retry{};
    std::chrono::milliseconds timeout = 60s;
    bool writes = true;
    bool adaptive = false;
    circuit_breaker_config breaking{};
};

/// A machine with jitter 1 (the longest waits) that walks the steps which never vary.
struct machine {
    explicit machine(given with)
        : config(with.retry), quota(with.retry.quota), breaker(with.breaking, "http://fake"),
          fsm({config, quota, with.adaptive ? &limiter : nullptr, jitter},
              {start_of_time + with.timeout, 5s, with.replay_safe, with.writes}) {
        REQUIRE(fsm.start() == request_action{kind::credentials});
    }

    request_action credentials() { return fsm.on_credentials(now, breaker); }
    request_action attempt(attempt_outcome outcome) {
        return fsm.on_attempt(now, std::move(outcome));
    }
    /// Another call of the same client, on the same endpoint.
    void open_the_circuit() {
        while (breaker.ask(now).granted)
            (void)breaker.tell({}, circuit_breaker::verdict::bad, now);
    }

    aws::retry_config config;
    aws::retry_quota quota;
    aws::adaptive_limiter limiter{start_of_time};
    longest_jitter jitter;
    circuit_breaker breaker;
    time_point now = start_of_time;
    request_fsm fsm;
};

std::chrono::milliseconds since_start(const request_action& action) {
    return std::chrono::round<std::chrono::milliseconds>(action.until - start_of_time);
}

} // namespace

TEST_CASE("a call that succeeds gets credentials, sends once and is done") {
    machine m({});
    CHECK(m.credentials() == request_action{kind::send, start_of_time + 5s});
    CHECK(m.attempt({}) == request_action{kind::done});
    CHECK_FALSE(m.fsm.result());
}

TEST_CASE("an attempt never gets more time than the call has left") {
    machine m({.timeout = 3s});
    CHECK(m.credentials() == request_action{kind::send, start_of_time + 3s});
}

TEST_CASE("retries ask for credentials again, and the failure counts the attempts") {
    machine m({});
    CHECK(m.credentials().what == kind::send);
    auto wait = m.attempt(broken);
    CHECK(wait.what == kind::sleep);
    CHECK(since_start(wait) == 1s);
    m.now = start_of_time + 1s;
    CHECK(m.fsm.on_slept() == request_action{kind::credentials});
    CHECK(m.credentials().what == kind::send);
    wait = m.attempt(broken);
    CHECK(wait.what == kind::sleep);
    CHECK(since_start(wait) == 3s);
    m.now = start_of_time + 3s;
    CHECK(m.credentials().what == kind::send);
    CHECK(m.attempt(broken) == request_action{kind::done});
    REQUIRE(m.fsm.result());
    CHECK(m.fsm.result()->code == errc::service_failed);
    CHECK(m.fsm.result()->info->attempts == 3);
    CHECK(m.fsm.result()->info->http_status == 500);
}

TEST_CASE("which outcome is followed by another attempt") {
    struct row {
        std::string name;
        attempt_outcome outcome;
        bool replay_safe;
        kind next;
    };
    const std::vector<row> table{
        {"throttling, idempotent", throttled, true, kind::sleep},
        {"throttling, not idempotent: it was refused before it took effect", throttled, false,
         kind::sleep},
        {"500, idempotent", broken, true, kind::sleep},
        {"500, not idempotent: outcome unknown", broken, false, kind::done},
        {"lost after sending, idempotent", lost(errc::connection_lost, true), true, kind::sleep},
        {"lost after sending, not idempotent", lost(errc::connection_lost, true), false,
         kind::done},
        {"never sent, not idempotent", lost(errc::connect_failed, false), false, kind::sleep},
        {"time-out, idempotent", lost(errc::timeout, true), true, kind::sleep},
        {"time-out after sending, not idempotent", lost(errc::timeout, true), false, kind::done},
        {"validation", invalid, true, kind::done},
        {"certificate refused", lost(errc::tls_failed, false), true, kind::done},
        {"client closed", lost(errc::closed, false), true, kind::done},
        {"queue full", lost(errc::overloaded, false), true, kind::done},
        {"no connection of ours became free, not idempotent", queued, false, kind::sleep},
        {"token expired", expired, false, kind::refresh_credentials},
        {"refused for its date", misdated("InvalidSignatureException", 5min), false,
         kind::credentials},
        {"refused for its date, our clock ahead", misdated("RequestTimeTooSkewed", -5min), false,
         kind::credentials},
        {"refused for its date, and no code says so", misdated("ValidationException", 5min), true,
         kind::done},
        {"refused with a date that was right", misdated("InvalidSignatureException", 4min), true,
         kind::done},
        {"refused with a date a little more wrong", misdated("AccessDeniedException", 4min + 1us),
         true, kind::credentials},
        {"RequestExpired is about the token", misdated("RequestExpired", 5min), true, kind::done},
        {"redirect, not idempotent", answered(301, errc::bad_response, ""), false, kind::done},
    };
    for (const row& one : table) {
        INFO(one.name);
        machine m({.replay_safe = one.replay_safe});
        REQUIRE(m.credentials().what == kind::send);
        CHECK(m.attempt(one.outcome).what == one.next);
    }
}

TEST_CASE(
    "a wait that would end past the deadline is not begun, and the last real error is reported") {
    machine m({.timeout = 900ms});
    REQUIRE(m.credentials().what == kind::send);
    CHECK(m.attempt(broken) == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::service_failed);
    CHECK(m.quota.available() == 500);
}

TEST_CASE("a retry is paid for only when it is sent") {
    enum class end { sent, cancelled, no_credentials, too_late, circuit };
    for (const end how :
         {end::sent, end::cancelled, end::no_credentials, end::too_late, end::circuit}) {
        INFO(static_cast<int>(how));
        const aws::retry_config retry;
        aws::retry_quota quota(500);
        longest_jitter jitter;
        circuit_breaker breaker({.minimum_calls = 2, .open_for = 1h}, "http://fake");
        {
            request_fsm fsm({retry, quota, nullptr, jitter},
                            {start_of_time + 10s, 5s, true, false});
            REQUIRE(fsm.on_credentials(start_of_time, breaker).what == kind::send);
            REQUIRE(fsm.on_attempt(start_of_time, broken).what == kind::sleep);
            CHECK(quota.available() == 495);
            if (how == end::sent) (void)fsm.on_credentials(start_of_time, breaker);
            if (how == end::no_credentials) {
                (void)fsm.on_no_credentials(make_failure(errc::no_credentials, "none"));
                CHECK(quota.available() == 500);
            }
            if (how == end::too_late) (void)fsm.on_credentials(start_of_time + 10s, breaker);
            if (how == end::circuit) {
                (void)breaker.tell({}, circuit_breaker::verdict::bad, start_of_time);
                CHECK(fsm.on_credentials(start_of_time, breaker) == request_action{kind::done});
            }
        }
        CHECK(quota.available() == (how == end::sent ? 495 : 500));
    }
}

TEST_CASE("waiting in vain for a connection of our own costs attempts and no tokens") {
    machine m({.retry = {.max_attempts = 2}, .breaking = {.minimum_calls = 1}});
    REQUIRE(m.credentials().what == kind::send);
    CHECK(m.attempt(queued).what == kind::sleep);
    CHECK(m.quota.available() == 500);
    REQUIRE(m.credentials().what == kind::send);
    CHECK(m.attempt(queued) == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::timeout);
}

TEST_CASE("an expired token is refreshed once, outside the retry quota") {
    machine m({.retry = {.max_attempts = 1, .quota = 0}});
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(expired) == request_action{kind::refresh_credentials});
    REQUIRE(m.credentials().what == kind::send);
    CHECK(m.attempt(expired) == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::token_expired);
    CHECK(m.fsm.result()->info->attempts == 2);
}

TEST_CASE("when no fresh credentials can be had the service's word is reported") {
    machine m({});
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(expired).what == kind::refresh_credentials);
    CHECK(m.fsm.on_no_credentials(make_failure(errc::no_credentials, "none")) ==
          request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::token_expired);
}

TEST_CASE("without credentials nothing is sent") {
    machine m({});
    CHECK(m.fsm.on_no_credentials(make_failure(errc::no_credentials, "none")) ==
          request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::no_credentials);
    CHECK(m.fsm.result()->info->attempts == 0);
}

TEST_CASE("a checksum mismatch is retried although the status was 200") {
    machine m({});
    REQUIRE(m.credentials().what == kind::send);
    attempt_outcome bad = answered(200, errc::checksum_mismatch, "");
    CHECK(m.attempt(bad).what == kind::sleep);
}

TEST_CASE("a wrong date is mended once, outside the retry quota, and a wrong secret never") {
    machine m({.retry = {.max_attempts = 1, .quota = 0}});
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(misdated("SignatureDoesNotMatch", 1h)) == request_action{kind::credentials});
    REQUIRE(m.credentials().what == kind::send);
    CHECK(m.attempt(misdated("SignatureDoesNotMatch", 1h)) == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::credentials_rejected);
    CHECK(m.fsm.result()->info->attempts == 2);
}

TEST_CASE("an expired token and a wrong date may both be mended in one call") {
    machine m({.retry = {.max_attempts = 1}});
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(misdated("InvalidSignatureException", 1h)).what == kind::credentials);
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(expired).what == kind::refresh_credentials);
    REQUIRE(m.credentials().what == kind::send);
    CHECK(m.attempt({}) == request_action{kind::done});
    CHECK_FALSE(m.fsm.result());
}

TEST_CASE("after which attempts the outcome of a write is unknown") {
    attempt_outcome twice =
        answered(400, errc::conditional_check_failed, "ConditionalCheckFailedException");
    twice.sent_twice = true;
    struct row {
        std::string name;
        std::vector<attempt_outcome> attempts;
        bool replay_safe;
        bool writes;
        bool unknown;
    };
    const attempt_outcome no_answer = lost(errc::connection_lost, true);
    const std::vector<row> table{
        {"a read", {no_answer, no_answer, no_answer}, true, false, false},
        {"lost", {no_answer}, false, true, true},
        {"timed out on the wire", {lost(errc::timeout, true)}, false, true, true},
        {"timed out before", {lost(errc::timeout, false), invalid}, false, true, false},
        {"never sent", {refused, refused, refused}, false, true, false},
        {"500", {broken}, false, true, true},
        {"an answer that cannot be read",
         {answered(200, errc::bad_response, "")},
         false,
         true,
         true},
        {"refused", {invalid}, false, true, false},
        {"throttled for ever", {throttled, throttled, throttled}, false, true, false},
        {"throttled with a 500",
         {answered(500, errc::throttled, "SlowDown"), invalid},
         false,
         true,
         false},
        {"lost, then refused", {no_answer, invalid}, true, true, true},
        {"lost, then throttled", {no_answer, throttled, throttled}, true, true, true},
        {"sent twice by the transport", {twice}, true, true, true},
        {"redirected", {answered(302, errc::bad_response, "")}, false, true, false},
    };
    for (const row& one : table) {
        INFO(one.name);
        machine m({.replay_safe = one.replay_safe, .writes = one.writes});
        request_action next{kind::credentials};
        for (const attempt_outcome& outcome : one.attempts) {
            REQUIRE(next.what != kind::done);
            REQUIRE(m.credentials().what == kind::send);
            next = m.attempt(outcome);
            m.now += 5s;
        }
        REQUIRE(next.what == kind::done);
        REQUIRE(m.fsm.result());
        CHECK(m.fsm.result()->info->outcome_unknown == one.unknown);
    }
}

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

TEST_CASE("in adaptive mode every attempt waits for its turn, and asks again when it has come") {
    machine m({.adaptive = true});
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(throttled).what == kind::sleep);
    // Half a request per second from now on.
    CHECK(m.credentials() == request_action{kind::sleep, start_of_time + 2s});
    m.now += 2s;
    REQUIRE(m.limiter.acquire(m.now) == 0s); // somebody else was quicker
    CHECK(m.credentials() == request_action{kind::sleep, start_of_time + 4s});
    m.now += 2s;
    CHECK(m.credentials().what == kind::send);
    CHECK(m.attempt({}).what == kind::done);
}

TEST_CASE("who waits for his turn leaves the probe to somebody else") {
    machine m({.adaptive = true, .breaking = {.minimum_calls = 1}});
    m.open_the_circuit();
    m.limiter.ended(true, m.now);
    m.now += 1s;
    CHECK(m.credentials() == request_action{kind::sleep, start_of_time + 2s});
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

TEST_CASE("which failures are the service's last word") {
    CHECK(is_refusal(invalid));
    CHECK(is_refusal(expired));
    for (const attempt_outcome& one :
         {attempt_outcome{}, throttled, broken, refused, queued, lost(errc::bad_response, true),
          answered(200, errc::bad_response, ""), answered(400, errc::checksum_mismatch, "")}) {
        CHECK_FALSE(is_refusal(one));
    }
}

TEST_CASE("a turn that comes after the deadline is not waited for") {
    machine m({.timeout = 1s, .adaptive = true});
    m.limiter.ended(true, m.now);
    CHECK(m.credentials() == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::throttled);
    CHECK(m.fsm.result()->info->attempts == 0);
}

TEST_CASE("credentials that come after the deadline are not used") {
    machine m({.timeout = 1s});
    m.now += 1s;
    CHECK(m.credentials() == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::timeout);
}

} // namespace codynamo::dynamodb
