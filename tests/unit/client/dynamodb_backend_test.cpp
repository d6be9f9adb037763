// SPDX-License-Identifier: BSL-1.0
// What the real server cannot be made to do: unprocessed keys, races, servers without TTL.
#include "fake_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

namespace codynamo {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using test::answer;
using test::fake_request;
using test::fake_response;
using test::fake_world;
using test::script;
using test::service_error;
using test_support::run;

namespace {

dynamodb_backend open(fake_world& world) {
    return run(dynamodb_backend::open(world.backend_config()));
}

const std::string active =
    R"({"Table":{"TableName":"cache","TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"key","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"key","AttributeType":"S"}]}})";
const std::string creating =
    R"({"TableDescription":{"TableName":"cache","TableStatus":"CREATING","KeySchema":[{"AttributeName":"key","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"key","AttributeType":"S"}]}})";
const std::string deleting = R"({"Table":{"TableName":"cache","TableStatus":"DELETING"}})";
const std::string ttl_off = R"({"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}})";
const std::string ttl_on =
    R"({"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLING","AttributeName":"ttl"}})";

std::vector<std::string> keys_of(std::size_t count) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < count; ++i)
        keys.push_back("k" + std::to_string(i));
    return keys;
}

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
    auto backend = open(world);
    const auto erased = run(backend.erase_many(keys_of(3)));
    CHECK(std::ranges::all_of(erased, [](const auto& one) { return one.has_value(); }));
    REQUIRE(world.transport->requests().size() == 2);
    CHECK(world.transport->requests()[1].body ==
          R"({"RequestItems":{"cache":[{"DeleteRequest":{"Key":{"key":{"S":"k1"}}}}]}})");
}

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

TEST_CASE("ensure_table creates, waits, and switches native TTL on") {
    const std::string described_creating = R"({"Table":)" + creating.substr(20);
    fake_world world(
        script({service_error("ResourceNotFoundException"), answer(creating),
                service_error("ResourceNotFoundException"), service_error("ResourceInUseException"),
                answer(described_creating), answer(active), answer(ttl_off),
                answer(R"({"TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}})")}));
    auto backend = open(world);
    run(backend.ensure_table());
    const std::vector<std::string> expected{
        "DescribeTable", "CreateTable",   "DescribeTable",      "CreateTable",
        "DescribeTable", "DescribeTable", "DescribeTimeToLive", "UpdateTimeToLive"};
    CHECK(world.operations() == expected);
    CHECK(world.time->sleeps().size() == 3);
}

TEST_CASE("ensure_table tolerates what other processes and other servers do") {
    struct row {
        std::string name;
        std::vector<fake_response> answers;
        bool warns;
    };
    const std::vector<row> table{
        {"somebody else creates it first",
         {service_error("ResourceNotFoundException"), service_error("ResourceInUseException"),
          answer(active), answer(ttl_on)},
         false},
        {"somebody else switches TTL on first",
         {answer(active), answer(ttl_off), service_error("ValidationException"), answer(ttl_on)},
         false},
        {"a server without TTL",
         {answer(active), service_error("UnknownOperationException")},
         true},
        {"no permission for TTL",
         {answer(active), answer(ttl_off), service_error("AccessDeniedException")},
         true},
        {"too many changes of tables at once",
         {answer(active), answer(ttl_off), service_error("AnotherException")},
         true},
        {"the table is being deleted",
         {answer(deleting), service_error("ResourceNotFoundException"), answer(creating),
          answer(active), answer(ttl_on)},
         false},
        {"the answer to CreateTable is lost",
         {service_error("ResourceNotFoundException"),
          fake_response::network_error(make_error_code(errc::connection_lost), true),
          service_error("ResourceInUseException"), answer(active), answer(ttl_on)},
         false},
        {"TTL on another attribute",
         {answer(active),
          answer(
              R"({"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"other"}})")},
         true},
    };
    for (const row& one : table) {
        INFO(one.name);
        fake_world world(script(one.answers));
        auto backend = open(world);
        CHECK_NOTHROW(run(backend.ensure_table()));
        CHECK(world.transport->requests().size() == one.answers.size());
        const bool warned = std::ranges::any_of(*world.log, [](const std::string& line) {
            return line.find("native TTL") != std::string::npos;
        });
        CHECK(warned == one.warns);
    }
}

TEST_CASE("a table that never becomes ACTIVE is a time-out that says so") {
    const std::string described_creating = R"({"Table":)" + creating.substr(20);
    fake_world world(script({answer(described_creating)}));
    auto backend = open(world);
    try {
        run(backend.ensure_table());
        FAIL("no error");
    } catch (const error& why) {
        CHECK(why.code() == errc::timeout);
        CHECK(std::string(why.what()).find("not ACTIVE within 120000 ms") != std::string::npos);
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

TEST_CASE("unprocessed answers that were never asked for are not sent on") {
    fake_world world(script(
        {answer(
             R"({"UnprocessedItems":{"other":[{"PutRequest":{"Item":{"key":{"S":"x"}}}}],"cache":[{"PutRequest":{"Item":{"key":{"S":"x"}}}},{"DeleteRequest":{"Key":{"key":{"S":"k1"}}}}]}})"),
         answer("{}")}));
    auto backend = open(world);
    const auto erased = run(backend.erase_many(keys_of(2)));
    CHECK(std::ranges::all_of(erased, [](const auto& one) { return one.has_value(); }));
    REQUIRE(world.transport->requests().size() == 2);
    CHECK(world.transport->requests()[1].body ==
          R"({"RequestItems":{"cache":[{"DeleteRequest":{"Key":{"key":{"S":"k1"}}}}]}})");
}

TEST_CASE("a page that failed halfway is counted as far as it came") {
    std::string items;
    for (int i = 0; i < 26; ++i) {
        items += std::string(i ? "," : "") + R"({"key":{"S":"k)" + std::to_string(i) + R"("}})";
    }
    const std::string page = R"({"Items":[)" + items + R"(],"ScannedCount":26,"Count":26})";
    const std::string rest = R"({"Items":[{"key":{"S":"k25"}}],"ScannedCount":1,"Count":1})";
    fake_world world([&, scans = 0, writes = 0](const fake_request& request) mutable {
        if (request.operation() == "Scan") return answer(scans++ == 0 ? page : rest);
        return writes++ == 1 ? service_error("AccessDeniedException") : answer("{}");
    });
    auto config = world.backend_config();
    config.batch_concurrency = 1;
    auto backend = run(dynamodb_backend::open(config));
    clear_options options{.segments = 1,
                          .resume = std::make_shared<std::shared_ptr<clear_cursor>>()};
    CHECK_THROWS_AS(run(backend.clear_all(options)), error);
    const auto done = run(backend.clear_all(options));
    CHECK(done.deleted == 26);
    CHECK(done.scanned == 26);
    CHECK(done.kept == 0);
}

TEST_CASE("a clear that failed goes on where it stopped") {
    const std::string page_one =
        R"({"Items":[{"key":{"S":"a"}}],"ScannedCount":1,"Count":1,"LastEvaluatedKey":{"key":{"S":"a"}}})";
    const std::string page_two = R"({"Items":[{"key":{"S":"b"}}],"ScannedCount":1,"Count":1})";
    fake_world world(script({answer(page_one), answer("{}"), service_error("AccessDeniedException"),
                             answer(page_two), answer("{}")}));
    auto backend = open(world);
    clear_options options{.segments = 1,
                          .resume = std::make_shared<std::shared_ptr<clear_cursor>>()};
    CHECK_THROWS_AS(run(backend.clear_all(options)), error);
    const auto done = run(backend.clear_all(options));
    CHECK(done.deleted == 2);
    CHECK(done.scanned == 2);
    const auto requests = world.transport->requests();
    REQUIRE(requests.size() == 5);
    CHECK(requests[3].body.find(R"("ExclusiveStartKey":{"key":{"S":"a"}})") != std::string::npos);
    CHECK_FALSE(*options.resume);
}

TEST_CASE("clear_expired spares what was rewritten after it was seen") {
    const std::string page =
        R"({"Items":[{"key":{"S":"a"},"expire":{"N":"1"},"update_ts":{"N":"5.25"}},{"key":{"S":"b"},"expire":{"N":"1"},"update_ts":{"N":"5"}}],"ScannedCount":7,"Count":2})";
    fake_world world([&](const fake_request& request) {
        if (request.operation() == "Scan") return answer(page);
        if (request.body.find("\"a\"") == std::string::npos) return answer("{}");
        return answer(
            R"({"__type":"x#ConditionalCheckFailedException","message":"m","Item":{"key":{"S":"a"}}})",
            400);
    });
    auto backend = open(world);
    const clear_options options{.segments = 1};
    const auto done = run(backend.clear_expired(options, timestamp(100s)));
    CHECK(done.scanned == 7);
    CHECK(done.deleted == 1);
    CHECK(done.kept == 6);
    const auto requests = world.transport->requests();
    const auto of_a = std::ranges::find_if(requests, [](const fake_request& one) {
        return one.operation() == "DeleteItem" && one.body.find("\"a\"") != std::string::npos;
    });
    REQUIRE(of_a != requests.end());
    CHECK(of_a->body.find(R"(":seen_u":{"N":"5.25"})") != std::string::npos);
    CHECK(of_a->body.find("#u = :seen_u") != std::string::npos);
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
