// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/latency_estimate.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace codynamo::dynamodb {

std::size_t latency_estimate::bucket_of(duration sample) noexcept {
    const auto micros = static_cast<std::uint64_t>(std::max<duration::rep>(sample.count(), 1));
    const auto doublings = static_cast<unsigned>(std::bit_width(micros)) - 1;
    // The two bits below the highest one say which quarter of the doubling it is.
    const std::uint64_t below =
        doublings >= 2 ? micros >> (doublings - 2) : micros << (2 - doublings);
    const std::size_t bucket = std::size_t{doublings} * per_doubling + (below & 3);
    return std::min(bucket, buckets - 1);
}

latency_estimate::duration latency_estimate::upper_end(std::size_t bucket) noexcept {
    const auto doublings = static_cast<int>(bucket / per_doubling);
    const auto quarter = static_cast<double>(bucket % per_doubling + 1);
    return duration(static_cast<duration::rep>(std::ldexp(1 + quarter / 4, doublings)));
}

void latency_estimate::add(duration sample) noexcept {
    ++counts_[bucket_of(sample)];
    ++total_;
    if (++since_halved_ < halve_after) return;
    since_halved_ = 0;
    total_ = 0;
    for (std::uint32_t& count : counts_)
        total_ += (count /= 2);
}

std::optional<latency_estimate::duration> latency_estimate::p95() const noexcept {
    if (total_ < enough_samples) return std::nullopt;
    const std::uint32_t rank = total_ - total_ / 20;
    std::uint32_t seen = 0;
    std::size_t at = 0;
    for (; at + 1 < buckets; ++at) {
        seen += counts_[at];
        if (seen >= rank) break;
    }
    return upper_end(at);
}

} // namespace codynamo::dynamodb
