// SPDX-License-Identifier: BSL-1.0
// A server on one's own machine needs no account.
#pragma once

#include <codynamo/dynamodb_backend.hpp>

namespace bench {

/// When the endpoint is on the loopback: credentials and a region, unless environment variables
/// name them or a profile. They are not checked there, and a signature costs the same.
void stand_in_if_local(codynamo::dynamodb_backend_config& config);

} // namespace bench
