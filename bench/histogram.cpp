// SPDX-License-Identifier: BSL-1.0
// A value's bucket is its highest bits: position of the first one, and the seven bits after it.
#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {

std::size_t histogram::bucket_of(std::uint64_t value) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= bits + 1) return value;
    const unsigned shift = width - bits - 1;
    return (static_cast<std::size_t>(shift) << bits) + (value >> shift);
}

std::uint64_t histogram::middle_of(std::size_t bucket) noexcept {
    if (bucket < (std::size_t{2} << bits)) return bucket;
    const std::size_t shift = (bucket >> bits) - 1;
    const std::uint64_t first = (bucket - (shift << bits)) << shift;
    return first + (std::uint64_t{1} << shift) / 2;
}

void histogram::add(std::chrono::nanoseconds value) noexcept {
    ++counts_[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.count())))];
    ++total_;
    max_ = std::max(max_, value);
}

std::chrono::nanoseconds histogram::percentile(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < bucket_count && total_ > 0; ++bucket) {
        seen += counts_[bucket];
        if (seen >= std::max<std::uint64_t>(1, wanted)) {
            const auto middle = static_cast<std::int64_t>(middle_of(bucket));
            return std::min(max_, std::chrono::nanoseconds(middle));
        }
    }
    return std::chrono::nanoseconds{0};
}

} // namespace bench
