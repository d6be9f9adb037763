// SPDX-License-Identifier: BSL-1.0
// What environment variables and the profile say about a client, read once and checked.
#pragma once

#include <codynamo/aws/endpoint.hpp>
#include <codynamo/aws/profile.hpp>
#include <codynamo/aws/retry.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/export.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace codynamo::aws {

/// nullopt or empty: neither the environment nor the profile says so, or what they say is blank.
/// Sources: AWS SDKs and Tools Reference Guide, "Settings reference"; the variable wins over the
/// profile's key. Words are read whatever their case.
struct shared_settings {
    /// AWS_REGION, AWS_DEFAULT_REGION, `region`.
    std::string region{};
    /// Where the region is from: "AWS_REGION", "AWS_DEFAULT_REGION", "profile"; empty when there is
    /// none.
    std::string region_source{};
    /// As resolve_endpoint_url() has it.
    std::string endpoint_url{};
    /// AWS_USE_FIPS_ENDPOINT, `use_fips_endpoint`.
    std::optional<bool> use_fips{};
    /// AWS_USE_DUALSTACK_ENDPOINT, `use_dualstack_endpoint`.
    std::optional<bool> use_dualstack{};
    /// AWS_ACCOUNT_ID_ENDPOINT_MODE, `account_id_endpoint_mode`.
    std::optional<account_id_endpoint_mode> account_id_mode{};
    /// AWS_RETRY_MODE, `retry_mode`; "legacy" counts as standard.
    std::optional<retry_mode> mode{};
    /// AWS_MAX_ATTEMPTS, `max_attempts`; 1 to 1000.
    std::optional<unsigned> max_attempts{};
    /// AWS_NEW_RETRIES_2026: true is v2_1, false v2_0.
    std::optional<retry_spec> spec{};
    /// AWS_CA_BUNDLE, `ca_bundle`.
    std::string ca_bundle{};
    /// "AWS_CA_BUNDLE" or "ca_bundle of the profile", for messages.
    std::string ca_bundle_source{};
    /// AWS_DISABLE_CLOCK_SKEW_CORRECTION, `disable_clock_skew_correction`.
    std::optional<bool> disable_clock_skew_correction{};
};

/// `profile` empty: AWS_PROFILE, else "default". Pure but for env.variable. Throws
/// errc::invalid_argument naming variable or key and value when one is not what it should be.
[[nodiscard]] CODYNAMO_API shared_settings read_settings(const environment& env,
                                                         const profile_files& files,
                                                         std::string_view profile);

} // namespace codynamo::aws
