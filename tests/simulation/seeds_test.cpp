// SPDX-License-Identifier: BSL-1.0
// Many seeds: clients with caches, layers and the bare client, under faults, are told nothing that
// cannot be true.
#include "support/catch.hpp"
#include "workloads.hpp"

#include <cstdio>
#include <string>

using namespace codynamo;
using namespace codynamo::testing;
using codynamo::test::run_any;
using codynamo::test::run_on;
namespace test = codynamo::test;

namespace {

constexpr std::uint64_t seeds_of_a_part = 5'000;

void run_part(std::uint64_t part, const std::string& name) {
    const seed_range standard{1 + part * 1'000'000'000, seeds_of_a_part};
    const simulation_totals totals = run_seeds(seed_range::from_environment(standard), run_any);
    const std::string words = totals.words("simulation_tests '" + name + "'");
    std::puts(words.c_str());
    INFO(words);
    CHECK(totals.failures.empty());
    CHECK(totals.sum.undecided * 1000 <= totals.seeds); // a check that gives up checks nothing
    if (totals.seeds < 100) return;
    CHECK(totals.sum.faults > totals.seeds);
    CHECK(totals.sum.crashes > totals.seeds / 10);
    CHECK(totals.sum.completed * 10 > totals.sum.operations * 8);
}

} // namespace

TEST_CASE("seeds, part 1: clients are told nothing that cannot be true") {
    run_part(0, "seeds, part 1*");
}
TEST_CASE("seeds, part 2: clients are told nothing that cannot be true") {
    run_part(1, "seeds, part 2*");
}
TEST_CASE("seeds, part 3: clients are told nothing that cannot be true") {
    run_part(2, "seeds, part 3*");
}
TEST_CASE("seeds, part 4: clients are told nothing that cannot be true") {
    run_part(3, "seeds, part 4*");
}

TEST_CASE("seeds, merged: what was sent with others is told to nobody else, and keeps its order") {
    const seed_range standard{1, seeds_of_a_part};
    const auto on_merged = [](std::uint64_t seed) { return run_on(test::stack::merged, seed); };
    const simulation_totals totals = run_seeds(seed_range::from_environment(standard), on_merged);
    INFO(totals.words("simulation_tests 'seeds, merged*'"));
    CHECK(totals.failures.empty());
    CHECK(totals.sum.undecided * 100 <= totals.sum.operations);
    if (totals.seeds < 100) return;
    CHECK(totals.sum.faults > totals.seeds);
    // A touch is two requests, and of these exchanges about one in seven is a repetition: so few
    // come only of merging.
    CHECK(totals.sum.exchanges * 100 < totals.sum.operations * 112);
    CHECK(totals.sum.completed * 10 > totals.sum.operations * 8);
}

TEST_CASE("seeds, crowded: many at once on one key see it change in one order") {
    const seed_range standard{1, seeds_of_a_part / 2};
    const simulation_totals totals =
        run_seeds(seed_range::from_environment(standard), [](std::uint64_t seed) {
            return test::run_workload(seed, test::crowded_workload(seed));
        });
    INFO(totals.words("simulation_tests 'seeds, crowded*'"));
    CHECK(totals.failures.empty());
    CHECK(totals.sum.completed == totals.sum.operations);
    CHECK(totals.sum.undecided * 100 <= totals.sum.operations);
    if (totals.seeds < 100) return;
    CHECK(totals.sum.exchanges < totals.sum.operations);
}

TEST_CASE("the same seed gives the same trace, another one another") {
    for (std::uint64_t seed = 1; seed != 60; ++seed) {
        const simulation_report first = run_any(seed);
        const simulation_report again = run_any(seed);
        const simulation_report other = run_any(seed + 5); // on the same stack
        CHECK(first.trace == again.trace);
        CHECK(first.steps == again.steps);
        CHECK(first.operations == again.operations);
        CHECK(first.faults == again.faults);
        CHECK(first.trace != other.trace);
    }
}

TEST_CASE("totals say which seed failed and how to run it again") {
    const simulation_totals totals = run_seeds({7, 3}, [](std::uint64_t seed) {
        simulation_report report;
        report.trace = 99;
        if (seed == 8) report.violations.emplace_back("something is wrong");
        return report;
    });
    REQUIRE(totals.failures.size() == 1);
    CHECK(totals.seeds == 3);
    const std::string words = totals.words("my_program");
    CHECK(words.find("seed 8 (trace 99): something is wrong") != words.npos);
    CHECK(words.find("CODYNAMO_SIMULATION_SEED=8 my_program") != words.npos);
}
