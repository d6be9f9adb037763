// SPDX-License-Identifier: BSL-1.0
// The adaptive mode's limiter, by the public sequences and by tables of our own.
#include "aws/adaptive_limiter.hpp"
#include "support/vectors.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace codynamo::aws;
using namespace std::chrono_literals;

namespace {

namespace json = boost::json;
using time_point = std::chrono::steady_clock::time_point;

constexpr double tolerance = 5e-7;

time_point at(double seconds) {
    return time_point(
        std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}

double number(const json::value& row, const char* name) {
    return row.at(name).to_number<double>();
}

void play_cubic(const json::object& sequence) {
    const auto& given = sequence.at("given");
    cubic_rate curve(number(given, "last_max_rate"), number(given, "last_throttle_time"));
    double rate = 0;
    for (const auto& row : sequence.at("cases").as_array()) {
        const double now = number(row, "timestamp");
        rate = row.at("response") == "throttle" ? curve.after_throttle(rate, now)
                                                : curve.after_success(now);
        CHECK(rate == Approx(number(row, "calculated_rate")).margin(tolerance));
    }
}

void play_end_to_end(const json::object& sequence) {
    adaptive_limiter limiter{time_point{}};
    for (const auto& row : sequence.at("cases").as_array()) {
        INFO(json::serialize(row));
        limiter.ended(row.at("response") == "throttle", at(number(row, "timestamp")));
        CHECK(limiter.measured() == Approx(number(row, "measured_tx_rate")).margin(tolerance));
        CHECK(limiter.allowed() == Approx(number(row, "new_token_bucket_rate")).margin(tolerance));
    }
}

/// A limiter that allows one request in two seconds from 10 s on.
void make_slow(adaptive_limiter& limiter) {
    limiter.ended(true, at(10));
    REQUIRE(limiter.allowed() == 0.5);
}

struct asking {
    double at; ///< seconds
    std::chrono::seconds wait;
};

/// How long a slow limiter has those wait who ask it one after the other.
void check_waits(const std::vector<asking>& all) {
    adaptive_limiter limiter{time_point{}};
    make_slow(limiter);
    for (const asking& each : all) {
        INFO("at " << each.at << " s");
        CHECK(limiter.acquire(at(each.at)) == each.wait);
    }
}

} // namespace

TEST_CASE("the public adaptive sequences hold") {
    const auto vectors = codynamo::testing_support::load_vectors("retry_vectors.json");
    if (!vectors) return;
    codynamo::testing_support::vector_tally tally;
    for (const auto& each : vectors->at("adaptive").as_array()) {
        const auto& sequence = each.as_object();
        INFO(std::string(sequence.at("name").as_string()));
        if (sequence.at("kind") == "cubic") {
            play_cubic(sequence);
        } else {
            play_end_to_end(sequence);
        }
        tally.pass();
    }
    tally.print("retry_vectors.json, adaptive");
    CHECK(tally.passed() >= 3);
}

TEST_CASE("nothing is limited before the service has throttled") {
    adaptive_limiter limiter{time_point{}};
    for (int i = 0; i < 1000; ++i) {
        CHECK(limiter.acquire(at(1)) == 0s);
        limiter.ended(false, at(1));
    }
}

TEST_CASE("who is refused has taken nothing, and who asks again after the wait is served") {
    check_waits({// No tokens yet: one takes two seconds, however often somebody asks.
                 {10, 2s},
                 {10, 2s},
                 {10, 2s},
                 {10, 2s},
                 {10, 2s},
                 {11, 1s},
                 {12, 0s},
                 // The next one is not in debt for those who were refused.
                 {12, 2s},
                 {14, 0s}});
}

TEST_CASE("the bucket holds one token at the lowest rate, however long nobody asks") {
    adaptive_limiter limiter{time_point{}};
    make_slow(limiter);
    CHECK(limiter.acquire(at(1000)) == 0s);
    CHECK(limiter.acquire(at(1000)) > 0s);
}

TEST_CASE("times that come in another order neither give nor take tokens") {
    check_waits({{12, 0s}, {9, 2s}, {13, 1s}});
}

TEST_CASE("successes raise the rate, to twice what is really sent at most") {
    adaptive_limiter limiter{time_point{}};
    make_slow(limiter);
    for (int i = 0; i <= 600; ++i) {
        const double now = 10 + i * 0.1;
        if (limiter.acquire(at(now)) == 0s) limiter.ended(false, at(now));
        REQUIRE(limiter.allowed() <= std::max(0.5, 2 * limiter.measured()) + tolerance);
    }
    CHECK(limiter.allowed() > 5);
}

TEST_CASE("many threads take no more tokens than there are") {
    adaptive_limiter limiter{time_point{}};
    make_slow(limiter);
    std::atomic<int> passed = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 500; ++i)
                    if (limiter.acquire(at(20)) == 0s) ++passed;
            });
        }
    }
    CHECK(passed == 1);
}
