// SPDX-License-Identifier: BSL-1.0
// What a hit in memory costs beside a bare mutex and table, and what an entry takes.
#pragma once

#include "program_support/json_output.hpp"

#include <codynamo/memory_backend.hpp>

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace bench {

struct memory_options {
    std::size_t entries = 100'000;
    std::size_t value_size = 100;
    unsigned rounds = 7;
    double seconds = 0.3;
    support::json_output json{};
};

void add_memory_options(CLI::App& app, memory_options& options);
/// Returns the exit code.
[[nodiscard]] int run_memory(const memory_options& options);

} // namespace bench
