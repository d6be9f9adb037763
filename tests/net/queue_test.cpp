// SPDX-License-Identifier: BSL-1.0
// Waiting for a connection when there are too many: who is turned away, and at once; and closing
// while others hold connections.
#include "support/harness.hpp"
#include "support/stub_server.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <catch2/catch.hpp>
#include <deque>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

stub_config slow(std::chrono::milliseconds delay) {
    return {.answer = [delay](const std::string&) {
        std::this_thread::sleep_for(delay);
        return response("ok");
    }};
}

struct fixture {
    fixture(stub_config script, std::size_t connections) : server(std::move(script)) {
        net::pool_config config;
        config.max_connections = connections;
        transport = net::make_transport(loopback(server.port()), config, {}, {});
    }

    struct ended {
        int id;
        net::send_outcome outcome;
        steady::duration took;
    };

    void spawn(int id, steady::duration left) {
        net::send_options options;
        const auto started = steady::now();
        options.deadline = started + left;
        asio::co_spawn(io, transport->send(exchanges.emplace_back(), options),
                       [this, id, started](std::exception_ptr, net::send_outcome o) {
                           all.push_back({id, std::move(o), steady::now() - started});
                       });
    }
    void run_all() {
        io.restart();
        io.run_for(20s);
    }
    [[nodiscard]] int count(boost::system::error_code code) const {
        return static_cast<int>(std::count_if(
            all.begin(), all.end(), [&](const ended& e) { return e.outcome.code == code; }));
    }

    stub_server server;
    asio::io_context io;
    std::shared_ptr<net::transport> transport;
    std::deque<remembering_exchange> exchanges;
    std::vector<ended> all;
};

} // namespace

TEST_CASE("who would wait in vain is told at once, and why") {
    fixture f(slow(5ms), 2);
    for (int i = 0; i < 40; ++i)
        f.spawn(i, 10s);
    f.run_all();
    REQUIRE(f.count({}) == 40);
    f.all.clear();

    for (int i = 0; i < 200; ++i) // 2 in 5 ms: within 100 ms no more than 40
        f.spawn(i, 100ms);
    f.run_all();
    REQUIRE(f.all.size() == 200);
    const int refused = f.count(errc::overloaded);
    INFO(f.count({}) << " served, " << refused << " refused, " << f.count(errc::timeout)
                     << " too late");
    CHECK(f.count({}) + refused + f.count(errc::timeout) == 200);
    CHECK(f.count({}) >= 15);
    CHECK(refused > 100);
    for (const auto& [id, outcome, took] : f.all) {
        if (outcome.code != errc::overloaded) continue;
        CHECK(took < 60ms);
        CHECK_FALSE(outcome.sent);
        CHECK_THAT(outcome.message,
                   Catch::StartsWith("the deadline would pass before a connection to 127.0.0.1:"));
        CHECK_THAT(outcome.message, Catch::Contains(" exchanges wait for 2 connections, each held "
                                                    "for about ") &&
                                        Catch::Contains(" ms are left"));
    }

    f.all.clear();
    for (int i = 0; i < 200; ++i)
        f.spawn(i, 10s); // time enough
    f.run_all();
    CHECK(f.count({}) == 200);
}

TEST_CASE("nobody is refused by a guess before there have been exchanges") {
    fixture f(slow(20ms), 1);
    for (int i = 0; i < 30; ++i)
        f.spawn(i, 150ms);
    f.run_all();
    CHECK(f.count(errc::overloaded) == 0);
    CHECK(f.count({}) >= 3);
    CHECK(f.count({}) + f.count(errc::timeout) == 30);
}

TEST_CASE("one slow exchange turns nobody away") {
    std::atomic<int> n{0};
    fixture f({.answer =
                   [&n](const std::string&) {
                       if (++n == 60) std::this_thread::sleep_for(300ms);
                       return response("ok");
                   }},
              1);
    for (int i = 0; i < 60; ++i)
        f.spawn(i, 10s);
    f.run_all();
    for (int i = 0; i < 50; ++i)
        f.spawn(i, 200ms);
    f.run_all();
    CHECK(f.count({}) == 110);
}

TEST_CASE("those who wait are served in the order of their coming, on several connections") {
    fixture f(slow(2ms), 3);
    std::vector<int> begun;
    for (int i = 0; i < 60; ++i) {
        f.spawn(i, 10s);
        f.exchanges.back().on_write = [&begun, i] { begun.push_back(i); };
    }
    f.run_all();
    REQUIRE(begun.size() == 60);
    // The first three open connections, in whatever order those come about.
    CHECK(std::is_sorted(begun.begin() + 3, begun.end()));
}

TEST_CASE("close does not wait for a context that has been stopped") {
    for (const bool before : {true, false}) {
        fixture f({.connections = {{wait_end()}}}, 2);
        asio::io_context other;
        auto keep_running = asio::make_work_guard(other);
        remembering_exchange held;
        bool held_done = false;
        asio::co_spawn(other, f.transport->send(held, {}),
                       [&](std::exception_ptr, net::send_outcome) { held_done = true; });
        while (f.server.connections() == 0)
            other.run_one_for(10ms);
        other.run_for(20ms);
        REQUIRE(f.transport->stats().open == 1);
        bool closed = false;
        if (before) other.stop();
        asio::co_spawn(f.io, f.transport->close(), [&](std::exception_ptr) { closed = true; });
        f.io.run_for(60ms);
        CHECK(closed == before);
        other.stop();
        f.io.restart();
        f.io.run_for(200ms);
        CHECK(closed);
        CHECK_FALSE(held_done);
        const auto started = steady::now();
        f.io.restart();
        f.io.run();
        CHECK(steady::now() - started < 100ms); // no timer is left behind
    }
}

TEST_CASE("close waits for exchanges on a context that runs") {
    fixture f(slow(80ms), 2);
    f.spawn(1, 10s);
    f.io.run_for(20ms);
    const auto started = steady::now();
    run(f.io, f.transport->close());
    CHECK(steady::now() - started >= 40ms);
    f.run_all();
    CHECK(f.count({}) == 1);
}
