// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/request_fsm.hpp"

#include <algorithm>
#include <utility>

namespace codynamo::dynamodb {

request_action request_fsm::start() const noexcept {
    return {request_action::kind::credentials};
}

request_action request_fsm::on_credentials(time_point now, std::optional<failure> why) {
    if (why) {
        // After a refresh the service's "expired" says more than the provider's excuse.
        if (!result_) result_ = std::move(why);
        return {request_action::kind::done};
    }
    ++sent_;
    return {request_action::kind::send, std::min(now + bounds_.attempt_timeout, bounds_.deadline)};
}

request_action request_fsm::on_attempt(time_point now, attempt_outcome outcome, double jitter) {
    if (!outcome.why) {
        schedule_.succeeded();
        return finish(std::nullopt);
    }
    failure& why = *outcome.why;
    if (why.code == errc::token_expired && !refreshed_) {
        refreshed_ = true;
        result_ = why;
        return {request_action::kind::refresh_credentials};
    }
    const aws::retry_class kind = classify(why);
    // Throttling is refused before it is executed; everything else that got an answer or none may
    // have taken effect.
    if (kind != aws::retry_class::throttling && outcome.maybe_executed && !bounds_.replay_safe) {
        return finish(std::move(why));
    }
    const aws::retry_decision next = schedule_.next(kind, jitter, outcome.retry_after);
    if (next.verdict != aws::retry_verdict::retry || now + next.delay >= bounds_.deadline) {
        return finish(std::move(why));
    }
    return {request_action::kind::sleep, now + next.delay};
}

request_action request_fsm::on_slept() const noexcept {
    // Asked again for every attempt: they may have expired while we slept.
    return {request_action::kind::credentials};
}

std::optional<failure> request_fsm::result() const {
    if (!result_) return std::nullopt;
    diagnostics words = result_->info ? *result_->info : diagnostics{};
    words.attempts = sent_;
    return make_failure(result_->code, std::move(words));
}

request_action request_fsm::finish(std::optional<failure> why) {
    result_ = std::move(why);
    return {request_action::kind::done};
}

aws::retry_class request_fsm::classify(const failure& why) noexcept {
    if (why.info && why.info->http_status != 0 && why.code != errc::checksum_mismatch) {
        return aws::classify_response(why.info->http_status, why.info->service_code);
    }
    return aws::classify_error(why.code);
}

} // namespace codynamo::dynamodb
