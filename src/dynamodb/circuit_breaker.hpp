// SPDX-License-Identifier: BSL-1.0
// Whether an endpoint is worth an attempt: closed lets all pass, open none, half-open one probe.
#pragma once

#include <codynamo/dynamodb/resilience.hpp>
#include <codynamo/error.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace codynamo::dynamodb {

/// Throws errc::invalid_argument naming the field.
void validate(const circuit_breaker_config& config);

/// Thread-safe. As long as nothing fails, asking and telling are one relaxed load each.
class circuit_breaker {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// What an attempt says about the endpoint.
    enum class verdict { good, bad, unclear };
    struct permission {
        bool granted = true;
        /// Whoever has it must tell how it ended, or give it back.
        bool is_probe = false;
        /// When not granted: not worth asking again before then.
        time_point again{};
    };
    enum class change { none, opened, closed };

    /// `endpoint` is for messages.
    circuit_breaker(const circuit_breaker_config& config, std::string endpoint);

    /// Closed, and no failure for a while.
    [[nodiscard]] bool is_quiet() const noexcept { return quiet_.load(std::memory_order_relaxed); }
    [[nodiscard]] permission ask(time_point now) noexcept;
    /// An attempt that was permitted has ended. A probe that tells nothing opens the circuit again.
    change tell(const permission& had, verdict what, time_point now) noexcept;
    /// An attempt that was permitted was not made, or was cancelled: a probe is the next one's.
    void give_back(const permission& had) noexcept;

    /// errc::circuit_open, naming the endpoint and the time left.
    [[nodiscard]] failure refusal(const permission& refused, time_point now) const;
    [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }

private:
    enum class state { closed, open, half_open };
    static constexpr std::int64_t bucket_count = 10;
    struct bucket {
        std::int64_t number = -1;
        std::uint32_t good = 0;
        std::uint32_t bad = 0;
    };

    void count(verdict what, time_point now) noexcept;
    [[nodiscard]] bool is_failing(time_point now) noexcept;
    [[nodiscard]] std::int64_t bucket_number(time_point now) const noexcept;
    void open(time_point now) noexcept;
    void close() noexcept;

    const circuit_breaker_config config_;
    const std::string endpoint_;
    /// Closed, and no failure within the window.
    std::atomic<bool> quiet_{true};
    mutable std::mutex mutex_;
    state state_ = state::closed;
    std::array<bucket, bucket_count> buckets_{};
    time_point open_until_{};
    bool probing_ = false;
};

} // namespace codynamo::dynamodb
