// SPDX-License-Identifier: BSL-1.0
// One logical call: decides what to do next and does none of it. Time and jitter are arguments.
#pragma once

#include <codynamo/aws/retry.hpp>
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
    /// Value of x-amz-retry-after; empty when absent.
    std::string retry_after;
};

struct request_action {
    enum class kind {
        credentials,         ///< get credentials, then on_credentials()
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

class request_fsm {
public:
    using time_point = std::chrono::steady_clock::time_point;

    struct limits {
        /// When the whole call must be over.
        time_point deadline;
        std::chrono::milliseconds attempt_timeout;
        /// Whether a request whose outcome is unknown may be sent again.
        bool replay_safe;
    };

    request_fsm(const aws::retry_config& retry, aws::retry_quota& quota, limits bounds) noexcept
        : schedule_(retry, quota), bounds_(bounds) {}

    [[nodiscard]] request_action start() const noexcept;
    /// `why` is set when there are none.
    [[nodiscard]] request_action on_credentials(time_point now, std::optional<failure> why);
    /// `jitter` is uniform in [0, 1).
    [[nodiscard]] request_action on_attempt(time_point now, attempt_outcome outcome, double jitter);
    [[nodiscard]] request_action on_slept() const noexcept;

    /// After done: the failure, with the number of attempts filled in; nullopt for success.
    [[nodiscard]] std::optional<failure> result() const;

private:
    [[nodiscard]] request_action finish(std::optional<failure> why);
    [[nodiscard]] static aws::retry_class classify(const failure& why) noexcept;

    aws::retry_schedule schedule_;
    limits bounds_;
    std::optional<failure> result_;
    unsigned sent_ = 0;
    bool refreshed_ = false;
};

} // namespace codynamo::dynamodb
