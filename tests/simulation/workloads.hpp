// SPDX-License-Identifier: BSL-1.0
// The backends that are simulated, and how a seed decides what they live through.
#pragma once

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/testing/simulation.hpp>

#include <cstdint>

namespace codynamo::test {

enum class stack {
    table,        ///< the cache on the table, consistent reads
    late_table,   ///< the same, eventually consistent reads
    layered,      ///< memory over the table, consistent reads
    late_layered, ///< memory over the table, eventually consistent reads
    client,       ///< a backend of three functions on the bare client
    merged,       ///< the cache on the table, each client doing several things at once, merged
};

/// For the bare client: what simulated_client::table_config() is for a table.
[[nodiscard]] dynamodb::client_config client_config_of(const testing::simulated_client& client);

/// A workload on that stack; latencies, faults, skew and size vary with the seed.
[[nodiscard]] testing::cache_workload workload_of(stack which, std::uint64_t seed);

/// One seed on the stack that the seed chooses.
[[nodiscard]] testing::simulation_report run_any(std::uint64_t seed);

/// Several things at once on the same keys, without faults: what is merged keeps its order.
[[nodiscard]] testing::cache_workload crowded_workload(std::uint64_t seed);

/// The same on a given stack.
[[nodiscard]] testing::simulation_report run_on(stack which, std::uint64_t seed);

/// Compiled once.
[[nodiscard]] testing::simulation_report run_workload(std::uint64_t seed,
                                                      const testing::cache_workload& workload);

} // namespace codynamo::test
