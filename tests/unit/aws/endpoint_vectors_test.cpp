// SPDX-License-Identifier: BSL-1.0
// The public cases of the endpoint rules: all by the rules themselves, those that are not of vector
// search by the public function too.
#include "aws/rule_evaluator.hpp"
#include "support/vectors.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/endpoint.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
namespace json = boost::json;

namespace {

std::optional<std::string_view> text(const json::object& params, std::string_view name) {
    const auto* found = params.if_contains(name);
    if (!found) return std::nullopt;
    return std::string_view(found->as_string());
}

bool on(const json::object& params, std::string_view name) {
    const auto* found = params.if_contains(name);
    return found && found->as_bool();
}

std::vector<std::string> arns_of(const json::object& params) {
    std::vector<std::string> arns;
    if (const auto* list = params.if_contains("ResourceArnList"))
        for (const auto& arn : list->as_array())
            arns.emplace_back(arn.as_string());
    return arns;
}

/// The cases are older than the rules. Those gave accounts no hosts of their own in cn-north-1 and
/// us-gov-east-1; since botocore 1.44 these regions are as those of partition "aws".
bool has_account_hosts_since(const json::object& params) {
    const auto region = text(params, "Region");
    const auto mode = text(params, "AccountIdEndpointMode").value_or("disabled");
    const bool is_asked = params.contains("AccountId") || mode == "required";
    return (region == "cn-north-1" || region == "us-gov-east-1") && mode != "disabled" &&
           is_asked && !on(params, "UseFIPS") && !params.contains("Endpoint");
}

/// What such a case expects of today's rules.
json::object expected_since(const json::object& params) {
    const auto account = text(params, "AccountId");
    if (!account) {
        return {{"error",
                 "AccountIdEndpointMode is required but no AccountID was provided or able to be "
                 "loaded"}};
    }
    if (account->empty()) return {{"error", "Credentials-sourced account ID parameter is invalid"}};
    const bool is_chinese = text(params, "Region") == "cn-north-1";
    const std::string_view suffix = on(params, "UseDualStack")
                                        ? (is_chinese ? "api.amazonwebservices.com.cn" : "api.aws")
                                        : (is_chinese ? "amazonaws.com.cn" : "amazonaws.com");
    std::string url = "https://" + std::string(*account);
    url += on(params, "IsSearchOperation") ? ".search-ddb." : ".ddb.";
    return {{"url", url.append(*text(params, "Region")).append(".").append(suffix)}};
}

std::string signing_region_of(const json::object& params, const json::object& expected) {
    const auto* region = expected.if_contains("signing_region");
    return std::string(region ? std::string_view(region->as_string())
                              : text(params, "Region").value_or(""));
}

void check_rules(const json::object& params, const json::object& expected) {
    const std::vector<std::string> arns = arns_of(params);
    detail::rule_parameters given;
    given.region = text(params, "Region");
    given.use_fips = on(params, "UseFIPS");
    given.use_dualstack = on(params, "UseDualStack");
    given.endpoint = text(params, "Endpoint");
    given.account_id = text(params, "AccountId");
    given.account_id_endpoint_mode = text(params, "AccountIdEndpointMode");
    given.resource_arn = text(params, "ResourceArn");
    if (params.contains("ResourceArnList")) given.resource_arns = arns;
    given.is_search_operation = on(params, "IsSearchOperation");
    const auto found = detail::evaluate(detail::dynamodb_rule_set, given);
    if (const auto* refused = expected.if_contains("error")) {
        CHECK(found.error == refused->as_string());
        return;
    }
    CHECK(found.url == expected.at("url").as_string());
    const auto* service = expected.if_contains("signing_name");
    CHECK(found.signing_name == (service ? std::string_view(service->as_string()) : "dynamodb"));
    if (const auto* region = expected.if_contains("signing_region"))
        CHECK(found.signing_region == region->as_string());
}

account_id_endpoint_mode mode_of(const json::object& params) {
    const auto word = text(params, "AccountIdEndpointMode").value_or("disabled");
    if (word == "preferred") return account_id_endpoint_mode::preferred;
    if (word == "required") return account_id_endpoint_mode::required;
    CHECK(word == "disabled");
    return account_id_endpoint_mode::disabled;
}

endpoint_parameters parameters_of(const json::object& params) {
    endpoint_parameters of;
    of.region = text(params, "Region").value_or("");
    of.use_fips = on(params, "UseFIPS");
    of.use_dualstack = on(params, "UseDualStack");
    of.endpoint = text(params, "Endpoint").value_or("");
    of.account_id = text(params, "AccountId").value_or("");
    // Here an empty id is one that is not known. These cases want one that is known and wrong.
    if (of.account_id.empty() && params.contains("AccountId")) of.account_id = " ";
    of.mode = mode_of(params);
    of.resource_arn = text(params, "ResourceArn").value_or("");
    of.resource_arns = arns_of(params);
    return of;
}

void check_public(const json::object& params, const json::object& expected) {
    const endpoint_parameters of = parameters_of(params);
    if (const auto* refused = expected.if_contains("error")) {
        const auto message = testing_support::message_of(errc::invalid_argument,
                                                         [&] { (void)resolve_endpoint(of); });
        const std::string rule(refused->as_string());
        const bool is_missing_region = rule == "Invalid Configuration: Missing Region";
        CHECK_THAT(message, Catch::Contains(is_missing_region ? "region is missing" : rule));
        return;
    }
    const auto where = resolve_endpoint(of);
    CHECK(where.url() == expected.at("url").as_string());
    CHECK(where.signing_region == signing_region_of(params, expected));
}

} // namespace

TEST_CASE("the public endpoint cases pass") {
    const auto suite = testing_support::load_vectors("endpoint_vectors.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    int replaced = 0, searches = 0;
    for (const auto& each : suite->as_array()) {
        const auto& params = each.at("params").as_object();
        INFO("case " << each.at("id").as_int64());
        const bool is_replaced = has_account_hosts_since(params);
        replaced += is_replaced ? 1 : 0;
        const json::object expected =
            is_replaced ? expected_since(params) : each.at("expect").as_object();
        check_rules(params, expected);
        if (on(params, "IsSearchOperation"))
            ++searches;
        else
            check_public(params, expected);
        tally.pass();
    }
    tally.print("endpoint_vectors.json");
    CHECK(tally.passed() >= 548);
    CHECK(searches == 177);
    CHECK(replaced == 51);
}
