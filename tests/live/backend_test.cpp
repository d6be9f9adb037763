// SPDX-License-Identifier: BSL-1.0
// The table backend against a real server.
#include "cache/fan_out.hpp"
#include "live.hpp"

#include <codynamo/any_backend.hpp>
#include <codynamo/testing/contract.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <catch2/catch.hpp>
#include <iostream>
#include <string>
#include <vector>

namespace codynamo {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::live_config;
using test::with_backend;

namespace {

timestamp now() {
    return environment::system_clock()->now();
}

record made(std::string value, ttl lifetime = for_ever, timestamp when = now()) {
    return {.value = std::move(value), .written = when, .lifetime = lifetime};
}

// Made outside of coroutines: g++ 12 cannot keep an initializer list in a coroutine's frame.
dynamodb::item golden_item() {
    return {{"key", "a"},
            {"value", dynamodb::binary{"\"x\""}},
            {"expire", dynamodb::number("1.5")},
            {"update_ts", dynamodb::number("1795362414.052798")},
            {"ttl", dynamodb::number("1795362416")}};
}

dynamodb::item foreign_item() {
    return {{"key", "foreign"}, {"expire", "x"}};
}

std::vector<dynamodb::key_attribute> foreign_key() {
    return {{"id", dynamodb::key_type::hash, dynamodb::scalar_type::N},
            {"at", dynamodb::key_type::range, dynamodb::scalar_type::S}};
}

dynamodb::item key_of(const std::string& key) {
    return {{"key", key}};
}

void check_contract(dynamodb_backend_config config) {
    with_backend(std::move(config), [](dynamodb_backend b) -> asio::awaitable<void> {
        testing::backend_contract contract;
        contract.make = [b] { return any_backend(b); };
        const auto broken = co_await testing::check_backend(contract);
        for (const std::string& clause : broken)
            FAIL_CHECK(clause);
        CHECK(broken.empty());
    });
}

} // namespace

TEST_CASE("a stored record comes back whole") {
    with_backend(live_config("roundtrip"), [](dynamodb_backend b) -> asio::awaitable<void> {
        const std::string bytes("\0\xff value \n", 10);
        const record mine = made(bytes, 90500ms);
        co_await b.store("k\"\\ü", mine);
        const auto found = co_await b.load("k\"\\ü");
        REQUIRE(found);
        CHECK(found->value == bytes);
        CHECK(found->written == mine.written);
        CHECK(found->lifetime == 90500ms);
        const auto times = co_await b.peek("k\"\\ü");
        REQUIRE(times);
        CHECK(times->written == mine.written);
        CHECK(times->value.empty());
        const auto missing = co_await b.load("other");
        CHECK_FALSE(missing);
        const bool yes_1 = static_cast<bool>(co_await b.erase("k\"\\ü"));
        CHECK(yes_1);
        const bool no_2 = static_cast<bool>(co_await b.erase("k\"\\ü"));
        CHECK_FALSE(no_2);
    });
}

// On two servers, which share no code.
TEST_CASE("the table keeps the backend contract") {
    check_contract(live_config("contract"));
}

TEST_CASE("the table keeps the backend contract on moto") {
    auto config = live_config("contract", "CODYNAMO_TEST_ENDPOINT_MOTO");
    CHECK_THAT(test::server_at(config.endpoint), Catch::StartsWith("moto"));
    check_contract(std::move(config));
}

TEST_CASE("the item has pynamodb_mate's layout, with native TTL beside it") {
    with_backend(live_config("layout"), [](dynamodb_backend b) -> asio::awaitable<void> {
        co_await b.store("a", made("\"x\"", 1500ms, timestamp(1795362414052798us)));
        dynamodb::get_item_input get{.table_name = b.config().table_name, .key = key_of("a")};
        const auto got = co_await b.client().get_item(get);
        REQUIRE(got.item);
        CHECK(*got.item == golden_item());
        const dynamodb::describe_time_to_live_input which{b.config().table_name};
        const auto native = co_await b.client().describe_time_to_live(which);
        CHECK(native.attribute_name == "ttl");
        CHECK((native.status == "ENABLED" || native.status == "ENABLING"));
    });
}

TEST_CASE("sixteen openers at once make one table") {
    auto config = live_config("openers");
    test_support::run([](dynamodb_backend_config c) -> asio::awaitable<void> {
        std::vector<std::optional<dynamodb_backend>> opened(16);
        co_await detail::fan_out(16, 16, [&](std::size_t i) -> asio::awaitable<void> {
            opened[i] = co_await dynamodb_backend::open(c);
        });
        co_await opened[3]->store("a", made("1"));
        const auto seen = co_await opened[12]->load("a");
        CHECK(seen);
        const bool yes_3 = static_cast<bool>(co_await opened[0]->delete_table());
        CHECK(yes_3);
        const bool no_4 = static_cast<bool>(co_await opened[1]->delete_table());
        CHECK_FALSE(no_4);
        for (auto& one : opened)
            co_await one->close();
    }(config));
}

TEST_CASE("a table with another key is refused with words") {
    auto config = live_config("schema");
    test_support::run([](dynamodb_backend_config c) -> asio::awaitable<void> {
        dynamodb::client db(test::live_client_config());
        const dynamodb::create_table_input foreign{.table_name = c.table_name,
                                                   .key_schema = foreign_key()};
        co_await db.create_table(foreign);
        std::string message;
        try {
            co_await dynamodb_backend::open(c);
        } catch (const error& why) {
            CHECK(why.code() == errc::schema_mismatch);
            message = why.what();
        }
        CHECK(message.find("hash key \"id\" of type N, range key \"at\" of type S") !=
              std::string::npos);
        const dynamodb::delete_table_input doomed{c.table_name};
        co_await db.delete_table(doomed);
        co_await db.close();
    }(config));
}

TEST_CASE(
    "with create switched off nothing is sent, and a missing table is an error of the first use") {
    auto config = live_config("missing");
    config.create = false;
    test_support::run([](dynamodb_backend_config c) -> asio::awaitable<void> {
        auto b = co_await dynamodb_backend::open(c);
        CHECK(b.client().stats().opened == 0);
        errc code{};
        try {
            co_await b.load("a");
        } catch (const error& why) {
            code = static_cast<errc>(why.code().value());
        }
        CHECK(code == errc::resource_not_found);
        co_await b.close();
    }(config));
}

TEST_CASE("a touch restarts a life, and never revives or creates") {
    with_backend(live_config("touch"), [](dynamodb_backend b) -> asio::awaitable<void> {
        const timestamp start = now();
        co_await b.store("a", made("v", 10s, start));
        const bool yes_5 = static_cast<bool>(co_await b.touch("a", start + 5s, 60s));
        CHECK(yes_5);
        auto found = co_await b.load("a");
        CHECK(found->value == "v");
        CHECK(found->written == start + 5s);
        CHECK(found->lifetime == 60s);
        const bool yes_6 = static_cast<bool>(co_await b.touch("a", start + 6s, for_ever));
        CHECK(yes_6);
        dynamodb::get_item_input get{.table_name = b.config().table_name, .key = key_of("a")};
        const auto forever = co_await b.client().get_item(get);
        CHECK_FALSE(forever.item->contains("ttl"));

        co_await b.store("old", made("v", 1s, start - 10s));
        const bool no_7 = static_cast<bool>(co_await b.touch("old", start, 60s));
        CHECK_FALSE(no_7);
        found = co_await b.load("old");
        CHECK(found->written == start - 10s);
        const bool no_8 = static_cast<bool>(co_await b.touch("never", start, 60s));
        CHECK_FALSE(no_8);
        const bool no_9 = static_cast<bool>(co_await b.load("never"));
        CHECK_FALSE(no_9);
    });
}

TEST_CASE("store_newer keeps what was written later") {
    with_backend(live_config("newer"), [](dynamodb_backend b) -> asio::awaitable<void> {
        const timestamp t = now();
        const bool yes_10 = static_cast<bool>(co_await b.store_newer("a", made("1", for_ever, t)));
        CHECK(yes_10);
        const bool no_11 =
            static_cast<bool>(co_await b.store_newer("a", made("0", for_ever, t - 1us)));
        CHECK_FALSE(no_11);
        const bool yes_12 = static_cast<bool>(co_await b.store_newer("a", made("2", for_ever, t)));
        CHECK(yes_12);
        const bool yes_13 =
            static_cast<bool>(co_await b.store_newer("a", made("3", for_ever, t + 1us)));
        CHECK(yes_13);
        const auto found = co_await b.load("a");
        CHECK(found->value == "3");
    });
}

TEST_CASE("batches of any size keep their order and their outcomes") {
    with_backend(live_config("batch"), [](dynamodb_backend b) -> asio::awaitable<void> {
        std::vector<keyed_record> records;
        std::vector<std::string> keys;
        for (int i = 0; i < 1000; ++i) {
            records.emplace_back("k" + std::to_string(i), made(std::to_string(i)));
            keys.push_back("k" + std::to_string(999 - i));
        }
        records.emplace_back("huge", made(std::string(500'000, 'x')));
        records.emplace_back("", made("x"));
        keys.emplace_back("absent");
        keys.emplace_back(3000, 'k');
        const auto stored = co_await b.store_many(records);
        REQUIRE(stored.size() == 1002);
        for (std::size_t i = 0; i < 1000; ++i)
            REQUIRE(stored[i].has_value());
        CHECK(stored[1000].error().code == errc::invalid_argument);
        CHECK(stored[1001].error().code == errc::invalid_argument);
        const auto found = co_await b.load_many(keys);
        REQUIRE(found.size() == 1002);
        for (std::size_t i = 0; i < 1000; ++i) {
            REQUIRE(found[i].has_value());
            REQUIRE(found[i]->has_value());
            REQUIRE((*found[i])->value == std::to_string(999 - i));
        }
        CHECK((found[1000] && !*found[1000]));
        CHECK(found[1001].error().code == errc::invalid_argument);
        keys.resize(500);
        const auto erased = co_await b.erase_many(keys);
        CHECK(std::ranges::all_of(erased, [](const auto& one) { return one.has_value(); }));
        const bool no_14 = static_cast<bool>(co_await b.load(keys[0]));
        CHECK_FALSE(no_14);
        const bool yes_15 = static_cast<bool>(co_await b.load("k0"));
        CHECK(yes_15);
        const auto nothing = co_await b.load_many({});
        CHECK(nothing.empty());
    });
}

TEST_CASE("sets, gets and discards at once share requests, and each has his own answer") {
    auto config = live_config("merged");
    config.batching.mode = batching_mode::on;
    with_backend(config, [](dynamodb_backend b) -> asio::awaitable<void> {
        constexpr std::size_t count = 300;
        const auto key = [](std::size_t i) { return "k" + std::to_string(i); };
        co_await detail::fan_out(count, count, [&](std::size_t i) -> asio::awaitable<void> {
            co_await b.store(key(i), made("v" + std::to_string(i)));
        });
        std::size_t right = 0;
        co_await detail::fan_out(2 * count, 2 * count, [&](std::size_t i) -> asio::awaitable<void> {
            const auto found = co_await b.load(key(i / 2));
            if (found && found->value == "v" + std::to_string(i / 2)) ++right;
        });
        CHECK(right == 2 * count);
        co_await detail::fan_out(count / 2, count, [&](std::size_t i) -> asio::awaitable<void> {
            co_await b.discard(key(2 * i));
        });
        std::size_t left = 0;
        co_await detail::fan_out(count, count, [&](std::size_t i) -> asio::awaitable<void> {
            const auto found = co_await b.load(key(i));
            if (found.has_value() == (i % 2 == 1)) ++left;
        });
        CHECK(left == count);
        const batching_stats merged = b.batching();
        CHECK(merged.gets_merged > 2 * count); // of 900
        CHECK(merged.get_batches > 3);         // of 100 keys, each of them for two gets at most
        CHECK(merged.writes_merged > count);   // of 450
        CHECK(merged.fallbacks == 0);
    });
}

TEST_CASE("items of megabytes in all travel in several slices") {
    with_backend(live_config("big"), [](dynamodb_backend b) -> asio::awaitable<void> {
        std::vector<keyed_record> records;
        std::vector<std::string> keys;
        for (int i = 0; i < 60; ++i) {
            keys.push_back("k" + std::to_string(i));
            records.emplace_back(keys.back(),
                                 made(std::string(390'000, static_cast<char>('a' + i % 26))));
        }
        const auto stored = co_await b.store_many(records);
        REQUIRE(std::ranges::all_of(stored, [](const auto& one) { return one.has_value(); }));
        const auto found = co_await b.load_many(keys);
        for (std::size_t i = 0; i < keys.size(); ++i) {
            REQUIRE(found[i].has_value());
            REQUIRE(found[i]->has_value());
            REQUIRE((*found[i])->value == records[i].second.value);
        }
    });
}

TEST_CASE("clear_expired deletes what is expired and nothing else") {
    with_backend(live_config("expired"), [](dynamodb_backend b) -> asio::awaitable<void> {
        const timestamp t = now();
        std::vector<keyed_record> records;
        // Native TTL deletes as well here, and fast: these have not reached their native end in
        // real time.
        for (int i = 0; i < 300; ++i) {
            const ttl lifetime = i % 3 == 0 ? for_ever : i % 3 == 1 ? ttl(100s) : ttl(5000s);
            records.emplace_back("k" + std::to_string(i), made("v", lifetime, t));
        }
        const auto stored = co_await b.store_many(records);
        REQUIRE(std::ranges::all_of(stored, [](const auto& one) { return one.has_value(); }));
        const dynamodb::put_item_input foreign{.table_name = b.config().table_name,
                                               .item = foreign_item()};
        co_await b.client().put_item(foreign);
        int calls = 0;
        clear_options options;
        options.progress = [&](const clear_progress&) { ++calls; };
        const auto done = co_await b.clear_expired(options, t + 1000s);
        CHECK(done.scanned == 301);
        CHECK(done.deleted == 100);
        CHECK(done.kept == 201);
        CHECK(calls >= 4);
        const bool no_16 = static_cast<bool>(co_await b.load("k1"));
        CHECK_FALSE(no_16);
        const bool yes_17 = static_cast<bool>(co_await b.load("k0"));
        CHECK(yes_17);
        const bool yes_18 = static_cast<bool>(co_await b.load("k2"));
        CHECK(yes_18);
    });
}

TEST_CASE("clear_all empties the table") {
    with_backend(live_config("clear"), [](dynamodb_backend b) -> asio::awaitable<void> {
        std::vector<keyed_record> records;
        for (int i = 0; i < 700; ++i)
            records.emplace_back(std::to_string(i), made("v"));
        co_await b.store_many(records);
        clear_options options{.segments = 3};
        const auto done = co_await b.clear_all(options);
        CHECK(done.deleted == 700);
        options.segments = 4;
        const auto again = co_await b.clear_all(options);
        CHECK(again.scanned == 0);
        options.segments = 0;
        errc code{};
        try {
            co_await b.clear_all(options);
        } catch (const error& why) {
            code = static_cast<errc>(why.code().value());
        }
        CHECK(code == errc::invalid_argument);
    });
}

// The service and dynoxide delete lazily, so that only the user's own copy of DynamoDB Local shows
// it within seconds. What no server is needed for is in tests/simulation.
TEST_CASE("native TTL deletes what has expired") {
    auto config = live_config("native");
    if (!test::server_at(config.endpoint).starts_with("DynamoDB Local")) {
        std::cout << "skipped: only DynamoDB Local deletes by TTL within seconds\n";
        return;
    }
    with_backend(std::move(config), [](dynamodb_backend b) -> asio::awaitable<void> {
        co_await b.store("dead", made("v", 1s, now() - 20s));
        co_await b.store("alive", made("v", 3600s));
        asio::steady_timer timer(co_await asio::this_coro::executor);
        bool gone = false;
        for (int i = 0; i < 120 && !gone; ++i) {
            const auto left = co_await b.load("dead");
            gone = !left;
            timer.expires_after(250ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
        CHECK(gone);
        const bool yes_19 = static_cast<bool>(co_await b.load("alive"));
        CHECK(yes_19);
    });
}

TEST_CASE("a server that is not there is reported by name, within the deadline") {
    auto config = live_config("nobody");
    config.endpoint = "http://127.0.0.1:1";
    config.call_timeout = 1500ms;
    test_support::run([](dynamodb_backend_config c) -> asio::awaitable<void> {
        std::string message;
        try {
            co_await dynamodb_backend::open(c);
        } catch (const error& why) {
            CHECK(why.code() == errc::connect_failed);
            message = why.what();
        }
        CHECK(message.find("127.0.0.1:1") != std::string::npos);
    }(config));
}

} // namespace codynamo
