// SPDX-License-Identifier: BSL-1.0
// The 95th percentile of what has been measured lately.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace codynamo::dynamodb {

/// A histogram with four buckets for each doubling from 1 µs to 2 min, whose counts are halved
/// every thousand samples, so that what was measured long ago counts less and less. Pure; not
/// thread-safe.
class latency_estimate {
public:
    using duration = std::chrono::microseconds;
    static constexpr std::uint32_t enough_samples = 100;

    void add(duration sample) noexcept;
    /// The upper end of the bucket with the 95th percentile: never less than it, at most a quarter
    /// more. nullopt before there are enough samples.
    [[nodiscard]] std::optional<duration> p95() const noexcept;

private:
    static constexpr unsigned per_doubling = 4;
    static constexpr std::size_t buckets = 27 * per_doubling + 1;
    static constexpr std::uint32_t halve_after = 1000;

    [[nodiscard]] static std::size_t bucket_of(duration sample) noexcept;
    [[nodiscard]] static duration upper_end(std::size_t bucket) noexcept;

    std::array<std::uint32_t, buckets> counts_{};
    std::uint32_t total_ = 0;
    std::uint32_t since_halved_ = 0;
};

} // namespace codynamo::dynamodb
