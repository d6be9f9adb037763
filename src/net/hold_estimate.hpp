// SPDX-License-Identifier: BSL-1.0
// How long exchanges hold their connections, and from that how long a queue will take: a guess that
// errs on the short side, because a wrong refusal costs more than a wait in vain.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace codynamo::net {

/// A moving average that falls twice as fast as it rises, takes no sample for more than twice
/// itself (so one slow exchange moves it by a sixteenth), halves with every two seconds without a
/// sample, and says nothing before it has seen 32.
class hold_estimate {
public:
    using duration = std::chrono::steady_clock::duration;
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr unsigned samples_needed = 32;
    static constexpr duration half_life = std::chrono::seconds(2);
    static constexpr int forgotten_after = 15; // half-lives

    void add(duration held, time_point now) noexcept {
        const double sample = std::max(0.0, std::chrono::duration<double>(held).count());
        if (samples_ == 0 || halvings(now) >= forgotten_after) {
            samples_ = 0;
            mean_ = sample;
        } else {
            mean_ = decayed(now);
            const double limited = std::min(sample, 2 * mean_ + least_step);
            mean_ += (limited - mean_) / (limited < mean_ ? 8 : 16);
        }
        last_ = std::max(last_, now);
        if (samples_ < samples_needed) ++samples_;
    }

    /// Zero while too little is known.
    [[nodiscard]] duration mean(time_point now) const noexcept { return as_duration(known(now)); }

    /// How long until `ahead` of `connections` that are all in use have come back.
    [[nodiscard]] duration queue_time(std::size_t ahead, std::size_t connections,
                                      time_point now) const noexcept {
        return as_duration(known(now) * static_cast<double>(ahead) /
                           static_cast<double>(std::max<std::size_t>(connections, 1)));
    }

private:
    static constexpr double least_step = 1e-4; // seconds: lets an estimate of zero rise again
    static constexpr double longest = 1e6;

    [[nodiscard]] int halvings(time_point now) const noexcept {
        if (now <= last_) return 0;
        return static_cast<int>(std::min<duration::rep>((now - last_) / half_life, 1000));
    }
    [[nodiscard]] double decayed(time_point now) const noexcept {
        const int n = halvings(now);
        return n >= forgotten_after ? 0 : mean_ / static_cast<double>(1 << n);
    }
    [[nodiscard]] double known(time_point now) const noexcept {
        return samples_ < samples_needed ? 0 : decayed(now);
    }
    [[nodiscard]] static duration as_duration(double seconds) noexcept {
        return std::chrono::duration_cast<duration>(
            std::chrono::duration<double>(std::min(seconds, longest)));
    }

    double mean_ = 0; // seconds
    time_point last_{};
    unsigned samples_ = 0;
};

} // namespace codynamo::net
