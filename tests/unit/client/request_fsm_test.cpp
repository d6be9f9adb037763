// SPDX-License-Identifier: BSL-1.0
// Which attempts a call makes, what they cost, and what is reported of them in the end.
#include "request_machine.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

namespace codynamo::dynamodb {

using namespace machine_test;

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

TEST_CASE("which failures are the service's last word") {
    CHECK(is_refusal(invalid));
    CHECK(is_refusal(expired));
    for (const attempt_outcome& one :
         {attempt_outcome{}, throttled, broken, refused, queued, lost(errc::bad_response, true),
          answered(200, errc::bad_response, ""), answered(400, errc::checksum_mismatch, "")}) {
        CHECK_FALSE(is_refusal(one));
    }
}

TEST_CASE("credentials that come after the deadline are not used") {
    machine m({.timeout = 1s});
    m.now += 1s;
    CHECK(m.credentials() == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::timeout);
}

} // namespace codynamo::dynamodb
