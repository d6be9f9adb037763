// SPDX-License-Identifier: BSL-1.0
// Threads, strands, pools and contexts: who may use a transport, and who may die first.
#include "support/catch.hpp"
#include "support/harness.hpp"
#include "support/stub_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <thread>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

stub_config echoing() {
    return {.answer = [](const std::string& request) {
        return response(request.substr(0, request.find(" HTTP")));
    }};
}

struct tally {
    std::atomic<int> right{0}, wrong{0}, astray{0}, left{0};
};

// One after the other; each must be resumed on the executor it was spawned on.
asio::awaitable<void> send_many(std::shared_ptr<net::transport> transport, int id, int count,
                                tally& sum) {
    const asio::any_io_executor mine = co_await asio::this_coro::executor;
    const auto thread_mine = [&mine] {
        const auto* const pool = mine.target<asio::strand<asio::io_context::executor_type>>();
        return !pool || pool->running_in_this_thread();
    };
    for (int i = 0; i < count; ++i) {
        const auto path = "/" + std::to_string(id) + "-" + std::to_string(i);
        remembering_exchange what(path);
        const auto outcome = co_await transport->send(what, {});
        if (!thread_mine()) ++sum.astray;
        ++(!outcome.code && what.body == "POST " + path ? sum.right : sum.wrong);
    }
    --sum.left;
}

template <class Executor>
void spawn_many(Executor executor, const std::shared_ptr<net::transport>& transport, int tasks,
                int each, tally& sum) {
    for (int i = 0; i < tasks; ++i) {
        ++sum.left;
        asio::co_spawn(executor, send_many(transport, i, each, sum), asio::detached);
    }
}

std::shared_ptr<net::transport> narrow(std::uint16_t port, std::size_t connections = 4) {
    net::pool_config config;
    config.max_connections = connections;
    return net::make_transport(loopback(port), config, {}, {});
}

// Runs `n` handlers or until nothing is left at once.
void run_some(asio::io_context& io, int n) {
    for (int i = 0; i < n; ++i)
        io.run_one_for(10ms);
}

} // namespace

TEST_CASE("a context run by many threads, with and without strands") {
    stub_server server(echoing());
    const auto transport = narrow(server.port());
    asio::io_context io;
    tally sum;
    spawn_many(io.get_executor(), transport, 8, 40, sum);
    for (int i = 0; i < 8; ++i)
        spawn_many(asio::make_strand(io), transport, 1, 40, sum);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] { io.run(); });
    for (auto& t : threads)
        t.join();
    CHECK(sum.right == 640);
    CHECK(sum.wrong == 0);
    CHECK(sum.astray == 0);
    CHECK(transport->stats().open <= 4);
    CHECK(server.connections() <= 4);
}

TEST_CASE("a thread_pool, with and without strands") {
    stub_server server(echoing());
    const auto transport = narrow(server.port());
    tally sum;
    {
        asio::thread_pool pool(3);
        spawn_many(pool.get_executor(), transport, 8, 40, sum);
        for (int i = 0; i < 8; ++i)
            spawn_many(asio::make_strand(pool.get_executor()), transport, 1, 40, sum);
        pool.join();
    }
    CHECK(sum.right == 640);
    CHECK(sum.wrong == 0);
    CHECK(transport->stats().open == 0); // the pool took its connections along
    CHECK(transport->stats().opened <= 4);
}

TEST_CASE("two contexts in two threads have connections of their own") {
    stub_server server(echoing());
    const auto transport = narrow(server.port(), 2);
    tally sum;
    asio::io_context one, two;
    spawn_many(one.get_executor(), transport, 8, 40, sum);
    spawn_many(two.get_executor(), transport, 8, 40, sum);
    std::thread other([&] { two.run(); });
    one.run();
    other.join();
    CHECK(sum.right == 640);
    CHECK(server.connections() == 4);
    CHECK(transport->stats().idle == 4);
    run(one, transport->close()); // also what lives in the other context
    CHECK(transport->stats().open == 0);
}

TEST_CASE("close waits for exchanges of other contexts") {
    stub_server server({.answer = [](const std::string&) {
        std::this_thread::sleep_for(50ms);
        return response("ok");
    }});
    const std::shared_ptr<net::transport> transport = narrow(server.port());
    asio::io_context one, two;
    remembering_exchange what;
    std::atomic<bool> done = false;
    asio::co_spawn(two, transport->send(what, {}),
                   [&](std::exception_ptr, net::send_outcome o) { done = !o.code; });
    std::thread other([&] { two.run(); });
    while (server.requests() == 0)
        std::this_thread::sleep_for(1ms);
    run(one, transport->close());
    CHECK(transport->stats().open == 0);
    other.join();
    CHECK(done);
}

TEST_CASE("an executor that keeps its context alive does not make it run for ever") {
    stub_server server(echoing());
    const auto transport = narrow(server.port());
    asio::io_context io;
    tally sum;
    {
        const asio::any_io_executor tracked =
            asio::require(io.get_executor(), asio::execution::outstanding_work.tracked);
        spawn_many(tracked, transport, 1, 3, sum);
    }
    const auto started = std::chrono::steady_clock::now();
    io.run_for(5s);
    CHECK(std::chrono::steady_clock::now() - started < 1s);
    CHECK(sum.right == 3);
}

TEST_CASE("a context may die before the transport, and the transport before the context") {
    // In each state: idle, on the wire, waiting for a connection, connecting, resolving, closing.
    stub_server quick(echoing());
    stub_server mute({.connections = {{wait_end()}}});
    black_hole hole;
    for (const bool context_first : {true, false})
        for (const int steps : {0, 1, 2, 3, 5, 50})
            for (const auto& target :
                 {loopback(quick.port()), loopback(mute.port()), loopback(hole.port()),
                  loopback(mute.port(), true), loopback(mute.port(), false, "localhost")}) {
                net::pool_config config;
                config.max_connections = 2;
                auto io = std::make_unique<asio::io_context>();
                std::shared_ptr<net::transport> transport =
                    net::make_transport(target, config, {}, {});
                std::vector<remembering_exchange> exchanges(6);
                for (auto& exchange : exchanges)
                    asio::co_spawn(*io, transport->send(exchange, {}), asio::detached);
                if (steps == 5) asio::co_spawn(*io, transport->close(), asio::detached);
                run_some(*io, steps);
                if (context_first) {
                    io.reset();
                    CHECK(transport->stats().open == 0);
                    CHECK(transport->stats().waiting == 0);
                    transport.reset();
                } else {
                    transport.reset();
                    run_some(*io, 2);
                    io.reset();
                }
            }
}

TEST_CASE("a transport outlives many contexts") {
    stub_server server(echoing());
    const auto transport = narrow(server.port());
    for (int i = 0; i < 10; ++i) {
        asio::io_context io;
        remembering_exchange what;
        REQUIRE_FALSE(run(io, transport->send(what, {})).code);
        CHECK(transport->stats().open == 1);
    }
    CHECK(transport->stats().open == 0);
    CHECK(transport->stats().opened == 10);
}

TEST_CASE("a context may die while coroutines on its strands hold and want connections") {
    // The strands come after the pool has been made, and have handlers queued when the context
    // dies: these own coroutines, each with a connection that the next one waits for.
    for (const bool with_pool : {true, false})
        for (int steps = 0; steps < 40; ++steps) {
            INFO(steps << " steps");
            stub_server server(echoing());
            const std::shared_ptr<net::transport> transport = narrow(server.port(), 2);
            auto io = std::make_unique<asio::io_context>();
            if (with_pool) {
                remembering_exchange first;
                REQUIRE_FALSE(run(*io, transport->send(first, {})).code);
                io->restart();
            }
            std::vector<remembering_exchange> exchanges(12);
            for (auto& exchange : exchanges)
                asio::co_spawn(asio::make_strand(*io), transport->send(exchange, {}),
                               asio::detached);
            for (int i = 0; i < steps; ++i)
                io->run_one_for(1ms);
            io.reset(); // a deadlock here, if at all
            CHECK(transport->stats().open == 0);
            CHECK(transport->stats().waiting == 0);
        }
}

TEST_CASE("an exchange with a numeric address starts no thread") {
    const auto threads = [] {
        const std::filesystem::directory_iterator all("/proc/self/task");
        return std::distance(begin(all), end(all));
    };
    stub_server server(echoing()); // which has a thread for each connection
    const auto transport = narrow(server.port());
    asio::io_context io;
    const auto before = threads();
    remembering_exchange what;
    REQUIRE_FALSE(run(io, transport->send(what, {})).code);
    CHECK(threads() == before + static_cast<std::ptrdiff_t>(server.connections()));
}

TEST_CASE("a cancellation after the context has died touches nothing") {
    stub_server mute({.connections = {{wait_end()}}});
    const std::shared_ptr<net::transport> transport = narrow(mute.port(), 1);
    asio::cancellation_signal signals[3];
    remembering_exchange exchanges[3];
    {
        asio::io_context io;
        for (int i = 0; i < 3; ++i)
            asio::co_spawn(io, transport->send(exchanges[i], {}),
                           asio::bind_cancellation_slot(signals[i].slot(), asio::detached));
        run_some(io, 5);
        CHECK(transport->stats().waiting == 2);
    }
    CHECK(transport->stats().waiting == 0);
}

TEST_CASE("close ends when the context with the last exchange dies") {
    stub_server mute({.connections = {{wait_end()}}});
    const std::shared_ptr<net::transport> transport = narrow(mute.port(), 1);
    auto other = std::make_unique<asio::io_context>();
    remembering_exchange what;
    asio::co_spawn(*other, transport->send(what, {}), asio::detached);
    run_some(*other, 5);
    asio::io_context io;
    bool closed = false;
    asio::co_spawn(io, transport->close(), [&](std::exception_ptr) { closed = true; });
    io.run_for(50ms);
    CHECK_FALSE(closed);
    other.reset();
    io.restart();
    io.run_for(50ms);
    CHECK(closed);
}

TEST_CASE("many threads, short deadlines and cancellations at random: nothing is lost") {
    stub_server server({.answer = [](const std::string& request) {
        if (request.size() % 3 == 0) std::this_thread::sleep_for(2ms);
        return response("ok");
    }});
    const std::shared_ptr<net::transport> transport = narrow(server.port(), 3);
    std::atomic<int> fine{0}, late{0}, cancelled{0}, other{0};
    {
        asio::thread_pool pool(3);
        for (int task = 0; task < 24; ++task)
            asio::co_spawn(
                asio::make_strand(pool.get_executor()),
                [&, task]() -> asio::awaitable<void> {
                    const auto executor = co_await asio::this_coro::executor;
                    for (int i = 0; i < 25; ++i) {
                        remembering_exchange what("/" + std::string(std::size_t(i % 7), 'x'));
                        auto signal = std::make_shared<asio::cancellation_signal>();
                        auto ended = std::make_shared<bool>(false);
                        if ((task + i) % 3 == 0)
                            asio::post(executor, [=] {
                                asio::post(executor, [=] {
                                    if (!*ended) signal->emit(asio::cancellation_type::terminal);
                                });
                            });
                        const auto limit = (task + i) % 4 == 0 ? 2ms : 2000ms;
                        const auto until = std::chrono::steady_clock::now() + limit;
                        auto token =
                            asio::bind_cancellation_slot(signal->slot(), asio::use_awaitable);
                        try {
                            const auto outcome = co_await asio::co_spawn(
                                executor, transport->send(what, {.deadline = until}), token);
                            // On a slow machine the pool knows that 2 ms will not do.
                            const bool too_late =
                                outcome.code == errc::timeout || outcome.code == errc::overloaded;
                            ++(!outcome.code ? fine : too_late ? late : other);
                        } catch (const boost::system::system_error&) {
                            ++cancelled;
                        }
                        *ended = true;
                    }
                },
                asio::detached);
        pool.join();
    }
    CHECK(fine + late + cancelled + other == 600);
    CHECK(other == 0);
    CHECK(fine > 0);
    CHECK(late > 0);
    CHECK(cancelled > 0);
    CHECK(transport->stats().open == 0);
    CHECK(transport->stats().waiting == 0);
}
