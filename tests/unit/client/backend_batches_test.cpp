// SPDX-License-Identifier: BSL-1.0
// Batches of which the server leaves out a part, which the real one cannot be made to do.
#include "fake_backend.hpp"
#include "support/catch.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <string>
#include <utility>

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

TEST_CASE("an answer to a question nobody asked is not taken for one of ours") {
    fake_world world(script(
        {answer(R"({"Responses":{"cache":[{"key":{"S":"other"},"value":{"B":"AAAA"}}]}})")}));
    auto backend = open(world);
    const auto found = run(backend.load_many(keys_of(2)));
    CHECK((found[0].has_value() && !found[0]->has_value()));
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

TEST_CASE("unprocessed answers that were never asked for are not sent on") {
    fake_world world(script(
        {answer(
             R"({"UnprocessedItems":{"other":[{"PutRequest":{"Item":{"key":{"S":"x"}}}}],"cache":[{"PutRequest":{"Item":{"key":{"S":"x"}}}},{"DeleteRequest":{"Key":{"key":{"S":"k1"}}}}]}})"),
         answer("{}")}));
    check_only_k1_is_sent_again(world, 2);
}

} // namespace codynamo
