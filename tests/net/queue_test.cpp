// SPDX-License-Identifier: BSL-1.0
// Waiting for a connection when there are too many: who is turned away, and at once; and closing
// while others hold connections.
#include "support/catch.hpp"
#include "support/harness.hpp"
#include "support/stub_server.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

/// Answers after a delay, and not at all while it is closed.
class gate {
public:
    explicit gate(std::chrono::milliseconds delay) : delay_(delay) {}
    ~gate() { open(); }

    void close() { closed_ = true; }
    void open() {
        closed_ = false;
        closed_.notify_all();
    }
    [[nodiscard]] stub_config script() {
        return {.answer = [this](const std::string&) {
            std::this_thread::sleep_for(delay_);
            closed_.wait(true);
            return response("ok");
        }};
    }

private:
    std::chrono::milliseconds delay_;
    std::atomic<bool> closed_ = false;
};

struct fixture {
    fixture(stub_config script, std::size_t connections) : server(std::move(script)) {
        net::pool_config config;
        config.max_connections = connections;
        transport = net::make_transport(loopback(server.port()), config, {}, {});
    }

    struct ended {
        int id;
        net::send_outcome outcome;
    };

    void spawn(int id, steady::duration left) {
        net::send_options options;
        options.deadline = steady::now() + left;
        asio::co_spawn(io, transport->send(exchanges.emplace_back(), options),
                       [this, id](std::exception_ptr, net::send_outcome o) {
                           all.push_back({id, std::move(o)});
                           if (on_end) on_end(all.back());
                       });
    }
    void run_all() {
        io.restart();
        io.run_for(20s);
    }
    void run_until_ended(std::size_t wanted) {
        io.restart();
        while (all.size() < wanted && io.run_one_for(20s) != 0) {
        }
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
    std::function<void(const ended&)> on_end;
};

} // namespace

TEST_CASE("a request that cannot be served before its deadline fails immediately, and says why") {
    gate answers(5ms);
    fixture f(answers.script(), 2);
    for (int i = 0; i < 40; ++i)
        f.spawn(i, 10s);
    f.run_all();
    REQUIRE(f.count({}) == 40);
    f.all.clear();

    // Each exchange holds one of 2 connections for 5 ms or more, so at most 40 of them fit into 100
    // ms. Nothing is answered before the refusals: they depend on no answer.
    constexpr int least_refused =
        100; // also when the estimate has halved because the machine is slow
    answers.close();
    f.on_end = [&](const fixture::ended&) {
        if (f.count(errc::overloaded) == least_refused) answers.open();
    };
    for (int i = 0; i < 200; ++i)
        f.spawn(i, 100ms);
    asio::steady_timer never_refused(f.io, 10s);
    never_refused.async_wait([&](boost::system::error_code) { answers.open(); });
    f.run_until_ended(200);
    never_refused.cancel();
    f.run_all();
    f.on_end = {};
    const int refused = f.count(errc::overloaded);
    INFO(f.count({}) << " served, " << refused << " refused, " << f.count(errc::timeout)
                     << " too late");
    CHECK(f.count({}) + refused + f.count(errc::timeout) == 200);
    CHECK(refused >= least_refused);
    CHECK(refused < 200); // the connections are in use, not idle
    int late = 0;
    for (const auto& [id, outcome] : f.all) {
        if (outcome.code != errc::overloaded) continue;
        CHECK_FALSE(outcome.sent);
        if (outcome.message.find("too late") != std::string::npos) {
            ++late;
            CHECK_THAT(outcome.message,
                       Catch::StartsWith("a connection to 127.0.0.1:") &&
                           Catch::Contains(" became free after ") &&
                           Catch::Contains(" ms, too late: exchanges take up to "));
            continue;
        }
        CHECK_THAT(outcome.message,
                   Catch::StartsWith("the deadline would pass before a connection to 127.0.0.1:"));
        CHECK_THAT(outcome.message, Catch::Contains(" exchanges wait for 2 connections, each held "
                                                    "for about ") &&
                                        Catch::Contains(" ms are left"));
    }
    const auto first_refused = std::find_if(f.all.begin(), f.all.end(), [](const auto& each) {
        return each.outcome.code == errc::overloaded;
    });
    CHECK(refused - late >= least_refused);
    CHECK(first_refused == f.all.begin()); // before anything was served or timed out

    f.all.clear();
    for (int i = 0; i < 200; ++i)
        f.spawn(i, 10s); // time enough
    f.run_all();
    CHECK(f.count({}) == 200);
}

TEST_CASE("nothing is refused by an estimate before there have been exchanges") {
    gate answers(20ms);
    fixture f(answers.script(), 1);
    for (int i = 0; i < 30; ++i)
        f.spawn(i, 150ms);
    f.run_all();
    REQUIRE(f.all.size() == 30);
    CHECK_FALSE(f.all.front().outcome.code); // who is refused on arrival ends before
    CHECK(f.count({}) + f.count(errc::overloaded) + f.count(errc::timeout) == 30);
}

TEST_CASE("one slow exchange causes no refusal") {
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
        f.spawn(i, 500ms); // an estimate moved by 300 / 16 ms would want 900 ms for 50
    f.run_all();
    CHECK(f.count(errc::overloaded) == 0);
    CHECK(f.all.size() == 110);
}

TEST_CASE("those who wait are served in the order of their coming, on several connections") {
    gate answers(2ms);
    fixture f(answers.script(), 3);
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
    gate answers(80ms);
    fixture f(answers.script(), 2);
    f.spawn(1, 10s);
    f.io.run_for(20ms);
    const auto started = steady::now();
    run(f.io, f.transport->close());
    CHECK(steady::now() - started >= 40ms);
    f.run_all();
    CHECK(f.count({}) == 1);
}
