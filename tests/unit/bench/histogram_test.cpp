// SPDX-License-Identifier: BSL-1.0
// The histogram of the benchmarks against exact percentiles.
#include "../../../bench/histogram.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using std::chrono::nanoseconds;

TEST_CASE("an empty histogram has zero for every percentile", "[bench]") {
    const bench::histogram none;
    CHECK(none.percentile(0.5).count() == 0);
    CHECK(none.max().count() == 0);
}

TEST_CASE("one value is every percentile of itself, within a hundredth", "[bench]") {
    for (int bit = 0; bit < 63; ++bit) {
        for (const std::int64_t offset : {-1, 0, 1}) {
            const std::int64_t value = (std::int64_t{1} << bit) + offset;
            bench::histogram one;
            one.add(nanoseconds(value));
            const double seen = static_cast<double>(one.percentile(0.5).count());
            CAPTURE(value, seen);
            CHECK(std::abs(seen - static_cast<double>(value)) <= static_cast<double>(value) / 100);
            CHECK(one.max().count() == value);
        }
    }
    bench::histogram largest;
    largest.add(nanoseconds::max());
    CHECK(largest.percentile(1).count() > nanoseconds::max().count() / 100 * 99);
}

TEST_CASE("percentiles of random latencies are within a hundredth of the exact ones", "[bench]") {
    std::mt19937_64 generator(1);
    std::lognormal_distribution<double> latencies(12, 2);
    bench::histogram all;
    std::vector<std::int64_t> exact;
    for (int i = 0; i < 20'000; ++i) {
        exact.push_back(static_cast<std::int64_t>(latencies(generator)));
        all.add(nanoseconds(exact.back()));
    }
    std::sort(exact.begin(), exact.end());
    for (const double share : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto rank =
            static_cast<std::size_t>(std::ceil(share * static_cast<double>(exact.size())));
        const double wanted = static_cast<double>(exact[rank - 1]);
        const double seen = static_cast<double>(all.percentile(share).count());
        CAPTURE(share, wanted, seen);
        CHECK(std::abs(seen - wanted) <= wanted / 100 + 1);
    }
}
