// SPDX-License-Identifier: BSL-1.0
// Latencies in a fixed number of buckets, each less than one per cent wide.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bench {

class histogram {
public:
    void add(std::chrono::nanoseconds value) noexcept;
    /// The middle of the bucket in which the given share (0 to 1) of all values is reached; zero
    /// when there are none.
    [[nodiscard]] std::chrono::nanoseconds percentile(double share) const noexcept;
    /// How many values there are.
    [[nodiscard]] std::uint64_t count() const noexcept { return total_; }
    /// Exact.
    [[nodiscard]] std::chrono::nanoseconds max() const noexcept { return max_; }

private:
    /// Buckets per doubling; below that many nanoseconds each has its own.
    static constexpr unsigned bits = 7;
    static constexpr std::size_t bucket_count = (64 - bits + 1) << bits;

    [[nodiscard]] static std::size_t bucket_of(std::uint64_t value) noexcept;
    [[nodiscard]] static std::uint64_t middle_of(std::size_t bucket) noexcept;

    std::array<std::uint64_t, bucket_count> counts_{};
    std::uint64_t total_ = 0;
    std::chrono::nanoseconds max_{0};
};

} // namespace bench
