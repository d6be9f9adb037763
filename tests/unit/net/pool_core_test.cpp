// SPDX-License-Identifier: BSL-1.0
// The decisions of the pool, without sockets and without time.
#include "net/pool_core.hpp"
#include "support/catch.hpp"

#include <array>
#include <random>
#include <vector>

using namespace codynamo::net;
using namespace std::chrono_literals;

namespace {

const steady_time t0 = steady_time{} + 1000s;

pool_limits limits(std::size_t connections, std::size_t waiting = 100, std::size_t min_idle = 0) {
    return {connections, min_idle, waiting, 20s};
}

// Opens `n` connections and parks those that `parked` says, one second apart.
void fill(pool_core& core, pooled* nodes, std::size_t n) {
    pool_core::doomed out;
    for (std::size_t i = 0; i < n; ++i) {
        REQUIRE(core.admit(t0, out).what == admission::open);
        core.adopt(nodes[i]);
    }
}

} // namespace

TEST_CASE("an exchange reuses, opens, waits or is refused, in this order") {
    struct row {
        std::size_t busy, idle, waiting;
        bool closed;
        admission expected;
    };
    const row rows[] = {
        {0, 0, 0, false, admission::open},       {0, 1, 0, false, admission::reuse},
        {1, 1, 0, false, admission::reuse},      {1, 0, 0, false, admission::open},
        {2, 0, 0, false, admission::wait},       {2, 0, 1, false, admission::wait},
        {2, 0, 2, false, admission::overloaded}, {0, 1, 0, true, admission::closed},
        {0, 0, 0, true, admission::closed},      {2, 0, 2, true, admission::closed},
    };
    for (const auto& r : rows) {
        INFO(r.busy << " busy, " << r.idle << " idle, " << r.waiting << " waiting");
        pool_core core(limits(2, 2));
        std::array<pooled, 3> nodes;
        std::array<queued, 3> waiters;
        pool_core::doomed out;
        fill(core, nodes.data(), r.busy + r.idle);
        for (std::size_t i = 0; i < r.idle; ++i)
            CHECK(core.release(nodes[i], t0, true).what == fate::parked);
        for (std::size_t i = 0; i < r.waiting; ++i)
            core.enqueue(waiters[i], t0, steady_time::max());
        if (r.closed) core.close();
        CHECK(core.admit(t0, out).what == r.expected);
        CHECK(out.empty());
        while (core.pop_waiter()) {
        }
    }
}

TEST_CASE("max_waiting = 0 refuses to wait") {
    pool_core core(limits(1, 0));
    pooled node;
    pool_core::doomed out;
    fill(core, &node, 1);
    CHECK(core.admit(t0, out).what == admission::overloaded);
}

TEST_CASE("a connection that comes back is parked, handed on or retired") {
    struct row {
        const char* name;
        bool reusable, too_old, waiter, closed;
        fate expected;
    };
    const row rows[] = {
        {"fine", true, false, false, false, fate::parked},
        {"broken", false, false, false, false, fate::retired},
        {"too old", true, true, false, false, fate::retired},
        {"fine, but closed", true, false, false, true, fate::retired},
        {"fine, and wanted", true, false, true, false, fate::handed},
        {"broken, but the place is wanted", false, false, true, false, fate::handed},
    };
    for (const auto& r : rows) {
        INFO(r.name);
        pool_core core(limits(1));
        pooled node;
        queued waiter;
        fill(core, &node, 1);
        node.retire_at = r.too_old ? t0 : t0 + 1s;
        if (r.waiter) core.enqueue(waiter, t0, t0 + 7s);
        if (r.closed) core.close();
        const auto end = core.release(node, t0, r.reusable);
        CHECK(end.what == r.expected);
        CHECK(end.to == (r.waiter ? &waiter : nullptr));
        CHECK(waiter.granted == (r.waiter ? &node : nullptr));
        CHECK(core.idle() == (r.expected == fate::parked ? 1 : 0));
        CHECK(core.busy() == (r.expected == fate::handed ? 1 : 0));
        if (r.waiter) CHECK(node.deadline == t0 + 7s);
        CHECK(core.waiting() == 0);
    }
}

TEST_CASE("idle connections are used last in, first out, and waiters served first in, first out") {
    pool_core core(limits(3));
    std::array<pooled, 3> nodes;
    pool_core::doomed out;
    fill(core, nodes.data(), 3);
    std::array<queued, 4> waiters;
    for (auto& w : waiters)
        core.enqueue(w, t0, steady_time::max());
    CHECK(core.leave(waiters[1]));
    CHECK_FALSE(core.leave(waiters[1]));
    CHECK(core.release(nodes[2], t0, true).to == &waiters[0]);
    CHECK(core.release(nodes[0], t0, true).to == &waiters[2]);
    CHECK(core.release(nodes[1], t0, true).to == &waiters[3]);
    for (auto& n : nodes)
        CHECK(core.release(n, t0, true).what == fate::parked);
    CHECK(core.admit(t0, out).connection == &nodes[2]);
    CHECK(core.admit(t0, out).connection == &nodes[1]);
    CHECK(core.admit(t0, out).connection == &nodes[0]);
    CHECK(out.empty());
}

TEST_CASE("connections idle for too long go, except for the min_idle youngest") {
    for (const std::size_t min_idle : {0, 1, 2, 3}) {
        pool_core core(limits(3, 10, min_idle));
        std::array<pooled, 3> nodes;
        pool_core::doomed out;
        fill(core, nodes.data(), 3);
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(core.release(nodes[i], t0 + i * 1s, true).what == fate::parked);
        core.expire_idle(t0 + 20s - 1ms, out);
        CHECK(out.empty());
        core.expire_idle(t0 + 21s, out); // the first two are too old
        CHECK(out.size() == std::min<std::size_t>(2, 3 - min_idle));
        if (!out.empty()) CHECK(out.front() == &nodes[0]);
        CHECK(core.idle() == 3 - out.size());
    }
}

TEST_CASE("idle connections past their age are dropped whoever asks, min_idle or not") {
    pool_core core(limits(3, 10, 3));
    std::array<pooled, 3> nodes;
    pool_core::doomed out;
    fill(core, nodes.data(), 3);
    for (std::size_t i = 0; i < 3; ++i) {
        nodes[i].retire_at = t0 + 1s;
        CHECK(core.release(nodes[i], t0, true).what == fate::parked);
    }
    CHECK(core.admit(t0 + 1s, out).what == admission::open);
    CHECK(out.size() == 3);
}

TEST_CASE("a dead connection is replaced by an idle one, with its deadline") {
    pool_core core(limits(2));
    std::array<pooled, 2> nodes;
    pool_core::doomed out;
    fill(core, nodes.data(), 2);
    CHECK(core.replace(nodes[0], t0, out) == nullptr);
    CHECK(core.busy() == 2);
    CHECK(core.release(nodes[1], t0, true).what == fate::parked);
    nodes[0].deadline = t0 + 3s;
    CHECK(core.replace(nodes[0], t0, out) == &nodes[1]);
    CHECK(nodes[1].deadline == t0 + 3s);
    CHECK(core.busy() == 1);
    CHECK(core.idle() == 0);
}

TEST_CASE("a sweep finds exactly who is overdue") {
    pool_core core(limits(3));
    std::array<pooled, 3> nodes;
    fill(core, nodes.data(), 3);
    nodes[0].deadline = t0 + 1s;
    nodes[1].deadline = t0 + 3s;
    std::vector<queued> waiters(100);
    std::mt19937 random(1);
    for (auto& w : waiters)
        core.enqueue(w, t0, t0 + std::chrono::milliseconds(random() % 4000));
    for (auto now = t0; now < t0 + 5s; now += 250ms) {
        std::size_t expired = 0;
        for (const auto& w : waiters)
            if (w.in_queue && w.deadline <= now) ++expired;
        std::size_t found = 0;
        while (const queued* w = core.expire_waiter(now)) {
            ++found;
            CHECK(w->deadline <= now);
            CHECK_FALSE(w->in_queue);
        }
        CHECK(found == expired);
        std::vector<pooled*> overdue;
        const auto next = core.for_each_overdue(now, [&](pooled& p) { overdue.push_back(&p); });
        CHECK(overdue.size() == (now < t0 + 1s ? 0 : now < t0 + 3s ? 1 : 2));
        CHECK(next > now);
        for (const auto& w : waiters)
            if (w.in_queue) CHECK(next <= w.deadline);
    }
    CHECK(core.waiting() == 0);
}

TEST_CASE("a sweep costs nothing for those who are not overdue") {
    // 300,000 who wait, one of whom times out in each sweep: if a sweep looked at all of them, this
    // would be 45 billion steps.
    constexpr int count = 300'000;
    pool_core core({1, 0, count, 20s});
    std::vector<queued> waiters(count);
    for (int i = 0; i < count; ++i)
        core.enqueue(waiters[static_cast<std::size_t>(i)], t0, t0 + i * 1ms);
    pooled nobody;
    core.adopt(nobody);
    bool exact = true;
    for (int i = 0; i < count; ++i) {
        const auto now = t0 + i * 1ms;
        exact = exact && core.expire_waiter(now) == &waiters[static_cast<std::size_t>(i)] &&
                core.expire_waiter(now) == nullptr;
        const auto next = core.for_each_overdue(now, [](pooled&) {});
        exact = exact && next == (i + 1 == count ? steady_time::max() : now + 1ms);
    }
    CHECK(exact);
    CHECK(core.waiting() == 0);
}

TEST_CASE("the queue of deadlines takes few steps, whatever the order they come in") {
    struct node : deadline_hook {
        int deadline = 0;
    };
    static std::size_t steps;
    struct counting {
        bool operator()(const node& a, const node& b) const noexcept {
            ++steps;
            return a.deadline < b.deadline;
        }
    };
    constexpr std::size_t count = 300'000;
    std::vector<node> nodes(count);
    const auto steps_for = [&](auto deadline_of) {
        steps = 0;
        deadline_queue<node, counting> queue;
        for (std::size_t i = 0; i != count; ++i) {
            nodes[i].deadline = deadline_of(static_cast<int>(i));
            queue.insert(nodes[i]);
        }
        bool ordered = true;
        for (int last = -1; !queue.empty(); queue.erase(queue.earliest())) {
            ordered = ordered && queue.earliest().deadline >= last;
            last = queue.earliest().deadline;
        }
        CHECK(ordered);
        return static_cast<double>(steps) / count;
    };
    std::mt19937 random(3);
    CHECK(steps_for([](int i) { return i; }) <= 2);
    CHECK(steps_for([](int) { return 7; }) <= 2);
    CHECK(steps_for([](int i) { return 300'000 - i; }) <= 40);
    CHECK(steps_for([&](int) { return static_cast<int>(random() % 1'000'000); }) <= 40);
}

TEST_CASE("a waiter may leave while the others are swept") {
    pool_core core(limits(1));
    std::array<queued, 3> waiters;
    for (auto& w : waiters)
        core.enqueue(w, t0, t0);
    CHECK(core.expire_waiter(t0) == &waiters[0]);
    CHECK(core.leave(waiters[1]));
    CHECK(core.expire_waiter(t0) == &waiters[2]);
    CHECK(core.expire_waiter(t0) == nullptr);
}

namespace {

/// One connection, whose exchanges take 10 ms, as is known; it is busy since t0 + 20 s.
struct known_service {
    known_service() {
        core.adopt(node, t0);
        for (int i = 1; i <= 2'000; ++i) {
            core.enqueue(unlimited, now, steady_time::max());
            now += 10ms;
            REQUIRE(core.release(node, now, true).to == &unlimited);
        }
    }
    queued* next(bool reusable = true, exchange_end how = exchange_end::complete) {
        return core.release(node, now, reusable, how).to;
    }

    pool_core core{limits(1)};
    pooled node;
    queued unlimited;
    steady_time now = t0;
};

} // namespace

TEST_CASE("a connection is granted only to a waiter that can still be served") {
    known_service s;
    std::array<queued, 4> waiters;
    s.core.enqueue(waiters[0], s.now, s.now + 20ms);
    s.core.enqueue(waiters[1], s.now, s.now + 24ms);
    s.core.enqueue(waiters[2], s.now, s.now + 25ms);
    s.core.enqueue(waiters[3], s.now, s.now + 90ms);
    s.now += 12ms;
    // The sample of 12 ms raises the need to 15 ms.
    CHECK(s.next() == &waiters[3]);
    CHECK(waiters[3].granted == &s.node);
    for (int i = 0; i < 3; ++i) {
        CHECK(s.core.pop_refused() == &waiters[static_cast<std::size_t>(i)]);
        CHECK_FALSE(waiters[static_cast<std::size_t>(i)].in_queue);
        CHECK_FALSE(s.core.leave(waiters[static_cast<std::size_t>(i)]));
    }
    CHECK(s.core.pop_refused() == nullptr);
    CHECK(s.core.waiting() == 0);
}

TEST_CASE("a waiter that has most of its time left is served, whatever is known") {
    known_service s;
    queued waiter;
    s.core.enqueue(waiter, s.now, s.now + 4ms); // less than any exchange takes
    s.now += 1500us;                            // three eighths
    CHECK(s.next() == &waiter);
    s.core.enqueue(waiter, s.now, s.now + 4ms);
    s.now += 1501us;
    CHECK(s.next() == nullptr);
    CHECK(s.core.pop_refused() == &waiter);
}

TEST_CASE("a connection that must be opened goes to a waiter with time for that") {
    known_service s;
    std::array<queued, 3> waiters;
    s.core.enqueue(waiters[0], s.now, s.now + 34ms);
    s.core.enqueue(waiters[1], s.now, s.now + 44ms);
    s.core.enqueue(waiters[2], s.now, s.now + 54ms);
    s.now += 10ms;
    CHECK(s.next(false) == &waiters[2]); // the first one has 24 ms left, and needs 25
    CHECK(s.core.pop_refused() == nullptr);
    s.core.enqueue(waiters[2], s.now, s.now + 54ms);
    s.now += 5ms;
    CHECK(s.next(true) == &waiters[0]);
    s.now += 3ms;
    CHECK(s.next(false) == &waiters[1]); // 26 ms
}

TEST_CASE("an exchange that was cut short says: at least this long") {
    known_service s;
    const auto needed = [&](auto held, exchange_end how) {
        known_service fresh;
        fresh.now += held;
        REQUIRE(fresh.next(true, how) == nullptr);
        return fresh.core.queue(fresh.now).hold;
    };
    CHECK(needed(1ms, exchange_end::cut_short) > 9900us);
    CHECK(needed(1ms, exchange_end::complete) < 9ms);
    CHECK(needed(19ms, exchange_end::cut_short) > 10ms);
    // And so that a waiter with as much time as the one that was cut had is not cut in turn.
    queued waiter;
    s.core.enqueue(waiter, s.now, s.now + 40ms);
    s.now += 20ms;
    CHECK(s.next(true, exchange_end::cut_short) == nullptr);
    CHECK(s.core.pop_refused() == &waiter);
}

TEST_CASE("the need of exchanges is forgotten within five seconds, and one outlier doubles it") {
    service_bound needs;
    CHECK(needs.get(t0) == 0ns);
    needs.add(10ms, t0);
    CHECK(needs.get(t0) == 12'500us);
    needs.add(1h, t0 + 1s);
    CHECK(needs.get(t0 + 1s) == (20ms + 100us) * 5 / 4);
    needs.add(8ms, t0 + 2600ms);
    CHECK(needs.get(t0 + 2600ms) == (20ms + 100us) * 5 / 4);
    CHECK(needs.get(t0 + 5200ms) == 10ms);
    needs.add(8ms, t0 + 5200ms);
    CHECK(needs.get(t0 + 5200ms) == 10ms);
    CHECK(needs.get(t0 + 10'300ms) == 0ns);
    needs.add(1h, t0 + 20s);
    CHECK(needs.get(t0 + 20s) == 75min);
}

TEST_CASE("the sweep comes four times within the shortest time-out, within bounds") {
    CHECK(sweep_interval(10s) == 25ms);
    CHECK(sweep_interval(100ms) == 25ms);
    CHECK(sweep_interval(40ms) == 10ms);
    CHECK(sweep_interval(2ms) == 1ms);
    CHECK(sweep_interval(-5s) == 1ms);
}

TEST_CASE("random use: while somebody waits nothing is idle, and the bounds hold") {
    std::mt19937 random(7);
    pool_core core(limits(4, 8));
    std::vector<pooled> nodes(4);
    std::vector<pooled*> unused, busy;
    for (auto& n : nodes)
        unused.push_back(&n);
    std::vector<queued> waiters(8);
    pool_core::doomed out;
    auto now = t0;
    int waited = 0;
    for (int i = 0; i < 20'000; ++i) {
        now += std::chrono::milliseconds(random() % 300);
        if (random() % 2 == 0) {
            const auto answer = core.admit(now, out);
            if (answer.what == admission::open) {
                REQUIRE_FALSE(unused.empty());
                core.adopt(*unused.back());
                busy.push_back(unused.back());
                unused.pop_back();
            } else if (answer.what == admission::reuse) {
                busy.push_back(answer.connection);
            } else if (answer.what == admission::wait) {
                ++waited;
                for (auto& w : waiters)
                    if (!w.in_queue) {
                        core.enqueue(w, now, now + 1s);
                        break;
                    }
            }
        } else if (!busy.empty()) {
            const auto at = random() % busy.size();
            pooled* const node = busy[at];
            const auto end = core.release(*node, now, random() % 4 != 0);
            if (end.what != fate::handed) busy.erase(busy.begin() + static_cast<long>(at));
            if (end.what == fate::retired) unused.push_back(node);
        }
        while (core.pop_refused() || core.expire_waiter(now)) {
        }
        while (pooled* const old = out.pop_front())
            unused.push_back(old);
        REQUIRE(core.busy() == busy.size());
        REQUIRE(core.busy() + core.idle() + unused.size() == 4);
        REQUIRE((core.waiting() == 0 || (core.idle() == 0 && core.busy() == 4)));
        REQUIRE(core.waiting() <= 8);
    }
    CHECK(waited > 100);
}
