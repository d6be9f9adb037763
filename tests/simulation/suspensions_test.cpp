// SPDX-License-Identifier: BSL-1.0
// Every script is interrupted at its first, second, third … suspension: cancelled or crashed.
// Afterwards nothing is under way, nothing has leaked, the next operations succeed and no copy in
// memory is older than the table.
#include "allocation_failures.hpp"
#include "cache/fan_out.hpp"
#include "support/catch.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>
#include <codynamo/testing/interruption.hpp>
#include <codynamo/testing/simulation.hpp>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using text_cache = cache<std::string, codynamo::testing::detail::verbatim_serializer>;
using fault = simulated_fault;

class script final : public interruptible {
public:
    using action = std::function<asio::awaitable<void>(script&)>;
    struct setup {
        action act;
        std::vector<fault> faults;
        bool layered = false;
        bool create = false; ///< the table is not there yet
    };

    explicit script(const setup& how)
        : how_(how), server_(world_, server_config()), client_(world_) {
        const auto time = std::make_shared<virtual_clock>(client_);
        given_.process = &client_;
        given_.env.time = time;
        given_.env.random = std::make_shared<seeded_random>(4);
        given_.env.variable = [](const char*) { return std::nullopt; };
        given_.transport = connection_ = server_.connect(client_);
        memory_backend_config config;
        config.env = given_.env;
        memory_ = std::make_unique<memory_backend>(std::move(config));
        if (!how_.create) {
            server_.create_table("cache");
            complete(client_, prepare());
        }
        server_.script(how_.faults);
    }

    virtual_world& world() noexcept override { return world_; }
    virtual_process& process() noexcept override { return client_; }
    asio::awaitable<void> run() override { return how_.act(*this); }

    std::vector<std::string> check() override {
        std::vector<std::string> wrong;
        const auto expect = [&](bool good, const char* what) {
            if (!good) wrong.emplace_back(what);
        };
        expect(world_.ready() == 0, "nothing is ready to run");
        expect(world_.sleeping() == 0, "nobody sleeps or waits");
        expect(connection_->stats().open == 0, "no exchange is under way");
        server_.script({});
        try {
            // A crashed client is gone with its memory; another one goes on.
            virtual_process next(world_);
            if (client_.crashed() || closed_) reconnect(client_.crashed() ? next : client_);
            complete(client_.crashed() ? next : client_, use(wrong));
            table_.reset();
            top_.reset();
            given_ = {};
        } catch (const std::exception& e) {
            wrong.push_back(std::string("the next operations succeed; threw ") + e.what());
        }
        return wrong;
    }

    // What scripts use.
    const text_cache& top() const { return *top_; }
    const simulated_client& given() const { return given_; }
    asio::awaitable<void> open() {
        dynamodb_backend_config config = given_.table_config();
        config.consistent_read = true;
        config.create = how_.create;
        config.batching.mode = batching_mode::on;
        dynamodb_backend opened = co_await dynamodb_backend::open(std::move(config));
        table_ = std::make_unique<dynamodb_backend>(opened);
        cache_config plain;
        plain.env = given_.env;
        if (how_.layered) {
            layered_backend_config layers;
            layers.env = given_.env;
            std::vector<any_backend> both;
            both.emplace_back(*memory_);
            both.emplace_back(opened);
            top_ = std::make_unique<text_cache>(
                any_backend(layered_backend(std::move(both), std::move(layers))), plain);
        } else {
            top_ = std::make_unique<text_cache>(any_backend(opened), plain);
        }
    }

private:
    static simulated_dynamodb_config server_config() {
        simulated_dynamodb_config config;
        config.page_items = 7;
        return config;
    }
    template <class Process>
    void complete(Process& where, asio::awaitable<void> what) {
        bool ended = false;
        std::exception_ptr why;
        asio::co_spawn(where, std::move(what), [&](std::exception_ptr e) {
            ended = true;
            why = std::move(e);
        });
        world_.run(1'000'000);
        if (why) std::rethrow_exception(why);
        if (!ended) throw std::runtime_error("it never ended");
    }
    void reconnect(virtual_process& next) {
        table_.reset();
        top_.reset();
        given_.process = &next;
        given_.env.time = std::make_shared<virtual_clock>(next);
        given_.transport = connection_ = server_.connect(next);
        memory_backend_config config;
        config.env = given_.env;
        memory_ = std::make_unique<memory_backend>(std::move(config));
    }
    asio::awaitable<void> prepare() {
        co_await open();
        std::vector<std::pair<std::string, std::string>> some;
        for (int i = 0; i != 30; ++i)
            some.emplace_back("key" + std::to_string(i), "value" + std::to_string(i));
        co_await top_->set_many(some);
        co_await top_->set("short", "lived", 5ms);
        co_await memory_->clear_all({});
    }
    /// After the script, whatever became of it.
    asio::awaitable<void> use(std::vector<std::string>& wrong) {
        if (!top_) co_await open();
        for (const std::string key : {"key1", "key2", "other"}) {
            const auto above = co_await top_->get(key);
            const auto below = co_await table_->load(key);
            if (above.has_value() != below.has_value() || (above && *above != below->value))
                wrong.push_back("the copy of " + key + " is what the table has");
        }
        co_await top_->set("key1", "again", 1min);
        const auto found = co_await top_->get("key1");
        if (found != "again") wrong.emplace_back("what is set afterwards is found");
        const bool erased = co_await top_->erase("key1");
        if (!erased) wrong.emplace_back("what is found can be erased");
        const memory_stats held = memory_->stats();
        if (held.entries == 0 && held.bytes != 0)
            wrong.emplace_back("an empty memory counts no bytes");
    }

    setup how_;
    virtual_world world_{1, virtual_world::order::fifo};
    simulated_dynamodb server_;
    virtual_process client_;
    simulated_client given_;
    std::shared_ptr<simulated_connection> connection_;
    std::unique_ptr<memory_backend> memory_;
    std::unique_ptr<dynamodb_backend> table_;
    std::unique_ptr<text_cache> top_;

public:
    bool closed_ = false; ///< the script has closed the cache
};

std::vector<std::string> many_keys() {
    std::vector<std::string> keys;
    for (int i = 0; i != 230; ++i)
        keys.push_back("key" + std::to_string(i));
    return keys;
}

asio::awaitable<void> get(script& s) {
    co_await s.top().get("key1");
}
asio::awaitable<void> set(script& s) {
    co_await s.top().set("key1", "new", 1min);
}
asio::awaitable<void> erase(script& s) {
    co_await s.top().erase("key1");
}
asio::awaitable<void> touch(script& s) {
    co_await s.top().touch("key1", 1min);
}
asio::awaitable<void> get_many(script& s) {
    co_await s.top().get_many(many_keys());
}
asio::awaitable<void> set_many(script& s) {
    std::vector<std::pair<std::string, std::string>> some;
    for (int i = 0; i != 60; ++i)
        some.emplace_back("key" + std::to_string(i), "new" + std::to_string(i));
    co_await s.top().set_many(std::move(some));
}
asio::awaitable<void> erase_many(script& s) {
    std::vector<std::string> keys = many_keys();
    keys.resize(60);
    co_await s.top().erase_many(std::move(keys));
}
asio::awaitable<void> clear_all(script& s) {
    clear_options options;
    options.segments = 2;
    co_await s.top().clear_all(std::move(options));
}
asio::awaitable<void> clear_expired(script& s) {
    co_await s.given().env.time->sleep_until(s.given().env.time->steady_now() + 10ms);
    clear_options options;
    options.segments = 2;
    co_await s.top().clear_expired(std::move(options));
}
asio::awaitable<void> open(script& s) {
    co_await s.open();
}
asio::awaitable<void> close(script& s) {
    co_await s.top().get("key2");
    s.closed_ = true;
    co_await s.top().close();
}
/// A write between two reads, so that a copy goes up, away and up again.
asio::awaitable<void> read_through(script& s) {
    co_await s.top().get("key1");
    co_await s.top().set("key1", "new");
    co_await s.top().get("key1");
    co_await s.top().touch("key1", 1min);
    co_await s.top().get("key1");
    co_await s.top().get_entry("key2");
    co_await s.top().contains("key2");
}

/// Several at once, which are merged: the first goes alone, the others share a request.
asio::awaitable<void> at_once(codynamo::detail::fan_out_job job) {
    return codynamo::detail::fan_out(8, 8, std::move(job));
}
asio::awaitable<void> get_one(const text_cache& cache, std::string key) {
    co_await cache.get(std::move(key));
}
asio::awaitable<void> gets_at_once(script& s) {
    return at_once([&s](std::size_t i) { return get_one(s.top(), "key" + std::to_string(i % 6)); });
}
asio::awaitable<void> sets_at_once(script& s) {
    return at_once([&s](std::size_t i) {
        return s.top().set("key" + std::to_string(i % 6), "new" + std::to_string(i), 1min);
    });
}

struct named_action {
    const char* name;
    asio::awaitable<void> (*act)(script&);
    bool create = false;
};
const named_action actions[] = {
    {"get", get},
    {"set", set},
    {"erase", erase},
    {"touch", touch},
    {"get_many", get_many},
    {"set_many", set_many},
    {"erase_many", erase_many},
    {"clear_all", clear_all},
    {"clear_expired", clear_expired},
    {"open", open, true},
    {"close", close},
    {"read through", read_through},
    {"gets at once", gets_at_once},
    {"sets at once", sets_at_once},
};
struct named_faults {
    const char* name;
    std::vector<fault> faults;
};
const named_faults troubles[] = {
    {"no trouble", {}},
    {"retries", {fault::request_reset, fault::failed_before}},
    {"an answer lost", {fault::answer_silent}},
    {"throttling", {fault::throttled, fault::none, fault::throttled}},
    {"nothing processed", {fault::unprocessed, fault::none, fault::unprocessed}},
    {"spoiled answers", {fault::spoiled, fault::none, fault::spoiled}},
    {"all attempts in vain", {fault::refused, fault::answer_reset, fault::failed_after}},
};

struct sums {
    std::size_t scripts = 0;
    std::uint64_t points = 0, cancelled = 0, failed = 0;
};

void interrupt(interruption how, sums& sum) {
    for (const named_action& one : actions) {
        for (const named_faults& trouble : troubles) {
            for (const bool layered : {false, true}) {
                const script::setup setup{one.act, trouble.faults, layered, one.create};
                const auto make = [&] { return std::make_unique<script>(setup); };
                INFO(one.name << ", " << trouble.name << (layered ? ", layered" : ""));
                static_cast<void>(make()); // what is made once and kept is made now
                const std::size_t before = test::live_allocations();
                interruption_report report = interrupt_everywhere(make, how);
                for (const std::string& wrong : report.violations) {
                    INFO(wrong);
                    CHECK(false);
                }
                CHECK(report.points > 1);
                report.violations.clear();
                report.violations.shrink_to_fit();
                CHECK(test::live_allocations() == before);
                ++sum.scripts;
                sum.points += report.points;
                sum.cancelled += report.cancelled;
                sum.failed += report.failed;
            }
        }
    }
    std::printf("%d scripts interrupted at %d suspensions: %d cancelled, %d failed\n",
                static_cast<int>(sum.scripts), static_cast<int>(sum.points),
                static_cast<int>(sum.cancelled), static_cast<int>(sum.failed));
}

} // namespace

TEST_CASE("every operation, cancelled terminally at each suspension, leaves everything whole") {
    sums sum;
    interrupt(interruption::terminal, sum);
    CHECK(sum.cancelled * 2 > sum.points);
}

TEST_CASE("every operation, cancelled totally at each suspension, leaves everything whole") {
    sums sum;
    interrupt(interruption::total, sum);
    CHECK(sum.cancelled * 2 > sum.points);
}

TEST_CASE("a client that crashes at any suspension leaks nothing, and the next one goes on") {
    sums sum;
    interrupt(interruption::crash, sum);
}
