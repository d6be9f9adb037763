// SPDX-License-Identifier: BSL-1.0
// Who gets a connection, who waits, and what is not used again; on real sockets.
#include "support/catch.hpp"
#include "support/harness.hpp"
#include "support/stub_server.hpp"
#include "support/tap.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

/// Real time, and a leap when the test says so.
class leaping_clock final : public codynamo::clock {
public:
    timestamp now() const noexcept override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    std::chrono::steady_clock::time_point steady_now() const noexcept override {
        return std::chrono::steady_clock::now() + leap_.load();
    }
    asio::awaitable<void> sleep_until(std::chrono::steady_clock::time_point) const override {
        throw std::logic_error("the transport has no business sleeping");
    }
    void leap(std::chrono::steady_clock::duration by) { leap_ = leap_.load() + by; }

private:
    std::atomic<std::chrono::steady_clock::duration> leap_{};
};

stub_config echoing() {
    return {.answer = [](const std::string& request) {
        return response(request.substr(0, request.find(" HTTP")));
    }};
}

stub_config slow(std::chrono::milliseconds delay) {
    return {.answer = [delay](const std::string& request) {
        std::this_thread::sleep_for(delay);
        return response(request.substr(0, request.find(" HTTP")));
    }};
}

struct fixture {
    explicit fixture(stub_config script, net::pool_config config = {}) : server(std::move(script)) {
        environment env = testing_support::tapped();
        env.time = time;
        transport = net::make_transport(loopback(server.port()), config, {}, env);
    }

    net::send_outcome send(net::exchange& what, net::send_options options = {}) {
        return run(io, transport->send(what, options));
    }
    net::send_outcome send(net::send_options options = {}) {
        remembering_exchange what;
        return send(what, options);
    }
    void wait(std::chrono::milliseconds time_span) {
        asio::steady_timer timer(io, time_span);
        timer.async_wait([](boost::system::error_code) {});
        io.restart();
        io.run_for(time_span);
    }

    std::shared_ptr<leaping_clock> time = std::make_shared<leaping_clock>();
    stub_server server;
    asio::io_context io;
    std::shared_ptr<net::transport> transport;
};

/// The server under a name, which stands for `address`.
struct named_fixture : fixture {
    explicit named_fixture(stub_config script) : fixture(std::move(script)) {
        environment env = testing_support::tapped();
        env.time = time;
        net::network_config network;
        network.resolve = [this](std::string) { return answer(this); };
        transport = net::make_transport({false, "db.example", server.port()}, {}, {}, env, network);
    }
    static asio::awaitable<std::vector<std::string>> answer(named_fixture* self) {
        std::vector<std::string> only;
        only.push_back(self->address);
        co_return only;
    }

    std::string address = "127.0.0.1";
};

} // namespace

TEST_CASE("a connection is kept and used again") {
    fixture f(echoing());
    for (int i = 0; i < 10; ++i)
        REQUIRE_FALSE(f.send().code);
    CHECK(f.server.connections() == 1);
    const auto stats = f.transport->stats();
    CHECK(stats.open == 1);
    CHECK(stats.idle == 1);
    CHECK(stats.opened == 1);
    CHECK(stats.reused == 9);
    CHECK(stats.replayed == 0);
}

TEST_CASE("waiters are served in order on few connections") {
    net::pool_config config;
    config.max_connections = 1;
    fixture f(slow(1ms), config);
    std::vector<int> order;
    int left = 20;
    std::vector<remembering_exchange> exchanges(20);
    for (int i = 0; i < 20; ++i)
        asio::co_spawn(f.io, f.transport->send(exchanges[static_cast<std::size_t>(i)], {}),
                       [&, i](std::exception_ptr e, net::send_outcome outcome) {
                           CHECK_FALSE(e);
                           CHECK_FALSE(outcome.code);
                           order.push_back(i);
                           --left;
                       });
    f.io.poll();
    CHECK(f.transport->stats().waiting == 19);
    f.io.run_for(5s);
    REQUIRE(left == 0);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(f.server.connections() == 1);
    CHECK(f.transport->stats().waiting == 0);
}

TEST_CASE("thousands wait on a few connections, each gets his own answer") {
    net::pool_config config;
    config.max_connections = 8;
    fixture f(echoing(), config);
    int right = 0;
    std::vector<remembering_exchange> exchanges;
    for (int i = 0; i < 5000; ++i)
        exchanges.emplace_back("/" + std::to_string(i));
    for (std::size_t i = 0; i < exchanges.size(); ++i)
        asio::co_spawn(f.io, f.transport->send(exchanges[i], {}),
                       [&, i](std::exception_ptr, net::send_outcome outcome) {
                           if (!outcome.code && exchanges[i].body == "POST /" + std::to_string(i))
                               ++right;
                       });
    f.io.run_for(20s);
    CHECK(right == 5000);
    CHECK(f.server.connections() == 8);
}

TEST_CASE("too many waiters are refused at once") {
    net::pool_config config;
    config.max_connections = 1;
    config.max_waiting = 2;
    fixture f(slow(20ms), config);
    int overloaded = 0;
    int fine = 0;
    std::vector<remembering_exchange> exchanges(5);
    for (auto& exchange : exchanges)
        asio::co_spawn(f.io, f.transport->send(exchange, {}),
                       [&](std::exception_ptr, net::send_outcome outcome) {
                           if (outcome.code == errc::overloaded && !outcome.sent) ++overloaded;
                           if (!outcome.code) ++fine;
                       });
    f.io.run_for(5s);
    CHECK(overloaded == 2);
    CHECK(fine == 3);
}

TEST_CASE("an old connection is replaced after max_age, less a tenth") {
    net::pool_config config;
    config.max_age = 1000ms;
    fixture f(echoing(), config);
    REQUIRE_FALSE(f.send().code);
    f.time->leap(500ms);
    REQUIRE_FALSE(f.send().code);
    CHECK(f.server.connections() == 1);
    f.time->leap(1000ms);
    REQUIRE_FALSE(f.send().code);
    CHECK(f.server.connections() == 2);
}

TEST_CASE("a connection that was idle for too long is not used, unless min_idle keeps it") {
    for (const std::size_t min_idle : {std::size_t{0}, std::size_t{1}}) {
        net::pool_config config;
        config.idle_limit = 1000ms;
        config.min_idle = min_idle;
        fixture f(echoing(), config);
        REQUIRE_FALSE(f.send().code);
        f.time->leap(1500ms);
        REQUIRE_FALSE(f.send().code);
        CHECK(f.server.connections() == 2 - min_idle);
        CHECK(f.transport->stats().open == 1);
    }
}

TEST_CASE("a dead idle connection is noticed before use") {
    const auto ways = {std::vector<act>{read_request(), say(response("ok")), end()},
                       std::vector<act>{read_request(), say(response("ok")), pause(2ms), reset()},
                       std::vector<act>{read_request(), say(response("ok")), pause(2ms),
                                        say("HTTP/1.1 408 Too late\r\n\r\n"), end()}};
    for (const auto& way : ways) {
        fixture f({.connections = {way, {read_request(), say(response("ok")), wait_end()}}});
        REQUIRE_FALSE(f.send().code);
        f.wait(30ms);
        remembering_exchange second;
        const auto outcome = f.send(second); // not replay safe
        INFO(outcome.message);
        CHECK_FALSE(outcome.code);
        CHECK(second.writes == 1);
        CHECK(f.transport->stats().replayed == 0);
        CHECK(f.server.connections() == 2);
    }
}

TEST_CASE("when all idle connections are dead they are all dropped for a fresh one") {
    fixture f(slow(10ms));
    std::vector<remembering_exchange> exchanges(8);
    for (auto& exchange : exchanges)
        asio::co_spawn(f.io, f.transport->send(exchange, {}), [](auto, auto) {});
    f.io.run_for(500ms);
    REQUIRE(f.transport->stats().idle == 8);
    f.server.end_all();
    f.wait(30ms);
    REQUIRE_FALSE(f.send().code);
    CHECK(f.server.connections() == 9);
    CHECK(f.transport->stats().open == 1);
}

TEST_CASE("a request on a connection that ends meanwhile is replayed once, if that is safe") {
    // The server reads the second request and ends without a word.
    const std::vector<act> dying{read_request(), say(response("one")), read_request(), end()};
    const std::vector<act> living{read_request(), say(response("two")), wait_end()};
    const std::vector<act> mute{read_request(), end()};

    SECTION("safe") {
        fixture f({.connections = {dying, living}});
        REQUIRE_FALSE(f.send().code);
        remembering_exchange second;
        const auto outcome = f.send(second, {.replay_safe = true});
        REQUIRE_FALSE(outcome.code);
        CHECK(second.body == "two");
        CHECK(second.writes == 2);
        CHECK(second.reads == 1);
        CHECK(f.transport->stats().replayed == 1);
        CHECK(f.transport->stats().open == 1);
    }
    SECTION("safe, but the fresh one dies too: not a second time") {
        fixture f({.connections = {dying, mute}});
        REQUIRE_FALSE(f.send().code);
        remembering_exchange second;
        const auto outcome = f.send(second, {.replay_safe = true});
        CHECK(outcome.code == errc::connection_lost);
        CHECK(outcome.sent);
        CHECK(second.writes == 2);
        CHECK(f.transport->stats().open == 0);
    }
    SECTION("not safe") {
        fixture f({.connections = {dying, living}});
        REQUIRE_FALSE(f.send().code);
        remembering_exchange second;
        const auto outcome = f.send(second);
        CHECK(outcome.code == errc::connection_lost);
        CHECK(outcome.sent);
        CHECK(second.writes == 1);
        CHECK(f.transport->stats().replayed == 0);
        CHECK(f.server.connections() == 1);
    }
    SECTION("never after the first byte of a response") {
        fixture f({.connections = {{read_request(), say(response("one")), read_request(),
                                    say("HTTP/1.1 200"), end()},
                                   living}});
        REQUIRE_FALSE(f.send().code);
        const auto outcome = f.send({.replay_safe = true});
        CHECK(outcome.code == errc::connection_lost);
        CHECK(f.server.connections() == 1);
    }
    SECTION("never on a fresh connection") {
        fixture f({.connections = {mute, living}});
        CHECK(f.send({.replay_safe = true}).code == errc::connection_lost);
        CHECK(f.server.connections() == 1);
    }
}

TEST_CASE("a replay remembers what had been sent before it") {
    const std::vector<act> dying{read_request(), say(response("one")), read_request(), end()};
    const std::vector<act> gone{read_request(), say(response("one")), pause(2ms), reset()};
    const std::vector<act> living{read_request(), say(response("two")), wait_end()};
    const std::vector<act> mute{read_request(), end()};
    struct row {
        const char* name;
        const std::vector<act>& first;
        const std::vector<act>* fresh; // null: cannot be reached
        boost::system::error_code code;
        int writes;
        bool sent, sent_twice;
    };
    const row rows[] = {
        {"died, then answered", dying, &living, {}, 2, true, true},
        {"died, then died", dying, &mute, errc::connection_lost, 2, true, true},
        {"died, then unreachable", dying, nullptr, errc::connect_failed, 1, true, false},
        {"gone, then answered", gone, &living, {}, 2, true, false},
        {"gone, then died", gone, &mute, errc::connection_lost, 2, true, false},
        {"gone, then unreachable", gone, nullptr, errc::connect_failed, 1, false, false},
    };
    for (const auto& r : rows) {
        INFO(r.name);
        named_fixture f({.connections = {r.first, r.fresh ? *r.fresh : mute}});
        const auto first = f.send();
        REQUIRE_FALSE(first.code);
        CHECK_FALSE(first.sent_twice);
        if (&r.first == &gone) {
            f.wait(30ms);
            f.time->leap(-1000ms); // so that it is used without a look at it
        }
        if (!r.fresh) f.address = "127.0.0.9"; // where nobody listens
        remembering_exchange second;
        const auto outcome = f.send(second, {.replay_safe = true});
        INFO(outcome.message);
        CHECK(outcome.code == r.code);
        CHECK(second.writes == r.writes);
        CHECK(outcome.sent == r.sent);
        CHECK(outcome.sent_twice == r.sent_twice);
        CHECK(f.transport->stats().replayed == 1);
    }
}

TEST_CASE("close fails who waits, lets finish who is on the wire, and refuses the rest") {
    net::pool_config config;
    config.max_connections = 1;
    fixture f(slow(30ms), config);
    std::vector<remembering_exchange> exchanges(3);
    std::vector<boost::system::error_code> codes;
    for (auto& exchange : exchanges)
        asio::co_spawn(f.io, f.transport->send(exchange, {}),
                       [&](std::exception_ptr, net::send_outcome o) { codes.push_back(o.code); });
    f.wait(10ms);
    bool closed = false;
    asio::co_spawn(f.io, f.transport->close(), [&](const std::exception_ptr&) { closed = true; });
    f.io.restart();
    f.io.poll();
    CHECK(f.transport->stats().waiting == 0); // while the first one is still on the wire
    while (!closed && f.io.run_one_for(10s) != 0) {
    }
    REQUIRE(closed);
    CHECK(f.transport->stats().open == 0);
    CHECK(f.transport->stats().waiting == 0);
    f.io.restart();
    f.io.run_for(1s);
    REQUIRE(codes.size() == 3);
    CHECK(std::count(codes.begin(), codes.end(), make_error_code(errc::closed)) == 2);
    CHECK(std::count(codes.begin(), codes.end(), boost::system::error_code()) == 1);
    const auto late = f.send();
    CHECK(late.code == errc::closed);
    CHECK_FALSE(late.sent);
    run(f.io, f.transport->close()); // again, harmless
}

TEST_CASE("the context has nothing left to do soon after the last exchange") {
    fixture f(echoing());
    REQUIRE_FALSE(f.send({.deadline = std::chrono::steady_clock::now() + 1h}).code);
    const auto started = std::chrono::steady_clock::now();
    f.io.restart();
    f.io.run();
    CHECK(std::chrono::steady_clock::now() - started < 500ms);
    CHECK(f.transport->stats().idle == 1);
}
