// SPDX-License-Identifier: BSL-1.0
// Who waits for a fetch of credentials, when waiters are cancelled and contexts stop, are destroyed
// or are many.
#include "unit/aws/moody_executor.hpp"
#include "unit/aws/refreshing_bench.hpp"

#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support::refreshing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_CASE("a cancelled waiter leaves, and the fetch goes on for the others") {
    bench b;
    asio::io_context context;
    waiting first, second;
    b.source->held = true;
    first.start(context.get_executor(), b.provider);
    second.start(context.get_executor(), b.provider);
    poll(context, 20);
    CHECK(b.source->fetches == 1);
    first.stop.emit(asio::cancellation_type::terminal);
    poll(context, 20);
    CHECK(first.result != "waiting");
    CHECK(second.result == "waiting");
    b.release(context);
    CHECK(second.result == "key-1");
    CHECK(b.source->fetches == 1);
    CHECK(b.hand() == "key-1");
}

TEST_CASE("a fetch goes on when all who waited for it were cancelled") {
    bench b;
    asio::io_context context;
    waiting only;
    b.hold(only, context);
    only.stop.emit(asio::cancellation_type::terminal);
    poll(context, 20);
    b.release(context);
    CHECK(only.result != "waiting");
    CHECK(only.result != "key-1");
    CHECK(b.hand() == "key-1");
}

TEST_CASE("when the context of the fetch is destroyed the waiters of others fetch themselves") {
    bench b;
    auto doomed = std::make_unique<asio::io_context>();
    asio::io_context living;
    waiting starter, guest;
    b.source->held = true;
    starter.start_for_good(doomed->get_executor(), b.provider);
    poll(*doomed, 20);
    guest.start(living.get_executor(), b.provider);
    poll(living, 20);
    CHECK(b.source->fetches == 1);
    CHECK(guest.result == "waiting");
    b.source->held = false;
    doomed.reset();
    drain(living);
    CHECK(starter.result == "waiting");
    CHECK(guest.result == "key-2");
}

TEST_CASE("a fetch whose first step never came is found dead as well") {
    bench b;
    auto doomed = std::make_unique<asio::io_context>();
    waiting starter;
    starter.start_for_good(doomed->get_executor(), b.provider);
    poll(*doomed, 2);
    doomed.reset();
    CHECK(b.key() == "key-" + std::to_string(b.source->fetches));
    CHECK(starter.result == "waiting");
}

TEST_CASE("the context of a waiter may be destroyed while the fetch goes on elsewhere") {
    bench b;
    asio::io_context living;
    auto doomed = std::make_unique<asio::io_context>();
    waiting starter, guest, on_strand;
    b.hold(starter, living);
    guest.start_for_good(doomed->get_executor(), b.provider);
    on_strand.start_for_good(asio::make_strand(*doomed), b.provider);
    poll(*doomed, 20);
    doomed.reset();
    b.release(living);
    CHECK(starter.result == "key-1");
    CHECK(guest.result == "waiting");
    CHECK(on_strand.result == "waiting");
}

TEST_CASE("a context that waits for another one's fetch does not run out of work") {
    bench b;
    asio::io_context fetching, other;
    waiting starter, guest;
    b.hold(starter, fetching);
    guest.start(other.get_executor(), b.provider);
    std::thread runs([&] { other.run(); });
    b.release(fetching);
    runs.join();
    CHECK(guest.result == "key-1");
    CHECK(b.source->fetches == 1);
}

TEST_CASE("a fetch in a context that has stopped running is given up after five seconds") {
    bench b;
    asio::io_context stopped, living;
    waiting starter, first, second;
    b.hold(starter, stopped);
    b.source->held = false;
    first.start(living.get_executor(), b.provider);
    poll(living, 20);
    CHECK(first.result == "waiting");
    b.time->advance(6s);
    second.start(living.get_executor(), b.provider);
    living.restart();
    living.poll();
    CHECK(second.result == "key-2");
    CHECK(first.result == "key-2");
    // It may come back, and is heard no more.
    drain(stopped);
    CHECK(b.hand() == "key-2");
    CHECK(starter.result == "key-2");
}

TEST_CASE("a lone waiter gives up a fetch in a context that has stopped running by itself") {
    bench b(detail::refresh_policy{.longest_stall = 20ms});
    asio::io_context stopped, living;
    waiting starter, lone, on_strand;
    b.hold(starter, stopped);
    b.source->held = false;
    lone.start(living.get_executor(), b.provider);
    on_strand.start(asio::make_strand(living), b.provider);
    living.run_for(10s);
    CHECK(lone.result == "key-2");
    CHECK(on_strand.result == "key-2");
    drain(stopped);
    CHECK(starter.result == "key-2");
}

TEST_CASE("a lone waiter goes on waiting for a slow fetch in a context that runs") {
    bench b(detail::refresh_policy{.longest_stall = 400ms});
    asio::io_context slow, living;
    waiting starter, lone;
    b.hold(starter, slow);
    std::thread runs([&] {
        slow.restart();
        slow.run();
    });
    lone.start(living.get_executor(), b.provider);
    living.run_for(1000ms); // more than twice the stall
    CHECK(lone.result == "waiting");
    CHECK(b.source->fetches == 1);
    b.source->held = false;
    living.restart();
    living.run_for(10s);
    runs.join();
    CHECK(lone.result == "key-1");
    CHECK(b.source->fetches == 1);
}

TEST_CASE("a fetch that could not be started hangs nobody who comes later") {
    bench b;
    const auto mood = std::make_shared<testing_support::moods>();
    asio::io_context context;
    const asio::any_io_executor moody =
        testing_support::moody_executor<>(context.get_executor(), mood);
    const auto asked_before = mood->patience.load();
    waiting first, second;
    first.start(moody, b.provider);
    mood->patience = 0;
    context.run();
    CHECK(first.result != "waiting");
    CHECK(mood->patience < 0);
    CHECK(b.source->fetches == 0);
    mood->patience = asked_before;
    second.start(moody, b.provider);
    context.restart();
    context.run_for(10s);
    CHECK(second.result == "key-1");
}

TEST_CASE("a slow fetch in a context that runs is waited for") {
    bench b;
    asio::io_context slow, living;
    waiting starter, first, second;
    b.hold(starter, slow);
    first.start(living.get_executor(), b.provider);
    poll(living, 20);
    poll(slow, 20);
    b.time->advance(60s);
    second.start(living.get_executor(), b.provider);
    poll(living, 20);
    CHECK(b.source->fetches == 1);
    b.release(slow);
    living.restart();
    living.poll();
    CHECK(first.result == "key-1");
    CHECK(second.result == "key-1");
}

TEST_CASE("many threads and contexts share one fetch after another") {
    constexpr int contexts = 3;
    constexpr int threads = 2;
    constexpr int callers = 40;
    constexpr int rounds = 50;
    bench b;
    std::atomic<int> answers = 0;
    std::atomic<int> wrong = 0;
    std::vector<std::unique_ptr<asio::thread_pool>> pools;
    for (int i = 0; i != contexts; ++i)
        pools.push_back(std::make_unique<asio::thread_pool>(threads));
    auto ask = [&](int number) -> asio::awaitable<void> {
        for (int round = 0; round != rounds; ++round) {
            auto found = b.provider->current();
            if (!found) found = co_await b.provider->resolve();
            if (!found || found->secret_access_key != "secret") ++wrong;
            ++answers;
            if ((number + round) % 7 == 0) b.provider->invalidate(found);
            if ((number + round) % 5 == 0) b.time->advance(1min);
            co_await asio::post(asio::deferred);
        }
    };
    for (int i = 0; i != callers; ++i)
        asio::co_spawn(*pools[static_cast<std::size_t>(i % contexts)], ask(i), asio::detached);
    for (auto& pool : pools)
        pool->join();
    CHECK(answers == callers * rounds);
    CHECK(wrong == 0);
    CHECK(b.source->at_most_running == 1);
    CHECK(b.source->fetches > 10);
}
