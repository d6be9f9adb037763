// SPDX-License-Identifier: BSL-1.0
// How long a resolver of the user's own is waited for, by whom, and what then becomes of it.
#include "scripted_resolver.hpp"
#include "support/catch.hpp"
#include "support/first_step.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <optional>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::test;
using namespace codynamo::testing;
using namespace std::chrono_literals;

TEST_CASE("a resolver that never returns is left, cancelled, and asked anew") {
    for (const bool stubborn : {false, true}) {
        const int hanging = stubborn ? 1 : 2;
        resolving f;
        f.names.hanging = hanging;
        f.names.stubborn = stubborn ? hanging : 0;
        f.config.connect_timeout = 80ms;
        const auto transport = f.transport();
        const auto started = steady::now();
        auto outcome = f.send(*transport);
        CHECK(outcome.code == errc::timeout);
        CHECK_FALSE(outcome.sent);
        CHECK_THAT(outcome.message,
                   Catch::Contains("resolving db.example:") && Catch::Contains("80 ms"));
        CHECK(steady::now() - started >= 80ms);
        CHECK(steady::now() - started < 300ms);
        if (!stubborn) {
            outcome = f.send(*transport, {.deadline = steady::now() + 30ms});
            CHECK(outcome.code == errc::timeout);
        }
        outcome = f.send(*transport);
        INFO(outcome.message);
        CHECK_FALSE(outcome.code);
        CHECK(f.names.calls == hanging + 1);
        CHECK(f.names.cancelled == (stubborn ? 0 : hanging));
        if (stubborn) continue;
        const auto before = steady::now();
        f.io.restart();
        f.io.run(); // nothing of the resolver is left
        CHECK(steady::now() - before < 500ms);
    }
}

TEST_CASE("a resolver that cannot be cancelled is not called again and again") {
    resolving f;
    f.names.hanging = f.names.stubborn = 1000;
    const auto transport = f.transport();
    const auto try_for = [&](std::chrono::milliseconds time) {
        const auto started = steady::now();
        const auto outcome = f.send(*transport, {.deadline = started + time});
        CHECK(outcome.code == errc::timeout);
        CHECK_THAT(outcome.message, Catch::Contains("resolving db.example:"));
        CHECK(steady::now() - started >= time);
        CHECK(steady::now() - started < time + 200ms);
    };
    for (int i = 0; i < 8; ++i)
        try_for(15ms);
    CHECK(f.names.calls == 2); // one given up, and one that all the others have joined
    CHECK(f.names.cancelled == 0);
}

TEST_CASE("the look-up after one that cannot be cancelled serves whoever comes in time for it") {
    resolving f;
    f.names.hanging = f.names.stubborn = 2;
    f.names.hang = 150ms;
    const auto transport = f.transport();
    for (int i = 0; i < 3; ++i)
        CHECK(f.send(*transport, {.deadline = steady::now() + 20ms}).code == errc::timeout);
    const auto outcome = f.send(*transport); // the second call is still under way
    INFO(outcome.message);
    CHECK_FALSE(outcome.code);
    CHECK(f.names.calls == 2);
}

TEST_CASE("a look-up that nobody waits for is cancelled once the one before it has returned") {
    resolving f;
    f.names.hanging = 2;
    f.names.stubborn = 1;
    f.names.hang = 200ms;
    const auto transport = f.transport();
    const auto started = steady::now();
    CHECK(f.send(*transport, {.deadline = started + 20ms}).code == errc::timeout);
    f.names.hang = 1h;
    CHECK(f.send(*transport, {.deadline = started + 50ms}).code == errc::timeout);
    CHECK(f.names.cancelled == 0);
    f.io.restart();
    f.io.run_for(5s); // ends when nothing of either is left
    CHECK(steady::now() - started < 1500ms);
    CHECK(steady::now() - started >= 200ms);
    CHECK(f.names.calls == 2);
    CHECK(f.names.cancelled == 2);
    CHECK_FALSE(f.send(*transport).code); // asked anew
    CHECK(f.names.calls == 3);
}

TEST_CASE("a resolver is not cancelled while somebody still waits for it") {
    resolving f;
    f.names.hanging = 1;
    const auto transport = f.transport();
    std::vector<remembering_exchange> exchanges(3);
    std::vector<steady::duration> took;
    const auto started = steady::now();
    for (std::size_t i = 0; i < 3; ++i) {
        net::send_options options;
        options.deadline = started + (i + 1) * 50ms;
        asio::co_spawn(f.io, transport->send(exchanges[i], options),
                       [&](std::exception_ptr, net::send_outcome o) {
                           CHECK(o.code == errc::timeout);
                           CHECK(f.names.cancelled == 0);
                           took.push_back(steady::now() - started);
                       });
    }
    f.io.run_for(2s);
    REQUIRE(took.size() == 3);
    CHECK(took[2] >= 150ms);
    CHECK(f.names.calls == 1);
    CHECK(f.names.cancelled == 1);
}

TEST_CASE("waiting for a resolver can be cancelled at each step, and its context destroyed") {
    for (const bool destroy : {false, true})
        for (int step = first_step_to_cancel(); step < 12; ++step) {
            resolving f;
            f.names.hanging = 1;
            const auto transport = f.transport();
            remembering_exchange what;
            asio::cancellation_signal signal;
            bool done = false, aborted = false;
            auto io = std::make_unique<asio::io_context>();
            asio::co_spawn(*io, transport->send(what, {}),
                           asio::bind_cancellation_slot(
                               signal.slot(), [&](std::exception_ptr e, net::send_outcome) {
                                   done = true;
                                   aborted = e != nullptr;
                               }));
            for (int i = 0; i < step; ++i)
                io->run_one_for(3ms);
            CHECK_FALSE(done);
            if (destroy) {
                io.reset();
                CHECK_FALSE(done);
            } else {
                signal.emit(asio::cancellation_type::terminal);
                io->run_for(1s);
                CHECK(done);
                CHECK(aborted);
            }
            CHECK(transport->stats().open == 0);
        }
}

TEST_CASE("a hanging look-up is given up even while callers relieve each other") {
    resolving f;
    f.names.hanging = 1;
    f.config.connect_timeout = 20s;
    const auto transport = f.transport();
    std::vector<remembering_exchange> exchanges(4);
    std::vector<std::optional<net::send_outcome>> ended(4);
    const auto start = [&](std::size_t i) {
        asio::co_spawn(f.io, transport->send(exchanges[i], {}),
                       [&ended, i](std::exception_ptr, net::send_outcome o) { ended[i] = o; });
        while (f.io.poll_one() != 0) {
        }
    };
    const auto run_until = [&](std::size_t i) {
        const auto patience = steady::now() + 5s;
        while (!ended[i] && steady::now() < patience)
            f.io.run_one_for(10ms);
        REQUIRE(ended[i]);
    };
    start(0);
    f.time->leapt += 15s;
    start(1);
    f.time->leapt += 6s;
    run_until(0);
    CHECK(ended[0]->code == errc::timeout);
    start(2);
    f.time->leapt += 15s;
    run_until(1);
    CHECK(ended[1]->code == errc::timeout);
    CHECK_FALSE(ended[2]);
    CHECK(f.names.calls == 1); // a slow one would have been in time for those who came later
    f.time->leapt += 4s;
    start(3);
    run_until(3);
    CHECK_FALSE(ended[3]->code);
    run_until(2);
    CHECK_FALSE(ended[2]->code);
    CHECK(f.names.calls == 2);
    CHECK(f.names.cancelled == 1);
}
