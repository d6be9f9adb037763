// SPDX-License-Identifier: BSL-1.0
// The rules of an endpoint: local and custom URLs, accounts and their modes, and every refusal.
#include "unit/aws/endpoint_at.hpp"
#include "unit/aws/fixtures.hpp"

#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support;

namespace {

std::string refusal(const endpoint_parameters& of) {
    return message_of(errc::invalid_argument, [&] { (void)resolve_endpoint(of); });
}

} // namespace

TEST_CASE("the region local is a server on this machine, signed for us-east-1") {
    const auto where = at("local");
    CHECK(where.url() == "http://localhost:8000");
    CHECK(where.signing_region == "us-east-1");
    const auto moved = at("local", "http://127.0.0.1:9000");
    CHECK(moved.url() == "http://127.0.0.1:9000");
    // As the rules have it: a custom endpoint leaves the region as it is.
    CHECK(moved.signing_region == "local");
}

TEST_CASE("a custom URL takes the place of the host, and the region signs") {
    struct row {
        const char* given;
        const char* url;
    };
    const row rows[] = {
        {"https://example.com", "https://example.com"},
        {"https://example.com/", "https://example.com"},
        {"http://example.com", "http://example.com"},
        {"http://example.com:80", "http://example.com"},
        {"http://example.com:443", "http://example.com:443"},
        {"https://example.com:8443", "https://example.com:8443"},
        {"http://[::1]:8000", "http://[::1]:8000"},
    };
    for (const row& each : rows) {
        const auto where = at("eu-west-1", each.given);
        CHECK(where.url() == each.url);
        CHECK(where.signing_region == "eu-west-1");
    }
}

TEST_CASE("a missing region and a bad URL are refused by name") {
    CHECK_THAT(message_of(errc::invalid_argument, [] { (void)at(""); }),
               Catch::StartsWith("region is missing"));
    CHECK_THAT(
        message_of(errc::invalid_argument, [] { (void)at("us-east-1", "ftp://example.com"); }),
        Catch::Contains("endpoint"));
}

TEST_CASE("a custom URL needs no region, and leaves the region to sign for open") {
    CHECK(at("", "http://localhost:8000").url() == "http://localhost:8000");
    CHECK(at("", "http://localhost:8000").signing_region.empty());
}

TEST_CASE("the account comes from a table's ARN of the same region, else from the credentials") {
    struct row {
        std::vector<std::string> arns;
        const char* account;
    };
    const row rows[] = {
        {{}, "111111111111"},
        {{""}, "111111111111"},
        {{"a-table"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:222222222222:table/t"}, "222222222222"},
        {{"arn:aws:dynamodb:us-east-1:222222222222:table/t:index/i"}, "222222222222"},
        {{"arn:aws:dynamodb:us-west-2:222222222222:table/t"}, "111111111111"},
        {{"arn:aws:s3:us-east-1:222222222222:table/t"}, "111111111111"},
        {{"nra:aws:dynamodb:us-east-1:222222222222:table/t"}, "111111111111"},
        {{"arn::dynamodb:us-east-1:222222222222:table/t"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:222222222222:"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:222222222222"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1::table/t"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:no.label:table/t"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:a\r\nX-Evil:table/t"}, "111111111111"},
        {{"arn:aws:dynamodb:us-west-2:333333333333:table/t",
          "arn:aws:dynamodb:us-east-1:444444444444:table/t",
          "arn:aws:dynamodb:us-east-1:555555555555:table/t"},
         "111111111111"}, // the first of a batch decides
        {{"arn:aws:dynamodb:us-east-1:444444444444:table/t",
          "arn:aws:dynamodb:us-east-1:555555555555:table/t"},
         "444444444444"},
        {{"a-table", "arn:aws:dynamodb:us-east-1:444444444444:table/t"}, "111111111111"},
    };
    for (const row& each : rows) {
        endpoint_parameters of;
        of.region = "us-east-1";
        of.account_id = "111111111111";
        of.resource_arns = each.arns;
        CHECK(resolve_endpoint(of).url() ==
              std::string("https://") + each.account + ".ddb.us-east-1.amazonaws.com");
        of.mode = account_id_endpoint_mode::disabled;
        CHECK(resolve_endpoint(of).url() == "https://dynamodb.us-east-1.amazonaws.com");
    }
}

TEST_CASE("the request's own table goes before the first of a batch") {
    endpoint_parameters of;
    of.region = "us-east-1";
    of.account_id = "111111111111";
    of.resource_arn = "arn:aws:dynamodb:us-east-1:222222222222:table/t";
    of.resource_arns = {"arn:aws:dynamodb:us-east-1:333333333333:table/t"};
    CHECK(resolve_endpoint(of).url() == "https://222222222222.ddb.us-east-1.amazonaws.com");
    of.resource_arn = "arn:aws:dynamodb:us-west-2:222222222222:table/t";
    CHECK(resolve_endpoint(of).url() == "https://333333333333.ddb.us-east-1.amazonaws.com");
    of.resource_arns.insert(of.resource_arns.begin(), "a-table");
    CHECK(resolve_endpoint(of).url() == "https://111111111111.ddb.us-east-1.amazonaws.com");
}

TEST_CASE("each rule of the endpoint refuses by name") {
    struct row {
        endpoint_parameters of;
        const char* words;
    };
    using mode = account_id_endpoint_mode;
    const row rows[] = {
        {{}, "region is missing"},
        {{"a b", false, false, "https://example.com"}, "is no host label"},
        {{"us-east-1", true, false, "https://example.com"}, "FIPS and custom endpoint"},
        {{"us-east-1", false, true, "https://example.com"}, "Dualstack and custom endpoint"},
        {{"", true, false, "https://example.com"}, "FIPS and custom endpoint"},
        {{"local", true}, "FIPS and local endpoint"},
        {{"local", false, true}, "Dualstack and local endpoint"},
        {{"us-east-1", false, false, "https://dynamodb.us-east-1.api.aws/"},
         "Endpoint override is not supported for dual-stack"},
        // The rule looks at the authority, so neither does plain HTTP get past it.
        {{"us-east-1", false, false, "http://dynamodb.us-east-1.api.aws"},
         "Endpoint override is not supported for dual-stack"},
        {{"us-east-1", false, false, "https://DynamoDB.us-east-1.API.aws"},
         "Endpoint override is not supported for dual-stack"},
        {{"us-east-1", false, false, "https://search-dynamodb.us-east-1.api.aws"},
         "Endpoint override is not supported for dual-stack"},
        {{"us-east-1", true, false, "", "1", mode::required}, "required and FIPS is enabled"},
        {{"cn-north-2", false, false, "", "1", mode::required},
         "region \"cn-north-2\", account id \"1\", account_id_endpoint_mode required: Invalid "
         "Configuration: AccountIdEndpointMode is required but account endpoints are not supported "
         "in this region"},
        {{"us-east-1", false, false, "", "", mode::required},
         "account id unknown, account_id_endpoint_mode required: "
         "AccountIdEndpointMode is required but no AccountID was provided"},
        {{"us-east-1", false, false, "", "a.b", mode::preferred},
         "account id \"a.b\": Credentials-sourced account ID parameter is invalid"},
        {{"us-east-1", false, false, "", "1\r\n", mode::required},
         "account id \"1??\", account_id_endpoint_mode required: Credentials-sourced account ID "
         "parameter is invalid"},
        {{"us-east-1", false, false, "https://user:pw@example.com"}, "user info"},
        {{"us-east-1", false, false, "https://example.com/a"}, "path"},
        {{"us-east-1", false, false, "https://example.com\r\nX: y"}, "host"},
    };
    for (const row& each : rows) {
        const auto words = refusal(each.of);
        CHECK_THAT(words, Catch::Contains(each.words));
        CHECK(words.find_first_of("\r\n") == std::string::npos);
    }
}

TEST_CASE("a custom URL wins over every account mode") {
    for (const auto mode : {account_id_endpoint_mode::preferred, account_id_endpoint_mode::disabled,
                            account_id_endpoint_mode::required}) {
        endpoint_parameters of;
        of.region = "us-east-1";
        of.endpoint = "https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com";
        of.account_id = "not.a.label";
        of.mode = mode;
        CHECK(resolve_endpoint(of).url() == of.endpoint);
        of.endpoint.clear();
        of.region = "local";
        CHECK(resolve_endpoint(of).url() == "http://localhost:8000");
    }
}
