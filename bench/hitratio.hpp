// SPDX-License-Identifier: BSL-1.0
// A trace of keys replayed through a memory_backend: how many does it hit?
#pragma once

#include "program_support/json_output.hpp"

#include <codynamo/memory_backend.hpp>

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

struct hitratio_options {
    std::string trace;
    std::size_t capacity = 0;
    codynamo::memory_eviction policy = codynamo::memory_eviction::w_tinylfu;
    support::json_output json{};
};

/// The file's bytes. Throws errc::invalid_argument when it cannot be read or is no trace.
[[nodiscard]] std::string read_trace(const std::string& file);

struct replayed {
    std::uint64_t requests = 0; ///< all of the trace, unless an interruption came
    std::uint64_t hits = 0;
};

/// A memory of so many entries: each key is got and, on a miss, stored.
[[nodiscard]] replayed replay(std::string_view trace, std::size_t capacity,
                              codynamo::memory_eviction policy);

void add_hitratio_options(CLI::App& app, hitratio_options& options);
/// Returns the exit code. Throws as read_trace.
[[nodiscard]] int run_hitratio(const hitratio_options& options);

} // namespace bench
