// SPDX-License-Identifier: BSL-1.0
// Whether and when a read that is slow gets a second request beside it.
#pragma once

#include "dynamodb/latency_estimate.hpp"

#include <codynamo/dynamodb/resilience.hpp>

#include <chrono>
#include <mutex>
#include <optional>

namespace codynamo::dynamodb {

/// Throws errc::invalid_argument naming the field.
void validate(const hedging_config& config);

/// One per client. Thread-safe.
class hedge_policy {
public:
    using duration = std::chrono::microseconds;

    explicit hedge_policy(const hedging_config& config) noexcept;

    /// A first request begins: how long to wait before a second one, nullopt when there is to be
    /// none. Adds the first request's share to the budget.
    [[nodiscard]] std::optional<duration> begin() noexcept;
    /// The wait is over: whether a second request may be sent. It is paid for then.
    [[nodiscard]] bool take() noexcept;
    /// It was not sent after all.
    void give_back() noexcept;
    /// How long a first request took, or had taken when the second one won.
    void measured(duration latency) noexcept;

private:
    const hedging_config config_;
    const double most_tokens_;
    std::mutex mutex_;
    latency_estimate latency_;
    double tokens_ = 1;
};

} // namespace codynamo::dynamodb
