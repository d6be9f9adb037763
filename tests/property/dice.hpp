// SPDX-License-Identifier: BSL-1.0
// What a seed stands for, the same with every standard library, so that a failure can be replayed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace codynamo::property {

class dice {
public:
    explicit dice(std::uint32_t seed) noexcept : state_(seed * 2654435761U + 1) {}
    [[nodiscard]] std::uint32_t below(std::size_t bound) noexcept {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<std::uint32_t>((state_ >> 33U) % bound);
    }
    [[nodiscard]] bool chance(std::size_t one_in) noexcept { return below(one_in) == 0; }

private:
    std::uint64_t state_;
};

} // namespace codynamo::property
