// SPDX-License-Identifier: BSL-1.0
// The simulated server: expressions, faults, lateness, deadlines.
#include "support/catch.hpp"
#include "workloads.hpp"

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/testing/simulated_dynamodb.hpp>
#include <codynamo/testing/simulation.hpp>

#include <boost/json/parse.hpp>

#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

const json::object names = json::parse(R"({"#n": "number", "#s": "text"})").as_object();
const json::object values =
    json::parse(R"({":one": {"N": "1"}, ":ten": {"N": "1.0E1"}, ":a": {"S": "a"},
                    ":ab": {"S": "ab"}, ":bytes": {"B": "AAE="}})")
        .as_object();
const json::object item =
    json::parse(R"({"number": {"N": "10"}, "text": {"S": "abc"}, "raw": {"B": "AAE="},
                    "key": {"S": "k"}})")
        .as_object();

/// A client in a world of its own.
struct small_world {
    explicit small_world(simulated_dynamodb_config config = simulated_dynamodb_config(),
                         std::uint64_t seed = 1)
        : world(seed), server(world, config), process(world), connection(server.connect(process)) {
        server.create_table("table", "key", "");
        given.env.time = std::make_shared<virtual_clock>(process);
        given.env.random = std::make_shared<seeded_random>(seed);
        given.env.variable = [](const char*) { return std::nullopt; };
        given.transport = connection;
        client_config = test::client_config_of(given);
        client_config.retry.max_attempts = 1;
    }
    /// The code that it failed with; nullopt for success.
    std::optional<boost::system::error_code>
    run(const std::function<asio::awaitable<void>(dynamodb::client)>& script) {
        std::optional<boost::system::error_code> code;
        bool ended = false;
        asio::co_spawn(process, script(dynamodb::client(client_config)),
                       [&](std::exception_ptr why) {
                           ended = true;
                           try {
                               if (why) std::rethrow_exception(why);
                           } catch (const boost::system::system_error& e) {
                               code = e.code();
                           }
                       });
        world.run(100'000);
        CHECK(ended);
        CHECK(connection->stats().open == 0);
        return code;
    }

    virtual_world world;
    simulated_dynamodb server;
    virtual_process process;
    std::shared_ptr<simulated_connection> connection;
    simulated_client given;
    dynamodb::client_config client_config;
};

dynamodb::item key_of(std::string key) {
    dynamodb::item made;
    made.emplace("key", std::move(key));
    return made;
}

asio::awaitable<void> put(dynamodb::client client, std::string key, int value) {
    dynamodb::put_item_input in;
    in.table_name = "table";
    in.item = key_of(std::move(key));
    in.item.emplace("v", dynamodb::number(value));
    co_await client.put_item(std::move(in));
}

/// −1 when there is no such item.
asio::awaitable<int> get(dynamodb::client client, std::string key, bool consistent) {
    dynamodb::get_item_input in;
    in.table_name = "table";
    in.key = key_of(std::move(key));
    in.consistent_read = consistent;
    const auto got = co_await client.get_item(std::move(in));
    if (!got.item) co_return -1;
    co_return std::stoi(std::string(got.item->at("v").get_if<dynamodb::number>()->text()));
}

} // namespace

TEST_CASE("conditions mean what the service says they mean") {
    const struct {
        const char* text;
        bool holds;
    } rows[] = {
        {"", true},
        {"attribute_exists(#n)", true},
        {"attribute_exists(missing)", false},
        {"attribute_not_exists(missing)", true},
        {"attribute_not_exists(#n)", false},
        {"#n = :ten", true},
        {"#n <> :ten", false},
        {"#n > :one AND #n <= :ten", true},
        {"#n < :one", false},
        {"#n >= :one", true},
        {":one < #n", true},
        {"#n = :a", false},
        {"#n <> :a", true},
        {"missing = :a", false},
        {"missing <> :a", true},
        {"missing < :one", false},
        {"raw = :bytes", true},
        {"begins_with(#s, :ab)", true},
        {"begins_with(#s, :ten)", false},
        {"#n BETWEEN :one AND :ten", true},
        {"#n between :ten and :one", false},
        {"#n IN (:one, :ten)", true},
        {"#n IN (:one, :a)", false},
        {"NOT #n = :one", true},
        {"not attribute_exists(#n) or #n = :ten", true},
        {"attribute_exists(missing) OR #n = :one AND #s = :a", false},
        {"#n = :ten OR attribute_exists(missing) AND #n = :one", true},
        {"(#n = :ten OR attribute_exists(missing)) AND #n = :one", false},
        {"attribute_exists(#n)AND #n=:ten", true},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(testing::detail::condition_holds(row.text, {&names, &values}, item) == row.holds);
    }
    for (const char* text : {"#n", "#n =", "= :one", "#n = :one :one", "#x = :one", "#n = :x",
                             "a.b = :one", "attribute_exists #n", "(#n = :one", "#n ! :one"}) {
        INFO(text);
        CHECK_THROWS_AS(testing::detail::condition_holds(text, {&names, &values}, item),
                        testing::detail::invalid_expression);
    }
}

TEST_CASE("updates and projections change and keep what they name") {
    const struct {
        const char* text;
        const char* after;
    } rows[] = {
        {"SET #n = :one", R"({"key":{"S":"k"},"number":{"N":"1"}})"},
        {"SET a = :a, b = :one", R"({"key":{"S":"k"},"number":{"N":"10"},"a":{"S":"a"},)"
                                 R"("b":{"N":"1"}})"},
        {"SET #n = #n + :one", R"({"key":{"S":"k"},"number":{"N":"11"}})"},
        {"SET #n = #n - :one", R"({"key":{"S":"k"},"number":{"N":"9"}})"},
        {"SET c = if_not_exists(c, :one) + :one",
         R"({"key":{"S":"k"},"number":{"N":"10"},"c":{"N":"2"}})"},
        {"REMOVE #n", R"({"key":{"S":"k"}})"},
        {"SET a = :a REMOVE #n", R"({"key":{"S":"k"},"a":{"S":"a"}})"},
        {"ADD #n :one", R"({"key":{"S":"k"},"number":{"N":"11"}})"},
        {"ADD d :one", R"({"key":{"S":"k"},"number":{"N":"10"},"d":{"N":"1"}})"},
    };
    const json::object before = json::parse(R"({"key":{"S":"k"},"number":{"N":"10"}})").as_object();
    for (const auto& row : rows) {
        INFO(row.text);
        const json::object after =
            testing::detail::update_reader(row.text, {&names, &values}, before).apply();
        CHECK(json::value(after) == json::parse(row.after));
    }
    CHECK(testing::detail::projected("#n, key", {&names, &values}, item).size() == 2);
    CHECK(testing::detail::projected("", {}, item).size() == 4);
}

TEST_CASE("each fault is what it says: its error, and whether the write was done") {
    const struct {
        simulated_fault fault;
        std::optional<errc> error;
        bool done;
    } rows[] = {
        {simulated_fault::none, std::nullopt, true},
        {simulated_fault::refused, errc::connect_failed, false},
        {simulated_fault::request_reset, errc::connection_lost, false},
        {simulated_fault::request_silent, errc::timeout, false},
        {simulated_fault::answer_reset, errc::connection_lost, true},
        {simulated_fault::answer_silent, errc::timeout, true},
        {simulated_fault::throttled, errc::throttled, false},
        {simulated_fault::failed_before, errc::service_failed, false},
        {simulated_fault::failed_after, errc::service_failed, true},
        {simulated_fault::spoiled, errc::checksum_mismatch, true},
        {simulated_fault::unprocessed, std::nullopt, true},
    };
    for (const auto& row : rows) {
        INFO(static_cast<int>(row.fault));
        small_world w;
        w.server.script({row.fault});
        const auto code = w.run([](dynamodb::client client) { return put(client, "k", 1); });
        CHECK(code.has_value() == row.error.has_value());
        if (code && row.error) CHECK(*code == *row.error);
        CHECK(w.server.changes().size() == (row.done ? 1U : 0U));
        CHECK(w.server.injected(row.fault) == 1);
    }
}

TEST_CASE("a request that is given up arrives all the same") {
    small_world w({.request = {simulated_latency::shape::constant, 3s, 3s}});
    w.client_config.call_timeout = 1s;
    const auto code = w.run([](dynamodb::client client) { return put(client, "k", 1); });
    REQUIRE(code);
    CHECK(*code == errc::timeout);
    CHECK(w.server.changes().size() == 1);
}

TEST_CASE("consistent reads see the latest version, others one within the bound") {
    std::set<int> seen;
    for (std::uint64_t seed = 1; seed != 200; ++seed) {
        small_world w({.staleness = 10ms, .stale_reads = 0.8}, seed);
        const auto code = w.run([&](dynamodb::client client) -> asio::awaitable<void> {
            for (int i = 0; i != 4; ++i)
                co_await put(client, "k", i);
            const int latest = co_await get(client, "k", true);
            CHECK(latest == 3);
            const int late = co_await get(client, "k", false);
            seen.insert(late);
            co_await w.client_config.env.time->sleep_until(w.world.now() + 10ms);
            const int settled = co_await get(client, "k", false);
            CHECK(settled == 3);
        });
        CHECK(!code);
    }
    CHECK(seen == std::set<int>{-1, 0, 1, 2, 3});
}

TEST_CASE("native TTL deletes what a backend stored with a lifetime that has ended, nothing else") {
    small_world w({.ttl_deletion = 1});
    auto config = w.given.table_config();
    config.create = true;
    const auto code = w.run([&](dynamodb::client) -> asio::awaitable<void> {
        // Creates the table and switches its TTL on.
        dynamodb_backend table = co_await dynamodb_backend::open(config);
        record stored{.value = "v", .written = w.world.wall(), .lifetime = 1500ms};
        co_await table.store("brief", stored);
        stored.lifetime = 1h;
        co_await table.store("long", stored);
        stored.lifetime = for_ever;
        co_await table.store("for ever", stored);
        co_await w.given.env.time->sleep_until(w.world.now() + 1400ms);
        const auto living = co_await table.load("brief");
        CHECK(living);
        // The attribute holds whole seconds, never earlier than the end.
        co_await w.given.env.time->sleep_until(w.world.now() + 1200ms);
        const auto deleted = co_await table.load("brief");
        CHECK_FALSE(deleted);
        const auto fresh = co_await table.load("long");
        CHECK(fresh);
        const auto endless = co_await table.load("for ever");
        CHECK(endless);
        co_await table.close();
    });
    CHECK(!code);
    const auto& changes = w.server.changes();
    CHECK(changes.size() == 4);
    CHECK(changes.back().what == simulated_change::kind::expired);
}

TEST_CASE("pages, segments and conditions of a scan and a query come to all items once") {
    for (const std::size_t page : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
        small_world w({.page_items = page});
        std::multiset<int> found;
        const auto code = w.run([&](dynamodb::client client) -> asio::awaitable<void> {
            for (int i = 0; i != 10; ++i)
                co_await put(client, "k" + std::to_string(i), i);
            for (std::uint32_t segment = 0; segment != 3; ++segment) {
                dynamodb::scan_input in;
                in.table_name = "table";
                in.total_segments = 3;
                in.segment = segment;
                in.filter_expression = "#v <> :five";
                in.names.emplace("#v", "v");
                in.values.emplace(":five", dynamodb::number(5));
                do {
                    const auto got = co_await client.scan(in);
                    for (const auto& one : got.items)
                        found.insert(
                            std::stoi(std::string(one.at("v").get_if<dynamodb::number>()->text())));
                    in.exclusive_start_key = got.last_evaluated_key;
                } while (!in.exclusive_start_key.empty());
            }
            dynamodb::query_input query;
            query.table_name = "table";
            query.key_condition_expression = "#k = :k";
            query.names.emplace("#k", "key");
            query.values.emplace(":k", std::string("k7"));
            const auto one = co_await client.query(query);
            CHECK(one.items.size() == 1);
        });
        CHECK(!code);
        CHECK(found == std::multiset<int>{0, 1, 2, 3, 4, 6, 7, 8, 9});
    }
}

TEST_CASE("latencies stay where their shape says") {
    seeded_random random(1);
    using shape = simulated_latency::shape;
    for (const shape how :
         {shape::constant, shape::uniform, shape::exponential, shape::heavy_tail}) {
        const simulated_latency latency{how, 1ms, 2ms};
        double sum = 0;
        std::chrono::microseconds most{0};
        for (int i = 0; i != 20'000; ++i) {
            const auto one = latency.sample(random);
            CHECK(one >= 1ms);
            most = std::max(most, one);
            sum += static_cast<double>(one.count()) / 20'000;
        }
        if (how == shape::constant) CHECK(most == 1ms);
        if (how == shape::uniform) CHECK(std::abs(sum - 1500) < 20);
        if (how == shape::exponential) CHECK(std::abs(sum - 2000) < 50);
        if (how == shape::heavy_tail) CHECK(most > 100ms);
    }
}

TEST_CASE("a closed connection refuses, and closing waits for what is under way") {
    small_world w;
    const auto code = w.run([&](dynamodb::client client) -> asio::awaitable<void> {
        co_await client.close();
        co_await put(client, "k", 1);
    });
    REQUIRE(code);
    CHECK(*code == errc::closed);
    CHECK(w.server.exchanges() == 0);
}
