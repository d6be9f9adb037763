// SPDX-License-Identifier: BSL-1.0
// Credentials in environment variables, for whoever remembers them himself.
#pragma once

#include "aws/refreshing_provider.hpp"

#include <memory>

namespace codynamo::aws::detail {

[[nodiscard]] std::shared_ptr<credential_source> environment_source(environment env);

} // namespace codynamo::aws::detail
