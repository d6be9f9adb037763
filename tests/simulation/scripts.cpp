// SPDX-License-Identifier: BSL-1.0
#include "scripts.hpp"

#include "cache/fan_out.hpp"

#include <codynamo/layered_backend.hpp>

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace codynamo::test {

namespace asio = boost::asio;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

/// No small string has room for it, so that each copy is an allocation.
std::string key_of(int number) {
    return "the key with the number " + std::to_string(number);
}

simulated_dynamodb_config server_config() {
    simulated_dynamodb_config config;
    config.page_items = 7;
    return config;
}

} // namespace

script::script(const setup& options)
    : options_(options), server_(world_, server_config()), client_(world_) {
    given_.env.random = std::make_shared<seeded_random>(4);
    given_.env.variable = [](const char*) { return std::nullopt; };
    connect(client_);
    if (!options_.create) {
        server_.create_table("cache");
        complete(client_, prepare());
    }
    server_.script(options_.faults);
}

std::vector<std::string> script::check() {
    std::vector<std::string> wrong;
    const auto expect = [&](bool good, const char* sentence) {
        if (!good) wrong.emplace_back(sentence);
    };
    expect(world_.ready() == 0, "nothing is ready to run");
    expect(world_.sleeping() == 0, "nobody sleeps or waits");
    expect(connection_->stats().open == 0, "no exchange is under way");
    server_.script({});
    try {
        // A crashed client is gone with its memory; another one goes on.
        virtual_process next(world_);
        virtual_process& process = client_.crashed() ? next : client_;
        if (client_.crashed() || closed_) {
            table_.reset();
            top_.reset();
            connect(process);
        }
        complete(process, use(wrong));
        table_.reset();
        top_.reset();
        given_ = {};
    } catch (const std::exception& error) {
        wrong.push_back(std::string("the next operations succeed; threw ") + error.what());
    }
    return wrong;
}

asio::awaitable<void> script::open() {
    dynamodb_backend_config config = given_.table_config();
    config.consistent_read = true;
    config.create = options_.create;
    config.batching.mode = options_.batching;
    dynamodb_backend opened = co_await dynamodb_backend::open(std::move(config));
    table_ = std::make_unique<dynamodb_backend>(opened);
    cache_config plain;
    plain.env = given_.env;
    if (options_.layered) {
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

asio::awaitable<void> script::close() {
    closed_ = true;
    return top_->close();
}

template <class Process>
void script::complete(Process& where, asio::awaitable<void> operation) {
    bool ended = false;
    std::exception_ptr thrown;
    asio::co_spawn(where, std::move(operation), [&](std::exception_ptr e) {
        ended = true;
        thrown = std::move(e);
    });
    world_.run(1'000'000);
    if (thrown) std::rethrow_exception(thrown);
    if (!ended) throw std::runtime_error("it never ended");
}

void script::connect(virtual_process& process) {
    given_.process = &process;
    given_.env.time = std::make_shared<virtual_clock>(process);
    given_.transport = connection_ = server_.connect(process);
    memory_backend_config config;
    config.env = given_.env;
    memory_ = std::make_unique<memory_backend>(std::move(config));
}

asio::awaitable<void> script::prepare() {
    co_await open();
    std::vector<std::pair<std::string, std::string>> some;
    for (int i = 0; i != 30; ++i)
        some.emplace_back(key_of(i), "value" + key_of(i));
    co_await top_->set_many(some);
    co_await top_->set("short", "lived", 5ms);
    co_await memory_->clear_all({});
}

/// After the script, whatever became of it.
asio::awaitable<void> script::use(std::vector<std::string>& wrong) {
    if (!top_) co_await open();
    for (const std::string& key : {key_of(1), key_of(2), key_of(77)}) {
        const auto above = co_await top_->get(key);
        const auto below = co_await table_->load(key);
        if (above.has_value() != below.has_value() || (above && *above != below->value))
            wrong.push_back("the copy of " + key + " is what the table has");
    }
    co_await top_->set(key_of(1), "again", 1min);
    const auto found = co_await top_->get(key_of(1));
    if (found != "again") wrong.emplace_back("what is set afterwards is found");
    const bool erased = co_await top_->erase(key_of(1));
    if (!erased) wrong.emplace_back("what is found can be erased");
    const memory_stats held = memory_->stats();
    if (held.entries == 0 && held.bytes != 0) wrong.emplace_back("an empty memory counts no bytes");
}

namespace {

std::vector<std::string> many_keys() {
    std::vector<std::string> keys;
    for (int i = 0; i != 230; ++i)
        keys.push_back(key_of(i));
    return keys;
}

asio::awaitable<void> get(script& s) {
    co_await s.top().get(key_of(1));
}
asio::awaitable<void> set(script& s) {
    co_await s.top().set(key_of(1), "new", 1min);
}
asio::awaitable<void> erase(script& s) {
    co_await s.top().erase(key_of(1));
}
asio::awaitable<void> touch(script& s) {
    co_await s.top().touch(key_of(1), 1min);
}
asio::awaitable<void> get_many(script& s) {
    co_await s.top().get_many(many_keys());
}
asio::awaitable<void> set_many(script& s) {
    std::vector<std::pair<std::string, std::string>> some;
    for (int i = 0; i != 60; ++i)
        some.emplace_back(key_of(i), "new" + key_of(i));
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
    co_await s.top().get(key_of(2));
    co_await s.close();
}
/// A write between two reads, so that a copy goes up, away and up again.
asio::awaitable<void> read_through(script& s) {
    co_await s.top().get(key_of(1));
    co_await s.top().set(key_of(1), "new");
    co_await s.top().get(key_of(1));
    co_await s.top().touch(key_of(1), 1min);
    co_await s.top().get(key_of(1));
    co_await s.top().get_entry(key_of(2));
    co_await s.top().contains(key_of(2));
}

/// Several at once, which are merged: the first goes alone, the others share a request.
asio::awaitable<void> at_once(codynamo::detail::fan_out_job job) {
    return codynamo::detail::fan_out(8, 8, std::move(job));
}
asio::awaitable<void> get_one(const text_cache& cache, std::string key) {
    co_await cache.get(std::move(key));
}
asio::awaitable<void> gets_at_once(script& s) {
    return at_once(
        [&s](std::size_t i) { return get_one(s.top(), key_of(static_cast<int>(i % 6))); });
}
asio::awaitable<void> sets_at_once(script& s) {
    return at_once([&s](std::size_t i) {
        return s.top().set(key_of(static_cast<int>(i % 6)), "new" + key_of(static_cast<int>(i)),
                           1min);
    });
}

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

} // namespace

std::span<const named_action> all_actions() {
    return actions;
}

} // namespace codynamo::test
