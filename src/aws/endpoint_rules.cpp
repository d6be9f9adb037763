// SPDX-License-Identifier: BSL-1.0
// The endpoint rules of DynamoDB and of the services that hand out credentials, one after another
// in the order of the rule set.
#include "aws/endpoint_rules.hpp"

#include "aws/network_source.hpp"
#include "aws/text.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>

namespace codynamo::aws {
namespace detail {
namespace {

constexpr std::string_view dynamodb = "dynamodb";

[[noreturn]] void refuse(std::string_view why) {
    throw error(errc::invalid_argument, std::string(why));
}

std::string joined(std::initializer_list<std::string_view> labels) {
    std::string host;
    for (const auto label : labels) {
        if (!host.empty()) host += '.';
        host += label;
    }
    return host;
}

void refuse_switches(const endpoint_parameters& of, std::string_view with) {
    const auto word = [&](std::string_view what) {
        refuse("invalid configuration: " + std::string(what) + " and " + std::string(with) +
               " are not supported together");
    };
    if (of.use_fips) word("FIPS");
    if (of.use_dualstack) word("dualstack");
}

endpoint custom(const partition& in, const endpoint_parameters& of) {
    refuse_switches(of, "a custom endpoint");
    endpoint where;
    where.server = net::parse_origin(of.endpoint, "endpoint");
    where.signing_region = of.region == "local" ? "us-east-1" : of.region;
    // The rule compares the authority alone, whatever the scheme.
    for (const auto service : {dynamodb, std::string_view("search-dynamodb")}) {
        if (of.region.empty() || where.server.authority() !=
                                     to_lower(joined({service, of.region, in.dualstack_suffix}))) {
            continue;
        }
        refuse("endpoint \"" + where.url() +
               "\" is the region's dualstack one: switch dualstack on instead of naming it");
    }
    return where;
}

endpoint local(const endpoint_parameters& of) {
    refuse_switches(of, "the local endpoint");
    endpoint where;
    where.server = {.tls = false, .host = "localhost", .port = 8000};
    where.signing_region = "us-east-1";
    return where;
}

void require_support(const partition& in, bool fips, bool dualstack) {
    const auto name = std::string(in.name);
    if (fips && !in.supports_fips) refuse("FIPS is on, but partition " + name + " has none");
    if (dualstack && !in.supports_dualstack)
        refuse("dualstack is on, but partition " + name + " has none");
}

/// Of the request's table, else of the first of a batch; empty when neither has one.
std::string_view account_of_tables(const endpoint_parameters& of) noexcept {
    const auto account = account_of_arn(of.resource_arn, of.region);
    if (!account.empty() || of.resource_arns.empty()) return account;
    return account_of_arn(of.resource_arns.front(), of.region);
}

/// The account whose own host is asked for; empty for the region's host.
std::string_view account_of(const partition& in, const endpoint_parameters& of) {
    const bool required = of.mode == account_id_endpoint_mode::required;
    if (of.mode == account_id_endpoint_mode::disabled) return {};
    if (of.use_fips) {
        if (!required) return {};
        refuse("account_id_endpoint_mode is required and FIPS is on, but there are no FIPS "
               "endpoints of accounts");
    }
    if (in.name != "aws") {
        if (!required) return {};
        refuse("account_id_endpoint_mode is required, but partition " + std::string(in.name) +
               " has no endpoints of accounts");
    }
    if (const auto account = account_of_tables(of); !account.empty()) return account;
    if (of.account_id.empty()) {
        if (!required) return {};
        refuse("account_id_endpoint_mode is required, but the account id is not known");
    }
    if (!is_host_label(of.account_id)) refuse("the account id of the credentials is no host label");
    return of.account_id;
}

/// "sts" or "sts-fips". GovCloud's plain hosts are FIPS hosts already.
std::string service_label(const partition& in, std::string_view prefix, bool fips, bool dualstack) {
    std::string label(prefix);
    if (fips && (dualstack || in.name != "aws-us-gov")) label += "-fips";
    return label;
}

} // namespace

bool is_host_label(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return is_alphanumeric(c) || c == '-'; });
}

void require_region(std::string_view region) {
    if (region.empty()) {
        refuse("region is missing: set it in the configuration, in AWS_REGION or in the profile");
    }
    if (is_host_label(region)) return;
    refuse("region \"" + quotable(region, 80) +
           "\" is no host label: 1 to 63 letters, digits and inner hyphens");
}

std::string_view account_of_arn(std::string_view arn, std::string_view region) noexcept {
    std::array<std::string_view, 5> parts; // "arn", partition, service, region, account
    for (auto& part : parts) {
        const auto colon = arn.find(':');
        if (colon == std::string_view::npos) return {};
        part = arn.substr(0, colon);
        arn.remove_prefix(colon + 1);
    }
    const bool whole = parts[0] == "arn" && !parts[1].empty() && !arn.empty();
    const bool ours = parts[2] == dynamodb && parts[3] == region && is_host_label(parts[4]);
    return whole && ours ? parts[4] : std::string_view();
}

endpoint resolve_in(const partition& in, const endpoint_parameters& of) {
    if (!of.endpoint.empty()) return custom(in, of);
    if (of.region == "local") return local(of);
    require_support(in, of.use_fips, of.use_dualstack);
    const auto account = account_of(in, of);
    const auto suffix = of.use_dualstack ? in.dualstack_suffix : in.dns_suffix;
    endpoint where;
    where.signing_region = of.region;
    where.server.host = account.empty()
                            ? joined({service_label(in, dynamodb, of.use_fips, of.use_dualstack),
                                      of.region, suffix})
                            : joined({account, "ddb", of.region, suffix});
    return where;
}

} // namespace detail

endpoint resolve_endpoint(const endpoint_parameters& of) {
    if (of.endpoint.empty() || !of.region.empty()) detail::require_region(of.region);
    return detail::resolve_in(detail::partition_of(of.region), of);
}

endpoint resolve_service_endpoint(std::string_view prefix, std::string_view signing_service,
                                  std::string_view region, bool use_fips, bool use_dualstack) {
    detail::require_region(region);
    const auto& in = detail::partition_of(region);
    detail::require_support(in, use_fips, use_dualstack);
    endpoint where;
    where.signing_service = signing_service;
    if (prefix == "sts" && region == "aws-global" && !use_fips && !use_dualstack) {
        where.server.host = "sts.amazonaws.com";
        where.signing_region = "us-east-1";
        return where;
    }
    where.signing_region = region;
    where.server.host =
        detail::joined({detail::service_label(in, prefix, use_fips, use_dualstack), region,
                        use_dualstack ? in.dualstack_suffix : in.dns_suffix});
    return where;
}

std::string_view partition_dns_suffix(std::string_view region) noexcept {
    return detail::partition_of(region).dns_suffix;
}

} // namespace codynamo::aws
