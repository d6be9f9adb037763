// SPDX-License-Identifier: BSL-1.0
// STS AssumeRoleWithWebIdentity for whoever knows the token's file: the environment or a profile.
#pragma once

#include "aws/refreshing_provider.hpp"
#include "aws/source_memory.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <memory>
#include <string>

namespace codynamo::aws::detail {

struct web_identity_config {
    /// Read at each refresh.
    std::string token_file{};
    std::string role_arn{};
    /// Empty makes one from the time.
    std::string session_name{};
};

/// `memory` null: its own. Throws errc::invalid_argument naming field and value.
[[nodiscard]] std::shared_ptr<credential_source>
web_identity_source(web_identity_config config, source_options options,
                    std::shared_ptr<source_memory> memory = nullptr);

/// The same with what the environment says at each refresh; not configured without
/// AWS_WEB_IDENTITY_TOKEN_FILE.
[[nodiscard]] std::shared_ptr<credential_source>
environment_web_identity_source(source_options options,
                                std::shared_ptr<source_memory> memory = nullptr);

} // namespace codynamo::aws::detail
