// SPDX-License-Identifier: BSL-1.0
// Gets of many threads that wait for three connections, are cancelled at random, hedged, or too
// late: each ends, and no connection is lost.
#include "support/catch.hpp"
#include "support/server_script.hpp"
#include "support/stub_server.hpp"
#include "support/tap.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <random>
#include <thread>
#include <vector>

namespace codynamo::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t total = 2000;

/// A get with a strand and a signal of its own.
struct one_get {
    explicit one_get(asio::io_context& io) : strand(asio::make_strand(io)) {}
    asio::strand<asio::io_context::executor_type> strand;
    asio::cancellation_signal signal{};
};

struct outcome {
    std::atomic<std::size_t> ended{0}, good{0}, aborted{0};

    void take(const std::exception_ptr& why) {
        try {
            if (why) std::rethrow_exception(why);
            ++good;
        } catch (const boost::system::system_error& e) {
            if (e.code() == asio::error::operation_aborted) ++aborted;
        }
        ++ended;
    }
};

dynamodb_backend opened(const dynamodb_backend_config& config) {
    asio::io_context io(1);
    std::optional<dynamodb_backend> made;
    const auto open = [&]() -> asio::awaitable<void> {
        made.emplace(co_await dynamodb_backend::open(config));
    };
    asio::co_spawn(io, open(), [](const std::exception_ptr& why) {
        if (why) std::rethrow_exception(why);
    });
    io.run();
    return *std::move(made);
}

/// All of them, most of them cancelled now or a little later.
void issue(dynamodb_backend& backend, std::deque<one_get>& gets, outcome& seen, unsigned seed) {
    std::mt19937 random(seed);
    const auto cancel = [](one_get& which) {
        asio::post(which.strand,
                   [&which] { which.signal.emit(asio::cancellation_type::terminal); });
    };
    for (std::size_t i = 0; i < total; ++i) {
        auto end = [&seen](const std::exception_ptr& why, const auto&) { seen.take(why); };
        asio::co_spawn(gets[i].strand, backend.load("key"),
                       asio::bind_cancellation_slot(gets[i].signal.slot(),
                                                    asio::bind_executor(gets[i].strand, end)));
        if (random() % 3 == 0) cancel(gets[i]);
        if (i > 50 && random() % 2 == 0) cancel(gets[i - 1 - random() % 50]);
    }
}

} // namespace

TEST_CASE("turns: many threads and contexts, cancellations, hedges and short deadlines") {
    const auto hedged = GENERATE(false, true);
    const auto patience = GENERATE(40ms, 20'000ms);
    CAPTURE(hedged, patience.count());
    std::atomic<unsigned> asked{0};
    const stub_server server({.answer = [&](const std::string&) {
        if (++asked % 7 == 0) std::this_thread::sleep_for(3ms);
        return response("{}");
    }});
    dynamodb_backend_config config;
    config.table_name = "turns";
    config.region = "us-east-1";
    config.endpoint = "http://127.0.0.1:" + std::to_string(server.port());
    config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
    config.create = false;
    config.call_timeout = config.attempt_timeout = patience;
    config.pool.max_connections = 3;
    config.batching.mode = batching_mode::off;
    config.hedging.enabled = hedged;
    config.hedging.delay = 1ms;
    config.hedging.max_extra_load = 1;
    config.env = testing_support::tapped();
    config.env.variable = [](const char*) { return std::nullopt; };
    dynamodb_backend backend = opened(config);

    outcome seen;
    asio::io_context shared(2), own(1);
    std::deque<one_get> gets;
    for (std::size_t i = 0; i < total; ++i)
        gets.emplace_back(i % 5 == 0 ? own : shared);
    const auto work = asio::make_work_guard(shared), more_work = asio::make_work_guard(own);
    std::vector<std::thread> threads;
    for (asio::io_context* const io : {&shared, &shared, &own})
        threads.emplace_back([io] { io->run(); });
    issue(backend, gets, seen, hedged ? 1 : 2);
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (seen.ended < total && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(1ms);
    CHECK(seen.ended == total);
    CHECK(seen.aborted > 0);
    const auto stats = backend.client().stats();
    CHECK(stats.waiting == 0);
    shared.stop();
    own.stop();
    for (std::thread& one : threads)
        one.join();
    if (patience > 1s) {
        CHECK(seen.good + seen.aborted == total);
        CHECK(backend.client().stats().open == backend.client().stats().idle);
    }
}

} // namespace codynamo::testing
