// SPDX-License-Identifier: BSL-1.0
// Where the credentials of a container are, and who may be asked for them.
#pragma once

#include "aws/refreshing_provider.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <memory>
#include <string>

namespace codynamo::aws::detail {

struct container_uri {
    net::origin server{};
    /// Path and query.
    std::string target{};
};

/// Pure but for the environment's variables. Throws not_configured when there is neither
/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI, and
/// errc::invalid_argument when the one that counts is no URI or names a host that plain HTTP must
/// not be spoken with.
[[nodiscard]] container_uri resolve_container_uri(const environment& env);

[[nodiscard]] std::shared_ptr<credential_source>
container_source(source_options options, std::shared_ptr<source_memory> memory = nullptr);

} // namespace codynamo::aws::detail
