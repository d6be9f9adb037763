// SPDX-License-Identifier: BSL-1.0
// The instance metadata service of EC2, version 2: where it is and what it is asked for.
#pragma once

#include "aws/refreshing_provider.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/profile.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace codynamo::aws::detail {

struct metadata_settings {
    bool disabled = false;
    net::origin server{};
    /// To connect, and again to answer.
    std::chrono::milliseconds timeout{1000};
    unsigned attempts = 4;
};

/// Endpoint: `given_endpoint`, AWS_EC2_METADATA_SERVICE_ENDPOINT, the profile's
/// ec2_metadata_service_endpoint; else by mode (IPv4, IPv6): `given_mode`,
/// AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE, ec2_metadata_service_endpoint_mode. Switched off by
/// AWS_EC2_METADATA_DISABLED=true. AWS_METADATA_SERVICE_TIMEOUT (seconds, at most 60) and
/// AWS_METADATA_SERVICE_NUM_ATTEMPTS (1 to 10) or the profile's keys of those names.
/// Throws errc::invalid_argument naming setting and value.
[[nodiscard]] metadata_settings resolve_metadata_settings(const environment& env,
                                                          const profile_files& files,
                                                          std::string_view profile,
                                                          std::string_view given_endpoint = {},
                                                          std::string_view given_mode = {});

[[nodiscard]] std::shared_ptr<credential_source>
instance_metadata_source(source_options options, std::shared_ptr<source_memory> memory = nullptr);

} // namespace codynamo::aws::detail
