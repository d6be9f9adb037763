// SPDX-License-Identifier: BSL-1.0
// The adaptive mode's limiter, by the public sequences and by tables of our own.
#include "aws/adaptive_limiter.hpp"
#include "support/vectors.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
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

namespace {

/// Callers that each send one request after the other, as soon as they may, to a service that
/// answers at once.
struct busy_callers {
    explicit busy_callers(std::size_t count) : all(count) {}

    struct caller {
        adaptive_limiter::ticket place = 0;
        double next = 0;
        double longest_wait = 0;
        double asked = 0;
        int sent = 0;
    };

    /// Until then nobody has anything else to do.
    void run(adaptive_limiter& limiter, double from, double until) {
        for (auto& each : all)
            each.next = each.asked = from;
        for (;;) {
            auto& each =
                *std::min_element(all.begin(), all.end(),
                                  [](const auto& a, const auto& b) { return a.next < b.next; });
            if (each.next >= until) return;
            const auto wait = limiter.acquire(at(each.next), each.place);
            if (wait.count() == 0) {
                limiter.ended(false, at(each.next));
                ++each.sent;
                each.longest_wait = std::max(each.longest_wait, each.next - each.asked);
                each.next += 0.001; // the answer's way
                each.asked = each.next;
            } else {
                each.next += std::chrono::duration<double>(wait).count();
            }
        }
    }

    std::vector<caller> all;
};

} // namespace

TEST_CASE("after throttling nobody starves, and nobody waits at the pace of the beginning") {
    adaptive_limiter limiter{time_point{}};
    // Half a second of throttling at a hundred a second.
    for (int i = 0; i != 100; ++i)
        limiter.ended(i >= 50, at(9.5 + i * 0.01));
    REQUIRE(limiter.allowed() < 100);
    busy_callers callers(50);
    callers.run(limiter, 10.5, 70);
    const auto [least, most] =
        std::minmax_element(callers.all.begin(), callers.all.end(),
                            [](const auto& a, const auto& b) { return a.sent < b.sent; });
    CHECK(least->sent > 10);
    CHECK(most->sent - least->sent <= most->sent / 10 + 2);
    for (const auto& each : callers.all)
        CHECK(each.longest_wait < 10);
}

TEST_CASE(
    "callers are served in the order in which they came, and who leaves lets others advance") {
    adaptive_limiter limiter{time_point{}};
    make_slow(limiter);
    adaptive_limiter::ticket first = 0;
    adaptive_limiter::ticket second = 0;
    adaptive_limiter::ticket third = 0;
    for (auto* place : {&first, &second, &third})
        CHECK(limiter.acquire(at(10), *place) == 500ms);
    for (auto* place : {&third, &second, &first})
        CHECK(limiter.acquire(at(11), *place) == 500ms);
    CHECK(limiter.acquire(at(12)) > 0s); // the first one's
    CHECK(limiter.acquire(at(12), third) > 0s);
    CHECK(limiter.acquire(at(12), second) > 0s);
    CHECK(limiter.acquire(at(12), first) == 0s);
    CHECK(first == 0);
    CHECK(limiter.acquire(at(13), second) > 0s);
    CHECK(limiter.acquire(at(13), third) > 0s);
    limiter.leave(second);
    CHECK(second == 0);
    CHECK(limiter.acquire(at(14), third) == 0s);
    limiter.leave(third); // has none any more
    CHECK(limiter.acquire(at(16)) == 0s);
}

TEST_CASE("waiting callers that do not ask again are passed over") {
    adaptive_limiter limiter{time_point{}};
    make_slow(limiter);
    std::array<adaptive_limiter::ticket, 8> dead{}; // of a context that has stopped
    for (auto& place : dead)
        CHECK(limiter.acquire(at(10), place) == 500ms);
    adaptive_limiter::ticket live = 0;
    int served = 0;
    for (double time = 10; time < 110; time += 0.5)
        if (limiter.acquire(at(time), live) == 0s) ++served;
    CHECK(served >= 48); // of 50
    for (auto& place : dead)
        limiter.leave(place);
}

TEST_CASE("a caller that asks too late has its place back") {
    adaptive_limiter limiter{time_point{}};
    make_slow(limiter);
    adaptive_limiter::ticket late = 0, punctual = 0, newest = 0;
    CHECK(limiter.acquire(at(10), late) > 0s);
    for (const double time : {10., 11., 11.9})
        CHECK(limiter.acquire(at(time), punctual) > 0s);
    CHECK(limiter.acquire(at(12), punctual) == 0s);
    CHECK(limiter.acquire(at(12), newest) > 0s);
    CHECK(limiter.acquire(at(13), late) > 0s);
    CHECK(limiter.acquire(at(13), newest) > 0s);
    CHECK(limiter.acquire(at(14), newest) > 0s);
    CHECK(limiter.acquire(at(14), late) == 0s);
    CHECK(limiter.acquire(at(16), newest) == 0s);
}
