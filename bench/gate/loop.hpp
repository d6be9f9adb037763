// SPDX-License-Identifier: BSL-1.0
// Fixed numbers of gets for `gate`, which runs them under callgrind, and the server they ask.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace bench {

struct gate_loop_options {
    /// memory, batch, serve, versions
    std::string what;
    std::string server;
    std::uint64_t ops = 1000;
};

void add_gate_loop_options(CLI::App& app, gate_loop_options& options);
/// Returns the exit code.
[[nodiscard]] int run_gate_loop(const gate_loop_options& options);

} // namespace bench
