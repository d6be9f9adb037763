// SPDX-License-Identifier: BSL-1.0
// The C++ side of the comparison with botocore's endpoint rules: reads parameter sets on stdin, one
// JSON object a line, and answers each with what the rules and the public function make of it.
#include "aws/endpoint_rules.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace aws = codynamo::aws;
namespace json = boost::json;

namespace {

/// One line: which service, its parameters, and what the partitions are to support.
struct question {
    std::string service;
    json::object parameters;
    std::vector<aws::detail::partition> partitions;
    std::vector<std::string> resource_arns;

    [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const {
        const auto* value = parameters.if_contains(name);
        if (!value) return std::nullopt;
        return std::string_view(value->as_string());
    }
    [[nodiscard]] std::optional<bool> flag(std::string_view name) const {
        const auto* value = parameters.if_contains(name);
        return value ? std::optional<bool>(value->as_bool()) : std::nullopt;
    }
};

question parse(const std::string& line) {
    const json::object given = json::parse(line).as_object();
    question asked;
    asked.service = std::string(given.at("service").as_string());
    asked.parameters = given.at("parameters").as_object();
    const auto known = aws::detail::partitions();
    asked.partitions.assign(known.begin(), known.end());
    for (auto& each : asked.partitions) {
        each.supports_fips = given.at("supports_fips").as_bool();
        each.supports_dualstack = given.at("supports_dualstack").as_bool();
    }
    if (const auto* arns = asked.parameters.if_contains("ResourceArnList"))
        for (const auto& arn : arns->as_array())
            asked.resource_arns.emplace_back(arn.as_string());
    return asked;
}

const aws::detail::rule_set& rules_of(const std::string& service) {
    for (const auto* rules : {&aws::detail::dynamodb_rule_set, &aws::detail::sts_rule_set,
                              &aws::detail::sso_rule_set, &aws::detail::sso_oidc_rule_set})
        if (rules->service == service) return *rules;
    throw std::runtime_error("no rule set of " + service);
}

json::object evaluate(const question& asked) {
    aws::detail::rule_parameters given;
    given.region = asked.text("Region");
    given.use_dualstack = asked.flag("UseDualStack").value_or(false);
    given.use_fips = asked.flag("UseFIPS").value_or(false);
    given.endpoint = asked.text("Endpoint");
    given.account_id = asked.text("AccountId");
    given.account_id_endpoint_mode = asked.text("AccountIdEndpointMode");
    given.resource_arn = asked.text("ResourceArn");
    if (asked.parameters.contains("ResourceArnList")) given.resource_arns = asked.resource_arns;
    given.is_search_operation = asked.flag("IsSearchOperation");
    given.use_global_endpoint = asked.flag("UseGlobalEndpoint").value_or(false);
    const auto found = aws::detail::evaluate(rules_of(asked.service), given, asked.partitions);
    json::object answer{{"rule", found.rule}};
    if (!found.error.empty()) {
        answer["error"] = found.error;
        return answer;
    }
    answer["url"] = found.url;
    answer["signing_name"] = found.signing_name;
    answer["signing_region"] =
        found.signing_region.empty() ? given.region.value_or("") : found.signing_region;
    return answer;
}

aws::account_id_endpoint_mode mode_of(const question& asked) {
    const auto mode = asked.text("AccountIdEndpointMode").value_or("disabled");
    if (mode == "preferred") return aws::account_id_endpoint_mode::preferred;
    return mode == "required" ? aws::account_id_endpoint_mode::required
                              : aws::account_id_endpoint_mode::disabled;
}

aws::endpoint resolve_publicly(const question& asked) {
    const std::string region(asked.text("Region").value_or(""));
    const std::string url(asked.text("Endpoint").value_or(""));
    const bool fips = asked.flag("UseFIPS").value_or(false);
    const bool dualstack = asked.flag("UseDualStack").value_or(false);
    if (asked.service == "dynamodb") {
        aws::endpoint_parameters of;
        of.region = region;
        of.use_fips = fips;
        of.use_dualstack = dualstack;
        of.endpoint = url;
        of.account_id = asked.text("AccountId").value_or("");
        of.mode = mode_of(asked);
        of.resource_arn = asked.text("ResourceArn").value_or("");
        of.resource_arns = asked.resource_arns;
        return aws::detail::resolve_in(asked.partitions, of);
    }
    const auto service = asked.service == "sts"   ? aws::credential_service::sts
                         : asked.service == "sso" ? aws::credential_service::sso
                                                  : aws::credential_service::sso_oidc;
    aws::service_endpoint_parameters of;
    of.region = region;
    of.use_fips = fips;
    of.use_dualstack = dualstack;
    of.endpoint = url;
    return aws::resolve_service_endpoint(service, of);
}

json::object answer_publicly(const question& asked) {
    try {
        const aws::endpoint found = resolve_publicly(asked);
        return {{"url", found.url()},
                {"signing_region", found.signing_region},
                {"signing_name", found.signing_service}};
    } catch (const codynamo::error& refusal) {
        if (refusal.code() != codynamo::errc::invalid_argument) throw;
        return {{"error", refusal.what()}};
    }
}

} // namespace

int main() {
    try {
        const json::object hello{{"version", aws::detail::endpoint_data_version}};
        std::cout << json::serialize(hello) << '\n';
        for (std::string line; std::getline(std::cin, line);) {
            const question asked = parse(line);
            const json::object answer{{"rules", evaluate(asked)},
                                      {"public", answer_publicly(asked)}};
            std::cout << json::serialize(answer) << '\n';
        }
    } catch (const std::exception& failure) {
        std::cerr << "endpoint_peer: " << failure.what() << '\n';
        return 3;
    }
    return 0;
}
