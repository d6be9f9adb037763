// SPDX-License-Identifier: BSL-1.0
// What surrounds the rule sets: checks before them, and messages that name the settings.
#include "aws/endpoint_rules.hpp"

#include "aws/network_source.hpp"
#include "aws/rule_functions.hpp"

#include <string>

namespace codynamo::aws {
namespace detail {
namespace {

[[noreturn]] void refuse(const std::string& message) {
    throw error(errc::invalid_argument, message);
}

std::optional<std::string_view> set_unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

std::string_view name_of(account_id_endpoint_mode mode) noexcept {
    switch (mode) {
    case account_id_endpoint_mode::preferred:
        return "preferred";
    case account_id_endpoint_mode::disabled:
        return "disabled";
    case account_id_endpoint_mode::required:
        return "required";
    }
    return {};
}

/// The settings that a rule may have refused.
std::string list_settings(const rule_parameters& given) {
    std::string text;
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!text.empty()) text += ", ";
        text.append(name).append(value);
    };
    const auto quoted = [](std::string_view value) { return '"' + quotable(value, 200) + '"'; };
    const bool required =
        given.account_id_endpoint_mode == name_of(account_id_endpoint_mode::required);
    if (given.region) add("region ", quoted(*given.region));
    if (given.use_fips) add("FIPS on", {});
    if (given.use_dualstack) add("dualstack on", {});
    if (given.endpoint) add("endpoint ", quoted(*given.endpoint));
    if (given.account_id) add("account id ", quoted(*given.account_id));
    if (!given.account_id && required) add("account id unknown", {});
    if (required) add("account_id_endpoint_mode required", {});
    return text;
}

/// The custom endpoint as the rules compare it: lower case, no default port, no slash.
/// Throws errc::invalid_argument when it is no origin.
std::string normalized_url(const std::string& url, std::string_view field) {
    if (url.empty()) return {};
    endpoint custom;
    custom.server = net::parse_origin(url, field);
    return custom.url();
}

endpoint resolve(const rule_set& rules, const rule_parameters& given,
                 std::span<const partition> known) {
    const rule_result found = evaluate(rules, given, known);
    const std::string service(rules.service);
    if (!found.error.empty()) {
        refuse("no endpoint of " + service + " for " + list_settings(given) + ": " + found.error);
    }
    endpoint where;
    where.server = net::parse_origin(found.url, "the endpoint of " + service);
    where.signing_region = found.signing_region;
    if (where.signing_region.empty()) where.signing_region = given.region.value_or("");
    where.signing_service = found.signing_name;
    return where;
}

const rule_set& rules_of(credential_service service) noexcept {
    switch (service) {
    case credential_service::sts:
        return sts_rule_set;
    case credential_service::sso:
        return sso_rule_set;
    case credential_service::sso_oidc:
        break;
    }
    return sso_oidc_rule_set;
}

} // namespace

void require_region(std::string_view region) {
    if (region.empty()) {
        refuse("region is missing: set it in the configuration, in AWS_REGION or in the profile");
    }
    if (is_host_label(region)) return;
    refuse("region \"" + quotable(region, 80) +
           "\" is no host label: 1 to 63 letters, digits and inner hyphens");
}

endpoint resolve_in(std::span<const partition> known, const endpoint_parameters& of) {
    if (of.endpoint.empty() || !of.region.empty()) require_region(of.region);
    const std::string url = normalized_url(of.endpoint, "endpoint");
    rule_parameters given;
    given.region = set_unless_empty(of.region);
    given.use_dualstack = of.use_dualstack;
    given.use_fips = of.use_fips;
    given.endpoint = set_unless_empty(url);
    given.account_id = set_unless_empty(of.account_id);
    given.account_id_endpoint_mode = name_of(of.mode);
    given.resource_arn = set_unless_empty(of.resource_arn);
    if (!of.resource_arns.empty()) given.resource_arns = of.resource_arns;
    return resolve(dynamodb_rule_set, given, known);
}

} // namespace detail

endpoint resolve_endpoint(const endpoint_parameters& of) {
    return detail::resolve_in(detail::partitions(), of);
}

endpoint resolve_service_endpoint(credential_service service,
                                  const service_endpoint_parameters& of) {
    const detail::rule_set& rules = detail::rules_of(service);
    if (of.endpoint.empty() || !of.region.empty()) detail::require_region(of.region);
    const std::string url =
        detail::normalized_url(of.endpoint, "the endpoint of " + std::string(rules.service));
    detail::rule_parameters given;
    given.region = detail::set_unless_empty(of.region);
    given.use_dualstack = of.use_dualstack;
    given.use_fips = of.use_fips;
    given.endpoint = detail::set_unless_empty(url);
    return detail::resolve(rules, given, detail::partitions());
}

std::string_view partition_dns_suffix(std::string_view region) noexcept {
    return detail::partition_of(region).dns_suffix;
}

} // namespace codynamo::aws
