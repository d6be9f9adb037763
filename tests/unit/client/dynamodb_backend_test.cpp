// SPDX-License-Identifier: BSL-1.0
// Single keys in races that the real server cannot be made to have, and what is refused unsent.
#include "fake_backend.hpp"
#include "support/catch.hpp"

#include <functional>
#include <string>
#include <vector>

namespace codynamo {

using namespace std::chrono_literals;
using namespace test;
using test_support::run;

TEST_CASE("a get costs one request and says that it wants a consistent answer only when told to") {
    for (const bool consistent : {false, true}) {
        fake_world world(script({answer(R"({"Item":{"value":{"B":"AAAA"}}})")}));
        auto config = world.backend_config();
        config.consistent_read = consistent;
        auto backend = run(dynamodb_backend::open(config));
        const auto found = run(backend.load("a\"b"));
        REQUIRE(found);
        const std::string tail = consistent ? R"(,"ConsistentRead":true})" : "}";
        REQUIRE(world.transport->requests().size() == 1);
        CHECK(world.transport->requests()[0].body ==
              R"({"TableName":"cache","Key":{"key":{"S":"a\"b"}})" + tail);
    }
}

TEST_CASE("a touch that meets another write looks again, and knows its own success") {
    const std::string seen =
        R"({"Item":{"key":{"S":"k"},"expire":{"N":"1000"},"update_ts":{"N":"1700000000"}}})";
    const auto refused = [](const std::string& item) {
        return answer(R"({"__type":"x#ConditionalCheckFailedException","message":"m","Item":)" +
                          item + "}",
                      400);
    };
    const std::string rewritten =
        R"({"key":{"S":"k"},"expire":{"N":"2000"},"update_ts":{"N":"1700000001"}})";
    const std::string ours =
        R"({"key":{"S":"k"},"expire":{"N":"60"},"update_ts":{"N":"1700000002"}})";
    const std::string dead =
        R"({"key":{"S":"k"},"expire":{"N":"1"},"update_ts":{"N":"1600000000"}})";
    struct row {
        std::string name;
        std::vector<fake_response> answers;
        bool touched;
    };
    const std::vector<row> table{
        {"unchanged", {answer(seen), answer("{}")}, true},
        {"rewritten meanwhile", {answer(seen), refused(rewritten), answer("{}")}, true},
        {"our lost first attempt", {answer(seen), refused(ours)}, true},
        {"replaced by one that is expired", {answer(seen), refused(dead)}, false},
        {"deleted meanwhile",
         {answer(seen), service_error("ConditionalCheckFailedException")},
         false},
        {"not there", {answer("{}")}, false},
    };
    for (const row& one : table) {
        INFO(one.name);
        fake_world world(script(one.answers));
        auto backend = open(world);
        CHECK(run(backend.touch("k", timestamp(1700000002s), 60s)) == one.touched);
        CHECK(world.transport->requests().size() == one.answers.size());
    }
}

TEST_CASE("a touch that always meets another write ends at the deadline of a call") {
    fake_world world([n = 0](const fake_request& request) mutable {
        const std::string item =
            R"({"key":{"S":"k"},"expire":{"N":"9999"},"update_ts":{"N":"17000000)" +
            std::to_string(10 + n++ % 80) + R"("}})";
        if (request.operation() == "GetItem") return answer(R"({"Item":)" + item + "}");
        return answer(R"({"__type":"x#ConditionalCheckFailedException","message":"m","Item":)" +
                          item + "}",
                      400);
    });
    auto backend = open(world);
    CHECK_THROWS_AS(run(backend.touch("k", timestamp(1700000005s), 60s)), error);
    CHECK(world.transport->requests().size() < 100);
}

TEST_CASE("a delete whose answer was lost counts as done") {
    fake_world world(
        script({fake_response::network_error(make_error_code(errc::connection_lost), true),
                service_error("ConditionalCheckFailedException")}));
    auto backend = open(world);
    CHECK(run(backend.erase("k")));
    fake_world absent(script({service_error("ConditionalCheckFailedException")}));
    auto other = open(absent);
    CHECK_FALSE(run(other.erase("k")));
}

TEST_CASE("a bad backend configuration names its field before anything is sent") {
    struct row {
        std::function<void(dynamodb_backend_config&)> breaks;
        std::string message;
    };
    const std::vector<row> table{
        {[](auto& c) { c.table_name = "ab"; }, "table_name"},
        {[](auto& c) { c.table_name = "a b c"; }, "table_name"},
        {[](auto& c) { c.region = ""; }, "region"},
        {[](auto& c) { c.read_capacity_units = 5; }, "read_capacity_units is 5: must be 0"},
        {[](auto& c) {
             c.billing_mode = dynamodb::billing_mode::provisioned;
             c.read_capacity_units = 1;
             c.write_capacity_units = -3;
         },
         "write_capacity_units is -3: must be at least 1"},
        {[](auto& c) { c.attributes.value = ""; }, "attributes.value has 0 bytes"},
        {[](auto& c) { c.attributes.ttl = "expire"; }, "attributes.ttl is \"expire\""},
        {[](auto& c) { c.create_timeout = 0ms; }, "create_timeout"},
        {[](auto& c) { c.batch_concurrency = 0; }, "batch_concurrency is 0"},
        {[](auto& c) { c.batch_concurrency = 65; }, "batch_concurrency is 65"},
    };
    for (const row& one : table) {
        INFO(one.message);
        fake_world world(script({answer("{}")}));
        auto config = world.backend_config();
        config.create = true;
        one.breaks(config);
        try {
            run(dynamodb_backend::open(config));
            FAIL("accepted");
        } catch (const error& why) {
            CHECK(why.code() == errc::invalid_argument);
            CHECK(std::string(why.what()).find(one.message) != std::string::npos);
        }
        CHECK(world.transport->requests().empty());
    }
}

TEST_CASE("keys and records out of bounds are refused before anything is sent") {
    fake_world world(script({answer("{}")}));
    auto backend = open(world);
    const auto code_of = [](auto call) {
        try {
            run(call());
        } catch (const error& why) {
            return static_cast<errc>(why.code().value());
        }
        return errc{};
    };
    const record small{.value = "x"};
    const record huge{.value = std::string(410'000, 'x')};
    CHECK(code_of([&] { return backend.load(""); }) == errc::invalid_argument);
    CHECK(code_of([&] { return backend.load("\xff"); }) == errc::invalid_argument);
    CHECK(code_of([&] { return backend.peek(std::string(2049, 'k')); }) == errc::invalid_argument);
    CHECK(code_of([&] { return backend.store("", small); }) == errc::invalid_argument);
    CHECK(code_of([&] { return backend.store("k", huge); }) == errc::invalid_argument);
    CHECK(code_of([&] { return backend.erase(""); }) == errc::invalid_argument);
    CHECK(code_of([&] { return backend.touch("", timestamp(), for_ever); }) ==
          errc::invalid_argument);
    CHECK(world.transport->requests().empty());
    CHECK(code_of([&] { return backend.load(std::string(2048, 'k')); }) == errc{});
}

} // namespace codynamo
