// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/request_fsm.hpp"

#include "aws/clock_skew.hpp"

#include <algorithm>
#include <utility>

namespace codynamo::dynamodb {
namespace {

using kind = request_action::kind;

/// By what the service said, and not by what may be quoted of it.
aws::retry_class classify(const attempt_outcome& outcome) noexcept {
    const failure& why = *outcome.why;
    if (why.info && why.info->http_status != 0 && why.code != errc::checksum_mismatch) {
        return aws::classify_response(why.info->http_status,
                                      outcome.service_code_or(why.info->service_code));
    }
    return aws::classify_error(why.code);
}

/// What the failure says about the endpoint, time-outs apart.
circuit_breaker::verdict verdict_of(const failure& why, aws::retry_class failed_as) noexcept {
    using verdict = circuit_breaker::verdict;
    const unsigned status = why.info ? why.info->http_status : 0;
    if (status >= 500 && failed_as != aws::retry_class::throttling) return verdict::bad;
    if (status != 0) return verdict::good; // an answer, however unwelcome
    if (why.code == errc::resolve_failed || why.code == errc::connect_failed ||
        why.code == errc::tls_failed || why.code == errc::connection_lost ||
        why.code == errc::bad_response) {
        return verdict::bad;
    }
    // There is somebody, and he has much to say.
    if (why.code == errc::response_too_large) return verdict::good;
    return verdict::unclear;
}

bool reached_service(const attempt_outcome& outcome) noexcept {
    const bool answered = !outcome.why || (outcome.why->info && outcome.why->info->http_status);
    return answered || outcome.maybe_executed;
}

/// Whether the service refused the request for a date that was wrong, and not for a wrong secret.
bool was_misdated(const attempt_outcome& outcome) noexcept {
    if (outcome.offset_dropped) return true;
    if (!outcome.date_error || !outcome.why->info) return false;
    const auto off = *outcome.date_error;
    return aws::is_skew_code(outcome.service_code_or(outcome.why->info->service_code)) &&
           (off > aws::clock_skew::refusal_threshold || off < -aws::clock_skew::refusal_threshold);
}

} // namespace

bool is_refusal(const attempt_outcome& outcome) noexcept {
    return outcome.why && outcome.why->info && outcome.why->info->http_status / 100 == 4 &&
           classify(outcome) == aws::retry_class::none;
}

void tell(aws::adaptive_limiter& limiter, const attempt_outcome& outcome,
          std::chrono::steady_clock::time_point now) {
    if (!reached_service(outcome)) return;
    const auto failed_as = outcome.why ? classify(outcome) : aws::retry_class::none;
    limiter.ended(failed_as == aws::retry_class::throttling, now);
}

request_fsm::~request_fsm() {
    // Cancelled between permission and verdict, or before a retry.
    if (breaker_) breaker_->give_back(permission_);
    if (limiter_) limiter_->leave(place_);
    withdraw_retry();
}

request_action request_fsm::start() const noexcept {
    return {kind::credentials};
}

request_action request_fsm::on_credentials(time_point now, circuit_breaker& breaker) {
    if (now >= bounds_.deadline) {
        return give_up(make_failure(errc::timeout, "the deadline passed before the request could "
                                                   "be sent"));
    }
    const auto permission = breaker.ask(now);
    if (!permission.granted) return wait_for_circuit(now, breaker, permission);
    if (limiter_) {
        const auto wait = limiter_->acquire(now, place_);
        if (wait.count() > 0) {
            breaker.give_back(permission);
            return wait_for_token(now, wait);
        }
    }
    owes_retry_ = false;
    breaker_ = &breaker;
    permission_ = permission;
    ++sent_;
    sent_at_ = now;
    until_ = std::min(now + bounds_.attempt_timeout, bounds_.deadline);
    return {kind::send, until_};
}

request_action request_fsm::on_no_credentials(failure why) {
    return give_up(std::move(why));
}

request_action request_fsm::wait_for_token(time_point now, std::chrono::nanoseconds wait) {
    if (now + wait >= bounds_.deadline) {
        return give_up(make_failure(errc::throttled,
                                    "not sent: the service has asked to slow down, and the "
                                    "adaptive retry mode has no turn for this request in time"));
    }
    return {kind::sleep, now + wait};
}

request_action request_fsm::wait_for_circuit(time_point now, const circuit_breaker& breaker,
                                             const circuit_breaker::permission& refused) {
    // Nothing was sent, so whether the request may be repeated does not matter.
    const auto next = schedule_.postponed(random_->uniform());
    const time_point until = std::max<time_point>(now + next.delay, refused.again);
    if (next.verdict != aws::retry_verdict::retry || until >= bounds_.deadline) {
        return give_up(breaker.refusal(refused, now));
    }
    if (limiter_) limiter_->leave(place_); // the probe that is waited for may stand behind
    return {kind::sleep, until};
}

request_action request_fsm::on_attempt(time_point now, attempt_outcome outcome) {
    const auto failed_as = outcome.why ? classify(outcome) : aws::retry_class::none;
    if (limiter_) tell(*limiter_, outcome, now);
    tell_breaker(now, outcome, failed_as);
    if (outcome.why) return after_failure(now, std::move(outcome), failed_as);
    schedule_.succeeded();
    result_.reset();
    return {kind::done};
}

request_action request_fsm::after_failure(time_point now, attempt_outcome outcome,
                                          aws::retry_class failed_as) {
    // Throttling is refused before it is executed; every other failure of the server, and silence,
    // may come after the deed.
    const bool unknown =
        outcome.sent_twice || (outcome.maybe_executed && failed_as != aws::retry_class::throttling);
    outcome_unknown_ = outcome_unknown_ || (unknown && bounds_.writes);
    const bool misdated = was_misdated(outcome);
    result_ = outcome.why;
    if (result_->code == errc::token_expired && !refreshed_) {
        refreshed_ = true;
        return {kind::refresh_credentials};
    }
    if (misdated && !redated_) {
        redated_ = true;
        return {kind::credentials};
    }
    if (unknown && !bounds_.replay_safe) return {kind::done};
    const auto next = next_try(outcome, failed_as);
    if (next.verdict != aws::retry_verdict::retry) return {kind::done};
    if (now + next.delay >= bounds_.deadline) {
        withdraw_retry();
        return {kind::done};
    }
    return {kind::sleep, now + next.delay};
}

aws::retry_decision request_fsm::next_try(const attempt_outcome& outcome,
                                          aws::retry_class failed_as) {
    const double jitter = random_->uniform();
    const bool ours =
        outcome.queued || (failed_as == aws::retry_class::timeout && !is_endpoint_timeout(outcome));
    if (ours && failed_as != aws::retry_class::none) return schedule_.postponed(jitter);
    const auto next = schedule_.next(failed_as, jitter, outcome.retry_after);
    owes_retry_ = next.verdict == aws::retry_verdict::retry;
    return next;
}

void request_fsm::withdraw_retry() noexcept {
    if (std::exchange(owes_retry_, false)) schedule_.withdraw();
}

request_action request_fsm::on_slept() const noexcept {
    // Asked again for every attempt: they may have expired while we slept.
    return {kind::credentials};
}

bool request_fsm::is_endpoint_timeout(const attempt_outcome& outcome) const noexcept {
    // A call's own deadline says what its caller can use, not what the endpoint is able to do.
    std::chrono::nanoseconds had = until_ - sent_at_;
    if (outcome.exchange_time) // less what signing and the sweep take
        had = std::min(had, *outcome.exchange_time + *outcome.exchange_time / 8);
    const auto enough =
        until_ == bounds_.deadline
            ? std::chrono::seconds(1)
            : std::min<std::chrono::nanoseconds>(bounds_.attempt_timeout, std::chrono::seconds(1));
    return had >= enough;
}

void request_fsm::tell_breaker(time_point now, const attempt_outcome& outcome,
                               aws::retry_class failed_as) {
    auto verdict = circuit_breaker::verdict::good;
    if (outcome.queued) {
        verdict = circuit_breaker::verdict::unclear;
    } else if (outcome.why && failed_as == aws::retry_class::timeout) {
        verdict = is_endpoint_timeout(outcome) ? circuit_breaker::verdict::bad
                                               : circuit_breaker::verdict::unclear;
    } else if (outcome.why) {
        verdict = verdict_of(*outcome.why, failed_as);
    }
    change_ = breaker_->tell(permission_, verdict, now);
    breaker_ = nullptr;
}

std::optional<failure> request_fsm::result() const {
    if (!result_) return std::nullopt;
    diagnostics words = result_->info ? *result_->info : diagnostics{};
    words.attempts = sent_;
    words.outcome_unknown = outcome_unknown_;
    return make_failure(result_->code, std::move(words));
}

request_action request_fsm::give_up(failure unless_told) {
    withdraw_retry();
    if (limiter_) limiter_->leave(place_);
    if (!result_) result_ = std::move(unless_told);
    return {kind::done};
}

} // namespace codynamo::dynamodb
