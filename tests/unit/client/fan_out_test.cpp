// SPDX-License-Identifier: BSL-1.0
#include "cache/fan_out.hpp"
#include "support/catch.hpp"
#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace codynamo::detail {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> yield() {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::deferred);
}

} // namespace

TEST_CASE("every job runs once, and no more at a time than allowed") {
    for (const std::size_t count : {0U, 1U, 2U, 7U, 100U}) {
        for (const std::size_t concurrency : {1U, 3U, 1000U}) {
            std::vector<int> runs(count, 0);
            std::size_t now = 0;
            std::size_t most = 0;
            test_support::run(
                fan_out(count, concurrency, [&](std::size_t i) -> asio::awaitable<void> {
                    most = std::max(most, ++now);
                    co_await yield();
                    ++runs[i];
                    --now;
                }));
            CHECK(std::ranges::all_of(runs, [](int n) { return n == 1; }));
            CHECK(most == std::min(count, concurrency));
        }
    }
}

TEST_CASE("the first exception stops new jobs and is rethrown when the others have ended") {
    int started = 0;
    int ended = 0;
    const auto job = [&](std::size_t i) -> asio::awaitable<void> {
        ++started;
        co_await yield();
        if (i == 1) throw std::runtime_error("one");
        co_await yield();
        ++ended;
    };
    CHECK_THROWS_WITH(test_support::run(fan_out(100, 4, job)), "one");
    CHECK(started < 10);
    CHECK(ended == started - 1);
}

TEST_CASE("cancelling the caller cancels the jobs and waits for them") {
    for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::total}) {
        asio::io_context context;
        asio::cancellation_signal signal;
        int cancelled = 0;
        bool aborted = false;
        const auto job = [&](std::size_t) -> asio::awaitable<void> {
            asio::steady_timer timer(context, asio::steady_timer::time_point::max());
            try {
                co_await timer.async_wait(asio::deferred);
            } catch (const boost::system::system_error&) {
                ++cancelled;
                throw;
            }
        };
        const auto parent = [&]() -> asio::awaitable<void> {
            co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
            co_await fan_out(8, 3, job);
        };
        asio::co_spawn(context, parent(),
                       asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr why) {
                           try {
                               std::rethrow_exception(why);
                           } catch (const boost::system::system_error& e) {
                               aborted = e.code() == asio::error::operation_aborted;
                           }
                       }));
        while (context.poll() > 0) {
        }
        signal.emit(type);
        context.restart();
        context.run();
        CHECK(aborted);
        CHECK(cancelled == 3);
    }
}

TEST_CASE("jobs of a fan-out on a thread pool never run at the same instant") {
    asio::thread_pool pool(4);
    int unguarded = 0;
    std::atomic<bool> done{false};
    asio::co_spawn(pool,
                   fan_out(1000, 16,
                           [&](std::size_t) -> asio::awaitable<void> {
                               ++unguarded;
                               co_await yield();
                               ++unguarded;
                           }),
                   [&](std::exception_ptr why) { done = !why; });
    pool.join();
    CHECK(done);
    CHECK(unguarded == 2000);
}

TEST_CASE("a context destroyed with a fan-out under way leaks nothing") {
    auto context = std::make_unique<asio::io_context>();
    auto witness = std::make_shared<int>(0);
    const auto job = [&](std::size_t) -> asio::awaitable<void> {
        auto held = witness;
        asio::steady_timer timer(*context, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::deferred);
    };
    asio::co_spawn(*context, fan_out(8, 3, job), [](std::exception_ptr) {});
    while (context->poll() > 0) {
    }
    CHECK(witness.use_count() == 4);
    context.reset();
    CHECK(witness.use_count() == 1);
}

} // namespace codynamo::detail
