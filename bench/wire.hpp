// SPDX-License-Identifier: BSL-1.0
// The wire benchmark: gets at a fixed concurrency on one thread.
#pragma once

#include "arguments.hpp"

namespace bench {

struct wire_verb_options : wire_options {
    bool prepare = false; ///< create the table and store a value of 1 KiB first
};

void add_wire_verb_options(CLI::App& app, wire_verb_options& options);

/// Returns the exit code.
[[nodiscard]] int run_wire(const wire_verb_options& options);

} // namespace bench
