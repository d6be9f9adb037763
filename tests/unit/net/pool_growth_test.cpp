// SPDX-License-Identifier: BSL-1.0
// What the pool does when it cannot open one more connection, without sockets and without time.
#include "net/growth_schedule.hpp"
#include "net/pool_core.hpp"
#include "support/catch.hpp"

#include <boost/asio/error.hpp>

#include <array>
#include <random>

using namespace codynamo::net;
using namespace std::chrono_literals;

namespace {

const steady_time t0 = steady_time{} + 1000s;
constexpr auto first_pause = growth_schedule::first_pause;
constexpr auto longest_pause = growth_schedule::longest_pause;

void begin_opening(pool_core& core, pooled& node) {
    pool_core::doomed out;
    REQUIRE(core.admit(t0, out).what == admission::open);
    core.adopt(node);
}

void open(pool_core& core, pooled& node) {
    begin_opening(core, node);
    core.opened(node);
}

} // namespace

TEST_CASE("a shortage is what the process or the machine lacks, not what the server does") {
    const auto of = [](int value) {
        return shortage_of({value, boost::system::system_category()});
    };
    for (const int ours : {EMFILE, ENFILE, ENOBUFS, ENOMEM})
        CHECK(of(ours) == shortage::memory);
    CHECK(of(EADDRNOTAVAIL) == shortage::address);
    for (const int theirs : {ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EPIPE,
                             EACCES, EAFNOSUPPORT})
        CHECK(of(theirs) == shortage::none);
    CHECK(shortage_of({}) == shortage::none);
    CHECK(shortage_of(boost::asio::error::host_not_found) == shortage::none);
}

TEST_CASE("growth that fails is retried one attempt at a time, at doubling intervals") {
    growth_schedule growth;
    CHECK(growth.start(t0));
    CHECK(growth.start(t0));
    CHECK_FALSE(growth.exhausted());
    for (int together = 0; together < 3; ++together)
        growth.failed(t0, true);
    CHECK(growth.exhausted());
    auto pause = first_pause;
    auto now = t0;
    for (int attempt = 0; attempt < 12; ++attempt) {
        INFO("attempt " << attempt);
        CHECK(growth.next_at() == now + pause);
        CHECK_FALSE(growth.start(now + pause - 1ns));
        now += pause;
        CHECK(growth.start(now));
        CHECK_FALSE(growth.start(now)); // it has been claimed
        growth.failed(now, false);
        CHECK_FALSE(growth.exhausted());
        pause = std::min<growth_schedule::duration>(2 * pause, longest_pause);
    }
    CHECK(pause == longest_pause);
    growth.succeeded();
    CHECK(growth.start(now));
    CHECK(growth.start(now));
    growth.failed(now, true);
    CHECK(growth.next_at() == now + first_pause);
}

TEST_CASE("an attempt that never ends does not keep the pool from growing") {
    growth_schedule growth;
    growth.failed(t0, false);
    CHECK(growth.start(t0 + first_pause));
    CHECK_FALSE(growth.start(t0 + 2 * first_pause - 1ns));
    CHECK(growth.start(t0 + 2 * first_pause));
}

TEST_CASE("an opener that fails waits when another connection can serve it, or fails at once") {
    struct row {
        const char* name;
        std::size_t opening, open, idle; // besides
        shortage lack;
        bool closed;
        bool waits;
        admission others_get; // those who come next, before the pause is over
    };
    const row rows[] = {
        {"the server is down", 0, 0, 0, shortage::none, false, false, admission::open},
        {"the server may be down", 1, 0, 0, shortage::none, false, false, admission::open},
        {"no descriptor, none open", 0, 0, 0, shortage::memory, false, true, admission::wait},
        {"the server refuses one more", 0, 1, 0, shortage::none, false, true, admission::wait},
        {"the server refuses some more", 1, 1, 0, shortage::none, false, true, admission::wait},
        {"no descriptor for one more", 0, 1, 0, shortage::memory, false, true, admission::wait},
        {"another one has become idle", 0, 0, 1, shortage::none, false, true, admission::reuse},
        {"closed meanwhile", 0, 1, 0, shortage::memory, true, false, admission::closed},
    };
    for (const auto& r : rows) {
        INFO(r.name);
        pool_core core({8, 0, 100, 20s});
        std::array<pooled, 3> nodes;
        pool_core::doomed out;
        begin_opening(core, nodes[0]);
        if (r.opening == 1) begin_opening(core, nodes[2]);
        if (r.open + r.idle == 1) open(core, nodes[1]);
        if (r.idle == 1) CHECK(core.release(nodes[1], t0, true).what == fate::parked);
        if (r.closed) core.close();
        CHECK(core.open_failed(nodes[0], t0, r.lack) == r.waits);
        CHECK(core.busy() == r.opening + r.open + (r.waits ? 0 : 1));
        if (!r.waits) CHECK(core.release(nodes[0], t0, false).what == fate::retired);
        CHECK(core.admit(t0, out).what == r.others_get);
    }
}

TEST_CASE("while growth fails, waiters get the connections that come back, and one new attempt") {
    for (const auto lack : {shortage::none, shortage::address, shortage::memory}) {
        pool_core core({8, 0, 100, 20s});
        std::array<pooled, 4> nodes;
        std::array<queued, 3> waiters;
        open(core, nodes[0]);
        begin_opening(core, nodes[1]);
        CHECK(core.next_growth() == steady_time::max());
        REQUIRE(core.open_failed(nodes[1], t0, lack));
        for (auto& w : waiters)
            core.enqueue(w, t0, t0 + 5s);
        CHECK(core.next_growth() == t0 + first_pause);
        CHECK_FALSE(core.may_grow(t0));
        CHECK(core.release(nodes[0], t0, true).to == &waiters[0]);

        REQUIRE(core.may_grow(t0 + first_pause));
        CHECK(&core.grant(nodes[2], t0 + first_pause) == &waiters[2]); // it would wait longest
        CHECK(waiters[2].granted == &nodes[2]);
        CHECK(nodes[2].deadline == t0 + 5s);
        CHECK_FALSE(core.may_grow(t0 + first_pause)); // not before this one has succeeded

        core.opened(nodes[2]);
        REQUIRE(core.may_grow(t0 + first_pause));
        CHECK(&core.grant(nodes[3], t0 + first_pause) == &waiters[1]);
        CHECK_FALSE(core.may_grow(t0 + first_pause)); // no waiter is left
        CHECK(core.next_growth() == steady_time::max());
    }
}

TEST_CASE("a pool without a connection and without descriptors asks again until it has one") {
    pool_core core({8, 0, 100, 20s});
    std::array<pooled, 3> nodes;
    std::array<queued, 2> waiters;
    pool_core::doomed out;
    begin_opening(core, nodes[0]);
    REQUIRE(core.open_failed(nodes[0], t0, shortage::memory));
    CHECK(core.busy() == 0);
    for (auto& w : waiters) {
        REQUIRE(core.admit(t0, out).what == admission::wait);
        w.after_failure = true;
        core.enqueue(w, t0, t0 + 5s);
    }
    REQUIRE(core.may_grow(t0 + first_pause));
    CHECK(&core.grant(nodes[1], t0) == &waiters[0]);
    CHECK_FALSE(core.may_grow(t0 + first_pause));
    REQUIRE(core.open_failed(nodes[1], t0 + first_pause, shortage::memory));
    CHECK(core.next_growth() == t0 + 3 * first_pause);
    REQUIRE(core.may_grow(t0 + 3 * first_pause));
    CHECK(&core.grant(nodes[2], t0) == &waiters[1]);
    // There are descriptors now, but no server.
    core.enqueue(waiters[0], t0, t0 + 5s);
    CHECK_FALSE(core.open_failed(nodes[2], t0 + 3 * first_pause, shortage::none));
    CHECK(core.pop_failed_waiter() == &waiters[0]);
    CHECK(core.pop_failed_waiter() == nullptr);
}

TEST_CASE("the last connection that cannot be opened fails those who have failed before, only") {
    pool_core core({2, 0, 100, 20s});
    std::array<pooled, 2> nodes;
    std::array<queued, 4> waiters;
    begin_opening(core, nodes[0]);
    open(core, nodes[1]);
    core.enqueue(waiters[0], t0, t0 + 5s); // no more connections are allowed
    REQUIRE(core.open_failed(nodes[0], t0, shortage::none));
    for (const std::size_t i : {1U, 2U, 3U}) {
        waiters[i].after_failure = true;
        core.enqueue(waiters[i], t0, t0 + 5s);
    }
    CHECK(core.leave(waiters[2]));
    core.opening(nodes[1]); // the server has closed it
    CHECK_FALSE(core.open_failed(nodes[1], t0, shortage::none));
    CHECK(core.pop_failed_waiter() == &waiters[1]);
    CHECK(core.pop_failed_waiter() == &waiters[3]);
    CHECK(core.pop_failed_waiter() == nullptr);
    const auto end = core.release(nodes[1], t0, false);
    CHECK(end.what == fate::handed); // has not tried yet
    CHECK(end.to == &waiters[0]);
}

TEST_CASE("a lack of addresses is a shortage only once a connection has been opened") {
    pool_core core({8, 0, 100, 20s});
    std::array<pooled, 2> nodes;
    begin_opening(core, nodes[0]);
    CHECK_FALSE(core.open_failed(nodes[0], t0, shortage::address)); // IPv6 may be switched off
    CHECK(core.release(nodes[0], t0, false).what == fate::retired);
    open(core, nodes[0]);
    CHECK(core.release(nodes[0], t0, false).what == fate::retired);
    begin_opening(core, nodes[1]);
    CHECK(core.open_failed(nodes[1], t0, shortage::address)); // local ports
}

TEST_CASE("an exchange whose connection could not be opened waits before the others, in its turn") {
    pool_core core({8, 0, 2, 20s});
    std::array<pooled, 4> nodes;
    std::array<queued, 4> waiters;
    pool_core::doomed out;
    for (std::size_t i : {0U, 1U, 2U})
        begin_opening(core, nodes[i]);
    core.opened(nodes[0]);
    core.enqueue(waiters[0], t0, t0 + 5s);
    core.enqueue(waiters[1], t0, t0 + 5s);
    for (std::size_t i : {1U, 2U}) {
        REQUIRE(core.open_failed(nodes[i], t0, shortage::none));
        CHECK(core.admit(t0, out).what == admission::overloaded); // the queue is full
        REQUIRE(core.readmit(t0, out).what == admission::wait);
        waiters[1 + i].after_failure = true;
        core.enqueue(waiters[1 + i], t0, t0 + 5s);
    }
    CHECK(core.waiting() == 4);
    for (const std::size_t next : {2U, 3U, 0U, 1U})
        CHECK(core.release(nodes[0], t0, true).to == &waiters[next]);
    core.close();
    CHECK(core.readmit(t0, out).what == admission::closed);
}

TEST_CASE("where opening fails new exchanges wait behind the others") {
    pool_core core({8, 0, 100, 20s});
    std::array<pooled, 2> nodes;
    queued waiter;
    pool_core::doomed out;
    open(core, nodes[0]);
    begin_opening(core, nodes[1]);
    REQUIRE(core.open_failed(nodes[1], t0, shortage::none));
    core.enqueue(waiter, t0, t0 + 5s);
    CHECK(core.admit(t0 + first_pause, out).what == admission::wait);
    CHECK(core.may_grow(t0 + first_pause)); // for the waiter
}

TEST_CASE("a connection that is cut when it has just been opened is not one that can serve") {
    pool_core core({8, 0, 100, 20s});
    pooled node;
    open(core, node);
    CHECK_FALSE(core.open_failed(node, t0, shortage::none));
}

TEST_CASE("no more connections than allowed are opened while growth fails and recovers") {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        pool_core core({3, 0, 100, 20s});
        std::array<pooled, 3> nodes;
        std::array<queued, 20> waiters;
        std::vector<pooled*> unused, busy;
        for (auto& node : nodes)
            unused.push_back(&node);
        pool_core::doomed out;
        auto now = t0;
        std::size_t next_waiter = 0;
        for (int step = 0; step < 100; ++step) {
            now += std::chrono::milliseconds(random() % 20);
            const auto pick = [&] {
                return busy.begin() + static_cast<long>(random() % busy.size());
            };
            switch (random() % 4) {
            case 0: {
                const auto answer = core.admit(now, out);
                if (answer.what == admission::open) {
                    REQUIRE_FALSE(unused.empty());
                    busy.push_back(unused.back());
                    unused.pop_back();
                    core.adopt(*busy.back(), now);
                } else if (answer.what == admission::reuse) {
                    busy.push_back(answer.connection);
                } else if (answer.what == admission::wait && next_waiter < waiters.size()) {
                    core.enqueue(waiters[next_waiter++], now, steady_time::max());
                }
                break;
            }
            case 1:
                if (busy.empty()) break;
                if (const auto at = pick(); core.open_failed(**at, now, shortage(random() % 3))) {
                    unused.push_back(*at);
                    busy.erase(at);
                }
                break;
            case 2:
                if (busy.empty()) break;
                if (const auto at = pick(); true) {
                    core.opened(**at);
                    const auto end = core.release(**at, now, random() % 2 == 0);
                    if (end.what == fate::retired) unused.push_back(*at);
                    if (end.what != fate::handed) busy.erase(at);
                }
                break;
            default:
                while (core.may_grow(now)) {
                    REQUIRE_FALSE(unused.empty());
                    busy.push_back(unused.back());
                    unused.pop_back();
                    (void)core.grant(*busy.back(), now);
                }
            }
            REQUIRE(core.busy() == busy.size());
            REQUIRE(core.busy() + core.idle() <= 3);
            REQUIRE((core.idle() == 0 || core.waiting() == 0));
        }
        // Whatever has happened, those who wait are served once connections can be opened again.
        while (core.waiting() != 0) {
            if (!busy.empty()) {
                core.opened(*busy.back());
                if (core.release(*busy.back(), now, true).what != fate::handed) busy.pop_back();
                continue;
            }
            REQUIRE(core.next_growth() != steady_time::max());
            now = std::max(now, core.next_growth());
            REQUIRE(core.may_grow(now));
            busy.push_back(unused.back());
            unused.pop_back();
            (void)core.grant(*busy.back(), now);
        }
    }
}
