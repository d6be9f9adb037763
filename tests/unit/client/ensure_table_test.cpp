// SPDX-License-Identifier: BSL-1.0
// A table that is made while others make it, on servers with TTL and without.
#include "fake_backend.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace codynamo {

using namespace test;
using test_support::run;

namespace {

const std::string active =
    R"({"Table":{"TableName":"cache","TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"key","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"key","AttributeType":"S"}]}})";
const std::string creating =
    R"({"TableDescription":{"TableName":"cache","TableStatus":"CREATING","KeySchema":[{"AttributeName":"key","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"key","AttributeType":"S"}]}})";
const std::string deleting = R"({"Table":{"TableName":"cache","TableStatus":"DELETING"}})";
const std::string ttl_off = R"({"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}})";
const std::string ttl_on =
    R"({"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLING","AttributeName":"ttl"}})";

} // namespace

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
        const bool warned = std::ranges::any_of(world.log.all(), [](const std::string& line) {
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

} // namespace codynamo
