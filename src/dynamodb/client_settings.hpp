// SPDX-License-Identifier: BSL-1.0
// What a client's configuration comes to, once environment and profile have filled its gaps.
#pragma once

#include <codynamo/aws/endpoint.hpp>
#include <codynamo/dynamodb/client.hpp>

#include <chrono>

namespace codynamo::dynamodb {

/// Enough for anybody, and far from where time points overflow.
inline constexpr std::chrono::milliseconds longest_timeout = std::chrono::hours(24);

struct client_settings {
    /// Checked, with every optional set and credentials that are not null. The transport may still
    /// be null.
    client_config config;
    /// Without account and ARN, which are the requests' own.
    aws::endpoint_parameters where;
};

/// Throws errc::invalid_argument naming the field, variable or key. A shared file that cannot be
/// read is an error only for somebody who leaves region or endpoint to it, else a line in the log.
[[nodiscard]] client_settings resolve_settings(client_config config);

} // namespace codynamo::dynamodb
