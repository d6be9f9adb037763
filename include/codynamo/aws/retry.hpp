// SPDX-License-Identifier: BSL-1.0
// Whether and when to try again. Pure: jitter is an argument, nothing sleeps.
#pragma once

#include <codynamo/error.hpp>
#include <codynamo/export.hpp>

#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>

namespace codynamo::aws {

/// Which parameters the standard mode runs with (AWS SDKs and Tools Reference Guide, "Retry
/// behavior").
enum class retry_spec {
    v2_0, ///< base 1 s, 3 attempts; retry costs 5, a time-out 10; x-amz-retry-after replaces the
          ///< wait, up to max_backoff
    v2_1, ///< base 25 ms for DynamoDB, throttling 1 s, 4 attempts; retry costs 14, throttling 5;
          ///< x-amz-retry-after may lengthen the wait by up to 5 s
};

enum class retry_mode {
    standard, ///< back off, within the quota
    adaptive, ///< and limit the rate of all attempts once the service has throttled one. One table
              ///< that is hot slows everything of its client down
};

struct retry_config {
    /// nullopt: AWS_NEW_RETRIES_2026, else v2_0.
    std::optional<retry_spec> spec{};
    /// nullopt: AWS_RETRY_MODE, the profile's retry_mode, else standard.
    std::optional<retry_mode> mode{};
    /// First attempt included; at most 1000. 0: AWS_MAX_ATTEMPTS, the profile's max_attempts, else
    /// the spec's default.
    unsigned max_attempts = 0;
    /// Longest wait between two attempts (before v2_1's additions of x-amz-retry-after); 0 to 1 h.
    std::chrono::milliseconds max_backoff{20'000};
    /// Bound of the first wait where nobody asked to slow down; 0 takes the spec's default; at most
    /// 1 h.
    std::chrono::milliseconds base{0};
    /// The same where the service asked to slow down.
    std::chrono::milliseconds throttling_base{0};
    /// Tokens that failing requests of one client may spend on retries; 0 switches retries off when
    /// the first token is due.
    unsigned quota = 500;
};

/// Throws errc::invalid_argument naming the field.
CODYNAMO_API void validate(const retry_config& config);

/// What kind of failure an attempt ended with, as far as retries care.
enum class retry_class {
    none,       ///< trying again would not help
    transient,  ///< 5xx, lost connection
    timeout,    ///< connect or read timed out
    throttling, ///< the service asks to slow down
};

/// The one place that knows what is retryable: the service's code first, then the HTTP status.
/// A status 2xx is never retryable here; a wrong checksum is errc::checksum_mismatch's affair.
/// `service_code` without its namespace; empty when there was no such code.
[[nodiscard]] CODYNAMO_API retry_class classify_response(unsigned http_status,
                                                         std::string_view service_code) noexcept;

/// The same for failures without a (usable) response. Cancellation is not retryable.
[[nodiscard]] CODYNAMO_API retry_class
classify_error(const boost::system::error_code& code) noexcept;

/// The tokens of one client. Thread-safe.
class CODYNAMO_API retry_quota {
public:
    explicit retry_quota(unsigned capacity) noexcept : capacity_(capacity), available_(capacity) {}
    [[nodiscard]] bool take(unsigned cost) noexcept;
    void give_back(unsigned amount) noexcept;
    [[nodiscard]] unsigned available() const noexcept;

private:
    const unsigned capacity_;
    mutable std::mutex mutex_;
    unsigned available_;
};

enum class retry_verdict { retry, not_retryable, attempts_exhausted, quota_exhausted };

struct retry_decision {
    retry_verdict verdict = retry_verdict::not_retryable;
    /// How long to wait first; meaningful for verdict retry.
    std::chrono::microseconds delay{0};
};

/// The retries of one call. Not thread-safe.
class CODYNAMO_API retry_schedule {
public:
    /// `quota` is shared by the calls of a client and must outlive the schedule.
    retry_schedule(const retry_config& config, retry_quota& quota) noexcept;

    /// After a failed attempt. `jitter` is uniform in [0, 1); `retry_after` the value of
    /// x-amz-retry-after, empty when absent.
    [[nodiscard]] retry_decision next(retry_class failure, double jitter,
                                      std::string_view retry_after = {}) noexcept;
    /// After an attempt that was not even begun, because it would have been in vain: it counts as
    /// one and costs no token.
    [[nodiscard]] retry_decision postponed(double jitter) noexcept;
    /// The retry that next() or postponed() allowed is not made after all: gives the tokens that
    /// the last next() took back, and takes the attempt back.
    void withdraw() noexcept;
    /// After success: gives tokens back.
    void succeeded() noexcept;
    /// Attempts begun so far, the current one included.
    [[nodiscard]] unsigned attempts() const noexcept { return attempt_; }
    [[nodiscard]] unsigned max_attempts() const noexcept;

private:
    [[nodiscard]] std::chrono::microseconds delay_for(retry_class failure, double jitter,
                                                      std::string_view retry_after) const noexcept;

    retry_config config_;
    retry_quota* quota_;
    unsigned attempt_ = 1;
    unsigned last_charge_ = 0;
};

} // namespace codynamo::aws
