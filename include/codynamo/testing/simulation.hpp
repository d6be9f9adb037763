// SPDX-License-Identifier: BSL-1.0
// N clients with caches of your making, on a simulated DynamoDB, with faults: what they were told
// is checked. And the seeds that such a thing is run with.
//
//     codynamo::testing::cache_workload workload;
//     workload.server.faults = codynamo::testing::simulated_faults::some(0.1);
//     workload.open = [](codynamo::testing::simulated_client client) { … };    // see below
//     const auto totals = codynamo::testing::run_seeds({.first = 1, .count = 1000}, [&](auto seed)
//     {
//         return codynamo::testing::run_cache_workload(seed, workload);
//     });
//     if (!totals.failures.empty()) std::puts(totals.words("./my_tests").c_str());
//
// A backend or decorator of your own is opened like this, so that it lives in the client's virtual
// time and on its connection:
//
//     boost::asio::awaitable<any_backend> open(simulated_client client) {
//         dynamodb_backend_config config = client.table_config();
//         config.consistent_read = true;
//         dynamodb_backend table = co_await dynamodb_backend::open(std::move(config));
//         memory_backend memory({.env = client.env});
//         co_return my_backend(memory, table);
//     }
//
// Choose the promise that your backend makes. `linearizable` is kept by anything that sends every
// operation to the table with consistent reads. `sessions` is kept by layered_backend over such a
// table for clients that do one thing at a time, because a client's own writes go through its own
// memory layer, which is never older than what this client has written or read. It is not kept over
// a table with eventually consistent reads: what is no longer in memory may be read late. `sound`
// is kept by everything.
#pragma once

#include <codynamo/testing/cache_workload.hpp>
#include <codynamo/testing/detail/cache_simulation.hpp>
#include <codynamo/testing/simulation_seeds.hpp>

#include <cstdint>

namespace codynamo::testing {

/// One seed of a workload: everything that is up to chance follows from the seed, and the same seed
/// gives the same trace.
[[nodiscard]] inline simulation_report run_cache_workload(std::uint64_t seed,
                                                          const cache_workload& workload) {
    return detail::cache_simulation(seed, workload).run();
}

} // namespace codynamo::testing
