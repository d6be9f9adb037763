// SPDX-License-Identifier: BSL-1.0
// Credentials for a server on this machine, which does not check them.
#pragma once

#include <codynamo/dynamodb_backend.hpp>

namespace bench {

/// Sets credentials and a region when the endpoint is on the loopback and environment variables
/// name neither them nor a profile. A signature costs the same with them.
void use_placeholder_credentials(codynamo::dynamodb_backend_config& config);

} // namespace bench
