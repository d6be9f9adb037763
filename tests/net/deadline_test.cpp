// SPDX-License-Identifier: BSL-1.0
// Time-outs: while waiting, resolving, connecting, shaking hands, writing and reading.
#include "support/catch.hpp"
#include "support/harness.hpp"
#include "support/stub_server.hpp"
#include "support/tap.hpp"

#include <stdexcept>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

struct timed {
    net::send_outcome outcome;
    steady::duration took;
};

timed send_for(asio::io_context& io, net::transport& transport, steady::duration limit,
               net::exchange& what) {
    const auto started = steady::now();
    auto outcome = run(io, transport.send(what, {.deadline = started + limit}));
    return {std::move(outcome), steady::now() - started};
}

timed send_for(asio::io_context& io, net::transport& transport, steady::duration limit) {
    remembering_exchange what;
    return send_for(io, transport, limit, what);
}

std::shared_ptr<net::transport> to(std::uint16_t port, net::pool_config config = {},
                                   bool tls = false) {
    return net::make_transport(loopback(port, tls), config, {}, {});
}

/// Stands still unless it is set.
class set_clock final : public codynamo::clock {
public:
    timestamp now() const noexcept override { return timestamp(1700000000s); }
    steady::time_point steady_now() const noexcept override { return at; }
    asio::awaitable<void> sleep_until(steady::time_point) const override {
        throw std::logic_error("the transport has no business sleeping");
    }
    steady::time_point at{1h};
};

} // namespace

TEST_CASE("a server that says nothing is left at the deadline") {
    stub_server server({.connections = {{wait_end()}}});
    asio::io_context io;
    const auto transport = to(server.port());
    for (const auto limit : {10ms, 100ms, 300ms}) {
        const auto [outcome, took] = send_for(io, *transport, limit);
        CHECK(outcome.code == errc::timeout);
        CHECK(outcome.sent);
        CHECK_THAT(outcome.message, Catch::Contains("no complete response from 127.0.0.1:"));
        CHECK(took >= limit);
        CHECK(took < limit + 150ms);
        CHECK(transport->stats().open == 0);
    }
}

TEST_CASE("a response that trickles is cut at the deadline") {
    std::vector<act> script{read_request(), say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")};
    for (int i = 0; i < 200; ++i) {
        script.push_back(say("x"));
        script.push_back(pause(5ms));
    }
    stub_server server({.connections = {script}});
    asio::io_context io;
    const auto transport = to(server.port());
    const auto [outcome, took] = send_for(io, *transport, 100ms);
    CHECK(outcome.code == errc::timeout);
    CHECK(took < 300ms);
}

TEST_CASE("a server that does not read is left at the deadline") {
    stub_server server({.connections = {{pause(5s)}}});
    asio::io_context io;
    const auto transport = to(server.port());
    remembering_exchange huge("/", std::string(16 * 1024 * 1024, 'x'));
    const auto [outcome, took] = send_for(io, *transport, 100ms, huge);
    CHECK(outcome.code == errc::timeout);
    CHECK(outcome.sent);
    CHECK(took < 500ms);
}

TEST_CASE("a deadline that has passed sends nothing") {
    stub_server server({.connections = {{wait_end()}}});
    asio::io_context io;
    const auto transport = to(server.port());
    const auto [outcome, took] = send_for(io, *transport, -1ms);
    CHECK(outcome.code == errc::timeout);
    CHECK_FALSE(outcome.sent);
    CHECK(server.connections() == 0);
}

TEST_CASE("who waits for a connection leaves at his deadline, and hears why") {
    stub_server server({.connections = {{wait_end()}}});
    asio::io_context io;
    net::pool_config config;
    config.max_connections = 1;
    const auto transport = to(server.port(), config);
    remembering_exchange first;
    bool first_done = false;
    asio::co_spawn(io, transport->send(first, {.deadline = steady::now() + 400ms}),
                   [&](std::exception_ptr, net::send_outcome o) {
                       first_done = true;
                       CHECK(o.code == errc::timeout);
                       CHECK_FALSE(o.queued);
                   });
    const auto [outcome, took] = send_for(io, *transport, 60ms);
    CHECK(outcome.code == errc::timeout);
    CHECK_FALSE(outcome.sent);
    CHECK(outcome.queued);
    CHECK_THAT(outcome.message, Catch::Contains("became free within"));
    CHECK(took >= 60ms);
    CHECK(took < 200ms);
    CHECK_FALSE(first_done);
    io.restart();
    io.run_for(2s);
    CHECK(first_done);
    CHECK(transport->stats().open == 0);
}

TEST_CASE("connecting is bounded by connect_timeout and by the deadline") {
    black_hole hole;
    asio::io_context io;
    net::pool_config config;
    config.connect_timeout = 150ms;
    const auto transport = to(hole.port(), config);
    {
        const auto [outcome, took] = send_for(io, *transport, 10s);
        CHECK(outcome.code == errc::timeout);
        CHECK_FALSE(outcome.sent);
        CHECK_FALSE(outcome.queued);
        CHECK_THAT(outcome.message, Catch::Contains("connecting to 127.0.0.1:"));
        CHECK(took >= 150ms);
        CHECK(took < 400ms);
    }
    {
        const auto [outcome, took] = send_for(io, *transport, 50ms);
        CHECK(outcome.code == errc::timeout);
        CHECK(took < 200ms);
    }
    CHECK(transport->stats().open == 0);
}

TEST_CASE("who waits behind a connection that cannot be opened hears of it") {
    black_hole hole;
    asio::io_context io;
    net::pool_config config;
    config.max_connections = 1;
    config.connect_timeout = 100ms;
    const auto transport = to(hole.port(), config);
    std::vector<remembering_exchange> exchanges(2);
    std::vector<net::send_outcome> outcomes;
    for (auto& exchange : exchanges)
        asio::co_spawn(
            io, transport->send(exchange, {.deadline = steady::now() + 150ms}),
            [&](std::exception_ptr, net::send_outcome o) { outcomes.push_back(std::move(o)); });
    const auto [third, took] = send_for(io, *transport, 130ms);
    CHECK(third.code == errc::timeout);
    CHECK_THAT(third.message, Catch::Contains("last connect error: connecting to 127.0.0.1:"));
    io.restart();
    io.run_for(2s);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].code == errc::timeout);
    CHECK(outcomes[1].code == errc::timeout);
}

TEST_CASE("the TLS handshake is bounded too") {
    stub_server server({.connections = {{wait_end()}}});
    asio::io_context io;
    net::pool_config config;
    config.connect_timeout = 100ms;
    const auto transport = to(server.port(), config, true);
    const auto [outcome, took] = send_for(io, *transport, 10s);
    CHECK(outcome.code == errc::timeout);
    CHECK_FALSE(outcome.sent);
    CHECK_THAT(outcome.message, Catch::Contains("TLS handshake"));
    CHECK(took < 400ms);
}

TEST_CASE("a refused connection names the address and the reason") {
    asio::io_context io;
    const auto transport = to(free_port());
    const auto [outcome, took] = send_for(io, *transport, 5s);
    CHECK(outcome.code == errc::connect_failed);
    CHECK_FALSE(outcome.sent);
    CHECK_THAT(outcome.message, Catch::Contains("127.0.0.1: Connection refused"));
}

TEST_CASE("an address that refuses at the very end of the connect time-out is a time-out") {
    for (const bool in_time : {true, false}) {
        const auto time = std::make_shared<set_clock>();
        const auto started = time->at;
        net::pool_config config;
        config.connect_timeout = 1s;
        net::network_config network;
        network.proxy.from_environment = false;
        network.resolve = [&](std::string) -> asio::awaitable<std::vector<std::string>> {
            time->at = started + 1s - (in_time ? 1ns : 0ns);
            co_return std::vector<std::string>{"127.0.0.1"};
        };
        environment env = testing_support::tapped();
        env.time = time;
        const auto transport = net::make_transport(loopback(free_port(), false, "db.example"),
                                                   config, {}, env, network);
        asio::io_context io;
        remembering_exchange what;
        const auto outcome = run(io, transport->send(what, {.deadline = started + 1h}));
        CHECK(outcome.code == (in_time ? errc::connect_failed : errc::timeout));
        CHECK_THAT(outcome.message, Catch::Contains("127.0.0.1: Connection refused"));
    }
}

TEST_CASE("all addresses of a name are tried") {
    // localhost is ::1 and 127.0.0.1, in whichever order; the server has one of them.
    for (const bool ipv6 : {false, true}) {
        stub_server server(
            {.answer = [](const std::string&) { return response("ok"); }, .ipv6 = ipv6});
        asio::io_context io;
        const auto transport =
            net::make_transport(loopback(server.port(), false, "localhost"), {}, {}, {});
        const auto [outcome, took] = send_for(io, *transport, 5s);
        INFO(outcome.message);
        if (ipv6 && outcome.code) {
            WARN("localhost has no IPv6 address here: " << outcome.message);
            continue;
        }
        CHECK_FALSE(outcome.code);
    }
}

TEST_CASE("an IPv6 address needs no name") {
    stub_server server({.answer = [](const std::string&) { return response("ok"); }, .ipv6 = true});
    asio::io_context io;
    const auto transport = net::make_transport(loopback(server.port(), false, "::1"), {}, {}, {});
    CHECK_FALSE(send_for(io, *transport, 5s).outcome.code);
}

TEST_CASE("a name that does not exist fails to resolve, for all who ask at once") {
    asio::io_context io;
    const auto transport =
        net::make_transport(loopback(80, false, "no-such-host.invalid"), {}, {}, {});
    std::vector<remembering_exchange> exchanges(5);
    int failed = 0;
    for (auto& exchange : exchanges)
        asio::co_spawn(io, transport->send(exchange, {}),
                       [&](std::exception_ptr, net::send_outcome o) {
                           CHECK_THAT(o.message, Catch::Contains("no-such-host.invalid"));
                           if (o.code == errc::resolve_failed || o.code == errc::timeout) ++failed;
                       });
    io.run_for(5s);
    CHECK(failed == 5);
    CHECK(transport->stats().open == 0);
}
