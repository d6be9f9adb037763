// SPDX-License-Identifier: BSL-1.0
#include "../../../bench/completion_order.hpp"
#include "support/catch.hpp"

#include <vector>

namespace {

bench::order_figures of(const std::vector<std::uint32_t>& order) {
    return bench::fairness_of(order);
}

TEST_CASE("What ends in the order of issue is fair") {
    CHECK(of({}).displacement == 0);
    CHECK(of({0, 1, 2, 3}).displacement == 0);
    CHECK(of({0, 1, 2, 3}).overtaking == 0);
}

TEST_CASE("One who ends last although issued first was overtaken by all") {
    CHECK(of({1, 2, 3, 0}).overtaking == 3);
    CHECK(of({1, 2, 3, 0}).displacement == 3);
}

TEST_CASE("One who ends first although issued last overtook all, each of whom lost a place") {
    const auto seen = of({3, 0, 1, 2});
    CHECK(seen.overtaking == 3);
    CHECK(seen.displacement == 3);
    CHECK(of({0, 2, 1, 3}).overtaking == 1);
    CHECK(of({0, 2, 1, 3}).displacement == 1);
}

} // namespace
