// SPDX-License-Identifier: BSL-1.0
// One backend, every way to run it: where a get completes, and that nothing is lost on the way.
#include "live.hpp"
#include "support/catch.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace codynamo {

namespace asio = boost::asio;
using test::live_config;
using text_cache = cache<std::string, text_serializer>;

namespace {

struct tally {
    std::atomic<int> right{0};
    std::atomic<int> wrong{0};
    std::atomic<int> strayed{0};
};

/// Sets and gets keys of its own, and looks where it is resumed.
template <class Executor>
asio::awaitable<void> client(text_cache cache, int id, Executor home, std::shared_ptr<tally> seen) {
    for (int i = 0; i < 10; ++i) {
        const std::string key = std::to_string(id) + "/" + std::to_string(i);
        co_await cache.set(key, "value of " + key);
        if (!home.running_in_this_thread()) ++seen->strayed;
        const auto found = co_await cache.get(key);
        if (!home.running_in_this_thread()) ++seen->strayed;
        ++(found == "value of " + key ? seen->right : seen->wrong);
    }
}

/// Opens a backend whose table is deleted by the destructor.
class live_table {
public:
    explicit live_table(const std::string& stem) {
        test_support::run([](std::optional<dynamodb_backend>& to,
                             dynamodb_backend_config config) -> asio::awaitable<void> {
            to = co_await dynamodb_backend::open(std::move(config));
        }(backend_, live_config(stem)));
    }
    ~live_table() {
        test_support::run([](dynamodb_backend b) -> asio::awaitable<void> {
            co_await b.delete_table();
            co_await b.close();
        }(*backend_));
    }
    live_table(const live_table&) = delete;
    live_table& operator=(const live_table&) = delete;

    [[nodiscard]] text_cache cache() const { return text_cache(*backend_); }

private:
    std::optional<dynamodb_backend> backend_;
};

constexpr int clients = 24;

void check(const tally& seen) {
    CHECK(seen.right == clients * 10);
    CHECK(seen.wrong == 0);
    CHECK(seen.strayed == 0);
}

} // namespace

TEST_CASE("on a single-threaded io_context") {
    live_table table("one-thread");
    auto seen = std::make_shared<tally>();
    asio::io_context context(1);
    for (int id = 0; id < clients; ++id) {
        asio::co_spawn(context, client(table.cache(), id, context.get_executor(), seen),
                       asio::detached);
    }
    context.run();
    check(*seen);
}

TEST_CASE("on an io_context with four threads, without strands") {
    live_table table("four-threads");
    auto seen = std::make_shared<tally>();
    asio::io_context context;
    for (int id = 0; id < clients; ++id) {
        asio::co_spawn(context, client(table.cache(), id, context.get_executor(), seen),
                       asio::detached);
    }
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] { context.run(); });
    threads.clear();
    check(*seen);
}

TEST_CASE("on a thread_pool, each client on a strand of its own") {
    live_table table("strands");
    auto seen = std::make_shared<tally>();
    asio::thread_pool pool(4);
    for (int id = 0; id < clients; ++id) {
        auto home = asio::make_strand(pool);
        asio::co_spawn(home, client(table.cache(), id, home, seen), asio::detached);
    }
    pool.join();
    check(*seen);
}

TEST_CASE("on two contexts in two threads at once, sharing one backend") {
    live_table table("two-contexts");
    auto seen = std::make_shared<tally>();
    asio::io_context contexts[2];
    for (int id = 0; id < clients; ++id) {
        asio::io_context& mine = contexts[id % 2];
        asio::co_spawn(mine, client(table.cache(), id, mine.get_executor(), seen), asio::detached);
    }
    {
        std::jthread other([&] { contexts[1].run(); });
        contexts[0].run();
    }
    check(*seen);
}

TEST_CASE("contexts come and go while the backend stays") {
    live_table table("generations");
    for (int generation = 0; generation < 5; ++generation) {
        auto seen = std::make_shared<tally>();
        asio::io_context context;
        asio::co_spawn(context, client(table.cache(), generation, context.get_executor(), seen),
                       asio::detached);
        context.run();
        CHECK(seen->right == 10);
    }
}

TEST_CASE("dropping context, cache and backend with gets under way neither hangs nor leaks") {
    live_table table("dropped");
    auto seen = std::make_shared<tally>();
    {
        asio::io_context context;
        for (int id = 0; id < 100; ++id) {
            asio::co_spawn(context, client(table.cache(), id, context.get_executor(), seen),
                           asio::detached);
        }
        for (int i = 0; i < 200; ++i)
            context.poll_one();
    }
    CHECK(seen.use_count() == 1);
}

TEST_CASE("a layered cache over memory and the table serves what another program wrote") {
    live_table table("layered");
    test_support::run([](text_cache shared) -> asio::awaitable<void> {
        memory_backend memory;
        text_cache layered{layered_backend(memory, shared.backend())};
        co_await shared.set("a", "from below", std::chrono::minutes(5));
        auto first = co_await layered.get_entry("a");
        REQUIRE(first);
        CHECK(first->value == "from below");
        CHECK(first->source == "dynamodb");
        const auto second = co_await layered.get_entry("a");
        CHECK(second->source == "memory");
        REQUIRE(second->remaining);
        CHECK(*second->remaining <= *first->remaining);
        co_await layered.set("b", "written through");
        const auto below = co_await shared.get("b");
        CHECK(below == "written through");
        const bool yes_1 = static_cast<bool>(co_await layered.erase("b"));
        CHECK(yes_1);
        const bool no_2 = static_cast<bool>(co_await shared.get("b"));
        CHECK_FALSE(no_2);
    }(table.cache()));
}

} // namespace codynamo
