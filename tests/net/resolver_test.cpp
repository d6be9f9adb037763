// SPDX-License-Identifier: BSL-1.0
// A resolver of the user's own: asked when needed, never believed for longer, and bounded.
#include "support/harness.hpp"
#include "support/stub_server.hpp"
#include "support/tap.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <new>
#include <optional>
#include <utility>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;
using addresses = std::vector<std::string>;

/// Answers what it is told, and counts.
struct scripted {
    std::atomic<int> calls{0};
    std::atomic<int> cancelled{0};
    std::vector<addresses> answers{{"127.0.0.1"}}; ///< the last one again and again
    int hanging = 0;                               ///< so many calls, from the first, do not return
    int stubborn = 0;                              ///< so many of them cannot be cancelled
    steady::duration hang = 1h;
    std::string asked;

    net::resolver hook() {
        return [this](std::string host) { return answer(this, std::move(host)); };
    }

private:
    static asio::awaitable<addresses> answer(scripted* self, std::string host) {
        const auto n = static_cast<std::size_t>(self->calls++);
        self->asked = std::move(host);
        const auto executor = co_await asio::this_coro::executor;
        asio::steady_timer timer(executor);
        if (static_cast<int>(n) < self->hanging) {
            if (static_cast<int>(n) < self->stubborn)
                co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            timer.expires_after(self->hang);
            const gone_watch watch{self};
            co_await timer.async_wait(asio::use_awaitable);
        }
        timer.expires_after(1ms);
        co_await timer.async_wait(asio::use_awaitable);
        co_return self->answers[std::min(n, self->answers.size() - 1)];
    }
    struct gone_watch {
        scripted* self;
        ~gone_watch() { ++self->cancelled; }
    };
};

class leaping_clock final : public codynamo::clock {
public:
    timestamp now() const noexcept override { return real->now(); }
    steady::time_point steady_now() const noexcept override { return real->steady_now() + leapt; }
    asio::awaitable<void> sleep_until(steady::time_point) const override {
        throw std::logic_error("the transport has no business sleeping");
    }
    std::shared_ptr<const codynamo::clock> real = environment::system_clock();
    steady::duration leapt{};
};

struct fixture {
    std::shared_ptr<net::transport> transport() {
        net::network_config network;
        network.resolve = names.hook();
        network.proxy.from_environment = false;
        environment env = testing_support::tapped();
        env.time = time;
        return net::make_transport({false, "db.example", server.port()}, config, {}, env, network);
    }
    net::send_outcome send(net::transport& through, net::send_options options = {}) {
        remembering_exchange what;
        return run(io, through.send(what, options));
    }

    scripted names; // outlives the context and what hangs in it
    std::shared_ptr<leaping_clock> time = std::make_shared<leaping_clock>();
    stub_server server{{.answer = [](const std::string&) { return response("ok"); }}};
    asio::io_context io;
    net::pool_config config;
};

} // namespace

TEST_CASE("the resolver is asked for the server's name, once for each connection") {
    fixture f;
    const auto transport = f.transport();
    for (int i = 0; i < 3; ++i)
        CHECK_FALSE(f.send(*transport).code);
    CHECK(f.names.calls == 1);
    CHECK(f.names.asked == "db.example");
    CHECK(f.server.connections() == 1);
}

TEST_CASE("the name is looked up again when the connection has grown old") {
    fixture f;
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
    fixture f;
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
    }
}

TEST_CASE("a resolver that never returns is left, cancelled, and asked anew") {
    for (const bool stubborn : {false, true}) {
        const int hanging = stubborn ? 1 : 2;
        fixture f;
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
    fixture f;
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
    fixture f;
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
    fixture f;
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
    fixture f;
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
        for (int step = 0; step < 12; ++step) {
            fixture f;
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
    fixture f;
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

TEST_CASE("a hanging look-up is given up even while callers relieve each other") {
    fixture f;
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

TEST_CASE("the resolver serves many threads") {
    fixture f;
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
