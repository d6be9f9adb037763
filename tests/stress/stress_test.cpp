// SPDX-License-Identifier: BSL-1.0
// Many gets with random cancellations, on every kind of execution; made for ThreadSanitizer.
// A run that cancelled nothing, or completed nothing, fails: it stressed nothing.
#include "support/catch.hpp"
#include "support/run.hpp"
#include "support/stub_server.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace codynamo {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using text_cache = cache<std::string, text_serializer>;

namespace {

struct tally {
    std::atomic<int> completed{0};
    std::atomic<int> cancelled{0};
    std::atomic<int> wrong{0};
    std::atomic<int> failed{0};
};

/// The value "value" for each key of a BatchGetItem.
std::string batch_answer(const std::string& request) {
    constexpr std::string_view mark = R"({"key":{"S":")";
    std::string items;
    for (std::size_t at = request.find(mark); at != request.npos; at = request.find(mark, at)) {
        at += mark.size();
        if (!items.empty()) items += ',';
        items += std::string(mark) + request.substr(at, request.find('"', at) - at) +
                 R"("},"value":{"B":"dmFsdWU="}})";
    }
    return R"({"Responses":{"cache":[)" + items + "]}}";
}

/// Answers every get with "value", and everything else with an empty object.
testing::stub_config answering() {
    testing::stub_config config;
    config.answer = [](const std::string& request) {
        if (request.find("DynamoDB_20120810.BatchGetItem") != std::string::npos)
            return testing::response(batch_answer(request));
        const bool is_get = request.find("DynamoDB_20120810.GetItem") != std::string::npos;
        return testing::response(is_get ? R"({"Item":{"value":{"B":"dmFsdWU="}}})" : "{}");
    };
    return config;
}

class stressed {
public:
    explicit stressed(std::size_t connections, std::chrono::milliseconds call_timeout = 10s,
                      batching_mode batching = batching_mode::off)
        : server_(answering()) {
        dynamodb_backend_config config;
        config.table_name = "cache";
        config.region = "us-east-1";
        config.create = false;
        config.endpoint = "http://127.0.0.1:" + std::to_string(server_.port());
        config.credentials = aws::static_credentials({"dummy", "dummy"});
        config.pool.max_connections = connections;
        config.call_timeout = call_timeout;
        config.batching.mode = batching;
        table_.emplace(test_support::run(dynamodb_backend::open(std::move(config))));
    }
    [[nodiscard]] text_cache plain() const { return text_cache(*table_); }
    [[nodiscard]] text_cache layered() const {
        memory_backend_config small;
        small.max_entries = 8;
        return text_cache(layered_backend(memory_backend(small), *table_));
    }
    void check_merged() const {
        const batching_stats stats = table_->batching();
        CHECK(stats.gets_merged > 0);
        CHECK(stats.writes_merged > 0);
        CHECK(stats.fallbacks == 0);
    }
    void check(const tally& seen, int expected) const {
        CHECK(seen.completed + seen.cancelled == expected);
        CHECK(seen.completed > 0);
        CHECK(seen.cancelled > 0);
        CHECK(seen.wrong == 0);
        CHECK(seen.failed == 0);
        CHECK(table_->client().stats().waiting == 0);
        test_support::run(
            [](dynamodb_backend b) -> asio::awaitable<void> { co_await b.close(); }(*table_));
        CHECK(table_->client().stats().open == 0);
    }

private:
    testing::stub_server server_;
    std::optional<dynamodb_backend> table_;
};

constexpr int rounds = 40;

/// Gets under a timer that often fires first, and sometimes gives even a slow run the time to end.
/// The operators need an executor that serializes.
asio::awaitable<void> client(text_cache cache, unsigned seed, std::shared_ptr<tally> seen) {
    using namespace asio::experimental::awaitable_operators;
    std::mt19937 random(seed);
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int i = 0; i < rounds; ++i) {
        const std::string key = std::to_string(random() % 32);
        const auto hurry = std::chrono::microseconds(random() % 3000);
        timer.expires_after(i % 8 == 3 ? 10s : hurry);
        try {
            if (i % 8 == 7) co_await cache.set(key, "value");
            auto outcome = co_await (cache.get(key) || timer.async_wait(asio::use_awaitable));
            if (outcome.index() == 1) {
                ++seen->cancelled;
            } else {
                ++seen->completed;
                if (std::get<0>(outcome) != "value") ++seen->wrong;
            }
        } catch (const std::exception& why) {
            WARN(why.what());
            ++seen->failed;
        }
    }
}

constexpr int clients = 48;

} // namespace

TEST_CASE("stress on a single-threaded io_context") {
    stressed world(4);
    auto seen = std::make_shared<tally>();
    asio::io_context context(1);
    for (unsigned id = 0; id < clients; ++id) {
        asio::co_spawn(context, client(world.plain(), id, seen), asio::detached);
    }
    context.run();
    world.check(*seen, clients * rounds);
}

TEST_CASE("stress on four threads with strands") {
    stressed world(4);
    auto seen = std::make_shared<tally>();
    asio::io_context context;
    for (unsigned id = 0; id < clients; ++id) {
        asio::co_spawn(asio::make_strand(context), client(world.plain(), id, seen), asio::detached);
    }
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] { context.run(); });
    threads.clear();
    world.check(*seen, clients * rounds);
}

TEST_CASE("stress on a thread_pool with a layered cache") {
    stressed world(4);
    auto seen = std::make_shared<tally>();
    const text_cache shared = world.layered();
    asio::thread_pool pool(4);
    for (unsigned id = 0; id < clients; ++id) {
        asio::co_spawn(asio::make_strand(pool), client(shared, id, seen), asio::detached);
    }
    pool.join();
    world.check(*seen, clients * rounds);
}

TEST_CASE("stress on two contexts in two threads") {
    stressed world(4);
    auto seen = std::make_shared<tally>();
    asio::io_context contexts[2];
    for (unsigned id = 0; id < clients; ++id) {
        asio::co_spawn(contexts[id % 2], client(world.plain(), id, seen), asio::detached);
    }
    {
        std::jthread other([&] { contexts[1].run(); });
        contexts[0].run();
    }
    world.check(*seen, clients * rounds);
}

TEST_CASE("gets on four threads without strands, under a short deadline") {
    stressed world(2, 20ms);
    asio::io_context context;
    std::atomic<int> done{0};
    std::atomic<int> timed_out{0};
    auto one = [&](text_cache cache) -> asio::awaitable<void> {
        for (int i = 0; i < rounds; ++i) {
            const auto found = co_await cache.try_get("k");
            if (found) {
                ++done;
            } else if (found.error().code == errc::timeout ||
                       found.error().code == errc::overloaded) {
                ++timed_out;
            }
        }
    };
    const text_cache shared = world.plain();
    for (int id = 0; id < clients; ++id)
        asio::co_spawn(context, one(shared), asio::detached);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] { context.run(); });
    threads.clear();
    CHECK(done + timed_out == clients * rounds);
    CHECK(done > 0);
}

TEST_CASE("merged gets and sets on one thread, on strands and on two contexts") {
    for (const int kind : {0, 1, 2}) {
        INFO("kind " << kind);
        stressed world(4, 10s, batching_mode::on);
        auto seen = std::make_shared<tally>();
        {
            asio::io_context contexts[2];
            for (unsigned id = 0; id < clients; ++id) {
                asio::io_context& mine = contexts[kind == 2 ? id % 2 : 0];
                if (kind == 1)
                    asio::co_spawn(asio::make_strand(mine), client(world.plain(), id, seen),
                                   asio::detached);
                else
                    asio::co_spawn(mine, client(world.plain(), id, seen), asio::detached);
            }
            std::vector<std::jthread> threads;
            for (int i = 0; i < (kind == 1 ? 3 : 0); ++i)
                threads.emplace_back([&] { contexts[0].run(); });
            threads.emplace_back([&] { contexts[1].run(); });
            contexts[0].run();
        }
        world.check(*seen, clients * rounds);
        world.check_merged();
    }
}

TEST_CASE("merged gets on four threads without strands, under a short deadline") {
    stressed world(2, 20ms, batching_mode::on);
    asio::thread_pool pool(4);
    std::atomic<int> done{0};
    std::atomic<int> failed{0};
    auto one = [&](text_cache cache, int id) -> asio::awaitable<void> {
        for (int i = 0; i < rounds; ++i) {
            const auto found = co_await cache.try_get("k" + std::to_string(id % 16));
            if (found && *found == "value")
                ++done;
            else if (!found)
                ++failed;
        }
    };
    const text_cache shared = world.plain();
    for (int id = 0; id < clients; ++id)
        asio::co_spawn(pool, one(shared, id), asio::detached);
    pool.join();
    CHECK(done + failed == clients * rounds);
    CHECK(done > 0);
}

} // namespace codynamo
