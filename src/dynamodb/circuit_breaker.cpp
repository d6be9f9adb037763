// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/circuit_breaker.hpp"

#include <algorithm>

namespace codynamo::dynamodb {
namespace {

using std::chrono::milliseconds;

void require(bool holds, const std::string& field, const std::string& value, const char* bounds) {
    if (holds) return;
    throw error(errc::invalid_argument, "breaker." + field + " is " + value + ": " + bounds);
}

std::string text_of(milliseconds value) {
    return std::to_string(value.count()) + " ms";
}

} // namespace

void validate(const circuit_breaker_config& config) {
    constexpr milliseconds hour = std::chrono::hours(1);
    require(config.failure_rate > 0 && config.failure_rate <= 1, "failure_rate",
            std::to_string(config.failure_rate), "more than 0 and at most 1 is allowed");
    require(config.minimum_calls >= 1, "minimum_calls", "0", "at least 1 is allowed");
    require(config.window >= std::chrono::seconds(1) && config.window <= hour, "window",
            text_of(config.window), "1000 to 3600000 ms are allowed");
    require(config.open_for.count() > 0 && config.open_for <= hour, "open_for",
            text_of(config.open_for), "1 to 3600000 ms are allowed");
}

circuit_breaker::circuit_breaker(const circuit_breaker_config& config, std::string endpoint)
    : config_(config), endpoint_(std::move(endpoint)) {}

circuit_breaker::permission circuit_breaker::ask(time_point now) noexcept {
    if (quiet_.load(std::memory_order_relaxed)) return {};
    const std::lock_guard lock(mutex_);
    if (state_ == state::closed) return {};
    if (state_ == state::open) {
        if (now < open_until_) return {.granted = false, .is_probe = false, .again = open_until_};
        state_ = state::half_open;
    }
    if (probing_) {
        // The probe may be over any moment; half an opening is soon enough to look again.
        return {.granted = false, .is_probe = false, .again = now + config_.open_for / 2};
    }
    probing_ = true;
    return {.granted = true, .is_probe = true, .again = {}};
}

circuit_breaker::change circuit_breaker::tell(const permission& had, verdict what,
                                              time_point now) noexcept {
    if (!config_.enabled) return change::none;
    if (what == verdict::unclear && !had.is_probe) return change::none;
    if (what == verdict::good && quiet_.load(std::memory_order_relaxed)) return change::none;
    const std::lock_guard lock(mutex_);
    if (had.is_probe) {
        probing_ = false;
        // One that told nothing must not be followed by the next at once, and so on for ever.
        if (what != verdict::good) {
            open(now);
            return change::none;
        }
        close();
        return change::closed;
    }
    // Attempts that began before it opened say nothing new.
    if (state_ != state::closed) return change::none;
    quiet_.store(false, std::memory_order_relaxed);
    count(what, now);
    if (!is_failing(now)) return change::none;
    open(now);
    return change::opened;
}

void circuit_breaker::give_back(const permission& had) noexcept {
    if (!had.is_probe) return;
    const std::lock_guard lock(mutex_);
    probing_ = false;
}

void circuit_breaker::count(verdict what, time_point now) noexcept {
    const std::int64_t number = bucket_number(now);
    bucket& here = buckets_[static_cast<std::size_t>(number % bucket_count)];
    if (here.number < number) here = {.number = number, .good = 0, .bad = 0};
    ++(what == verdict::good ? here.good : here.bad);
}

bool circuit_breaker::is_failing(time_point now) noexcept {
    const std::int64_t oldest = bucket_number(now) - bucket_count + 1;
    std::uint64_t good = 0;
    std::uint64_t bad = 0;
    for (const bucket& one : buckets_) {
        if (one.number < oldest) continue;
        good += one.good;
        bad += one.bad;
    }
    if (bad == 0) {
        close(); // nothing but successes for a whole window
        return false;
    }
    const auto all = static_cast<double>(good + bad);
    return good + bad >= config_.minimum_calls &&
           static_cast<double>(bad) >= config_.failure_rate * all;
}

std::int64_t circuit_breaker::bucket_number(time_point now) const noexcept {
    const auto length = std::chrono::nanoseconds(config_.window) / bucket_count;
    return std::max<std::int64_t>(0, now.time_since_epoch() / length);
}

void circuit_breaker::open(time_point now) noexcept {
    state_ = state::open;
    open_until_ = now + config_.open_for;
}

void circuit_breaker::close() noexcept {
    state_ = state::closed;
    buckets_ = {};
    quiet_.store(true, std::memory_order_relaxed);
}

failure circuit_breaker::refusal(const permission& refused, time_point now) const {
    const auto left = std::chrono::ceil<milliseconds>(refused.again - now);
    return make_failure(errc::circuit_open,
                        "not sent: " + endpoint_ +
                            " has been failing and is left alone for another " +
                            std::to_string(std::max<std::int64_t>(0, left.count())) + " ms");
}

} // namespace codynamo::dynamodb
