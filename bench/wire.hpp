// SPDX-License-Identifier: BSL-1.0
// The wire benchmark: gets at a fixed concurrency on one thread.
#pragma once

#include "arguments.hpp"

namespace bench {

/// `prepare`: create the table and store a value of 1 KiB first. Returns the exit code.
[[nodiscard]] int run_wire(const wire_options& options, bool prepare);

} // namespace bench
