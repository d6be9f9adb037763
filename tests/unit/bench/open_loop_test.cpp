// SPDX-License-Identifier: BSL-1.0
// The open loop by a clock of the test's own.
#include "../../../bench/histogram.hpp"
#include "../../../bench/open_loop.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using bench::arrivals;
using bench::open_loop;
using time_point = open_loop::time_point;

namespace {

const time_point begin(1'000s);

struct simulated {
    std::vector<std::chrono::nanoseconds> latencies;
    std::uint64_t waiting = 0;
    unsigned most = 0;
};

/// Every operation takes `service` and none ends within the stall, which the server has from
/// `stall_begin` to `stall_end` after the beginning.
simulated run(double rate, unsigned limit, std::chrono::nanoseconds service,
              std::chrono::nanoseconds stall_begin, std::chrono::nanoseconds stall_end) {
    const time_point end = begin + 1s;
    open_loop loop(arrivals(rate, false, 1), limit, begin, end);
    simulated seen;
    std::vector<std::pair<time_point, time_point>> under_way; // when it ends, when it arrived
    time_point now = begin;
    for (;;) {
        while (const auto due = loop.take(now)) {
            time_point ends = now + service;
            if (ends >= begin + stall_begin && ends < begin + stall_end)
                ends = begin + stall_end + service;
            under_way.emplace_back(ends, *due);
        }
        std::sort(under_way.begin(), under_way.end());
        time_point next = loop.next_look().value_or(end);
        if (!under_way.empty() && (under_way.front().first <= next || loop.over(now)))
            next = under_way.front().first;
        else if (loop.over(now))
            break;
        now = std::max(now, next);
        while (!under_way.empty() && under_way.front().first <= now) {
            seen.latencies.push_back(under_way.front().first - under_way.front().second);
            under_way.erase(under_way.begin());
            loop.finished();
        }
    }
    seen.waiting = loop.waiting(end);
    seen.most = loop.most_in_flight();
    return seen;
}

auto longer_than(const simulated& seen, std::chrono::nanoseconds limit) {
    return std::count_if(seen.latencies.begin(), seen.latencies.end(),
                         [limit](auto one) { return one > limit; });
}

} // namespace

TEST_CASE("arrivals at fixed spacing neither drift nor bunch", "[bench]") {
    arrivals thirds(3, false, 1);
    for (std::int64_t i = 0; i != 3'000'000; ++i, thirds.advance()) {
        if (i % 100'003 != 0) continue;
        CHECK(std::llabs(thirds.next().count() - i * 1'000'000'000 / 3) <= 1);
    }
}

TEST_CASE("arrivals at random are exponential, and the same for the same seed", "[bench]") {
    arrivals one(1000, true, 7);
    arrivals same(1000, true, 7);
    arrivals other(1000, true, 8);
    constexpr int count = 100'000;
    int beyond_mean = 0;
    int differing = 0;
    auto last = 0ns;
    for (int i = 0; i != count; ++i) {
        CHECK_FALSE(one.next() != same.next());
        differing += one.next() != other.next() ? 1 : 0;
        beyond_mean += one.next() - last > 1ms ? 1 : 0;
        last = one.next();
        one.advance();
        same.advance();
        other.advance();
    }
    CHECK(std::chrono::duration<double>(last).count() == Approx(100).epsilon(0.015));
    // e^-1 of the gaps are longer than their mean; four standard deviations.
    CHECK(std::abs(beyond_mean - count * std::exp(-1.0)) < 4 * std::sqrt(count * 0.2325));
    CHECK(differing > count / 2);
}

TEST_CASE("a late timer begins all that are due, each from when it arrived", "[bench]") {
    open_loop loop(arrivals(1000, false, 1), 100, begin, begin + 1s);
    CHECK(loop.next_look() == begin);
    std::vector<time_point> begun;
    while (const auto due = loop.take(begin + 4500us))
        begun.push_back(*due);
    CHECK(begun ==
          std::vector<time_point>{begin, begin + 1ms, begin + 2ms, begin + 3ms, begin + 4ms});
    CHECK(loop.next_look() == begin + 5ms);
    CHECK(loop.in_flight() == 5);
}

TEST_CASE("an arrival waits for room, and its wait counts", "[bench]") {
    open_loop loop(arrivals(1000, false, 1), 1, begin, begin + 1s);
    CHECK(loop.take(begin) == begin);
    CHECK_FALSE(loop.take(begin + 10ms));
    CHECK_FALSE(loop.next_look());
    CHECK(loop.waiting(begin + 10ms) == 9);
    loop.finished();
    CHECK(loop.take(begin + 10ms) == begin + 1ms);
    CHECK(loop.waiting(begin + 10ms) == 8);
}

TEST_CASE("nothing begins after the end", "[bench]") {
    open_loop loop(arrivals(10, false, 1), 100, begin, begin + 1s);
    for (int i = 0; i != 9; ++i)
        CHECK(loop.take(begin + 999ms));
    CHECK_FALSE(loop.over(begin + 999ms));
    CHECK_FALSE(loop.take(begin + 1s));
    CHECK(loop.over(begin + 1s));
    CHECK(loop.waiting(begin + 1s) == 1);
    CHECK(loop.begun() == 9);
    CHECK(loop.take(begin + 999ms));
    CHECK(loop.over(begin + 999ms));
    CHECK_FALSE(loop.next_look());
}

TEST_CASE("a stall is seen by all who arrive meanwhile", "[bench]") {
    // A closed loop of 4 would have 4 slow ones; here one in every millisecond of the stall.
    for (const unsigned limit : {4U, 1000U}) {
        CAPTURE(limit);
        const auto seen = run(1000, limit, 1ms, 300ms, 500ms);
        CHECK(seen.latencies.size() == 1000);
        CHECK(seen.waiting == 0);
        CHECK(longer_than(seen, 100ms) >= 95);
        CHECK(longer_than(seen, 150ms) >= 45);
        CHECK(longer_than(seen, 201ms) <= 2);
        CHECK(seen.most <= limit);
    }
}

TEST_CASE("a rate that is out of reach leaves arrivals waiting", "[bench]") {
    // Four at once, 10 ms each: 400 a second.
    const auto seen = run(1000, 4, 10ms, 0ns, 0ns);
    CHECK(seen.latencies.size() == 400);
    CHECK(seen.waiting == 600);
    CHECK(longer_than(seen, 500ms) > 50);
}
