// SPDX-License-Identifier: BSL-1.0
// What further threads add where only the processor counts.
#pragma once

#include "program_support/json_output.hpp"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace bench {

struct scale_options {
    std::vector<unsigned> threads{1, 2};
    double seconds = 0.5;
    unsigned rounds = 7;
    support::json_output json{};
};

void add_scale_options(CLI::App& app, scale_options& options);
/// Returns the exit code.
[[nodiscard]] int run_scale(const scale_options& options);

} // namespace bench
