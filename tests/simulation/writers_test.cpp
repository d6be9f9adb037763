// SPDX-License-Identifier: BSL-1.0
// Counters and elections by the bare client under faults: nothing is done twice that must not be,
// and nothing that was acknowledged is missing.
#include "support/catch.hpp"
#include "workloads.hpp"

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/testing/simulation.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

dynamodb::item key_of(std::string key) {
    dynamodb::item made;
    made.emplace("key", std::move(key));
    return made;
}

/// Some writers on one table, each a process with a client of its own.
struct writers {
    writers(std::uint64_t seed, unsigned count) : world(seed), server(world, config()) {
        server.create_table("cache");
        for (unsigned i = 0; i != count; ++i) {
            processes.push_back(std::make_unique<virtual_process>(world));
            simulated_client given;
            given.env.time = std::make_shared<virtual_clock>(*processes.back());
            given.env.random = std::make_shared<seeded_random>(seed * 31 + i);
            given.env.variable = [](const char*) { return std::nullopt; };
            given.transport = server.connect(*processes.back());
            clients.emplace_back(test::client_config_of(given));
        }
    }
    static simulated_dynamodb_config config() {
        simulated_dynamodb_config made;
        made.faults = simulated_faults::some(0.4);
        made.request = {simulated_latency::shape::exponential, 200us, 3ms};
        made.answer = made.request;
        return made;
    }
    template <class Script>
    void run(Script script) {
        std::size_t ended = 0;
        for (std::size_t i = 0; i != clients.size(); ++i)
            asio::co_spawn(*processes[i], script(clients[i], i), [&](std::exception_ptr why) {
                ++ended;
                CHECK(why == nullptr);
            });
        CHECK(world.run(1'000'000));
        CHECK(ended == clients.size());
    }

    virtual_world world;
    simulated_dynamodb server;
    std::vector<std::unique_ptr<virtual_process>> processes;
    std::vector<dynamodb::client> clients;
};

asio::awaitable<bool> increment(dynamodb::client client) {
    dynamodb::update_item_input in;
    in.table_name = "cache";
    in.key = key_of("counter");
    in.update_expression = "ADD #n :one";
    in.names.emplace("#n", "n");
    in.values.emplace(":one", dynamodb::number(1));
    const auto done = co_await client.attempt(std::move(in));
    co_return done.has_value();
}

/// Becomes the owner when there is none.
asio::awaitable<result<void>> elect(dynamodb::client client, std::string term, std::size_t who) {
    dynamodb::put_item_input in;
    in.table_name = "cache";
    in.item = key_of(std::move(term));
    in.item.emplace("owner", dynamodb::number(static_cast<std::int64_t>(who)));
    in.condition.expression = "attribute_not_exists(#k)";
    in.names.emplace("#k", "key");
    const auto done = co_await client.attempt(std::move(in));
    if (done) co_return result<void>();
    co_return result<void>(boost::system::in_place_error, done.error());
}

asio::awaitable<std::int64_t> read_number(dynamodb::client client, std::string key,
                                          std::string attribute) {
    dynamodb::get_item_input in;
    in.table_name = "cache";
    in.key = key_of(std::move(key));
    in.consistent_read = true;
    const auto got = co_await client.get_item(std::move(in));
    if (!got.item) co_return -1;
    co_return std::stoll(std::string(got.item->at(attribute).get_if<dynamodb::number>()->text()));
}

} // namespace

TEST_CASE("a counter holds what was acknowledged and at most what was tried") {
    std::uint64_t unsure = 0;
    for (std::uint64_t seed = 1; seed != 150; ++seed) {
        writers all(seed, 3);
        std::int64_t acknowledged = 0;
        std::int64_t tried = 0;
        all.run([&](dynamodb::client client, std::size_t) -> asio::awaitable<void> {
            for (int i = 0; i != 10; ++i) {
                ++tried;
                const bool done = co_await increment(client);
                acknowledged += done ? 1 : 0;
            }
        });
        all.server.set_faults({});
        std::int64_t counted = 0;
        all.run([&](dynamodb::client client, std::size_t) -> asio::awaitable<void> {
            counted = co_await read_number(client, "counter", "n");
        });
        INFO("seed " << seed);
        CHECK(acknowledged <= counted);
        CHECK(counted <= tried);
        unsure += static_cast<std::uint64_t>(tried - acknowledged);
    }
    CHECK(unsure > 0);
}

TEST_CASE("an election has at most one winner, the one that the table names") {
    std::uint64_t won = 0;
    for (std::uint64_t seed = 1; seed != 150; ++seed) {
        writers all(seed, 4);
        std::vector<std::vector<std::size_t>> winners(5);
        std::vector<bool> denied(5, true); // by all, so somebody else must have won
        all.run([&](dynamodb::client client, std::size_t me) -> asio::awaitable<void> {
            for (std::size_t term = 0; term != winners.size(); ++term) {
                const auto done = co_await elect(client, "term" + std::to_string(term), me);
                if (done) winners[term].push_back(me);
                if (done || done.error().code != errc::conditional_check_failed)
                    denied[term] = false;
            }
        });
        all.server.set_faults({});
        INFO("seed " << seed);
        for (std::size_t term = 0; term != winners.size(); ++term) {
            std::int64_t owner = -1;
            const std::string key = "term" + std::to_string(term);
            all.run([&](dynamodb::client client, std::size_t) -> asio::awaitable<void> {
                owner = co_await read_number(client, key, "owner");
            });
            CHECK(winners[term].size() <= 1);
            CHECK(!denied[term]);
            if (winners[term].empty()) continue;
            ++won;
            CHECK(owner == static_cast<std::int64_t>(winners[term].front()));
        }
    }
    CHECK(won > 300);
}
