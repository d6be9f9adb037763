// SPDX-License-Identifier: BSL-1.0
// What a profile asks for: where its first credentials are from, and which roles are assumed with
// them, one after the other. A pure function of the files.
#pragma once

#include "aws/web_identity.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/profile.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace codynamo::aws::detail {

/// The values of `credential_source`.
enum class named_source { environment, ecs_container, ec2_instance_metadata };

struct process_step {
    std::string command{};
    /// aws_account_id of the profile, for when the program does not say.
    std::string account_id{};
};

using first_step =
    std::variant<credentials, named_source, web_identity_config, sso_config, process_step>;

struct profile_plan {
    first_step first{};
    /// The profile that has the first step.
    std::string first_profile{};
    /// In the order in which they are assumed; the last one is the selected profile's.
    std::vector<assume_role_config> roles{};
    /// The profile that has each of them.
    std::vector<std::string> role_profiles{};
};

/// Source: the Rust SDK's profile chain (aws-config, profile/credentials/repr.rs). A profile with
/// role_arn assumes that role with what its source_profile or credential_source gives; a
/// source_profile that has static keys is asked no further; one that is the profile itself means
/// its own keys. What else a profile has, first to last: credential_source, web identity, SSO,
/// credential_process, static keys.
/// Throws not_configured when the profile is not there or says nothing of credentials, and error
/// with errc::no_credentials naming profile and key for whatever is wrong: loops, half a key pair,
/// a source profile that is missing, mfa_serial and login_session, which are not supported.
[[nodiscard]] profile_plan plan_profile(const profile_files& files, std::string_view profile);

/// Overwrites the secrets in all profiles.
void wipe_secrets(profile_files& files) noexcept;

} // namespace codynamo::aws::detail
