// SPDX-License-Identifier: BSL-1.0
// Whether the configuration of a transport is within its bounds.
#pragma once

#include <codynamo/net/transport.hpp>

namespace codynamo::net {

/// Throws errc::invalid_argument naming field, value and bound.
void check(const origin& server);
void check(const pool_config& pool);
/// All but the proxy, which resolve_proxy() checks.
void check(const network_config& network);

} // namespace codynamo::net
