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
/// Throws errc::invalid_argument when the profile names a services section that is not there.
[[nodiscard]] CODYNAMO_API std::string resolve_endpoint_url(std::string_view given,
                                                            const environment& env,
                                                            const profile_files& files,
                                                            std::string_view profile);

/// The endpoint of DynamoDB for a region, or the custom one. Region "local" is
/// http://localhost:8000, signed for us-east-1. Throws errc::invalid_argument when the region is
/// missing or no host label, or the URL is not one.
[[nodiscard]] CODYNAMO_API endpoint resolve_endpoint(std::string_view region,
                                                     std::string_view custom_url);

/// DNS suffix of the partition that a region belongs to, e.g. "amazonaws.com.cn" for "cn-north-1".
[[nodiscard]] CODYNAMO_API std::string_view partition_dns_suffix(std::string_view region) noexcept;

} // namespace codynamo::aws
