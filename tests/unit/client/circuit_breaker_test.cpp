// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/circuit_breaker.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace codynamo::dynamodb {
namespace {

using namespace std::chrono_literals;
using verdict = circuit_breaker::verdict;
using change = circuit_breaker::change;
using time_point = circuit_breaker::time_point;

constexpr time_point start{std::chrono::hours(1)};

/// A breaker with a clock.
struct bench {
    explicit bench(circuit_breaker_config config = {}) : breaker(config, "http://fake") {}

    change end(verdict how, int times = 1) {
        change last = change::none;
        for (int i = 0; i < times; ++i)
            last = breaker.tell({}, how, now);
        return last;
    }
    bool passes() { return breaker.ask(now).granted; }

    circuit_breaker breaker;
    time_point now = start;
};

} // namespace

TEST_CASE("a circuit opens when enough of enough attempts have failed") {
    struct row {
        std::string name;
        circuit_breaker_config config;
        int good;
        int bad;
        bool opens;
    };
    const std::vector<row> table{
        {"half of a hundred", {}, 50, 50, true},
        {"just under half", {}, 51, 50, false},
        {"all, but too few", {}, 0, 99, false},
        {"all of just enough", {}, 0, 100, true},
        {"a tenth where that is too much", {.failure_rate = 0.1, .minimum_calls = 10}, 9, 1, true},
        {"all where only all is too much", {.failure_rate = 1, .minimum_calls = 5}, 1, 9, false},
        {"the first one", {.minimum_calls = 1}, 0, 1, true},
        {"switched off", {.enabled = false, .minimum_calls = 1}, 0, 1000, false},
    };
    for (const row& one : table) {
        INFO(one.name);
        bench b(one.config);
        // Failures first: successes before the first of them are not counted.
        b.end(verdict::bad);
        b.end(verdict::good, one.good);
        b.end(verdict::bad, one.bad - 1);
        CHECK(b.passes() != one.opens);
    }
}

TEST_CASE("what cannot be blamed on the endpoint counts neither way") {
    bench b({.minimum_calls = 10});
    b.end(verdict::bad, 9);
    b.end(verdict::unclear, 1000);
    CHECK(b.passes());
    CHECK(b.end(verdict::bad) == change::opened);
}

TEST_CASE("failures leave the window as it slides") {
    bench b({.minimum_calls = 10, .window = 10s});
    b.end(verdict::bad, 9);
    b.now += 10s;
    CHECK(b.end(verdict::bad) == change::none);
    CHECK(b.passes());
    b.now += 8s;
    CHECK(b.end(verdict::bad, 9) == change::opened);
}

TEST_CASE("an open circuit lets nothing pass, then one probe, and the probe decides") {
    bench b({.minimum_calls = 1, .open_for = 500ms});
    REQUIRE(b.end(verdict::bad) == change::opened);
    auto asked = b.breaker.ask(b.now);
    CHECK_FALSE(asked.granted);
    CHECK(asked.again == start + 500ms);
    b.now += 499ms;
    CHECK_FALSE(b.passes());

    b.now += 1ms;
    const auto probe = b.breaker.ask(b.now);
    CHECK(probe.granted);
    CHECK(probe.is_probe);
    asked = b.breaker.ask(b.now);
    CHECK_FALSE(asked.granted);
    CHECK(asked.again == b.now + 250ms);
    // One that began before it opened proves nothing.
    CHECK(b.end(verdict::good) == change::none);
    CHECK_FALSE(b.passes());

    CHECK(b.breaker.tell(probe, verdict::bad, b.now) == change::none);
    b.now += 499ms;
    CHECK_FALSE(b.passes());
    b.now += 1ms;
    const auto second = b.breaker.ask(b.now);
    REQUIRE(second.is_probe);
    CHECK(b.breaker.tell(second, verdict::good, b.now) == change::closed);
    CHECK(b.passes());
    CHECK_FALSE(b.breaker.ask(b.now).is_probe);
}

TEST_CASE("a probe that came to nothing is given to the next who asks") {
    bench b({.minimum_calls = 1});
    b.end(verdict::bad);
    b.now += 1s;
    const auto cancelled = b.breaker.ask(b.now);
    REQUIRE(cancelled.is_probe);
    b.breaker.give_back(cancelled);
    CHECK(b.breaker.ask(b.now).is_probe);
}

TEST_CASE("a probe that told nothing is followed by another one after a while, not at once") {
    bench b({.minimum_calls = 1, .open_for = 500ms});
    b.end(verdict::bad);
    for (int i = 0; i < 3; ++i) {
        b.now += 500ms;
        const auto probe = b.breaker.ask(b.now);
        REQUIRE(probe.is_probe);
        CHECK(b.breaker.tell(probe, verdict::unclear, b.now) == change::none);
        const auto next = b.breaker.ask(b.now);
        CHECK_FALSE(next.granted);
        CHECK(next.again == b.now + 500ms);
    }
}

TEST_CASE("after closing the count begins anew") {
    bench b({.minimum_calls = 10});
    REQUIRE(b.end(verdict::bad, 10) == change::opened);
    b.now += 1s;
    const auto probe = b.breaker.ask(b.now);
    REQUIRE(b.breaker.tell(probe, verdict::good, b.now) == change::closed);
    CHECK(b.end(verdict::bad, 9) == change::none);
    CHECK(b.passes());
}

TEST_CASE("breaker bounds are checked and named") {
    struct row {
        circuit_breaker_config config;
        std::string field;
    };
    const std::vector<row> table{
        {{.failure_rate = 0}, "failure_rate"},   {{.failure_rate = 1.01}, "failure_rate"},
        {{.minimum_calls = 0}, "minimum_calls"}, {{.window = 999ms}, "window"},
        {{.window = 61min}, "window"},           {{.open_for = 0ms}, "open_for"},
        {{.open_for = 61min}, "open_for"},
    };
    for (const row& one : table) {
        INFO(one.field);
        try {
            validate(one.config);
            FAIL("accepted");
        } catch (const error& why) {
            CHECK(why.code() == errc::invalid_argument);
            CHECK(std::string(why.what()).find("breaker." + one.field) == 0);
        }
    }
    CHECK_NOTHROW(validate(circuit_breaker_config()));
}

TEST_CASE("of many threads one gets the probe") {
    bench b({.minimum_calls = 1});
    b.end(verdict::bad);
    b.now += 1s;
    std::atomic<int> probes = 0;
    std::atomic<int> others = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 100; ++i) {
                    const auto got = b.breaker.ask(b.now);
                    if (got.is_probe)
                        ++probes;
                    else if (got.granted)
                        ++others;
                }
            });
        }
    }
    CHECK(probes == 1);
    CHECK(others == 0);
}

} // namespace codynamo::dynamodb
