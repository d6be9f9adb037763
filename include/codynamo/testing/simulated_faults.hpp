// SPDX-License-Identifier: BSL-1.0
// What the network before a simulated DynamoDB does to an exchange, and what the server gets wrong.
#pragma once

#include <codynamo/testing/seeded_random.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace codynamo::testing {

/// How long something takes.
struct simulated_latency {
    enum class shape {
        constant,    ///< `low`
        uniform,     ///< between `low` and `high`
        exponential, ///< `low` and an exponential with mean `high` − `low` beyond it
        heavy_tail,  ///< Pareto with exponent 1.2 from `low` on, cut off at 1000 times `high`
    };
    shape how = shape::constant;
    std::chrono::microseconds low{500};
    std::chrono::microseconds high{500};

    [[nodiscard]] std::chrono::microseconds sample(seeded_random& random) const {
        const auto lowest = static_cast<double>(low.count());
        const auto highest = static_cast<double>(high.count());
        double taken = lowest;
        switch (how) {
        case shape::constant:
            return low;
        case shape::uniform:
            taken += (highest - lowest) * random.uniform();
            break;
        case shape::exponential:
            taken -= (highest - lowest) * std::log(1 - random.uniform());
            break;
        case shape::heavy_tail:
            taken = std::min(lowest / std::pow(1 - random.uniform(), 1 / 1.2), 1000 * highest);
            break;
        }
        return std::chrono::microseconds(static_cast<std::int64_t>(taken));
    }
};

/// What can happen to an exchange.
enum class simulated_fault {
    none,
    refused,        ///< no connection: certainly not sent
    request_reset,  ///< lost on the way there, connection reset
    request_silent, ///< lost on the way there, and nobody says so
    answer_reset,   ///< done, the answer is lost, connection reset
    answer_silent,  ///< done, and nobody says so
    throttled,      ///< not done: ProvisionedThroughputExceededException
    failed_before,  ///< not done: status 500
    failed_after,   ///< done: status 500 all the same
    spoiled,        ///< done; a byte of the answer is changed, its checksum is not
    unprocessed,    ///< a batch is left as a whole; for anything else as `none`
};
inline constexpr std::size_t simulated_fault_count = 11;

/// Probability of each, per exchange.
struct simulated_faults {
    double refused = 0;
    double request_reset = 0;
    double request_silent = 0;
    double answer_reset = 0;
    double answer_silent = 0;
    double throttled = 0;
    double failed_before = 0;
    double failed_after = 0;
    double spoiled = 0;
    double unprocessed = 0;

    /// A little of each; `share` of all exchanges in sum.
    [[nodiscard]] static simulated_faults some(double share) {
        const double each = share / 10;
        return {each, each, each, each, each, each, each, each, each, each};
    }
    [[nodiscard]] simulated_fault draw(seeded_random& random) const {
        const double each[] = {refused,       request_reset, request_silent, answer_reset,
                               answer_silent, throttled,     failed_before,  failed_after,
                               spoiled,       unprocessed};
        double u = random.uniform();
        for (std::size_t i = 0; i != std::size(each); ++i) {
            if (u < each[i]) return static_cast<simulated_fault>(i + 1);
            u -= each[i];
        }
        return simulated_fault::none;
    }
};

/// Bugs that a simulated server can be given, to see that a test would notice.
enum class simulated_bug {
    none,
    stale_strong_reads, ///< a strongly consistent read sometimes sees the version before
    lost_writes,        ///< a write is sometimes acknowledged and not done
    undead_items,       ///< a deleted item sometimes comes back
    ignored_conditions, ///< a condition sometimes counts as met
    mixed_up_answers,   ///< a read is sometimes answered with another key's attributes
};

} // namespace codynamo::testing
