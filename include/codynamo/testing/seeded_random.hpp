// SPDX-License-Identifier: BSL-1.0
// Randomness that a seed decides, so that what happened once happens again.
#pragma once

#include <codynamo/environment.hpp>

#include <cstdint>

namespace codynamo::testing {

/// SplitMix64 (Steele, Lea, Flood 2014). Equal seeds give equal numbers on every machine. Not
/// thread-safe, unlike other random sources: for a virtual_world, which has one thread.
class seeded_random final : public random_source {
public:
    explicit seeded_random(std::uint64_t seed) noexcept : state_(seed) {}

    [[nodiscard]] std::uint64_t next() noexcept override {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31U);
    }
    /// Uniform in [0, bound); 0 when the bound is 0. The bias for bounds below 2^32 is below 2^-32.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept {
        return bound == 0 ? 0 : next() % bound;
    }
    /// True with that probability. Draws nothing when the answer is certain.
    [[nodiscard]] bool chance(double probability) noexcept {
        return probability > 0 && (probability >= 1 || uniform() < probability);
    }

private:
    std::uint64_t state_;
};

} // namespace codynamo::testing
