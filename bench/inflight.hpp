// SPDX-License-Identifier: BSL-1.0
// Many gets in flight over few connections to a server that stalls: what each takes, whether all
// end well and in order, and how long it takes to cancel them.
#pragma once

#include "program_support/json_output.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct inflight_options {
    std::uint32_t gets = 100'000;
    unsigned connections = 64;
    std::vector<std::string> batching{"off"};
    support::json_output json{};
};

void add_inflight_options(CLI::App& app, inflight_options& options);
/// Returns the exit code.
[[nodiscard]] int run_inflight(const inflight_options& options);

} // namespace bench
