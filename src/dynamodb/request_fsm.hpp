// SPDX-License-Identifier: BSL-1.0
// One logical call: decides what to do next and does none of it. Time, chance and what the calls of
// a client share are arguments.
#pragma once

#include "aws/adaptive_limiter.hpp"
#include "dynamodb/circuit_breaker.hpp"

#include <codynamo/aws/retry.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/error.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace codynamo::dynamodb {

/// What became of one attempt.
struct attempt_outcome {
    /// No failure: the operation's answer was decoded.
    std::optional<failure> why;
    /// Whether the server may have acted on the request.
    bool maybe_executed = false;
    /// Whether the transport sent it twice, so that the first copy may have been acted on.
    bool sent_twice = false;
    /// With a failure: as in net::send_outcome.
    bool queued = false;
    /// With a time-out: how long the request had been with a connection; nullopt: all of its time.
    std::optional<std::chrono::nanoseconds> exchange_time;
    /// By how much the date of the request was behind the server's clock, as far as the response
    /// tells.
    std::optional<std::chrono::microseconds> date_error;
    /// Whether the date was computed with an offset that is given up now.
    bool offset_dropped = false;
    /// The service's code where that of `why` had to be masked; empty otherwise. Decides.
    std::string service_code;
    /// Value of x-amz-retry-after; empty when absent.
    std::string retry_after;

    [[nodiscard]] std::string_view service_code_or(std::string_view shown) const noexcept {
        return service_code.empty() ? shown : std::string_view(service_code);
    }
};

/// Whether the service said no, and would say so to the same request again.
[[nodiscard]] bool is_refusal(const attempt_outcome& outcome) noexcept;

/// Reports an attempt that has ended; one that never reached the service says nothing about it.
void tell(aws::adaptive_limiter& limiter, const attempt_outcome& outcome,
          std::chrono::steady_clock::time_point now);

struct request_action {
    enum class kind {
        credentials,         ///< get credentials and a route for them, then on_credentials()
        refresh_credentials, ///< tell the provider that they have expired, get others, then
                             ///< on_credentials()
        send,                ///< sign and send before `until`, then on_attempt()
        sleep,               ///< wait until `until`, then on_slept()
        done,                ///< the call is over; result() says how
    };
    kind what = kind::done;
    std::chrono::steady_clock::time_point until{};

    friend bool operator==(const request_action&, const request_action&) = default;
};

/// A failed attempt is followed by another one
///   - at once, once each per call and for free, when the token had expired or the date was wrong;
///   - after a pause, as the retry schedule has it, unless the request may have been executed and
///     must not be repeated, or the deadline would pass in the pause. A retry that is not made
///     after all costs nothing, and neither does one after waiting in vain for a connection of our
///     own, or for so long that the server had no fair share of the time: that is our doing.
/// Before each attempt the circuit breaker and the send rate (adaptive mode) are asked.
/// The result is what the last attempt said; why there was no further one only where there was none
/// at all.
class request_fsm {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Shared by the calls of a client; must outlive them.
    struct shared {
        const aws::retry_config& retry;
        aws::retry_quota& quota;
        /// Null in standard mode.
        aws::adaptive_limiter* limiter;
        random_source& random;
    };
    struct limits {
        /// When the whole call must be over.
        time_point deadline;
        std::chrono::milliseconds attempt_timeout;
        /// Whether a request whose outcome is unknown may be sent again.
        bool replay_safe;
        /// Whether it matters that the outcome is unknown.
        bool writes;
    };

    request_fsm(const shared& with, limits bounds) noexcept
        : schedule_(with.retry, with.quota), limiter_(with.limiter), random_(&with.random),
          bounds_(bounds) {}
    ~request_fsm();
    request_fsm(const request_fsm&) = delete;
    request_fsm& operator=(const request_fsm&) = delete;

    [[nodiscard]] request_action start() const noexcept;
    /// `breaker` guards the way that the attempt would take; it must live until the next call of
    /// this or the end of the machine.
    [[nodiscard]] request_action on_credentials(time_point now, circuit_breaker& breaker);
    /// There are none, or no way for them.
    [[nodiscard]] request_action on_no_credentials(failure why);
    /// `now` does not matter to a success unless times_success().
    [[nodiscard]] request_action on_attempt(time_point now, attempt_outcome outcome);
    [[nodiscard]] bool times_success() const noexcept { return limiter_ || !breaker_->is_quiet(); }
    [[nodiscard]] request_action on_slept() const noexcept;

    /// Whether the attempt that is to be sent decides about an open circuit.
    [[nodiscard]] bool is_probe() const noexcept { return breaker_ && permission_.is_probe; }
    /// How the attempt changed the breaker, for the log; valid until the next event.
    [[nodiscard]] circuit_breaker::change breaker_change() const noexcept { return change_; }
    /// After done: the failure, with the number of attempts filled in; nullopt for success.
    [[nodiscard]] std::optional<failure> result() const;

private:
    [[nodiscard]] request_action wait_for_token(time_point now, std::chrono::nanoseconds wait);
    [[nodiscard]] request_action wait_for_circuit(time_point now, const circuit_breaker& breaker,
                                                  const circuit_breaker::permission& refused);
    [[nodiscard]] request_action after_failure(time_point now, attempt_outcome outcome,
                                               aws::retry_class failed_as);
    [[nodiscard]] aws::retry_decision next_try(const attempt_outcome& outcome,
                                               aws::retry_class failed_as);
    void withdraw_retry() noexcept;
    /// Whether the server had a fair share of an attempt that timed out.
    [[nodiscard]] bool is_endpoint_timeout(const attempt_outcome& outcome) const noexcept;
    void tell_breaker(time_point now, const attempt_outcome& outcome, aws::retry_class failed_as);
    [[nodiscard]] request_action give_up(failure unless_told);

    aws::retry_schedule schedule_;
    aws::adaptive_limiter* limiter_;
    aws::adaptive_limiter::ticket place_ = 0;
    random_source* random_;
    limits bounds_;
    circuit_breaker* breaker_ = nullptr;
    circuit_breaker::permission permission_;
    circuit_breaker::change change_ = circuit_breaker::change::none;
    /// What the last attempt said; empty before the first one and after success.
    std::optional<failure> result_;
    time_point sent_at_{};
    time_point until_{};
    unsigned sent_ = 0;
    /// A retry has been paid for and not been sent yet.
    bool owes_retry_ = false;
    bool outcome_unknown_ = false;
    bool refreshed_ = false;
    bool redated_ = false;
};

} // namespace codynamo::dynamodb
