// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/hedging.hpp"

#include <codynamo/error.hpp>

#include <algorithm>
#include <string>

namespace codynamo::dynamodb {

void validate(const hedging_config& config) {
    if (config.delay.count() < 0 || config.delay > std::chrono::hours(1)) {
        throw error(errc::invalid_argument, "hedging.delay is " +
                                                std::to_string(config.delay.count()) +
                                                " ms: 0 to 3600000 ms are allowed");
    }
    if (!(config.max_extra_load > 0 && config.max_extra_load <= 1)) {
        throw error(errc::invalid_argument, "hedging.max_extra_load is " +
                                                std::to_string(config.max_extra_load) +
                                                ": more than 0 and at most 1 is allowed");
    }
}

hedge_policy::hedge_policy(const hedging_config& config) noexcept
    : config_(config), most_tokens_(std::max(1.0, 100 * config.max_extra_load)) {}

std::optional<hedge_policy::duration> hedge_policy::begin() noexcept {
    const std::lock_guard lock(mutex_);
    tokens_ = std::min(most_tokens_, tokens_ + config_.max_extra_load);
    if (tokens_ < 1) return std::nullopt;
    if (config_.delay.count() > 0) return config_.delay;
    return latency_.p95();
}

bool hedge_policy::take() noexcept {
    const std::lock_guard lock(mutex_);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
}

void hedge_policy::give_back() noexcept {
    const std::lock_guard lock(mutex_);
    tokens_ = std::min(most_tokens_, tokens_ + 1);
}

void hedge_policy::measured(duration latency) noexcept {
    const std::lock_guard lock(mutex_);
    latency_.add(latency);
}

} // namespace codynamo::dynamodb
