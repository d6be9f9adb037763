// SPDX-License-Identifier: BSL-1.0
// Every public operation on every kind of executor, with continuations that block until others have
// been resumed, and that do not return before others have done much more.
#include "every_operation.hpp"
#include "executions.hpp"
#include "support/catch.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace codynamo {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace codynamo::test;

namespace {

constexpr batching_mode modes[] = {batching_mode::off, batching_mode::automatic, batching_mode::on};

/// What the coroutines of one round share.
struct round_state {
    counter entered, resumed, done;
    std::mutex mutex;
    std::vector<std::string> failures{};

    void fail(std::string message) {
        const std::lock_guard lock(mutex);
        failures.push_back(std::move(message));
    }
};

asio::awaitable<void> call_once(served& on, const operation& what, std::string key,
                                round_state& shared) {
    try {
        co_await what.call(on, std::move(key));
    } catch (const std::exception& e) {
        shared.fail(e.what());
    }
}

/// Blocks, when it is resumed, until all have been resumed.
asio::awaitable<void> meet_others(served& on, const operation& what, std::string key,
                                  std::size_t count, round_state& shared) {
    shared.entered.add();
    co_await call_once(on, what, std::move(key), shared);
    shared.resumed.add();
    if (!shared.resumed.wait_for(count)) shared.fail("the others have not been resumed");
}

/// The first to be resumed does not return before the others have done the same three times over.
asio::awaitable<void> outlast_others(served& on, const operation& what, std::string key,
                                     std::size_t count, round_state& shared) {
    shared.entered.add();
    co_await call_once(on, what, key, shared);
    bool first = false;
    {
        const std::lock_guard lock(shared.mutex);
        first = shared.resumed.value() == 0;
        shared.resumed.add();
    }
    for (int i = 0; !first && i != 3; ++i)
        co_await call_once(on, what, key, shared);
    if (!first) shared.done.add();
    if (first && !shared.done.wait_for(count - 1)) shared.fail("the others have been held up");
}

using coroutine = asio::awaitable<void> (*)(served&, const operation&, std::string, std::size_t,
                                            round_state&);

/// co_spawn on a system_executor begins in the thread that calls it, which has others to spawn.
asio::awaitable<void> start_there(asio::awaitable<void> body) {
    co_await asio::post(asio::deferred);
    co_await std::move(body);
}

/// So many coroutines at once, all resumed by the answers to one request where they are batched.
void run_round(execution& where, served& on, const operation& what, coroutine body,
               std::size_t count) {
    round_state shared;
    on.hold_first = [&] { (void)shared.entered.wait_for(count); };
    counter ended;
    for (std::size_t i = 0; i != count; ++i)
        asio::co_spawn(where.executor(),
                       start_there(body(on, what, "key" + std::to_string(i), count, shared)),
                       [&](std::exception_ptr why) {
                           if (why) shared.fail("thrown");
                           ended.add();
                       });
    while (!ended.wait_for(count))
        shared.fail("a coroutine has not ended");
    std::string all;
    for (const auto& one : shared.failures)
        all += one + "; ";
    CHECK(all == "");
}

void check_all(coroutine body, const std::vector<operation>& operations) {
    for (const auto& [name, where] : executions())
        for (const batching_mode mode : modes)
            for (const operation& what : operations) {
                INFO(what.name << " on " << name << ", batching " << static_cast<int>(mode));
                served on(mode);
                run_round(*where, on, what, body, where->threads());
            }
}

} // namespace

TEST_CASE("continuations of cache operations may wait for each other where there are threads") {
    check_all(meet_others, cache_operations());
}

TEST_CASE("continuations of backend operations may wait for each other where there are threads") {
    check_all(meet_others, backend_operations());
}

TEST_CASE("continuations of client operations may wait for each other where there are threads") {
    check_all(meet_others, client_operations());
}

TEST_CASE("a continuation that does not return holds up no other cache operation") {
    check_all(outlast_others, cache_operations());
}

TEST_CASE("a continuation that does not return holds up no other backend operation") {
    check_all(outlast_others, backend_operations());
}

TEST_CASE("a continuation that does not return holds up no other client operation") {
    check_all(outlast_others, client_operations());
}

TEST_CASE("as many continuations as there are threads meet after one batch") {
    // More callers than one handler resumes in turn, and no thread to spare.
    for (int round = 0; round != 20; ++round) {
        pool_threads where(false);
        served on(batching_mode::on);
        run_round(where, on, cache_operations().front(), meet_others, 4);
    }
}

TEST_CASE("on one thread a continuation that runs the context sees the others resumed") {
    for (const int hint : {2, 1})
        for (const batching_mode mode : modes)
            for (const operation& what : cache_operations()) {
                INFO(what.name << ", batching " << static_cast<int>(mode) << ", hint " << hint);
                served on(mode, 1ms);
                asio::io_context io(hint);
                round_state shared;
                constexpr std::size_t count = 12;
                const auto body = [&](std::string key) -> asio::awaitable<void> {
                    co_await call_once(on, what, std::move(key), shared);
                    const std::size_t before = shared.resumed.value();
                    shared.resumed.add();
                    // With a hint of 1 Asio keeps what a handler posts until that has returned.
                    if (hint == 1 && before != 1) co_return;
                    while (shared.resumed.value() != count && io.run_one_for(2s) != 0) {
                    }
                    if (shared.resumed.value() != count) shared.fail("held up");
                };
                for (std::size_t i = 0; i != count; ++i)
                    asio::co_spawn(io, body("key" + std::to_string(i)),
                                   [&](std::exception_ptr) { shared.done.add(); });
                io.run();
                CHECK(shared.done.value() == count);
                CHECK(shared.failures.empty());
            }
}

} // namespace codynamo
