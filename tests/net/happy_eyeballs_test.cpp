// SPDX-License-Identifier: BSL-1.0
// Several addresses, some of which do not answer: whoever answers first, and nothing left behind.
#include "support/catch.hpp"
#include "support/first_step.hpp"
#include "support/harness.hpp"
#include "support/silent_address.hpp"
#include "support/stub_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;
using addresses = std::vector<std::string>;

net::resolver giving(addresses given) {
    return
        [given = std::move(given)](std::string) -> asio::awaitable<addresses> { co_return given; };
}

stub_config fine() {
    return {.answer = [](const std::string&) { return response("ok"); }};
}

/// A server on 127.0.0.1; the same port of 127.0.0.2 to .4 is silent, and of .9 closed.
struct fixture {
    explicit fixture(std::chrono::milliseconds head_start = 40ms) {
        network.attempt_delay = head_start;
        network.proxy.from_environment = false;
    }
    std::shared_ptr<net::transport> transport(addresses given) {
        network.resolve = giving(std::move(given));
        return net::make_transport({false, "db.example", server.port()}, config, {}, {}, network);
    }
    struct timed {
        net::send_outcome outcome;
        steady::duration took;
    };
    timed send(addresses given, net::send_options options = {}) {
        const auto through = transport(std::move(given));
        remembering_exchange what;
        const auto started = steady::now();
        auto outcome = run(io, through->send(what, options));
        const auto took = steady::now() - started;
        // A deadline that comes with the answer cuts the connection of an exchange that succeeds.
        const bool may_be_cut = !outcome.code && options.deadline != steady::time_point::max();
        if (!may_be_cut) CHECK(through->stats().open == (outcome.code ? 0 : 1));
        return {std::move(outcome), took};
    }

    stub_server server{fine()};
    silent_address two{"127.0.0.2", server.port()};
    silent_address three{"127.0.0.3", server.port()};
    silent_address four{"127.0.0.4", server.port()};
    asio::io_context io;
    net::pool_config config;
    net::network_config network;
};

} // namespace

TEST_CASE("an address that does not answer costs its head start only") {
    struct row {
        addresses given;
        steady::duration least, most;
    };
    const row rows[] = {
        {{"127.0.0.1"}, 0ms, 30ms},
        {{"127.0.0.1", "127.0.0.2"}, 0ms, 30ms},
        {{"127.0.0.2", "127.0.0.1"}, 40ms, 110ms},
        {{"127.0.0.2", "127.0.0.3", "127.0.0.1"}, 80ms, 160ms},
        {{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1"}, 120ms, 230ms},
        {{"127.0.0.9", "127.0.0.1"}, 0ms, 30ms},
        {{"127.0.0.9", "127.0.0.9", "::1", "127.0.0.1"}, 0ms, 30ms},
        {{"127.0.0.2", "127.0.0.9", "127.0.0.1"}, 40ms, 110ms},
        {{"127.0.0.2", "127.0.0.2", "127.0.0.1"}, 40ms, 110ms},
        {{"127.0.0.2", "127.0.0.3", "::ffff:127.0.0.1"}, 40ms, 110ms}, // the other family is second
    };
    fixture f;
    (void)f.send({"127.0.0.2", "127.0.0.1"}); // the context's own descriptors
    for (const auto& r : rows) {
        const auto before = open_descriptors();
        auto [outcome, took] = f.send(r.given);
        // A busy machine may be late, but not every time.
        for (int again = 0; again < 5 && took >= r.most; ++again)
            took = f.send(r.given).took;
        INFO(r.given.size() << " addresses, last " << r.given.back() << ": " << outcome.message);
        CHECK_FALSE(outcome.code);
        CHECK(took >= r.least);
        CHECK(took < r.most);
        f.io.restart();
        f.io.poll();
        CHECK(open_descriptors() <= before + 1); // the server's end
    }
}

TEST_CASE("when no address answers each is named, within the connect time-out") {
    fixture f;
    f.config.connect_timeout = 150ms;
    const auto [outcome, took] = f.send({"127.0.0.2", "127.0.0.9", "127.0.0.3"});
    CHECK(outcome.code == errc::timeout);
    CHECK_FALSE(outcome.sent);
    CHECK_THAT(outcome.message, Catch::StartsWith("connecting to db.example:"));
    CHECK_THAT(outcome.message, Catch::Contains("127.0.0.2: no answer") &&
                                    Catch::Contains("127.0.0.3: no answer") &&
                                    Catch::Contains("127.0.0.9: Connection refused"));
    CHECK(took >= 150ms);
    CHECK(took < 400ms);
    const auto refused = f.send({"127.0.0.9", "127.0.0.10"});
    CHECK(refused.outcome.code == errc::connect_failed);
    CHECK(refused.took < 40ms);
}

TEST_CASE("a deadline at any moment of the race leaves nothing behind") {
    fixture f;
    (void)f.send({"127.0.0.2", "127.0.0.1"}); // the context's own descriptors
    const auto before = open_descriptors();
    for (auto limit = 1ms; limit < 110ms; limit += 4ms) {
        const auto [outcome, took] =
            f.send({"127.0.0.2", "127.0.0.3", "127.0.0.1"}, {.deadline = steady::now() + limit});
        INFO(limit.count() << " ms: " << outcome.message);
        CHECK((!outcome.code || outcome.code == errc::timeout));
        if (limit < 75ms) CHECK(outcome.code == errc::timeout);
        CHECK(took < limit + 100ms);
    }
    f.io.restart();
    f.io.poll();
    f.server.end_all();
    std::this_thread::sleep_for(20ms);
    CHECK(open_descriptors() <= before);
}

TEST_CASE("a race can be cancelled at each step, and its context destroyed") {
    fixture f(10ms);
    const auto before = open_descriptors();
    int aborts = 0;
    for (const bool destroy : {false, true})
        for (int step = first_step_to_cancel();; ++step) {
            REQUIRE(step < 100);
            const auto through = f.transport({"127.0.0.2", "127.0.0.9", "127.0.0.3", "127.0.0.1"});
            remembering_exchange what;
            asio::cancellation_signal signal;
            bool done = false, aborted = false, succeeded = false;
            auto io = std::make_unique<asio::io_context>();
            asio::co_spawn(*io, through->send(what, {}),
                           asio::bind_cancellation_slot(
                               signal.slot(), [&](std::exception_ptr e, net::send_outcome o) {
                                   done = true;
                                   aborted = e != nullptr;
                                   succeeded = !e && !o.code;
                               }));
            for (int i = 0; i < step && !done; ++i)
                io->run_one_for(1s);
            if (done) break;
            if (destroy) {
                io.reset();
            } else {
                signal.emit(asio::cancellation_type::terminal);
                for (int i = 0; i < 100 && !done; ++i)
                    io->run_one_for(1s);
                CHECK(done);
                CHECK((aborted || (succeeded && what.reads == 1)));
                aborts += aborted ? 1 : 0;
            }
            CHECK(through->stats().open == (succeeded ? 1 : 0));
        }
    CHECK(aborts > 4);
    f.server.end_all();
    std::this_thread::sleep_for(20ms);
    CHECK(open_descriptors() <= before);
}

TEST_CASE("many races on many threads, with and without strands") {
    fixture f(10ms);
    f.config.max_connections = 16;
    f.config.max_age = 1ms; // each exchange a new connection, nearly
    const auto through = f.transport({"127.0.0.2", "127.0.0.9", "127.0.0.1", "127.0.0.3"});
    std::atomic<int> fine{0}, late{0}, other{0};
    const auto work = [](std::shared_ptr<net::transport> on, std::atomic<int>& good,
                         std::atomic<int>& slow, std::atomic<int>& bad) -> asio::awaitable<void> {
        for (int i = 0; i < 8; ++i) {
            remembering_exchange what;
            net::send_options options;
            options.deadline = steady::now() + (i % 2 == 0 ? 5s : std::chrono::seconds(0) + 15ms);
            const auto outcome = co_await on->send(what, options);
            // On a slow machine the pool knows that 15 ms will not do.
            const bool no_time = outcome.code == errc::timeout || outcome.code == errc::overloaded;
            ++(!outcome.code ? good : no_time ? slow : bad);
        }
    };
    {
        asio::thread_pool pool(4);
        for (int i = 0; i < 16; ++i) {
            asio::co_spawn(pool, work(through, fine, late, other), asio::detached);
            asio::co_spawn(asio::make_strand(pool), work(through, fine, late, other),
                           asio::detached);
        }
        pool.join();
    }
    CHECK(fine + late + other == 32 * 8);
    CHECK(other == 0);
    CHECK(fine >= 32 * 4);
    CHECK(through->stats().opened > 32);
    CHECK(through->stats().open == 0);
}
