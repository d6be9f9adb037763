// SPDX-License-Identifier: BSL-1.0
// How fair a queue was: in which order what was issued in turn came to its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bench {

struct order_figures {
    /// By how many places the end of one differed from its turn.
    std::size_t displacement = 0;
    /// How much later than some other the one was issued that overtook it by most.
    std::size_t overtaking = 0;
};

/// `order`: the numbers of those that ended, first ended first; numbered in the order of issue.
[[nodiscard]] order_figures fairness_of(std::span<const std::uint32_t> order) noexcept;

} // namespace bench
