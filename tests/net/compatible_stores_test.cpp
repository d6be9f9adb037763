// SPDX-License-Identifier: BSL-1.0
// Stores that speak the protocol with gaps and in their own words: what they say about tables, and
// how they refuse. (What they leave out of good answers is among the faults.)
#include "fault_operations.hpp"
#include "support/catch.hpp"
#include "support/harness.hpp"
#include "support/scripted_server.hpp"
#include "support/tap.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <map>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

template <class Config>
Config config_for(const scripted_server& server) {
    Config config;
    config.region = "us-east-1";
    config.endpoint = "http://127.0.0.1:" + std::to_string(server.port());
    config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
    config.call_timeout = 2000ms;
    config.retry.base = 1ms;
    config.retry.throttling_base = 1ms;
    config.env = testing_support::tapped();
    config.env.variable = [](const char*) { return std::nullopt; };
    return config;
}

std::function<std::string(const std::string&)>
by_target(std::map<std::string, std::string> answers) {
    return [answers = std::move(answers)](const std::string& request) {
        for (const auto& [operation, whole] : answers)
            if (request.find("20120810." + operation + '\r') != std::string::npos) return whole;
        return response(R"({"__type":"UnknownOperationException"})", 400);
    };
}

const std::string schema = R"("KeySchema":[{"AttributeName":"key","KeyType":"HASH"}])";
const std::string types = R"("AttributeDefinitions":[{"AttributeName":"key","AttributeType":"S"}])";
const std::string ttl_on =
    R"({"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"ttl"}})";

std::string table(const std::string& members) {
    return R"({"Table":{)" + members + "}}";
}

} // namespace

TEST_CASE("a table is recognised whatever a store leaves out of its description") {
    struct row {
        const char* name;
        std::string description;
        boost::system::error_code code{};
        const char* words = "";
    };
    const std::string active = R"("TableStatus":"ACTIVE",)" + schema;
    const row rows[] = {
        {"status and key only", table(active)},
        {"types too", table(active + "," + types)},
        {"updating", table(R"("TableStatus":"UPDATING",)" + schema)},
        {"null for what is not known",
         table(active + R"(,"BillingModeSummary":null,"ProvisionedThroughput":null,)"
                        R"("CreationDateTime":null,"TableArn":null,"ItemCount":null,)"
                        R"("AttributeDefinitions":null)")},
        {"empty objects", table(active + R"(,"BillingModeSummary":{},"ProvisionedThroughput":{})")},
        {"a billing mode that nobody knows",
         table(active + R"(,"BillingModeSummary":{"BillingMode":"FREE"})")},
        {"members that nobody knows",
         table(active + R"(,"TableClassSummary":{"TableClass":"STANDARD"},"Replicas":[1])")},
        {"definitions of other attributes",
         table(active + R"(,"AttributeDefinitions":[{"AttributeName":"x","AttributeType":"N"}])")},
        {"a time with a fraction", table(active + R"(,"CreationDateTime":1.7123456789e9)")},
        {"no key", table(R"("TableStatus":"ACTIVE")"), errc::schema_mismatch,
         "table cache has no key schema"},
        {"a range key too",
         table(R"("TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"key","KeyType":"HASH"},)"
               R"({"AttributeName":"r","KeyType":"RANGE"}])"),
         errc::schema_mismatch, "range key \"r\""},
        {"a key of another type",
         table(active + R"(,"AttributeDefinitions":[{"AttributeName":"key","AttributeType":"N"}])"),
         errc::schema_mismatch, "hash key \"key\" of type N"},
        {"no status", table(schema), errc::timeout},
        {"no description", "{}", errc::bad_response},
        {"a description that is none", R"({"Table":[]})", errc::bad_response},
        {"a key that is none", table(R"("TableStatus":"ACTIVE","KeySchema":"key")"),
         errc::bad_response},
        {"a type that is none",
         table(active + R"(,"AttributeDefinitions":[{"AttributeName":"key","AttributeType":"Q"}])"),
         errc::bad_response},
    };
    for (const row& r : rows) {
        INFO(r.name);
        scripted_server server({.turns = {{{read_request(), answer_it()}}},
                                .answer = by_target({{"DescribeTable", response(r.description)},
                                                     {"DescribeTimeToLive", response(ttl_on)}})});
        boost::system::error_code code;
        std::string words;
        const auto open = [&]() -> asio::awaitable<void> {
            auto config = config_for<dynamodb_backend_config>(server);
            config.table_name = "cache";
            config.create_timeout = 150ms;
            try {
                (void)co_await dynamodb_backend::open(std::move(config));
            } catch (const error& why) {
                code = why.code();
                words = why.what();
            }
        };
        asio::io_context io;
        testing::run(io, open());
        CHECK(code == r.code);
        CHECK_THAT(words, Catch::Contains(r.words));
    }
}

TEST_CASE("a store without native TTL is good enough, with a warning") {
    struct row {
        const char* name;
        std::string described, updated;
        bool warned;
    };
    const std::string off =
        response(R"({"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}})");
    const std::string unknown = response(R"({"__type":"UnknownOperationException"})", 400);
    const std::string done =
        response(R"({"TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}})");
    const row rows[] = {
        {"it is on", response(ttl_on), unknown, false},
        {"it is off and can be switched on", off, done, false},
        {"nothing is said about it", response("{}"), done, false},
        {"null is said about it", response(R"({"TimeToLiveDescription":null})"), done, false},
        {"the answer to switching it on is empty", off, response("{}"), false},
        {"it cannot be asked for", unknown, unknown, true},
        {"it cannot be switched on", off, unknown, true},
        {"it is refused", off, response(R"({"__type":"ValidationException"})", 400), true},
        {"HTML comes back", off, response("<html>", 501), true},
        {"the wrong type comes back", response(R"({"TimeToLiveDescription":1})"), done, true},
    };
    for (const row& r : rows) {
        INFO(r.name);
        const std::string described = response(table(R"("TableStatus":"ACTIVE",)" + schema));
        scripted_server server({.turns = {{{read_request(), answer_it()}}},
                                .answer = by_target({{"DescribeTable", described},
                                                     {"DescribeTimeToLive", r.described},
                                                     {"UpdateTimeToLive", r.updated}})});
        std::size_t warnings = 0;
        const auto open = [&]() -> asio::awaitable<void> {
            auto config = config_for<dynamodb_backend_config>(server);
            config.table_name = "cache";
            config.env.log.level = log_level::warning;
            config.env.log.sink = [&](log_level, std::string_view) { ++warnings; };
            (void)co_await dynamodb_backend::open(std::move(config));
        };
        asio::io_context io;
        CHECK_NOTHROW(testing::run(io, open()));
        CHECK((warnings != 0) == r.warned);
    }
}

TEST_CASE("refusals are understood in every store's words") {
    struct row {
        const char* name;
        int status;
        std::string headers, body;
        errc code;
        const char* service_code;
        const char* words;
    };
    const row rows[] = {
        {"DynamoDB", 400, "x-amzn-RequestId: R\r\n",
         R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",)"
         R"("message":"not found"})",
         errc::resource_not_found, "ResourceNotFoundException", "not found"},
        {"a refused access key", 400, "",
         R"({"__type":"com.amazonaws.dynamodb.v20120810#UnrecognizedClientException",)"
         R"("message":"The security token included in the request is invalid."})",
         errc::credentials_rejected, "UnrecognizedClientException",
         "The security token included in the request is invalid."},
        {"a refused signature", 400, "",
         R"({"__type":"com.amazon.coral.service#InvalidSignatureException",)"
         R"("message":"The request signature we calculated does not match"})",
         errc::credentials_rejected, "InvalidSignatureException", "does not match"},
        {"a capital Message", 400, "",
         R"({"__type":"com.amazon.coral.validate#ValidationException","Message":"bad key"})",
         errc::validation_failed, "ValidationException", "bad key"},
        {"Alternator: no namespace", 400, "",
         R"({"__type":"ResourceNotFoundException","message":"not found"})",
         errc::resource_not_found, "ResourceNotFoundException", "not found"},
        {"the code in a header", 400, "x-amzn-ErrorType: ValidationException\r\n",
         R"({"message":"bad"})", errc::validation_failed, "ValidationException", "bad"},
        {"the code in a header with a URL", 400,
         "X-Amzn-ErrorType: ResourceInUseException:http://internal.amazon.com/\r\n", "{}",
         errc::resource_in_use, "ResourceInUseException", "ResourceInUseException"},
        {"the code as code", 400, "", R"({"code":"AccessDeniedException","errorMessage":"no"})",
         errc::access_denied, "AccessDeniedException", "no"},
        {"null for a message", 400, "",
         R"({"__type":"x#ResourceNotFoundException","message":null})", errc::resource_not_found,
         "ResourceNotFoundException", "ResourceNotFoundException"},
        {"XML", 404, "Content-Type: application/xml\r\n", "<UnknownOperationException/>",
         errc::bad_response, "", "<UnknownOperationException/>"},
        {"control characters", 400, "",
         R"({"__type":"x#ValidationException","message":"a\u009bb"})", errc::validation_failed,
         "ValidationException", R"(a\xc2\x9bb)"},
        {"an error nobody knows", 400, "", R"({"__type":"x#NewException","message":"new"})",
         errc::service_error, "NewException", "new"},
    };
    const auto& get = test::fault_operations().front();
    for (const row& r : rows) {
        INFO(r.name);
        scripted_server server(
            {.turns = {{{read_request(), say(response(r.body, r.status, r.headers))}}}});
        const dynamodb::client client(config_for<dynamodb::client_config>(server));
        test::call_result got;
        const auto call = [&]() -> asio::awaitable<void> { got = co_await get.call(client); };
        asio::io_context io;
        testing::run(io, call());
        REQUIRE(got.why);
        CHECK(got.why->code == r.code);
        CHECK(got.why->info->service_code == r.service_code);
        CHECK_THAT(got.why->info->message, Catch::Contains(r.words));
        CHECK(got.why->info->http_status == static_cast<unsigned>(r.status));
        CHECK(server.turns() == 1);
    }
}
