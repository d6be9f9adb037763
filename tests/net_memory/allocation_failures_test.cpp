// SPDX-License-Identifier: BSL-1.0
// Each allocation that the client's thread makes on real sockets fails once: connecting, the TLS
// handshake, writing, reading, waiting for a connection, closing. The exchanges end exactly once,
// the pool counts no connection as borrowed, nothing leaks, and the next exchange succeeds.
//
// What fails are calls of operator new in that thread. OpenSSL has malloc for itself, and Asio
// takes its handlers and coroutine frames from std::aligned_alloc.
#include "simulation/allocation_checks.hpp"
#include "simulation/allocation_failures.hpp"
#include "simulation/strand_allocations.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/harness.hpp"
#include "support/stub_server.hpp"

#include <codynamo/detail/recycled.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using test::check_replays;
using test::failing_allocation;
using test::run_all;

namespace {

std::string ok_answer(const std::string&) {
    return response(std::string(5000, 'x'), 200,
                    "X-Header: one that no small string has room for\r\n");
}

bool is_survivable(void* strands, std::size_t bytes) noexcept {
    return !static_cast<test::strand_allocations*>(strands)->is_fatal(bytes);
}

/// How the exchanges of one replay ended.
struct endings {
    std::size_t count = 0;
    std::size_t good = 0;
    std::size_t out_of_memory = 0;
};

asio::awaitable<void> exchange_once(net::transport& over, endings& seen) {
    try {
        remembering_exchange what("/", std::string(3000, 'q'));
        const net::send_options options;
        const net::send_outcome outcome = co_await over.send(what, options);
        if (!outcome.code) ++seen.good;
    } catch (const std::bad_alloc&) {
        ++seen.out_of_memory;
    }
    ++seen.count;
}

/// What is done with a failing allocation: `exchanges` at once over one connection, and then
/// close().
struct scenario {
    const char* name;
    const stub_server& server;
    const char* host = "127.0.0.1";
    net::resolver resolve{}; ///< empty: the system's, in a thread of its own
    net::tls_config tls{};
    bool encrypted = false;
    std::size_t exchanges = 1;
    bool closes = false;

    [[nodiscard]] bool resolves() const { return std::string_view(host) != "127.0.0.1"; }
};

/// Whether there were so many allocations.
bool fail_allocation(const scenario& of, std::size_t n) {
    asio::io_context io(1);
    net::pool_config pool;
    pool.max_connections = 1;
    // What Asio loses for want of memory ends by this.
    if (of.resolves()) pool.connect_timeout = std::chrono::milliseconds(500);
    net::network_config network;
    network.resolve = of.resolve;
    network.proxy.from_environment = false;
    const auto transport = net::make_transport(loopback(of.server.port(), of.encrypted, of.host),
                                               pool, of.tls, {}, network);
    endings seen;
    std::size_t closed = 0;
    for (std::size_t i = 0; i != of.exchanges; ++i)
        asio::co_spawn(io, exchange_once(*transport, seen), [](std::exception_ptr) {});
    const auto close = [&] {
        asio::co_spawn(io, transport->close(), [&](std::exception_ptr) { ++closed; });
    };
    detail::free_kept_frames();
    bool happened = false;
    {
        test::strand_allocations strands;
        std::optional<failing_allocation> one;
        if (!of.closes) one.emplace(n, is_survivable, &strands);
        run_all(io);
        if (of.closes) {
            close();
            one.emplace(n, is_survivable, &strands);
            run_all(io);
        }
        happened = one->happened();
    }
    CHECK(seen.count == of.exchanges);
    CHECK(seen.good + 1 >= of.exchanges);
    if (of.closes) {
        CHECK(closed == 1);
        return happened;
    }
    const net::transport_stats stats = transport->stats();
    CHECK(stats.waiting == 0);
    CHECK(stats.open == stats.idle);
    endings next;
    asio::co_spawn(io, exchange_once(*transport, next), [](std::exception_ptr) {});
    run_all(io);
    CHECK(next.good == 1);
    close();
    run_all(io);
    CHECK(closed == 1);
    CHECK(transport->stats().open == 0);
    return happened;
}

void fail_allocations(const scenario& of) {
    const bool has_thread = of.resolves() && !of.resolve;
    check_replays(
        of.name, 1, [&](std::size_t n) { return fail_allocation(of, n); },
        has_thread ? test::heap_use::several_threads : test::heap_use::one_thread);
}

asio::awaitable<std::vector<std::string>> find_loopback(std::string) {
    std::vector<std::string> addresses;
    addresses.emplace_back("127.0.0.1");
    co_return addresses;
}

} // namespace

TEST_CASE("exchanges on real connections survive every failing allocation") {
    const stub_server server({.answer = ok_answer});
    fail_allocations({.name = "one exchange", .server = server});
    fail_allocations({.name = "exchanges that wait", .server = server, .exchanges = 4});
    fail_allocations({.name = "close", .server = server, .closes = true});
}

TEST_CASE("exchanges with a name to resolve survive every failing allocation") {
    const stub_server server({.answer = ok_answer});
    fail_allocations({.name = "a resolver of the user's",
                      .server = server,
                      .host = "db.example",
                      .resolve = find_loopback});
    fail_allocations({.name = "the system's resolver", .server = server, .host = "localhost"});
}

TEST_CASE("exchanges on TLS connections survive every failing allocation") {
    const authority ca;
    const certificate identity = ca.issue({.dns_names = {"localhost"}, .addresses = {"127.0.0.1"}});
    const stub_server server({.answer = ok_answer,
                              .tls = std::make_shared<stub_tls>(stub_tls{
                                  identity.certificate_pem, identity.key_pem, false, false})});
    fail_allocations({.name = "one exchange over TLS",
                      .server = server,
                      .tls = {.ca_file = ca.ca_file()},
                      .encrypted = true});
}

TEST_CASE("a refused connection survives every failing allocation") {
    // The next exchange fails too, so only the end of each is looked at.
    const std::uint16_t port = free_port();
    for (std::size_t n = 1;; ++n) {
        INFO("allocation " << n);
        asio::io_context io(1);
        const auto transport = net::make_transport(loopback(port), {}, {}, {});
        endings seen;
        asio::co_spawn(io, exchange_once(*transport, seen), [](std::exception_ptr) {});
        detail::free_kept_frames();
        bool happened = false;
        {
            test::strand_allocations strands;
            const failing_allocation one(n, is_survivable, &strands);
            run_all(io);
            happened = one.happened();
        }
        CHECK(seen.count == 1);
        CHECK(transport->stats().open == 0);
        if (!happened) break;
    }
}

namespace {

asio::awaitable<std::vector<std::string>> never_found(std::string) {
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::deferred);
    co_return std::vector<std::string>();
}

/// Coroutines that wait in the context when it is destroyed.
struct wait_scenario {
    const char* name;
    bool finds_names = true;
    std::size_t exchanges = 1;
    std::size_t connections = 1;
    bool closes = false;
};

void destroy_context_without_memory(const wait_scenario& scenario, std::uint16_t silent_port) {
    net::origin to = loopback(silent_port);
    if (!scenario.finds_names) to.host = "db.example";
    net::pool_config pool;
    pool.max_connections = scenario.connections;
    net::network_config network;
    network.resolve = never_found;
    endings seen;
    auto io = std::make_unique<asio::io_context>(1);
    const auto transport = net::make_transport(to, pool, {}, {}, network);
    for (std::size_t i = 0; i != scenario.exchanges; ++i)
        asio::co_spawn(*io, exchange_once(*transport, seen), [](std::exception_ptr) {});
    for (int i = 0; i != 100; ++i)
        io->poll_one();
    if (scenario.closes) asio::co_spawn(*io, transport->close(), [](std::exception_ptr) {});
    for (int i = 0; i != 100; ++i)
        io->poll_one();
    CHECK(transport->stats().waiting + scenario.connections == scenario.exchanges);
    {
        const failing_allocation all(
            1, [](void*, std::size_t bytes) noexcept { return !test::is_for_executor(bytes); },
            nullptr, failing_allocation::extent::all_from_there);
        io.reset();
    }
    CHECK(seen.count == 0);
}

} // namespace

TEST_CASE("a context with waiting coroutines is destroyed without allocating memory") {
    asio::io_context listening;
    const asio::ip::tcp::acceptor silent(listening, {asio::ip::address_v4::loopback(), 0});
    for (const wait_scenario scenario :
         {wait_scenario{.name = "for an answer"},
          wait_scenario{.name = "for the connection", .exchanges = 4},
          wait_scenario{
              .name = "for a name", .finds_names = false, .exchanges = 4, .connections = 4},
          wait_scenario{.name = "for the end of an exchange", .closes = true}}) {
        INFO(scenario.name);
        const std::size_t before = test::live_allocations();
        destroy_context_without_memory(scenario, silent.local_endpoint().port());
        detail::free_kept_frames();
        CHECK(test::live_allocations() == before);
    }
}
