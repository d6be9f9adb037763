// SPDX-License-Identifier: BSL-1.0
// The open loop: gets at a given rate.
#pragma once

#include "arguments.hpp"

#include <cstdint>

namespace bench {

struct rate_options {
    /// `concurrency` is how many may be in flight.
    wire_options common{};
    double per_second = 0;
    bool poisson = false;
    std::uint64_t seed = 1;
    bool prepare = false;
};

void add_rate_options(CLI::App& app, rate_options& options);

/// The exit code.
[[nodiscard]] int run_rate(const rate_options& options);

} // namespace bench
