// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "program_support/json_output.hpp"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace bench {

struct batching_options {
    /// As --server has it; canned: a server of fixed answers, in a thread of this process.
    std::string server = "canned";
    std::string table = "codynamo-bench";
    std::vector<unsigned> in_flight{1, 2, 4, 8, 16, 32, 64, 256};
    std::vector<std::string> modes{"off", "on", "auto"};
    double seconds = 0.5;
    unsigned rounds = 3;
    int client_core = -1;
    int server_core = -1;
    unsigned server_delay_us = 0;
    support::json_output json{};
};

void add_batching_options(CLI::App& app, batching_options& options);

/// Gets of distinct keys, so many in flight, with batching off, on and automatic in turns. Prints
/// what each costs; the exit code.
[[nodiscard]] int run_batching(const batching_options& options);

} // namespace bench
