// SPDX-License-Identifier: BSL-1.0
// YCSB's core workloads through the cache.
#pragma once

#include "arguments.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

struct ycsb_options {
    wire_options common{};
    std::string workload = "b";
    /// Empty: the workload's own.
    std::string distribution{};
    std::string batching = "auto";
    std::uint64_t records = 10'000;
    std::size_t value_size = 1024;
    bool memory_layer = true;
    /// Records that the memory layer holds; 0: a tenth of all.
    std::uint64_t memory_records = 0;
    bool consistent_read = false;
    bool load = true;
    std::uint64_t seed = 1;
};

void add_ycsb_options(CLI::App& app, ycsb_options& options);

/// The exit code.
[[nodiscard]] int run_ycsb(const ycsb_options& options);

} // namespace bench
