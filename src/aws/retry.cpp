// SPDX-License-Identifier: BSL-1.0
// The standard retry mode with its two parameter sets.
#include "aws/text.hpp"

#include <codynamo/aws/retry.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace codynamo::aws {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct parameters {
    unsigned max_attempts;
    milliseconds base;
    milliseconds throttling_base;
    unsigned retry_cost;
    unsigned timeout_cost;
    unsigned throttling_cost;
};

constexpr parameters parameters_of(retry_spec spec) noexcept {
    return spec == retry_spec::v2_1
               ? parameters{4, milliseconds(25), milliseconds(1000), 14, 14, 5}
               : parameters{3, milliseconds(1000), milliseconds(1000), 5, 10, 5};
}

retry_spec spec_of(const retry_config& config) noexcept {
    return config.spec.value_or(retry_spec::v2_0);
}

/// Whatever the service asks for, a wait grows by no more than this.
constexpr milliseconds max_retry_after_extension{5000};

constexpr std::string_view throttling_codes[] = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
};

constexpr std::string_view transient_codes[] = {
    "RequestTimeout",
    "RequestTimeoutException",
    "IDPCommunicationError",
    "ReplicatedWriteConflictException",
};

template <std::size_t Size>
bool contains(const std::string_view (&codes)[Size], std::string_view code) noexcept {
    return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

/// Whole milliseconds; nullopt when the header is absent or no such number.
std::optional<milliseconds> parse_retry_after(std::string_view text) noexcept {
    text = detail::trim(text);
    std::uint32_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || problem != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return milliseconds(value);
}

void require_at_most_an_hour(std::string_view field, milliseconds value) {
    if (value >= milliseconds(0) && value <= std::chrono::hours(1)) return;
    throw error(errc::invalid_argument, "retry " + std::string(field) + " " +
                                            std::to_string(value.count()) +
                                            " ms is out of bounds: 0 to 3600000 ms");
}

retry_class classify_own(errc code) noexcept {
    switch (code) {
    case errc::timeout:
        return retry_class::timeout;
    case errc::throttled:
        return retry_class::throttling;
    case errc::resolve_failed:
    case errc::connect_failed:
    case errc::connection_lost:
    case errc::checksum_mismatch:
    case errc::service_failed:
        return retry_class::transient;
    default:
        return retry_class::none;
    }
}

} // namespace

void validate(const retry_config& config) {
    if (config.max_attempts > 1000) {
        throw error(errc::invalid_argument, "retry max_attempts " +
                                                std::to_string(config.max_attempts) +
                                                " is out of bounds: at most 1000");
    }
    require_at_most_an_hour("max_backoff", config.max_backoff);
    require_at_most_an_hour("base", config.base);
    require_at_most_an_hour("throttling_base", config.throttling_base);
}

retry_class classify_response(unsigned http_status, std::string_view service_code) noexcept {
    if (http_status >= 200 && http_status < 300) return retry_class::none;
    if (contains(throttling_codes, service_code)) return retry_class::throttling;
    if (contains(transient_codes, service_code)) return retry_class::transient;
    switch (http_status) {
    case 429:
        return retry_class::throttling;
    case 500:
    case 502:
    case 503:
    case 504:
        return retry_class::transient;
    default:
        return retry_class::none;
    }
}

retry_class classify_error(const boost::system::error_code& code) noexcept {
    namespace system = boost::system;
    if (!code || code == boost::asio::error::operation_aborted) return retry_class::none;
    if (code.category() == codynamo_category()) {
        return classify_own(static_cast<errc>(code.value()));
    }
    if (code == system::errc::timed_out) return retry_class::timeout;
    constexpr system::errc::errc_t lost[] = {
        system::errc::connection_reset,   system::errc::connection_aborted,
        system::errc::connection_refused, system::errc::broken_pipe,
        system::errc::host_unreachable,   system::errc::network_unreachable,
        system::errc::network_down,       system::errc::network_reset,
        system::errc::not_connected};
    const bool is_lost = code == boost::asio::error::eof ||
                         std::any_of(std::begin(lost), std::end(lost),
                                     [&](system::errc::errc_t known) { return code == known; });
    return is_lost ? retry_class::transient : retry_class::none;
}

bool retry_quota::take(unsigned cost) noexcept {
    const std::lock_guard lock(mutex_);
    if (cost > available_) return false;
    available_ -= cost;
    return true;
}

void retry_quota::give_back(unsigned amount) noexcept {
    const std::lock_guard lock(mutex_);
    available_ += std::min(amount, capacity_ - available_);
}

unsigned retry_quota::available() const noexcept {
    const std::lock_guard lock(mutex_);
    return available_;
}

retry_schedule::retry_schedule(const retry_config& config, retry_quota& quota) noexcept
    : config_(config), quota_(&quota) {
    const auto defaults = parameters_of(spec_of(config_));
    if (config_.max_attempts == 0) config_.max_attempts = defaults.max_attempts;
    if (config_.base == milliseconds(0)) config_.base = defaults.base;
    if (config_.throttling_base == milliseconds(0)) {
        config_.throttling_base = defaults.throttling_base;
    }
}

microseconds retry_schedule::delay_for(retry_class failure, double jitter,
                                       std::string_view retry_after) const noexcept {
    const bool throttled = failure == retry_class::throttling;
    const microseconds base = throttled ? config_.throttling_base : config_.base;
    const microseconds longest = config_.max_backoff;
    // An hour of microseconds has 32 bits, so that 30 doublings of it stay within 62.
    const auto doublings = std::min(attempt_ - 1, 30U);
    const auto bound = std::min(microseconds(base.count() << doublings), longest);
    const microseconds delay(static_cast<microseconds::rep>(static_cast<double>(bound.count()) *
                                                            std::clamp(jitter, 0.0, 1.0)));
    const auto asked = parse_retry_after(retry_after);
    if (!asked) return delay;
    if (spec_of(config_) == retry_spec::v2_0) return std::min<microseconds>(*asked, longest);
    return std::clamp<microseconds>(*asked, delay, delay + max_retry_after_extension);
}

retry_decision retry_schedule::next(retry_class failure, double jitter,
                                    std::string_view retry_after) noexcept {
    if (failure == retry_class::none) return {retry_verdict::not_retryable, {}};
    if (attempt_ >= config_.max_attempts) return {retry_verdict::attempts_exhausted, {}};
    const auto costs = parameters_of(spec_of(config_));
    const unsigned cost = failure == retry_class::throttling ? costs.throttling_cost
                          : failure == retry_class::timeout  ? costs.timeout_cost
                                                             : costs.retry_cost;
    if (!quota_->take(cost)) return {retry_verdict::quota_exhausted, {}};
    last_charge_ = cost;
    const auto delay = delay_for(failure, jitter, retry_after);
    ++attempt_;
    return {retry_verdict::retry, delay};
}

retry_decision retry_schedule::postponed(double jitter) noexcept {
    if (attempt_ >= config_.max_attempts) return {retry_verdict::attempts_exhausted, {}};
    const auto delay = delay_for(retry_class::transient, jitter, {});
    ++attempt_;
    return {retry_verdict::retry, delay};
}

void retry_schedule::withdraw() noexcept {
    quota_->give_back(std::exchange(last_charge_, 0));
    if (attempt_ > 1) --attempt_;
}

void retry_schedule::succeeded() noexcept {
    quota_->give_back(last_charge_ == 0 ? 1 : last_charge_);
}

unsigned retry_schedule::max_attempts() const noexcept {
    return config_.max_attempts;
}

} // namespace codynamo::aws
