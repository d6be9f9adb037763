// SPDX-License-Identifier: BSL-1.0
// Virtual time: order, interleavings, cancellation, crashes.
#include "support/catch.hpp"

#include <codynamo/testing/virtual_clock.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using log_lines = std::vector<std::string>;

asio::awaitable<void> sleep_and_say(const virtual_clock& time, std::chrono::milliseconds pause,
                                    std::string name, log_lines& log) {
    for (int i = 0; i != 2; ++i) {
        co_await time.sleep_until(time.steady_now() + pause);
        const auto since = time.now() - virtual_world::epoch;
        log.push_back(name + std::to_string(since / 1ms));
    }
}

asio::awaitable<void> say(std::string name, log_lines& log) {
    for (int i = 0; i != 2; ++i) {
        co_await asio::post(asio::deferred);
        log.push_back(name);
    }
}

struct told_destroyed {
    explicit told_destroyed(int& n) : number(n) {}
    told_destroyed(const told_destroyed&) = delete;
    told_destroyed& operator=(const told_destroyed&) = delete;
    ~told_destroyed() { ++number; }
    int& number;
};

asio::awaitable<void> wait_for_ever(virtual_signal& signal, int& destroyed) {
    const told_destroyed guard(destroyed);
    co_await signal.wait_until(virtual_world::steady_point::max());
}

} // namespace

TEST_CASE("sleepers wake in the order of their times, and no time passes while there is work") {
    virtual_world world;
    virtual_process process(world);
    const virtual_clock time(process);
    log_lines log;
    asio::co_spawn(process, sleep_and_say(time, 30ms, "c", log), asio::detached);
    asio::co_spawn(process, sleep_and_say(time, 10ms, "a", log), asio::detached);
    asio::co_spawn(process, sleep_and_say(time, 21ms, "b", log), asio::detached);
    CHECK(world.run());
    CHECK(log == log_lines{"a10", "a20", "b21", "c30", "b42", "c60"});
    CHECK(world.sleeping() == 0);
}

TEST_CASE("a clock may be wrong about the day, never about how long things take") {
    virtual_world world;
    virtual_process process(world);
    virtual_clock time(process, -5s);
    CHECK(time.now() == virtual_world::epoch - 5s);
    CHECK(time.steady_now() == world.now());
    time.set_skew(1h);
    CHECK(time.now() == virtual_world::epoch + 1h);
}

TEST_CASE("random order finds every interleaving of two coroutines, first in first out one") {
    std::set<log_lines> seen[2];
    for (std::uint64_t seed = 0; seed != 200; ++seed) {
        for (const auto order : {virtual_world::order::fifo, virtual_world::order::random}) {
            virtual_world world(seed, order);
            virtual_process process(world);
            log_lines log;
            asio::co_spawn(process, say("a", log), asio::detached);
            asio::co_spawn(process, say("b", log), asio::detached);
            world.run();
            seen[order == virtual_world::order::random ? 1 : 0].insert(log);
        }
    }
    CHECK(seen[0].size() == 1);
    CHECK(seen[1].size() == 6);
}

TEST_CASE("a strand on it never runs two handlers at once, and all of them") {
    virtual_world world(3);
    virtual_process process(world);
    const asio::any_io_executor any(process.get_executor());
    auto strand = asio::make_strand(any);
    int inside = 0;
    int done = 0;
    for (int i = 0; i != 50; ++i)
        asio::post(strand, [&] {
            CHECK(++inside == 1);
            --inside;
            ++done;
        });
    world.run();
    CHECK(done == 50);
}

TEST_CASE("dispatch runs at once inside the process, later from outside, and post always later") {
    virtual_world world;
    virtual_process process(world);
    virtual_process stranger(world);
    log_lines log;
    asio::dispatch(process.get_executor(), [&] {
        asio::dispatch(process.get_executor(), [&] { log.emplace_back("at once"); });
        asio::post(process.get_executor(), [&] { log.emplace_back("later"); });
        asio::dispatch(stranger.get_executor(), [&] { log.emplace_back("stranger"); });
        log.emplace_back("end");
    });
    CHECK(log.empty());
    world.run();
    REQUIRE(log.size() == 4);
    CHECK(log[0] == "at once");
    CHECK(log[1] == "end");
}

TEST_CASE("cancellation wakes a sleeper with operation_aborted") {
    virtual_world world;
    virtual_process process(world);
    virtual_signal signal(process);
    asio::cancellation_signal cancel;
    int destroyed = 0;
    boost::system::error_code code;
    asio::co_spawn(process, wait_for_ever(signal, destroyed),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr why) {
                       try {
                           if (why) std::rethrow_exception(why);
                       } catch (const boost::system::system_error& e) {
                           code = e.code();
                       }
                   }));
    world.run();
    CHECK(world.sleeping() == 1);
    CHECK(destroyed == 0);
    cancel.emit(asio::cancellation_type::terminal);
    world.run();
    CHECK(code == asio::error::operation_aborted);
    CHECK(destroyed == 1);
    CHECK(world.sleeping() == 0);
}

TEST_CASE("a notification wakes a waiter, or the next one when nobody waits") {
    virtual_world world;
    virtual_process process(world);
    virtual_signal signal(process);
    log_lines log;
    const auto wait = [&]() -> asio::awaitable<void> {
        for (int i = 0; i != 3; ++i) {
            const bool notified = co_await signal.wait_until(world.now() + 10ms);
            log.emplace_back(notified ? "notified" : "due");
        }
    };
    signal.notify();
    asio::co_spawn(process, wait(), asio::detached);
    process.call_at(world.now() + 4ms, [&] { signal.notify(); });
    world.run();
    CHECK(log == log_lines{"notified", "notified", "due"});
    CHECK(world.now().time_since_epoch() == 1000h + 14ms);
}

TEST_CASE("a crash destroys what is pending, everywhere, and nothing runs afterwards") {
    virtual_world world;
    auto process = std::make_unique<virtual_process>(world);
    virtual_process other(world);
    virtual_signal signal(*process);
    const virtual_clock time(*process);
    log_lines log;
    int destroyed = 0;
    asio::co_spawn(*process, wait_for_ever(signal, destroyed), asio::detached);
    asio::co_spawn(*process, sleep_and_say(time, 10ms, "a", log), asio::detached);
    const asio::any_io_executor any(process->get_executor());
    asio::co_spawn(asio::make_strand(any), say("b", log), asio::detached);
    asio::post(other.get_executor(), [&] { log.emplace_back("other"); });
    for (int i = 0; i != 3; ++i)
        world.step();
    log.clear();
    process->crash();
    process->crash();
    CHECK(process->crashed());
    asio::post(process->get_executor(), [&] { log.emplace_back("never"); });
    process->call_at(world.now(), [&] { log.emplace_back("never"); });
    world.run();
    CHECK(std::count(log.begin(), log.end(), "never") == 0);
    CHECK(destroyed == 1);
    CHECK(world.ready() == 0);
    CHECK(world.sleeping() == 0);
}

TEST_CASE("what a handler throws is thrown by step, and the world goes on") {
    virtual_world world;
    virtual_process process(world);
    int ran = 0;
    asio::post(process.get_executor(), [] { throw std::runtime_error("thrown"); });
    process.call_at(world.now() + 1ms, [&] { ++ran; });
    CHECK_THROWS_WITH(world.run(), "thrown");
    CHECK(world.run());
    CHECK(ran == 1);
}
