// SPDX-License-Identifier: BSL-1.0
// The seeds that simulations are run with, and what came of them.
#pragma once

#include <codynamo/environment.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::testing {

/// What a run of one seed came to.
struct simulation_report {
    /// The sentences that turned out to be wrong.
    std::vector<std::string> violations{};
    std::uint64_t operations = 0; ///< begun by clients
    std::uint64_t completed = 0;  ///< of those: ended without an error
    std::uint64_t checked = 0;    ///< events given to the checkers
    std::uint64_t undecided = 0;  ///< keys whose check was given up
    std::uint64_t exchanges = 0;
    std::uint64_t faults = 0;
    std::uint64_t crashes = 0;
    std::uint64_t steps = 0;
    std::uint64_t trace = 0; ///< virtual_world::trace_hash at the end
};

/// Seeds `first` to `first` + `count` − 1.
struct seed_range {
    std::uint64_t first = 1;
    std::uint64_t count = 1000;

    /// CODYNAMO_SIMULATION_SEED=S: that one alone; CODYNAMO_SIMULATION_SEEDS=N: N instead of
    /// `count`.
    [[nodiscard]] static seed_range from_environment(seed_range otherwise) {
        const auto number = [](const char* name) -> std::optional<std::uint64_t> {
            const auto text = environment::system_variable(name);
            if (!text || text->empty()) return std::nullopt;
            return std::strtoull(text->c_str(), nullptr, 10);
        };
        if (const auto one = number("CODYNAMO_SIMULATION_SEED")) return {*one, 1};
        if (const auto count = number("CODYNAMO_SIMULATION_SEEDS")) otherwise.count = *count;
        return otherwise;
    }
};

struct failed_seed {
    std::uint64_t seed = 0;
    std::uint64_t trace = 0;
    std::string why{};
};

/// Many seeds together.
struct simulation_totals {
    std::uint64_t seeds = 0;
    simulation_report sum{};
    std::vector<failed_seed> failures{}; ///< the first ten

    /// One paragraph for people; `program` is what to run again.
    [[nodiscard]] std::string words(std::string_view program) const {
        const auto n = [](std::uint64_t count) { return std::to_string(count); };
        std::string out = n(seeds) + " seeds, " + n(sum.operations) + " operations (" +
                          n(sum.completed) + " completed), " + n(sum.checked) +
                          " events checked, " + n(sum.exchanges) + " exchanges, " + n(sum.faults) +
                          " faults injected, " + n(sum.crashes) + " crashes, " + n(sum.steps) +
                          " steps, " + n(sum.undecided) + " keys undecided";
        for (const failed_seed& one : failures)
            out += "\nseed " + n(one.seed) + " (trace " + n(one.trace) + "): " + one.why +
                   "\n  replay: CODYNAMO_SIMULATION_SEED=" + n(one.seed) + " " +
                   std::string(program);
        return out;
    }
};

/// `run(seed)` gives a simulation_report.
template <class Run>
[[nodiscard]] simulation_totals run_seeds(seed_range seeds, Run run) {
    simulation_totals totals;
    for (std::uint64_t i = 0; i != seeds.count; ++i) {
        const simulation_report one = run(seeds.first + i);
        ++totals.seeds;
        totals.sum.operations += one.operations;
        totals.sum.completed += one.completed;
        totals.sum.checked += one.checked;
        totals.sum.undecided += one.undecided;
        totals.sum.exchanges += one.exchanges;
        totals.sum.faults += one.faults;
        totals.sum.crashes += one.crashes;
        totals.sum.steps += one.steps;
        if (!one.violations.empty() && totals.failures.size() < 10)
            totals.failures.push_back({seeds.first + i, one.trace, one.violations.front()});
    }
    return totals;
}

} // namespace codynamo::testing
