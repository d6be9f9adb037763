// SPDX-License-Identifier: BSL-1.0
// The guess at how long a queue takes, and who is turned away by it.
#include "net/hold_estimate.hpp"
#include "net/pool_core.hpp"
#include "support/catch.hpp"

#include <deque>
#include <random>
#include <vector>

using namespace codynamo::net;
using namespace std::chrono_literals;

namespace {

const steady_time t0 = steady_time{} + 1000s;
using duration = hold_estimate::duration;

void feed(hold_estimate& e, int n, duration held, steady_time now = t0) {
    for (int i = 0; i < n; ++i)
        e.add(held, now);
}

double in_ms(duration d) {
    return std::chrono::duration<double, std::milli>(d).count();
}

/// A pool in which everything takes as long as the test says; time goes by in steps of 1 ms.
struct simulated {
    explicit simulated(std::size_t connections)
        : core({connections, 0, 1'000'000, 20s}), nodes(connections) {
        for (auto& n : nodes)
            unused.push_back(&n);
    }

    struct busy {
        pooled* on;
        steady_time until;
    };

    admission arrive(duration takes, steady_time deadline = steady_time::max()) {
        pool_core::doomed out;
        const auto answer = core.admit(now, out, deadline);
        while (pooled* const p = out.pop_front())
            unused.push_back(p);
        if (answer.what == admission::reuse) {
            running.push_back({answer.connection, now + takes});
        } else if (answer.what == admission::open) {
            core.adopt(*unused.back(), now);
            running.push_back({unused.back(), now + takes});
            unused.pop_back();
        } else if (answer.what == admission::wait) {
            core.enqueue(waiters.emplace_back(), now, deadline);
        }
        return answer.what;
    }

    void step() {
        now += 1ms;
        while (core.expire_waiter(now))
            ++expired;
        for (std::size_t i = 0; i < running.size();) {
            if (running[i].until > now) {
                ++i;
                continue;
            }
            pooled* const on = running[i].on;
            const auto end = core.release(*on, now, true);
            while (core.pop_refused())
                ++expired;
            ++served;
            if (end.what == fate::handed) {
                running[i++].until = now + after_waiting;
            } else {
                running.erase(running.begin() + static_cast<long>(i));
                if (end.what == fate::retired) unused.push_back(on);
            }
        }
    }

    pool_core core;
    std::vector<pooled> nodes;
    std::vector<pooled*> unused;
    std::vector<busy> running;
    std::deque<queued> waiters;
    duration after_waiting = 10ms; // what those take who had to wait
    steady_time now = t0;
    int served = 0;
    int expired = 0;
};

} // namespace

TEST_CASE("nothing is known before enough has been seen") {
    hold_estimate e;
    CHECK(e.mean(t0) == 0ns);
    feed(e, 31, 100ms);
    CHECK(e.mean(t0) == 0ns);
    CHECK(e.queue_time(1000, 1, t0) == 0ns);
    feed(e, 1, 100ms);
    CHECK(in_ms(e.mean(t0)) == Approx(100));
    CHECK(in_ms(e.queue_time(64, 16, t0)) == Approx(400));
    CHECK(e.queue_time(0, 16, t0) == 0ns);
}

TEST_CASE("one slow exchange hardly moves the estimate, many do") {
    hold_estimate e;
    feed(e, 100, 10ms);
    feed(e, 1, 1h);
    CHECK(in_ms(e.mean(t0)) < 10.7);
    feed(e, 100, 1s);
    CHECK(in_ms(e.mean(t0)) > 800);
    feed(e, 40, 10ms);
    CHECK(in_ms(e.mean(t0)) < 20);
}

TEST_CASE("a slow start is forgotten before it counts") {
    hold_estimate e;
    feed(e, 1, 3s);
    feed(e, 31, 1ms);
    CHECK(in_ms(e.mean(t0)) < 60);
    CHECK(in_ms(e.mean(t0)) > 0.9);
}

TEST_CASE("without news the estimate fades") {
    hold_estimate e;
    feed(e, 100, 64ms);
    CHECK(in_ms(e.mean(t0 + 1s)) == Approx(64));
    CHECK(in_ms(e.mean(t0 + 2s)) == Approx(32));
    CHECK(in_ms(e.mean(t0 + 6s)) == Approx(8));
    CHECK(e.mean(t0 + 30s) == 0ns);
    CHECK(e.mean(t0 + 10000h) == 0ns);
    e.add(5ms, t0 + 31s); // begins anew
    CHECK(e.mean(t0 + 31s) == 0ns);
    feed(e, 31, 5ms, t0 + 31s);
    CHECK(in_ms(e.mean(t0 + 31s)) == Approx(5));
}

TEST_CASE("the estimate errs on the short side, and not by far") {
    std::mt19937 random(3);
    std::exponential_distribution<double> spread(1.0);
    hold_estimate e;
    double sum = 0;
    for (int i = 0; i < 20'000; ++i) {
        e.add(std::chrono::duration_cast<duration>(spread(random) * 10ms), t0);
        if (i >= 1000) sum += in_ms(e.mean(t0));
    }
    CHECK(sum / 19'000 < 9);
    CHECK(sum / 19'000 > 5);
}

TEST_CASE("odd samples do no harm") {
    hold_estimate e;
    feed(e, 40, -5s);
    CHECK(e.mean(t0) == 0ns);
    feed(e, 1000, duration::max());
    CHECK(e.queue_time(1'000'000'000, 1, t0) <= std::chrono::hours(300));
    e.add(1ms, t0 - 5s); // another thread's clock reading came first
    CHECK(e.mean(t0) > 0ns);
}

TEST_CASE("who cannot be served in time is refused, who can is not") {
    // 2 connections, 10 ms each: 100 who wait take 500 ms.
    simulated s(2);
    for (int i = 0; i < 100; ++i) {
        (void)s.arrive(10ms);
        s.step();
    }
    while (s.core.busy() != 0)
        s.step();
    const auto arrive_in = [&](duration left) { return s.arrive(10ms, s.now + left); };
    for (int i = 0; i < 2; ++i)
        CHECK(arrive_in(1ms) == admission::reuse);
    CHECK(arrive_in(1ms) == admission::wait); // the first to wait, whatever his deadline
    for (int i = 0; i < 99; ++i)
        CHECK(arrive_in(10s) == admission::wait);
    CHECK(s.core.queue(s.now).waiting == 100);
    CHECK(in_ms(s.core.queue(s.now).hold) == Approx(10).epsilon(0.1));
    CHECK(arrive_in(400ms) == admission::hopeless);
    CHECK(arrive_in(600ms) == admission::wait);
    CHECK(s.arrive(10ms) == admission::wait); // no deadline
    CHECK(arrive_in(20ms) == admission::hopeless);
    CHECK(s.core.queue(s.now).waiting == 102);
}

TEST_CASE("those who will have left by then are not counted") {
    simulated s(1);
    for (int i = 0; i < 40; ++i) {
        (void)s.arrive(10ms);
        while (s.core.busy() != 0)
            s.step();
    }
    CHECK(s.arrive(10ms) == admission::reuse);
    // A crowd that came before anything was known, and will not stay.
    for (int i = 0; i < 1000; ++i)
        s.core.enqueue(s.waiters.emplace_back(), s.now, s.now + 100ms);
    CHECK(s.arrive(10ms, s.now + 90ms) == admission::hopeless);
    CHECK(s.arrive(10ms, s.now + 105ms) == admission::hopeless); // leaves no time for an exchange
    CHECK(s.arrive(10ms, s.now + 1s) == admission::wait);        // instead of 10 s
    while (s.core.waiting() != 0)
        s.step();
    CHECK(s.now < t0 + 40 * 10ms + 1s);
}

TEST_CASE("no one is refused on a cold start or while the queue is fast enough") {
    simulated s(4);
    std::mt19937 random(5);
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
        // Capacity is 4 per 10 ms; bursts of up to 30, 12 per 50 ms on average.
        if (i % 50 == 0)
            for (auto n = random() % 24; n != 0; --n)
                if (s.arrive(10ms, s.now + 150ms) == admission::hopeless) ++refused;
        s.step();
    }
    CHECK(refused == 0);
    CHECK(s.expired == 0);
    CHECK(s.served > 500);
}

TEST_CASE("under overload almost everybody is told at once instead of waiting in vain") {
    simulated s(4);
    int refused = 0, arrived = 0;
    for (int i = 0; i < 5000; ++i) {
        for (int n = 0; n < 2; ++n) { // capacity is 0.4 per ms
            ++arrived;
            if (s.arrive(10ms, s.now + 200ms) == admission::hopeless) ++refused;
        }
        s.step();
    }
    INFO(arrived << " arrived, " << s.served << " served, " << refused << " refused, " << s.expired
                 << " expired");
    CHECK(s.served > 1950);          // nothing of the capacity is wasted: 2000
    CHECK(refused > 7000);           // of 8000 that there was no room for
    CHECK(s.expired < arrived / 20); // those who came before anything was known, and the margin
}

TEST_CASE("the time to open a connection is not taken for the time of an exchange") {
    pool_core core({1, 0, 100, 20s});
    pooled node;
    pool_core::doomed out;
    auto now = t0;
    for (int i = 0; i < 64; ++i) {
        REQUIRE(core.admit(now, out).what == admission::open);
        core.adopt(node, now);
        now += 300ms;
        node.busy_since = now; // as connect() does
        now += 2ms;
        REQUIRE(core.release(node, now, false).what == fate::retired);
    }
    CHECK(in_ms(core.queue(now).hold) == Approx(2));
}
