// SPDX-License-Identifier: BSL-1.0
// Every public operation on every kind of executor, with continuations that block until others have
// been resumed, and that do not return before others have done much more.
#include "fake_client.hpp"
#include "support/catch.hpp"

#include <codynamo/cache.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace codynamo {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::fake_request;
using test::fake_response;

namespace {

/// Counts, and lets threads wait for a number; false when that has not come within 10 s.
class counter {
public:
    void add() {
        const std::lock_guard lock(mutex_);
        ++value_;
        changed_.notify_all();
    }
    bool wait_for(std::size_t number) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 10s, [&] { return value_ >= number; });
    }
    std::size_t value() {
        const std::lock_guard lock(mutex_);
        return value_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t value_ = 0;
};

fake_response answer_to(const fake_request& request) {
    const auto name = request.operation();
    if (name == "BatchGetItem") return test::answer(R"({"Responses":{},"UnprocessedKeys":{}})");
    if (name == "BatchWriteItem") return test::answer(R"({"UnprocessedItems":{}})");
    if (name == "Query" || name == "Scan")
        return test::answer(R"({"Count":0,"Items":[],"ScannedCount":0})");
    if (name == "TransactGetItems") return test::answer(R"({"Responses":[{}]})");
    if (name == "ListTables") return test::answer(R"({"TableNames":[]})");
    if (name == "DescribeTimeToLive")
        return test::answer(R"({"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}})");
    if (name == "DescribeTable")
        return test::answer(R"({"Table":{"TableName":"cache","TableStatus":"ACTIVE"}})");
    return test::answer("{}");
}

/// A cache and a client whose first request is not answered before hold_first() says so: what
/// comes meanwhile waits for company where batching is on.
struct served {
    explicit served(batching_mode mode, std::chrono::microseconds max_delay = 500ms)
        : world([this](const fake_request& request) {
              if (hold_first && !was_held.exchange(true)) hold_first();
              return answer_to(request);
          }),
          table(open(mode, max_delay)), values(any_backend(table)), client(world.client_config()) {}

    dynamodb_backend open(batching_mode mode, std::chrono::microseconds max_delay) {
        dynamodb_backend_config config = world.backend_config();
        config.env.time = environment().time; // one that several threads may use
        config.batching = {.mode = mode, .crossover = 1, .max_delay = max_delay};
        return test_support::run(dynamodb_backend::open(std::move(config)));
    }

    std::function<void()> hold_first; ///< set before anything runs
    std::atomic<bool> was_held = false;
    test::fake_world world;
    dynamodb_backend table;
    cache<int> values;
    dynamodb::client client;
};

dynamodb::item key_item(const std::string& key) {
    dynamodb::item made;
    made.emplace("key", key);
    return made;
}

struct operation {
    const char* name;
    std::function<asio::awaitable<void>(served&, std::string key)> call;
};

template <class T>
asio::awaitable<void> ignore(asio::awaitable<T> what) {
    static_cast<void>(co_await std::move(what));
}
template <class T>
asio::awaitable<void> all_good(asio::awaitable<std::vector<result<T>>> what) {
    for (const auto& one : co_await std::move(what))
        if (!one) throw_failure(one.error());
}
template <class Input>
asio::awaitable<void> succeed(served& of, Input in) {
    if (const auto got = co_await of.client.attempt(std::move(in)); !got)
        throw_failure(got.error());
}

std::vector<operation> cache_operations() {
    return {
        {"get", [](served& s, std::string k) { return ignore(s.values.get(std::move(k))); }},
        {"try_get",
         [](served& s, std::string k) { return ignore(s.values.try_get(std::move(k))); }},
        {"get_entry",
         [](served& s, std::string k) { return ignore(s.values.get_entry(std::move(k))); }},
        {"set", [](served& s, std::string k) { return s.values.set(std::move(k), 1); }},
        {"try_set",
         [](served& s, std::string k) { return ignore(s.values.try_set(std::move(k), 1)); }},
        {"erase", [](served& s, std::string k) { return ignore(s.values.erase(std::move(k))); }},
        {"discard", [](served& s, std::string k) { return s.values.discard(std::move(k)); }},
        {"contains",
         [](served& s, std::string k) { return ignore(s.values.contains(std::move(k))); }},
        {"touch",
         [](served& s, std::string k) { return ignore(s.values.touch(std::move(k), 5s)); }},
        {"get_many",
         [](served& s, std::string k) {
             return all_good(s.values.get_many({k, k + "-2"}));
         }},
        {"set_many",
         [](served& s, std::string k) {
             return all_good(s.values.set_many({{k, 1}, {k + "-2", 2}}));
         }},
        {"erase_many",
         [](served& s, std::string k) {
             return all_good(s.values.erase_many({k, k + "-2"}));
         }},
        {"clear_all", [](served& s, std::string) { return ignore(s.values.clear_all()); }},
        {"clear_expired", [](served& s, std::string) { return ignore(s.values.clear_expired()); }},
    };
}

std::vector<operation> client_operations() {
    using namespace dynamodb;
    return {
        {"get_item",
         [](served& s, std::string k) {
             return succeed(s, get_item_input{.table_name = "cache", .key = key_item(k)});
         }},
        {"put_item",
         [](served& s, std::string k) {
             return succeed(s, put_item_input{.table_name = "cache", .item = key_item(k)});
         }},
        {"update_item",
         [](served& s, std::string k) {
             return succeed(s, update_item_input{.table_name = "cache", .key = key_item(k)});
         }},
        {"delete_item",
         [](served& s, std::string k) {
             return succeed(s, delete_item_input{.table_name = "cache", .key = key_item(k)});
         }},
        {"query",
         [](served& s, std::string) {
             query_input in{.table_name = "cache", .key_condition_expression = "k = :v"};
             in.values.emplace(":v", "x");
             return succeed(s, std::move(in));
         }},
        {"scan",
         [](served& s, std::string) { return succeed(s, scan_input{.table_name = "cache"}); }},
        {"transact_get_items",
         [](served& s, std::string k) {
             transact_get_items_input in;
             in.items.push_back({.table_name = "cache", .key = key_item(k)});
             return succeed(s, std::move(in));
         }},
        {"transact_write_items",
         [](served& s, std::string k) {
             transact_write_items_input in;
             in.items.push_back({.table_name = "cache", .item = key_item(k)});
             return succeed(s, std::move(in));
         }},
        {"list_tables", [](served& s, std::string) { return succeed(s, list_tables_input{}); }},
        {"describe_time_to_live",
         [](served& s, std::string) {
             return succeed(s, describe_time_to_live_input{.table_name = "cache"});
         }},
    };
}

/// Something that runs handlers in several threads.
struct execution {
    virtual ~execution() = default;
    [[nodiscard]] virtual asio::any_io_executor executor() = 0;
    [[nodiscard]] virtual std::size_t threads() const { return 4; }
};

struct many_threads final : execution {
    many_threads() {
        for (int i = 0; i < 4; ++i)
            runners.emplace_back([this] { io.run(); });
    }
    ~many_threads() override {
        work.reset();
        for (auto& one : runners)
            one.join();
    }
    asio::any_io_executor executor() override { return io.get_executor(); }
    asio::io_context io;
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    std::vector<std::thread> runners;
};

struct pool_threads final : execution {
    explicit pool_threads(bool with_strands) : strands(with_strands) {}
    ~pool_threads() override { pool.join(); }
    asio::any_io_executor executor() override {
        if (strands) return asio::make_strand(pool.get_executor());
        return pool.get_executor();
    }
    const bool strands; ///< one for each coroutine
    asio::thread_pool pool{4};
};

struct system_threads final : execution {
    asio::any_io_executor executor() override { return asio::system_executor(); }
    std::size_t threads() const override { return 2; } // at least
};

std::vector<std::pair<const char*, std::unique_ptr<execution>>> executions() {
    std::vector<std::pair<const char*, std::unique_ptr<execution>>> all;
    all.emplace_back("io_context, 4 threads", std::make_unique<many_threads>());
    all.emplace_back("thread_pool", std::make_unique<pool_threads>(false));
    all.emplace_back("strands of a thread_pool", std::make_unique<pool_threads>(true));
    all.emplace_back("system_executor", std::make_unique<system_threads>());
    return all;
}

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

/// So many coroutines at once, all resumed by the answers to one request where they are batched.
void run_round(execution& where, served& on, const operation& what, coroutine body,
               std::size_t count) {
    round_state shared;
    on.hold_first = [&] { (void)shared.entered.wait_for(count); };
    counter ended;
    for (std::size_t i = 0; i != count; ++i)
        asio::co_spawn(where.executor(), body(on, what, "key" + std::to_string(i), count, shared),
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

TEST_CASE("continuations of client operations may wait for each other where there are threads") {
    check_all(meet_others, client_operations());
}

TEST_CASE("a continuation that does not return holds up no other cache operation") {
    check_all(outlast_others, cache_operations());
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
