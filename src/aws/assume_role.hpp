// SPDX-License-Identifier: BSL-1.0
// STS AssumeRole: what may be asked for, and the source that asks.
#pragma once

#include "aws/refreshing_provider.hpp"
#include "aws/source_memory.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace codynamo::aws::detail {

/// Throw errc::invalid_argument naming field, value and bound; an external id, which may be a
/// secret, without its value.
void check_role_arn(std::string_view field, std::string_view value);
void check_session_name(std::string_view field, std::string_view value);
void check(const assume_role_config& role);

/// `given`, else one from the time.
[[nodiscard]] std::string session_name_or_default(const std::string& given, const environment& env);

/// A source that is not configured makes the role fail, because somebody asked for the role.
/// `memory` null: its own. Throws errc::invalid_argument when `source` is null or the role is
/// refused.
[[nodiscard]] std::shared_ptr<credential_source>
assume_role_source(credentials_provider_ptr source, assume_role_config role, source_options options,
                   std::shared_ptr<source_memory> memory = nullptr);

} // namespace codynamo::aws::detail
