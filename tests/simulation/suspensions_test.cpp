// SPDX-License-Identifier: BSL-1.0
// Every script is interrupted at its first, second, third … suspension: cancelled or crashed.
// Afterwards nothing is under way, nothing has leaked, the next operations succeed and no copy in
// memory is older than the table.
#include "allocation_failures.hpp"
#include "scripts.hpp"
#include "support/catch.hpp"

#include <codynamo/testing/interruption.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::testing;
using test::named_action;
using test::script;
using fault = simulated_fault;

namespace {

struct named_faults {
    const char* name;
    std::vector<fault> faults;
};
const named_faults troubles[] = {
    {"no trouble", {}},
    {"retries", {fault::request_reset, fault::failed_before}},
    {"an answer lost", {fault::answer_silent}},
    {"throttling", {fault::throttled, fault::none, fault::throttled}},
    {"nothing processed", {fault::unprocessed, fault::none, fault::unprocessed}},
    {"spoiled answers", {fault::spoiled, fault::none, fault::spoiled}},
    {"all attempts in vain", {fault::refused, fault::answer_reset, fault::failed_after}},
};

struct sums {
    std::size_t scripts = 0;
    std::uint64_t points = 0, cancelled = 0, failed = 0;
};

void interrupt(interruption how, sums& sum) {
    for (const named_action& one : test::all_actions()) {
        for (const named_faults& trouble : troubles) {
            for (const bool layered : {false, true}) {
                const script::setup setup{one.act, trouble.faults, layered, one.create};
                const auto make = [&] { return std::make_unique<script>(setup); };
                INFO(one.name << ", " << trouble.name << (layered ? ", layered" : ""));
                static_cast<void>(make()); // what is made once and kept is made now
                const std::size_t before = test::live_allocations();
                interruption_report report = interrupt_everywhere(make, how);
                for (const std::string& wrong : report.violations) {
                    INFO(wrong);
                    CHECK(false);
                }
                CHECK(report.points > 1);
                report.violations.clear();
                report.violations.shrink_to_fit();
                CHECK(test::live_allocations() == before);
                ++sum.scripts;
                sum.points += report.points;
                sum.cancelled += report.cancelled;
                sum.failed += report.failed;
            }
        }
    }
    std::printf("%d scripts interrupted at %d suspensions: %d cancelled, %d failed\n",
                static_cast<int>(sum.scripts), static_cast<int>(sum.points),
                static_cast<int>(sum.cancelled), static_cast<int>(sum.failed));
}

} // namespace

TEST_CASE("every operation, cancelled terminally at each suspension, leaves everything whole") {
    sums sum;
    interrupt(interruption::terminal, sum);
    CHECK(sum.cancelled * 2 > sum.points);
}

TEST_CASE("every operation, cancelled totally at each suspension, leaves everything whole") {
    sums sum;
    interrupt(interruption::total, sum);
    CHECK(sum.cancelled * 2 > sum.points);
}

TEST_CASE("a client that crashes at any suspension leaks nothing, and the next one goes on") {
    sums sum;
    interrupt(interruption::crash, sum);
}
