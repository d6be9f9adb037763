// SPDX-License-Identifier: BSL-1.0
// Clearing a table that changes meanwhile, and going on after a failure.
#include "fake_backend.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace codynamo {

using namespace std::chrono_literals;
using namespace test;
using test_support::run;

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

} // namespace codynamo
