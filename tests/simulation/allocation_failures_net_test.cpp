// SPDX-License-Identifier: BSL-1.0
// Each allocation of the transport's cores fails once: std::bad_alloc comes out, nothing leaks, and
// the same wire reads the next response.
#include "allocation_checks.hpp"
#include "net/pool_core.hpp"
#include "net/wire.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <string_view>

using namespace codynamo;
using namespace codynamo::test;
using namespace std::chrono_literals;

TEST_CASE("the response parser survives every failing allocation and reads the next response") {
    const std::string body = long_text('b') + long_text('c');
    std::string text =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Long: " + long_text('x') +
        "\r\n folded\r\n\r\n";
    text += "64\r\n" + long_text('b') + "\r\n64\r\n" + long_text('c') + "\r\n0\r\n\r\n";
    const auto exchange = [&](net::wire& over) {
        over.reset();
        over.begin();
        over.head() = "POST / HTTP/1.1\r\nHost: a host with a name that is long\r\n\r\n";
        over.body() = long_text('q');
        (void)over.request();
        net::advance state = net::advance::more;
        for (std::string_view rest = text; state == net::advance::more && !rest.empty();) {
            const auto space = over.space();
            const std::size_t n = std::min({space.size(), rest.size(), std::size_t{7}});
            std::copy_n(rest.data(), n, space.data());
            rest.remove_prefix(n);
            state = over.received(n);
        }
        return state == net::advance::done && over.response().body == body;
    };
    const net::origin server{false, "host", 80};
    check(
        "read a response", 3,
        [&] {
            net::wire made(server, net::pool_config(), nullptr);
            return exchange(made);
        },
        nothing_to_keep);
    // The same wire goes on after each failure; what it keeps for later is not a leak, so it is
    // made anew with it.
    for (std::size_t n = 1;; ++n) {
        net::wire kept(server, net::pool_config(), nullptr);
        bool happened = false;
        {
            const test::failing_allocation one(n);
            try {
                (void)exchange(kept);
            } catch (const std::bad_alloc&) {
            }
            happened = one.happened();
        }
        CHECK(exchange(kept));
        if (!happened) break;
    }
}

TEST_CASE("the connection pool decides without allocating") {
    check(
        "pool decisions", 0,
        [] {
            net::pool_core pool({.max_connections = 1, .min_idle = 0, .max_waiting = 5});
            const net::steady_time now{1h};
            net::pool_core::doomed doomed;
            net::pooled connection;
            std::array<net::queued, 3> waiters;
            (void)pool.admit(now, doomed);
            pool.adopt(connection);
            for (net::queued& one : waiters) {
                (void)pool.admit(now, doomed);
                pool.enqueue(one, now, now + 1s);
            }
            pool.leave(waiters[1]);
            (void)pool.release(connection, now, true);
            (void)pool.expire_waiter(now + 2s);
            (void)pool.release(connection, now, false);
            return pool.busy() + pool.idle() + pool.waiting();
        },
        nothing_to_keep);
    bool allocated = false;
    {
        const test::failing_allocation first(1);
        net::pool_core pool({.max_connections = 1, .min_idle = 0, .max_waiting = 5});
        net::queued waiter;
        pool.enqueue(waiter, net::steady_time{}, net::steady_time{1h});
        pool.leave(waiter);
        allocated = first.happened();
    }
    CHECK_FALSE(allocated);
}
