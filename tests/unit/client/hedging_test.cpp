// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/hedging.hpp"
#include "dynamodb/latency_estimate.hpp"
#include "support/catch.hpp"

#include <codynamo/error.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace codynamo::dynamodb {

using namespace std::chrono_literals;
using std::chrono::microseconds;

TEST_CASE("the estimate is at least the 95th percentile and at most a quarter more") {
    struct row {
        std::string name;
        std::function<double(std::mt19937&)> draw; ///< microseconds
    };
    const std::vector<row> table{
        {"constant", [](auto&) { return 1234.0; }},
        {"uniform", [](auto& g) { return std::uniform_real_distribution(100.0, 9000.0)(g); }},
        {"exponential", [](auto& g) { return 10 + std::exponential_distribution(1.0 / 3000)(g); }},
        {"log-normal", [](auto& g) { return std::lognormal_distribution(8.0, 1.5)(g); }},
        {"two humps", [](auto& g) { return g() % 10 == 0 ? 200'000.0 : 900.0; }},
    };
    for (const row& one : table) {
        INFO(one.name);
        std::mt19937 generator(42);
        latency_estimate estimate;
        std::vector<microseconds> samples;
        for (int i = 0; i < 999; ++i) {
            samples.push_back(microseconds(static_cast<long>(one.draw(generator))));
            estimate.add(samples.back());
        }
        std::ranges::sort(samples);
        const microseconds exact = samples[samples.size() * 95 / 100 - 1];
        REQUIRE(estimate.p95());
        CHECK(*estimate.p95() >= exact);
        CHECK(*estimate.p95() <= exact * 5 / 4 + 1us);
    }
}

TEST_CASE("there is no estimate before a hundred samples, and the new ones soon outweigh the old") {
    latency_estimate estimate;
    for (int i = 0; i < 99; ++i)
        estimate.add(10ms);
    CHECK_FALSE(estimate.p95());
    estimate.add(10ms);
    CHECK(*estimate.p95() >= 10ms);
    for (int i = 0; i < 5000; ++i)
        estimate.add(1ms);
    CHECK(*estimate.p95() < 2ms);
}

TEST_CASE("absurd latencies neither crash the estimate nor fall out of it") {
    latency_estimate estimate;
    for (int i = 0; i < 50; ++i) {
        estimate.add(-5s);
        estimate.add(0us);
        estimate.add(microseconds::max());
        estimate.add(24h);
    }
    REQUIRE(estimate.p95());
    CHECK(*estimate.p95() > 1min);
}

TEST_CASE("second requests are at most their share of the first ones") {
    for (const double share : {0.01, 0.05, 0.5, 1.0}) {
        hedge_policy policy({.enabled = true, .delay = 5ms, .max_extra_load = share});
        int second = 0;
        constexpr int first = 10'000;
        for (int i = 0; i < first; ++i) {
            if (policy.begin() && policy.take()) ++second;
        }
        INFO(share);
        CHECK(second <= first * share + 1);
        CHECK(second >= first * share - 1);
    }
}

TEST_CASE("what was saved up while all was quick is bounded") {
    hedge_policy policy({.enabled = true, .delay = 5ms});
    for (int i = 0; i < 100'000; ++i)
        (void)policy.begin();
    int second = 0;
    while (policy.take())
        ++second;
    CHECK(second == 5);
    CHECK_FALSE(policy.begin());
}

TEST_CASE("without a fixed delay the measured percentile is the delay") {
    hedge_policy policy({.enabled = true});
    CHECK_FALSE(policy.begin());
    for (int i = 0; i < 100; ++i)
        policy.measured(8ms);
    const auto delay = policy.begin();
    REQUIRE(delay);
    CHECK(*delay >= 8ms);
    CHECK(*delay <= 10ms);
}

TEST_CASE("hedging bounds are checked and named") {
    const auto refuses = [](hedging_config config, const char* field) {
        try {
            validate(config);
            return false;
        } catch (const error& why) {
            return why.code() == errc::invalid_argument && std::string(why.what()).find(field) == 0;
        }
    };
    CHECK(refuses({.delay = -1ms}, "hedging.delay"));
    CHECK(refuses({.delay = 2h}, "hedging.delay"));
    CHECK(refuses({.max_extra_load = 0}, "hedging.max_extra_load"));
    CHECK(refuses({.max_extra_load = 1.5}, "hedging.max_extra_load"));
    CHECK_FALSE(refuses({}, ""));
}

TEST_CASE("a second request that was not sent after all is not paid for") {
    hedging_config config;
    config.delay = 20ms;
    hedge_policy policy(config);
    for (int i = 0; i < 3; ++i) {
        CHECK(policy.take());
        CHECK_FALSE(policy.take());
        policy.give_back();
    }
    policy.give_back();
    policy.give_back();
    int saved = 0;
    while (policy.take())
        ++saved;
    CHECK(saved <= 5); // no more than may be saved up
}

} // namespace codynamo::dynamodb
