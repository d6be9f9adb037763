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
    return {make_failure(code, std::move(words)), status >= 500, {}};
}

attempt_outcome lost(errc code, bool sent) {
    return {make_failure(code, "lost"), sent, {}};
}

const attempt_outcome throttled = answered(400, errc::throttled, "ThrottlingException");
const attempt_outcome broken = answered(500, errc::service_failed, "InternalServerError");
const attempt_outcome invalid = answered(400, errc::validation_failed, "ValidationException");
const attempt_outcome expired = answered(400, errc::token_expired, "ExpiredTokenException");

/// A machine with jitter 1 (the longest waits) that walks the steps which never vary.
struct machine {
    explicit machine(bool replay_safe, aws::retry_config retry = {},
                     std::chrono::milliseconds timeout = 60s)
        : config(retry), quota(retry.quota),
          fsm(config, quota, {start_of_time + timeout, 5s, replay_safe}) {
        REQUIRE(fsm.start() == request_action{kind::credentials});
    }

    request_action credentials() { return fsm.on_credentials(now, std::nullopt); }
    request_action attempt(attempt_outcome outcome) {
        return fsm.on_attempt(now, std::move(outcome), 1.0);
    }

    aws::retry_config config;
    aws::retry_quota quota;
    time_point now = start_of_time;
    request_fsm fsm;
};

} // namespace

TEST_CASE("a call that succeeds gets credentials, sends once and is done") {
    machine m(true);
    CHECK(m.credentials() == request_action{kind::send, start_of_time + 5s});
    CHECK(m.attempt({}) == request_action{kind::done});
    CHECK_FALSE(m.fsm.result());
}

TEST_CASE("an attempt never gets more time than the call has left") {
    machine m(true, {}, 3s);
    CHECK(m.credentials() == request_action{kind::send, start_of_time + 3s});
}

TEST_CASE("retries ask for credentials again, and the failure counts the attempts") {
    machine m(true);
    CHECK(m.credentials().what == kind::send);
    CHECK(m.attempt(broken) == request_action{kind::sleep, start_of_time + 1s});
    m.now = start_of_time + 1s;
    CHECK(m.fsm.on_slept() == request_action{kind::credentials});
    CHECK(m.credentials().what == kind::send);
    CHECK(m.attempt(broken) == request_action{kind::sleep, start_of_time + 3s});
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
        {"token expired", expired, false, kind::refresh_credentials},
    };
    for (const row& one : table) {
        INFO(one.name);
        machine m(one.replay_safe);
        REQUIRE(m.credentials().what == kind::send);
        CHECK(m.attempt(one.outcome).what == one.next);
    }
}

TEST_CASE(
    "a wait that would end past the deadline is not begun, and the last real error is reported") {
    machine m(true, {}, 900ms);
    REQUIRE(m.credentials().what == kind::send);
    CHECK(m.attempt(broken) == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::service_failed);
}

TEST_CASE("an expired token is refreshed once, outside the retry quota") {
    machine m(true, {.max_attempts = 1, .quota = 0});
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(expired) == request_action{kind::refresh_credentials});
    REQUIRE(m.credentials().what == kind::send);
    CHECK(m.attempt(expired) == request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::token_expired);
    CHECK(m.fsm.result()->info->attempts == 2);
}

TEST_CASE("when no fresh credentials can be had the service's word is reported") {
    machine m(true);
    REQUIRE(m.credentials().what == kind::send);
    REQUIRE(m.attempt(expired).what == kind::refresh_credentials);
    CHECK(m.fsm.on_credentials(m.now, make_failure(errc::no_credentials, "none")) ==
          request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::token_expired);
}

TEST_CASE("without credentials nothing is sent") {
    machine m(true);
    CHECK(m.fsm.on_credentials(m.now, make_failure(errc::no_credentials, "none")) ==
          request_action{kind::done});
    CHECK(m.fsm.result()->code == errc::no_credentials);
    CHECK(m.fsm.result()->info->attempts == 0);
}

TEST_CASE("a checksum mismatch is retried although the status was 200") {
    machine m(true);
    REQUIRE(m.credentials().what == kind::send);
    attempt_outcome bad = answered(200, errc::checksum_mismatch, "");
    CHECK(m.attempt(bad).what == kind::sleep);
}

} // namespace codynamo::dynamodb
