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
    preferred, ///< the account's own host where the account id is known and the rules have one
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
    /// ("arn:partition:dynamodb:region:account:table/name"). Where the rules take the account from
    /// it, it goes before all others.
    std::string resource_arn{};
    /// Names of a batch's tables, where the rules look at the first one. Goes before account_id.
    std::vector<std::string> resource_arns{};
};

/// The endpoint rules of DynamoDB (service model 2012-08-10) and the partitions, as the botocore
/// release has them that src/aws/endpoint_data.cpp names. Pure. The rules decide which regions have
/// hosts of accounts (partition "aws", and the known regions of "aws-cn" and "aws-us-gov"); none of
/// those is a FIPS host. Region "local" is http://localhost:8000, signed for us-east-1. Unknown
/// regions belong to the partition whose pattern they match, else to "aws". A custom endpoint wins
/// over every account mode, `required` too, is signed for `region` as it stands, and needs none;
/// signing_region is then empty, and signing refuses it.
/// Stricter than the rules: a region must be a host label, a custom endpoint an origin, which the
/// rules see in lower case and without a default port.
/// Throws errc::invalid_argument that names the settings and quotes the rule that refuses.
[[nodiscard]] CODYNAMO_API endpoint resolve_endpoint(const endpoint_parameters& of);

/// The services that hand out credentials.
enum class credential_service { sts, sso, sso_oidc };

/// What their endpoint rules look at.
struct service_endpoint_parameters {
    std::string region{};
    bool use_fips = false;
    bool use_dualstack = false;
    /// A custom URL; empty: none.
    std::string endpoint{};
};

/// The endpoint by the service's own rules, from the same release. Pure. STS is asked by its
/// regional hosts: UseGlobalEndpoint, which older SDKs set for some regions, is false, as it is by
/// default in today's SDKs. Region "aws-global" is STS's one global host. Throws like
/// resolve_endpoint.
[[nodiscard]] CODYNAMO_API endpoint resolve_service_endpoint(credential_service service,
                                                             const service_endpoint_parameters& of);

/// DNS suffix of the partition that a region belongs to, e.g. "amazonaws.com.cn" for "cn-north-1".
[[nodiscard]] CODYNAMO_API std::string_view partition_dns_suffix(std::string_view region) noexcept;

} // namespace codynamo::aws
