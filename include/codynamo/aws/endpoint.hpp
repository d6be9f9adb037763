// SPDX-License-Identifier: BSL-1.0
// Where requests go: region and endpoint, from configuration, environment and profile. Pure but for
// reading the profile files.
#pragma once

#include <codynamo/aws/profile.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/export.hpp>
#include <codynamo/net/transport.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace codynamo::aws {

struct CODYNAMO_API endpoint {
    net::origin server{};
    /// Region and service of the signing scope.
    std::string signing_region{};
    std::string signing_service = "dynamodb";

    /// "https://dynamodb.us-east-1.amazonaws.com"
    [[nodiscard]] std::string url() const;
};

/// `given`, else AWS_REGION, else AWS_DEFAULT_REGION, else the profile's region; blank counts as
/// not set. Empty when there is none. An empty `profile` means AWS_PROFILE, else "default".
/// Throws errc::invalid_argument when the result is no host label.
[[nodiscard]] CODYNAMO_API std::string resolve_region(std::string_view given,
                                                      const environment& env,
                                                      const profile_files& files,
                                                      std::string_view profile);

/// `given`, else AWS_ENDPOINT_URL_DYNAMODB, else AWS_ENDPOINT_URL, else the profile's services
/// section, else the profile's endpoint_url. Empty when there is none.
/// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS (else the profile's ignore_configured_endpoint_urls) = true
/// leaves only `given`. An empty `profile` means AWS_PROFILE, else "default".
/// Throws errc::invalid_argument when the profile names a services section that is not there, or
/// that switch is neither true nor false.
[[nodiscard]] CODYNAMO_API std::string resolve_endpoint_url(std::string_view given,
                                                            const environment& env,
                                                            const profile_files& files,
                                                            std::string_view profile);

enum class account_id_endpoint_mode {
    preferred, ///< the account's own host where the account id is known and the rules allow it
    disabled,  ///< never
    required,  ///< the account's own host, or an error
};

/// Everything the endpoint rules of DynamoDB look at.
struct endpoint_parameters {
    std::string region{};
    bool use_fips = false;
    bool use_dualstack = false;
    /// A custom URL; wins over everything that it does not contradict. Empty: none.
    std::string endpoint{};
    /// Of the credentials; empty when unknown.
    std::string account_id{};
    account_id_endpoint_mode mode = account_id_endpoint_mode::preferred;
    /// Name of the request's one table, which may be an ARN
    /// ("arn:partition:dynamodb:region:account:table/name"). When it is one of `region`, its
    /// account goes before all others.
    std::string resource_arn{};
    /// Names of a batch's tables. The first one decides, if it is an ARN of `region`; the others
    /// are not looked at. Goes before account_id.
    std::vector<std::string> resource_arns{};
};

/// The endpoint rules of DynamoDB (service model 2012-08-10, endpoint-rule-set-1). Pure. Region
/// "local" is http://localhost:8000, signed for us-east-1. Unknown regions belong to the partition
/// whose pattern they match, else to "aws". Only partition "aws" has hosts of accounts, and none of
/// them is a FIPS one. A custom endpoint wins over every account mode, `required` too, and needs no
/// region; signing_region is then empty, and signing refuses it.
/// Throws errc::invalid_argument with the rule that refuses: a region that is missing or no host
/// label, FIPS or dualstack with a custom endpoint, with "local" or in a partition that has none, a
/// custom endpoint that is the region's dualstack host, an account id that is no host label,
/// `required` that cannot be had, a URL that is none.
[[nodiscard]] CODYNAMO_API endpoint resolve_endpoint(const endpoint_parameters& of);

/// The endpoint of another regional service by the same partition table:
/// "https://sts.eu-west-1.amazonaws.com" for prefix "sts"; FIPS is "sts-fips", dualstack has the
/// partition's other suffix. GovCloud's plain hosts are FIPS hosts, and "sts" has one for
/// "aws-global". Pure. Throws like resolve_endpoint.
[[nodiscard]] CODYNAMO_API endpoint resolve_service_endpoint(std::string_view prefix,
                                                             std::string_view signing_service,
                                                             std::string_view region, bool use_fips,
                                                             bool use_dualstack);

/// DNS suffix of the partition that a region belongs to, e.g. "amazonaws.com.cn" for "cn-north-1".
[[nodiscard]] CODYNAMO_API std::string_view partition_dns_suffix(std::string_view region) noexcept;

} // namespace codynamo::aws
