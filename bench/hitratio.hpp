// SPDX-License-Identifier: BSL-1.0
// A trace of keys replayed through a memory_backend: how many does it hit?
#pragma once

#include <codynamo/memory_backend.hpp>

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace bench {

struct hitratio_options {
    std::string trace;
    std::size_t capacity = 0;
    codynamo::memory_eviction policy = codynamo::memory_eviction::w_tinylfu;
    bool json = false;
};

void add_hitratio_options(CLI::App& app, hitratio_options& options);
/// Returns the exit code. Throws errc::invalid_argument when the trace cannot be read or is none.
[[nodiscard]] int run_hitratio(const hitratio_options& options);

} // namespace bench
