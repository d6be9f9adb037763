// SPDX-License-Identifier: BSL-1.0
// A cancellation at each step of an exchange: it ends at once, and the pool stays whole.
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/first_step.hpp"
#include "support/harness.hpp"
#include "support/stub_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;
using asio::cancellation_type;

namespace {

stub_config answering(std::shared_ptr<const stub_tls> tls = nullptr) {
    // The pause gives the client time to be found waiting for the response.
    return {.answer =
                [](const std::string&) {
                    std::this_thread::sleep_for(2ms);
                    return response("ok");
                },
            .tls = std::move(tls)};
}

// The state of cancellation belongs to whoever spawns: only terminal gets through by default.
asio::awaitable<net::send_outcome> send_cancellable(std::shared_ptr<net::transport> transport,
                                                    net::exchange& what) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_return co_await transport->send(what, {.replay_safe = true});
}

struct spawned {
    explicit spawned(std::size_t size = 0) : exchange("/", std::string(size, 'x')) {}

    bool done = false;
    bool aborted = false;
    bool succeeded = false;
    asio::cancellation_signal signal;
    remembering_exchange exchange;

    void start(asio::io_context& io, std::shared_ptr<net::transport> transport) {
        asio::co_spawn(io, send_cancellable(std::move(transport), exchange),
                       asio::bind_cancellation_slot(
                           signal.slot(), [this](std::exception_ptr e, net::send_outcome o) {
                               CHECK_FALSE(done);
                               done = true;
                               succeeded = !e && !o.code;
                               try {
                                   if (e) std::rethrow_exception(e);
                               } catch (const boost::system::system_error& error) {
                                   aborted = error.code() == asio::error::operation_aborted;
                               }
                           }));
    }

    /// Soon, and without anything from the server.
    void expect_end(asio::io_context& io) {
        const auto until = std::chrono::steady_clock::now() + 2s;
        io.restart();
        while (!done && std::chrono::steady_clock::now() < until)
            io.run_one_for(10ms);
        REQUIRE(done);
    }

    void finish(asio::io_context& io) {
        for (int i = 0; i < 1000 && !done; ++i) {
            io.restart();
            io.run_one_for(1s);
        }
        REQUIRE(done);
    }
};

void check_whole(asio::io_context& io, const std::shared_ptr<net::transport>& transport) {
    auto stats = transport->stats();
    CHECK(stats.waiting == 0);
    CHECK(stats.open == stats.idle);
    remembering_exchange after;
    CHECK_FALSE(run(io, transport->send(after, {})).code);
    CHECK(after.body == "ok");
    stats = transport->stats();
    CHECK(stats.open == 1);
    CHECK(stats.idle == 1);
}

// Cancels after n handlers have run, for n = 0, 1, ... until the exchange is over before.
template <class Make>
void cancel_at_each_step(Make make, bool warm, std::size_t size = 0) {
    constexpr int of_large_request = 12; // the rest are of the same kinds

    for (const auto type :
         {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total}) {
        int cancelled = 0;
        for (int step = first_step_to_cancel();; ++step) {
            if (size != 0 && step == of_large_request) break;
            REQUIRE(step < 100);
            asio::io_context io;
            const std::shared_ptr<net::transport> transport = make();
            if (warm) {
                remembering_exchange first;
                REQUIRE_FALSE(run(io, transport->send(first, {})).code);
            }
            spawned one(size);
            one.start(io, transport);
            io.restart();
            for (int i = 0; i < step && !one.done; ++i)
                io.run_one_for(1s);
            if (one.done) {
                CHECK(one.succeeded);
                break;
            }
            one.signal.emit(type);
            one.finish(io);
            CHECK((one.aborted || one.succeeded));
            if (one.aborted) ++cancelled;
            check_whole(io, transport);
        }
        CHECK(cancelled >= (warm ? 1 : 2));
    }
}

} // namespace

TEST_CASE("an exchange can be cancelled at each step: new connection") {
    stub_server server(answering());
    cancel_at_each_step([&] { return net::make_transport(loopback(server.port()), {}, {}, {}); },
                        false);
}

TEST_CASE("an exchange can be cancelled at each step: with a name to resolve") {
    stub_server server(answering());
    cancel_at_each_step(
        [&] {
            return net::make_transport(loopback(server.port(), false, "localhost"), {}, {}, {});
        },
        false);
}

TEST_CASE("an exchange can be cancelled at each step: connection used before") {
    stub_server server(answering());
    cancel_at_each_step([&] { return net::make_transport(loopback(server.port()), {}, {}, {}); },
                        true);
}

TEST_CASE("an exchange can be cancelled at each step: TLS") {
    const authority ca;
    const auto leaf = ca.issue({.dns_names = {}, .addresses = {"127.0.0.1"}});
    stub_server server(
        answering(std::make_shared<stub_tls>(stub_tls{leaf.certificate_pem, leaf.key_pem})));
    cancel_at_each_step(
        [&] {
            return net::make_transport(loopback(server.port(), true), {}, {.ca_file = ca.ca_file()},
                                       {});
        },
        false);
}

TEST_CASE("an exchange can be cancelled at each step: a request larger than what a socket takes") {
    const authority ca;
    const auto leaf = ca.issue({.dns_names = {}, .addresses = {"127.0.0.1"}});
    const bool tls = GENERATE(false, true);
    stub_server server(answering(
        tls ? std::make_shared<stub_tls>(stub_tls{leaf.certificate_pem, leaf.key_pem}) : nullptr));
    cancel_at_each_step(
        [&] {
            return net::make_transport(loopback(server.port(), tls), {}, {.ca_file = ca.ca_file()},
                                       {});
        },
        true, 12'000'000);
}

TEST_CASE("a large request without an answer ends when it is cancelled, at every step") {
    stub_server server({.connections = {{wait_end()}}});
    bool sent = false;
    for (int step = first_step_to_cancel(); !sent && step < 16; ++step) {
        CAPTURE(step);
        asio::io_context io;
        spawned one(12'000'000);
        one.start(io, net::make_transport(loopback(server.port()), {}, {}, {}));
        for (int i = 0; i < step && !sent; ++i)
            sent = io.run_one_for(100ms) == 0; // or it looks so, on a slow machine
        one.signal.emit(cancellation_type::total);
        one.expect_end(io);
        CHECK(one.aborted);
    }
}

TEST_CASE("cancelling an exchange ends a connect that never completes") {
    black_hole unresponsive;
    for (const auto type :
         {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total}) {
        asio::io_context io;
        spawned one;
        one.start(io, net::make_transport(loopback(unresponsive.port()), {}, {}, {}));
        io.run_for(20ms);
        one.signal.emit(type);
        one.expect_end(io);
        CHECK(one.aborted);
    }
}

TEST_CASE("a context may end while a large request is being sent") {
    stub_server server({.connections = {{pause(5s)}}}); // reads nothing
    for (int step = 0; step < 8; ++step) {
        spawned one(12'000'000);
        {
            asio::io_context io;
            one.start(io, net::make_transport(loopback(server.port()), {}, {}, {}));
            for (int i = 0; i < step; ++i)
                io.run_one_for(10ms);
        }
        CHECK_FALSE(one.done);
    }
}

TEST_CASE("a waiter that is cancelled leaves at once, and the next is served") {
    net::pool_config config;
    config.max_connections = 1;
    for (const auto type :
         {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total}) {
        stub_server server({.answer = [](const std::string&) {
            std::this_thread::sleep_for(30ms);
            return response("ok");
        }});
        asio::io_context io;
        const std::shared_ptr<net::transport> transport =
            net::make_transport(loopback(server.port()), config, {}, {});
        spawned first, second, third;
        first.start(io, transport);
        second.start(io, transport);
        third.start(io, transport);
        while (transport->stats().waiting < 2)
            io.run_one_for(1s);
        second.signal.emit(type);
        io.poll(); // co_spawn hands the signal on through the executor
        CHECK(transport->stats().waiting == 1);
        second.finish(io);
        CHECK(second.aborted);
        CHECK_FALSE(first.done);
        first.finish(io);
        third.finish(io);
        CHECK(first.succeeded);
        CHECK(third.succeeded);
        CHECK(second.exchange.writes == 0);
        check_whole(io, transport);
    }
}

TEST_CASE("when the borrower is cancelled, the first waiter gets the freed place") {
    net::pool_config config;
    config.max_connections = 1;
    stub_server server({.connections = {{wait_end()},
                                        {read_request(), say(response("ok")), read_request(),
                                         say(response("ok"))}}});
    asio::io_context io;
    const std::shared_ptr<net::transport> transport =
        net::make_transport(loopback(server.port()), config, {}, {});
    spawned first, second;
    first.start(io, transport);
    second.start(io, transport);
    for (int i = 0; i < 5; ++i)
        io.run_one_for(10ms);
    first.signal.emit(cancellation_type::terminal);
    first.finish(io);
    CHECK(first.aborted);
    second.finish(io);
    CHECK(second.succeeded);
    CHECK(server.connections() == 2);
    check_whole(io, transport);
}

TEST_CASE("a waiter that is cancelled when already granted passes the connection on") {
    net::pool_config config;
    config.max_connections = 1;
    stub_server server(answering());
    asio::io_context io;
    const std::shared_ptr<net::transport> transport =
        net::make_transport(loopback(server.port()), config, {}, {});
    spawned first, second, third;
    first.start(io, transport);
    second.start(io, transport);
    third.start(io, transport);
    while (!first.done)
        io.run_one_for(1s);
    // first has given back; second has been granted and not resumed yet, or has just been.
    second.signal.emit(cancellation_type::terminal);
    second.finish(io);
    third.finish(io);
    CHECK(third.succeeded);
    check_whole(io, transport);
}

TEST_CASE("an exchange may race with a timer by the || operator") {
    using namespace asio::experimental::awaitable_operators;
    stub_server server({.connections = {{wait_end()}, {read_request(), say(response("ok"))}}});
    asio::io_context io;
    const auto transport = net::make_transport(loopback(server.port()), {}, {}, {});
    run(io, [](net::transport& t) -> asio::awaitable<void> {
        asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
        remembering_exchange what;
        const auto winner = co_await (t.send(what, {}) || timer.async_wait(asio::use_awaitable));
        CHECK(winner.index() == 1);
        CHECK(t.stats().open == 0);
    }(*transport));
    remembering_exchange after;
    CHECK_FALSE(run(io, transport->send(after, {})).code);
}

TEST_CASE("close can be cancelled, and goes on") {
    stub_server server({.answer = [](const std::string&) {
        std::this_thread::sleep_for(50ms);
        return response("ok");
    }});
    asio::io_context io;
    const std::shared_ptr<net::transport> transport =
        net::make_transport(loopback(server.port()), {}, {}, {});
    spawned one;
    one.start(io, transport);
    for (int i = 0; i < 3; ++i)
        io.run_one_for(10ms);
    asio::cancellation_signal signal;
    bool aborted = false;
    asio::co_spawn(io, transport->close(),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) {
                       try {
                           if (e) std::rethrow_exception(e);
                       } catch (const boost::system::system_error& error) {
                           aborted = error.code() == asio::error::operation_aborted;
                       }
                   }));
    io.poll();
    signal.emit(cancellation_type::terminal);
    io.poll();
    CHECK(aborted);
    one.finish(io);
    CHECK(one.succeeded);
    CHECK(transport->stats().open == 0);
    run(io, transport->close());
}
