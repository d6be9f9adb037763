// SPDX-License-Identifier: BSL-1.0
// A resolver of the user's own: asked when needed, and never believed for longer.
#include "scripted_resolver.hpp"
#include "support/catch.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <new>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::test;
using namespace codynamo::testing;
using namespace std::chrono_literals;

TEST_CASE("the resolver is asked for the server's name, once for each connection") {
    resolving f;
    const auto transport = f.transport();
    for (int i = 0; i < 3; ++i)
        CHECK_FALSE(f.send(*transport).code);
    CHECK(f.names.calls == 1);
    CHECK(f.names.asked == "db.example");
    CHECK(f.server.connections() == 1);
}

TEST_CASE("the name is looked up again when the connection has grown old") {
    resolving f;
    f.names.answers = {{"127.0.0.1"}, {"127.0.0.9"}, {"127.0.0.1"}};
    const auto transport = f.transport();
    CHECK_FALSE(f.send(*transport).code);
    f.time->leapt += f.config.max_age;
    CHECK(f.send(*transport).code == errc::connect_failed); // as the second answer has it
    CHECK(f.names.calls == 2);
    CHECK_FALSE(f.send(*transport).code); // a list that failed is not believed again
    CHECK(f.names.calls == 3);
    CHECK(f.server.connections() == 2);
}

TEST_CASE("all who open connections meanwhile share one look-up") {
    resolving f;
    const auto transport = f.transport();
    std::vector<remembering_exchange> exchanges(20);
    int good = 0;
    for (auto& exchange : exchanges)
        asio::co_spawn(f.io, transport->send(exchange, {}),
                       [&](std::exception_ptr, net::send_outcome o) { good += o.code ? 0 : 1; });
    f.io.run_for(5s);
    CHECK(good == 20);
    CHECK(f.names.calls == 1);
}

TEST_CASE("a resolver without an answer, with a bad one, or that throws") {
    struct row {
        net::resolver hook;
        const char* words;
    };
    const row rows[] = {
        {[](std::string) -> asio::awaitable<addresses> { co_return addresses{}; },
         "cannot resolve db.example: the resolver knows no address"},
        {[](std::string) -> asio::awaitable<addresses> {
             addresses bad;
             bad.emplace_back("db.example");
             co_return bad;
         },
         "what is not an address"},
        {[](std::string) -> asio::awaitable<addresses> {
             throw std::runtime_error("the registry is down");
             co_return addresses{};
         },
         "cannot resolve db.example: the registry is down"},
        {[](std::string) -> asio::awaitable<addresses> { throw std::logic_error("at once"); },
         "cannot resolve db.example: at once"},
        {[](std::string) -> asio::awaitable<addresses> {
             throw 7;
             co_return addresses{};
         },
         "cannot resolve db.example: the resolver failed"},
        {[](std::string) -> asio::awaitable<addresses> {
             throw boost::system::system_error(asio::error::operation_aborted);
             co_return addresses{};
         },
         "cannot resolve db.example: "},
    };
    for (const auto& r : rows) {
        asio::io_context io;
        net::network_config network;
        network.resolve = r.hook;
        const auto transport = net::make_transport({false, "db.example", 1}, {}, {}, {}, network);
        remembering_exchange what;
        const auto outcome = run(io, transport->send(what, {}));
        CHECK(outcome.code == errc::resolve_failed);
        CHECK_FALSE(outcome.sent);
        CHECK_THAT(outcome.message, Catch::Contains(r.words));
        CHECK_THAT(outcome.message, !Catch::Contains("boost/")); // no place in its sources
    }
}

TEST_CASE("a look-up that could not be begun is not waited for") {
    /// The copy that the look-up makes of it fails, once.
    struct reluctant {
        explicit reluctant(bool& when) : fails(&when) {}
        reluctant(const reluctant& other) : fails(other.fails) {
            if (std::exchange(*fails, false)) throw std::bad_alloc();
        }
        reluctant& operator=(const reluctant&) = delete;
        asio::awaitable<addresses> operator()(std::string) const {
            addresses found;
            found.emplace_back("127.0.0.1");
            co_return found;
        }
        bool* fails;
    };
    resolving f;
    bool fails = false;
    net::network_config network;
    network.resolve = reluctant(fails);
    network.proxy.from_environment = false;
    const auto transport =
        net::make_transport({false, "db.example", f.server.port()}, f.config, {}, {}, network);
    fails = true;
    CHECK_THROWS_AS(f.send(*transport), std::bad_alloc);
    CHECK_FALSE(fails);
    CHECK_FALSE(f.send(*transport).code);
}

TEST_CASE("the resolver serves many threads") {
    resolving f;
    f.config.max_connections = 4;
    f.config.max_age = 1ms;
    f.names.hanging = 1;
    const auto transport = f.transport();
    std::atomic<int> good{0}, late{0}, other{0};
    const auto work = [&](int sends, steady::duration within) -> asio::awaitable<void> {
        for (int i = 0; i < sends; ++i) {
            remembering_exchange what;
            net::send_options options;
            options.deadline = steady::now() + within;
            const auto outcome = co_await transport->send(what, options);
            ++(!outcome.code ? good : outcome.code == errc::timeout ? late : other);
        }
    };
    asio::thread_pool pool(4);
    const auto by_eight = [&](int sends, steady::duration within) {
        std::vector<std::future<void>> workers;
        for (int i = 0; i < 8; ++i)
            workers.push_back(asio::co_spawn(pool, work(sends, within), asio::use_future));
        for (auto& worker : workers)
            worker.get();
    };
    by_eight(1, 20ms); // beside the look-up that hangs
    by_eight(19, 5000ms);
    pool.join();
    CHECK(good + late == 160);
    CHECK(other == 0);
    CHECK(good >= 152);
    CHECK(f.names.calls > 2);
}
