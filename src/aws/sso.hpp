// SPDX-License-Identifier: BSL-1.0
// Credentials of a role, for the token of an SSO sign-in.
#pragma once

#include "aws/refreshing_provider.hpp"
#include "aws/source_memory.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <memory>

namespace codynamo::aws::detail {

/// Throws errc::invalid_argument naming field and value.
void check(const sso_config& config);

/// `memory` null: its own.
[[nodiscard]] std::shared_ptr<credential_source>
sso_source(sso_config config, source_options options,
           std::shared_ptr<source_memory> memory = nullptr);

} // namespace codynamo::aws::detail
