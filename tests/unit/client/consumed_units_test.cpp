// SPDX-License-Identifier: BSL-1.0
// Capacity units: who asks for them, and what they add up to.
#include "fake_backend.hpp"
#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace codynamo {

namespace asio = boost::asio;

using namespace std::chrono_literals;
using namespace test;
using test_support::run;

namespace {

const std::string times = R"("expire":{"N":"0"},"update_ts":{"N":"1700000000"})";
const std::string one = R"("ConsumedCapacity":{"TableName":"cache","CapacityUnits":)";
const std::string list = R"("ConsumedCapacity":[{"TableName":"cache","CapacityUnits":)";

/// What a request of its kind costs, a different power of two for each.
fake_response priced(const fake_request& request) {
    const std::string_view what = request.operation();
    if (what == "GetItem")
        return answer("{" + one + R"(0.5},"Item":{"key":{"S":"k0"},"value":{"B":"AAAA"},)" + times +
                      "}}");
    if (what == "BatchGetItem") return answer("{\"Responses\":{\"cache\":[]}," + list + "2.0}]}");
    if (what == "BatchWriteItem") return answer("{" + list + R"(8},{"CapacityUnits":16}]})");
    if (what == "Scan") return answer("{" + one + R"(4.0},"Items":[],"Count":0,"ScannedCount":0})");
    return answer("{" + one + (what == "PutItem" ? "1}}" : what == "DeleteItem" ? "2}}" : "4}}"));
}

asio::awaitable<void> everything(dynamodb_backend backend) {
    record r;
    r.value = "x";
    co_await backend.store("k0", r);
    (void)co_await backend.load("k0");
    (void)co_await backend.peek("k0");
    (void)co_await backend.erase("k0");
    co_await backend.discard("k0");
    (void)co_await backend.touch("k0", timestamp(1700000002s), 60s);
    (void)co_await backend.store_newer("k0", r);
    auto keys = keys_of(2);
    (void)co_await backend.load_many(keys);
    (void)co_await backend.erase_many(std::move(keys));
    clear_options options;
    options.segments = 1;
    (void)co_await backend.clear_all(std::move(options));
}

} // namespace

TEST_CASE("capacity units are asked for by every request, and added up by kind") {
    fake_world world(priced);
    auto config = world.backend_config();
    config.count_capacity = true;
    auto backend = run(dynamodb_backend::open(config));
    run(everything(backend));
    for (const auto& sent : world.transport->requests()) {
        INFO(sent.body);
        CHECK(sent.body.find(R"("ReturnConsumedCapacity":"TOTAL")") != sent.body.npos);
    }
    // load, peek, touch's look; load_many; the scan
    CHECK(backend.consumed().read == 3 * 0.5 + 2 + 4);
    // store and store_newer; erase and discard; touch's update; erase_many in two tables
    CHECK(backend.consumed().write == 2 * 1 + 2 * 2 + 4 + (8 + 16));
}

TEST_CASE("nobody asks for capacity units unless told to") {
    fake_world world(priced);
    auto backend = open(world);
    run(everything(backend));
    for (const auto& sent : world.transport->requests()) {
        INFO(sent.body);
        CHECK(sent.body.find("ReturnConsumedCapacity") == sent.body.npos);
    }
}

TEST_CASE("what the service does not tell is not counted") {
    fake_world world(script({answer(R"({"ConsumedCapacity":null})"),
                             answer(R"({"ConsumedCapacity":{"CapacityUnits":"3"}})"),
                             answer(R"({"Other":{"CapacityUnits":3},"CapacityUnits":5})"),
                             answer(R"({"ConsumedCapacity":{"Table":{"CapacityUnits":7}}})")}));
    auto config = world.backend_config();
    config.count_capacity = true;
    auto backend = run(dynamodb_backend::open(config));
    for (int i = 0; i != 4; ++i)
        CHECK_FALSE(run(backend.load("k0")));
    CHECK(backend.consumed().read == 0);
}

} // namespace codynamo
