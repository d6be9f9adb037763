// SPDX-License-Identifier: BSL-1.0
// Batches of which the server leaves out a part, which the real one cannot be made to do.
#include "fake_backend.hpp"
#include "support/catch.hpp"

#include <codynamo/any_backend.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace codynamo {

namespace json = boost::json;
using namespace std::chrono_literals;
using namespace test;
using test_support::run;

namespace {

/// Answers a BatchGetItem with at most `most` of its keys; the others are unprocessed.
fake_response answer_some(const fake_request& request, std::size_t most) {
    json::value asked = json::parse(request.body);
    json::array& keys = asked.at("RequestItems").at("cache").at("Keys").as_array();
    json::array items;
    json::array rest;
    for (json::value& key : keys) {
        if (items.size() == most) {
            rest.push_back(key);
            continue;
        }
        json::object item = key.as_object();
        item["value"] = {{"B", "AAAA"}};
        // Answers come in any order.
        items.insert(items.begin(), item);
    }
    json::object body{{"Responses", {{"cache", items}}}};
    if (!rest.empty()) {
        keys = rest;
        body["UnprocessedKeys"] = asked.at("RequestItems");
    }
    return answer(json::serialize(body));
}

/// Erases that many keys in a world that leaves k1 unprocessed at first.
void check_only_k1_is_sent_again(const fake_world& world, std::size_t keys) {
    auto backend = open(world);
    const auto erased = run(backend.erase_many(keys_of(keys)));
    CHECK(std::ranges::all_of(erased, [](const auto& one) { return one.has_value(); }));
    REQUIRE(world.transport->requests().size() == 2);
    CHECK(world.transport->requests()[1].body ==
          R"({"RequestItems":{"cache":[{"DeleteRequest":{"Key":{"key":{"S":"k1"}}}}]}})");
}

} // namespace

TEST_CASE("unprocessed keys are asked again until all have come") {
    for (const std::size_t most : {1U, 7U, 99U, 100U}) {
        fake_world world(
            [most](const fake_request& request) { return answer_some(request, most); });
        auto backend = open(world);
        const auto found = run(backend.load_many(keys_of(150)));
        REQUIRE(found.size() == 150);
        for (const auto& one : found) {
            REQUIRE(one.has_value());
            REQUIRE(one->has_value());
        }
        CHECK(world.transport->requests().size() >= 150 / most);
    }
}

TEST_CASE("keys that are never processed fail one by one, and the others do not") {
    fake_world world([](const fake_request& request) {
        json::value asked = json::parse(request.body);
        const auto& keys = asked.at("RequestItems").at("cache").at("Keys").as_array();
        return answer_some(request, keys.size() > 3 ? keys.size() - 3 : 0);
    });
    auto backend = open(world);
    const auto found = run(backend.load_many(keys_of(10)));
    std::size_t failed = 0;
    for (const auto& one : found) {
        if (one) continue;
        ++failed;
        CHECK(one.error().code == errc::unprocessed);
    }
    CHECK(failed == 3);
    // Pauses without progress grow.
    const auto sleeps = world.time->sleeps();
    REQUIRE(sleeps.size() > 3);
    CHECK(sleeps.front() < sleeps.back());
    CHECK(sleeps.back() <= 1600ms);
}

TEST_CASE("a slice that fails fails its keys and no others") {
    fake_world world([](const fake_request& request) {
        if (request.body.find("\"k0\"") != std::string::npos)
            return service_error("AccessDeniedException");
        return answer_some(request, 100);
    });
    auto backend = open(world);
    const auto found = run(backend.load_many(keys_of(250)));
    CHECK(std::ranges::count_if(found, [](const auto& one) { return one.has_error(); }) == 100);
    CHECK(found.front().error().code == errc::access_denied);
    CHECK(found.back().has_value());
}

TEST_CASE("an answer about what was not asked for is no miss, and its connection is closed") {
    const char* const bodies[] = {
        R"({"Responses":{"cache":[{"key":{"S":"other"},"value":{"B":"AAAA"}}]}})",
        R"({"Responses":{"cache":[{"key":{"S":"k0"},"value":{"B":"AAAA"}},)"
        R"({"key":{"S":"other"},"value":{"B":"AAAA"}}]}})",
        R"({"Responses":{"cache":[{"value":{"B":"AAAA"}}]}})",
        R"({"Responses":{"another":[]}})",
        R"({"Responses":{"cache":[]},"UnprocessedKeys":{"cache":{"Keys":[{"key":{"S":"x"}}]}}})",
        R"({"Responses":{"cache":[]},"UnprocessedKeys":{"another":{"Keys":[]}}})",
        "{}",
        "",
        " ",
        "[]",
        R"({"Attributes":{"n":{"N":"1"}}})",
    };
    for (const char* const body : bodies) {
        CAPTURE(body);
        fake_world world(script({answer(body)}));
        auto backend = open(world);
        const auto found = run(backend.load_many(keys_of(2)));
        REQUIRE(found.size() == 2);
        for (const auto& one : found) {
            REQUIRE(one.has_error());
            CHECK(one.error().code == errc::bad_response);
        }
        REQUIRE(world.transport->requests().size() == 1);
    }
}

TEST_CASE("what an earlier round has answered is not asked for any more") {
    // Round 1 leaves k1; what is said to answer round 2 answers round 1 once more.
    const std::string k0 = R"({"key":{"S":"k0"},"value":{"B":"AAAA"}})";
    fake_world world(
        script({answer(R"({"Responses":{"cache":[)" + k0 +
                       R"(]},"UnprocessedKeys":{"cache":{"Keys":[{"key":{"S":"k1"}}]}}})"),
                answer(R"({"Responses":{"cache":[)" + k0 + "]}}")}));
    auto backend = open(world);
    const auto found = run(backend.load_many(keys_of(2)));
    CHECK((found[0].has_value() && found[0]->has_value()));
    REQUIRE(found[1].has_error());
    CHECK(found[1].error().code == errc::bad_response);
}

TEST_CASE("unprocessed writes are sent again, alone") {
    fake_world world([first = true](const fake_request& request) mutable {
        if (!std::exchange(first, false)) return answer("{}");
        const json::value asked = json::parse(request.body);
        const json::array& writes = asked.at("RequestItems").at("cache").as_array();
        const json::object rest{{"cache", json::array{writes.at(1)}}};
        return answer(json::serialize(json::object{{"UnprocessedItems", rest}}));
    });
    check_only_k1_is_sent_again(world, 3);
}

TEST_CASE("writes that are said to be unprocessed and were not asked for are no success") {
    const char* const bodies[] = {
        R"({"UnprocessedItems":{"other":[{"DeleteRequest":{"Key":{"key":{"S":"k0"}}}}]}})",
        R"({"UnprocessedItems":{"cache":[{"PutRequest":{"Item":{"key":{"S":"k0"}}}}]}})",
        R"({"UnprocessedItems":{"cache":[{"DeleteRequest":{"Key":{"key":{"S":"x"}}}}]}})",
        R"({"UnprocessedItems":{"cache":[{"DeleteRequest":{"Key":{"other":{"S":"k0"}}}}]}})",
        "",
    };
    for (const char* const body : bodies) {
        CAPTURE(body);
        fake_world world(script({answer(body)}));
        auto backend = open(world);
        const auto erased = run(backend.erase_many(keys_of(2)));
        for (const auto& one : erased) {
            REQUIRE(one.has_error());
            CHECK(one.error().code == errc::bad_response);
        }
        CHECK(world.transport->requests().size() == 1);
    }
}

TEST_CASE("an empty backend answers errc::closed, in batches for each key") {
    std::vector<dynamodb_backend> empty(2);
    fake_world world(script({answer("{}")}));
    empty[1] = open(world);
    const dynamodb_backend taken = std::move(empty[1]);
    any_backend erased;
    for (dynamodb_backend& one : empty) {
        const auto closed = [](auto awaited) {
            try {
                (void)run(std::move(awaited));
            } catch (const error& why) {
                return why.code() == errc::closed;
            }
            return false;
        };
        CHECK(closed(one.load("k")));
        CHECK(closed(one.peek("k")));
        CHECK(closed(one.erase("k")));
        CHECK(closed(one.touch("k", timestamp(), ttl(1s))));
        CHECK(closed(one.store_newer("k", record())));
        CHECK(closed(one.clear_all({})));
        CHECK(closed(one.clear_expired({}, timestamp())));
        CHECK(closed(one.delete_table()));
        CHECK_THROWS_AS(run(one.store("k", record())), error);
        CHECK_THROWS_AS(run(one.discard("k")), error);
        CHECK_THROWS_AS(run(one.ensure_table()), error);
        CHECK_THROWS_AS(one.client(), error);
        const auto all_closed = [](const auto& outcomes) {
            return outcomes.size() == 2 && std::ranges::all_of(outcomes, [](const auto& outcome) {
                       return outcome.has_error() && outcome.error().code == errc::closed;
                   });
        };
        CHECK(all_closed(run(one.load_many(keys_of(2)))));
        CHECK(all_closed(run(one.erase_many(keys_of(2)))));
        CHECK(all_closed(run(one.store_many(std::vector<keyed_record>(2)))));
        CHECK(one.config().table_name.empty());
        CHECK(one.consumed().read == 0);
        CHECK_NOTHROW(run(one.close()));
        CHECK(closed(erased.load("k")));
        CHECK(closed(erased.erase("k")));
        CHECK(closed(erased.clear_all({})));
        CHECK(all_closed(run(erased.load_many(keys_of(2)))));
        record out;
        CHECK_FALSE(erased.load_now("k", out));
    }
    dynamodb::client db(world.client_config());
    const dynamodb::client moved = std::move(db);
    CHECK(outcome_of(db).code == errc::closed);
    CHECK_NOTHROW(run(db.close()));
    CHECK(world.transport->requests().empty());
}

TEST_CASE("the system's random source keeps no state that a copy of the process would share") {
    // Two sources made alike, and a transaction of each of two clients.
    const auto one = environment::system_random();
    const auto other = environment::system_random();
    std::vector<std::uint64_t> drawn;
    for (int i = 0; i < 1000; ++i)
        for (const auto& source : {one, other})
            drawn.push_back(source->next());
    std::ranges::sort(drawn);
    CHECK(std::ranges::adjacent_find(drawn) == drawn.end());
}

} // namespace codynamo
