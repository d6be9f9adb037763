// SPDX-License-Identifier: BSL-1.0
// A request's machine with what it walks on: outcomes to tell it, and time that a test controls.
#pragma once

#include "dynamodb/request_fsm.hpp"
#include "support/catch.hpp"
#include "support/longest_jitter.hpp"

#include <chrono>
#include <ostream>
#include <string>
#include <utility>

namespace codynamo::dynamodb {

inline std::ostream& operator<<(std::ostream& out, const request_action& action) {
    constexpr const char* names[] = {"credentials", "refresh", "send", "sleep", "done"};
    return out << names[static_cast<int>(action.what)] << " until "
               << action.until.time_since_epoch().count();
}

namespace machine_test {

using namespace std::chrono_literals;
using test_support::longest_jitter;
using kind = request_action::kind;
using time_point = request_fsm::time_point;

inline constexpr time_point start_of_time{};

inline attempt_outcome answered(unsigned status, errc code, std::string service_code) {
    diagnostics words{.message = "no", .service_code = std::move(service_code)};
    words.http_status = status;
    attempt_outcome outcome;
    outcome.why = make_failure(code, std::move(words));
    outcome.maybe_executed = status >= 500 || status / 100 == 2;
    return outcome;
}

inline attempt_outcome lost(errc code, bool sent) {
    attempt_outcome outcome;
    outcome.why = make_failure(code, "lost");
    outcome.maybe_executed = sent;
    return outcome;
}

inline const attempt_outcome throttled = answered(400, errc::throttled, "ThrottlingException");
inline const attempt_outcome broken = answered(500, errc::service_failed, "InternalServerError");
inline const attempt_outcome invalid =
    answered(400, errc::validation_failed, "ValidationException");
inline const attempt_outcome expired = answered(400, errc::token_expired, "ExpiredTokenException");
inline const attempt_outcome refused = lost(errc::connect_failed, false);

/// Timed out while it waited for one of our own connections.
inline const attempt_outcome queued = [] {
    attempt_outcome outcome = lost(errc::timeout, false);
    outcome.queued = true;
    return outcome;
}();

/// An outcome whose request was dated that far behind the server's clock.
inline attempt_outcome misdated(std::string code, std::chrono::microseconds by) {
    attempt_outcome outcome = answered(400, errc::credentials_rejected, std::move(code));
    outcome.date_error = by;
    return outcome;
}

/// What a test may choose.
struct given {
    bool replay_safe = true;
    aws::retry_config retry{};
    std::chrono::milliseconds timeout = 60s;
    bool writes = true;
    bool adaptive = false;
    circuit_breaker_config breaking{};
    std::chrono::milliseconds attempt = 5s;
};

/// A machine with jitter 1 (the longest waits) that walks the steps which never vary.
struct machine {
    explicit machine(given with)
        : config(with.retry), quota(with.retry.quota), breaker(with.breaking, "http://fake"),
          fsm({config, quota, with.adaptive ? &limiter : nullptr, jitter},
              {start_of_time + with.timeout, with.attempt, with.replay_safe, with.writes}) {
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

inline std::chrono::milliseconds since_start(const request_action& action) {
    return std::chrono::round<std::chrono::milliseconds>(action.until - start_of_time);
}

} // namespace machine_test
} // namespace codynamo::dynamodb
