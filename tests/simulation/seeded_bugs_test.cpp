// SPDX-License-Identifier: BSL-1.0
// A server with a bug is caught: the checks would notice.
#include "support/catch.hpp"
#include "workloads.hpp"

#include <cstdio>
#include <string>

using namespace codynamo;
using namespace codynamo::testing;
using codynamo::test::run_workload;
using codynamo::test::stack;
using codynamo::test::workload_of;

namespace {

struct mutation {
    const char* name;
    simulated_bug bug;
    stack on;
    std::uint64_t within; ///< seeds
};

constexpr mutation mutations[] = {
    {"stale strong reads, linearizability", simulated_bug::stale_strong_reads, stack::table, 30},
    {"stale strong reads, bare client", simulated_bug::stale_strong_reads, stack::client, 30},
    {"stale strong reads, sessions", simulated_bug::stale_strong_reads, stack::layered, 100},
    {"lost writes", simulated_bug::lost_writes, stack::table, 30},
    {"lost writes, bare client", simulated_bug::lost_writes, stack::client, 30},
    {"undead items", simulated_bug::undead_items, stack::table, 60},
    {"undead items, bare client", simulated_bug::undead_items, stack::client, 60},
    {"ignored conditions", simulated_bug::ignored_conditions, stack::table, 100},
    {"mixed up answers", simulated_bug::mixed_up_answers, stack::late_table, 30},
    {"mixed up answers, layered", simulated_bug::mixed_up_answers, stack::late_layered, 60},
};

} // namespace

TEST_CASE(
    "each bug of a server is caught within a few seeds, and none is seen where there is none") {
    for (const mutation& one : mutations) {
        INFO(one.name);
        std::uint64_t caught = 0;
        for (std::uint64_t seed = 1; seed <= one.within; ++seed) {
            cache_workload workload = workload_of(one.on, seed);
            CHECK(run_workload(seed, workload).violations.empty());
            if (caught != 0) continue;
            workload.server.bug = one.bug;
            if (!run_workload(seed, workload).violations.empty()) caught = seed;
        }
        std::printf("%s: caught by seed %d\n", one.name, static_cast<int>(caught));
        CHECK(caught != 0);
    }
}
