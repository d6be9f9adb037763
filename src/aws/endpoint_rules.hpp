// SPDX-License-Identifier: BSL-1.0
// The endpoint rules, with the partition as an argument.
#pragma once

#include "aws/partitions.hpp"

#include <codynamo/aws/endpoint.hpp>

#include <string_view>

namespace codynamo::aws::detail {

/// RFC 1123: letters, digits and inner hyphens, 1 to 63 of them.
[[nodiscard]] bool is_host_label(std::string_view text) noexcept;

/// Throws errc::invalid_argument when `region` is missing or no host label.
void require_region(std::string_view region);

/// The account of "arn:partition:dynamodb:region:account:resource" when it is of this region and a
/// host label; empty otherwise.
[[nodiscard]] std::string_view account_of_arn(std::string_view arn,
                                              std::string_view region) noexcept;

/// resolve_endpoint() of a region that belongs to `in`.
[[nodiscard]] endpoint resolve_in(const partition& in, const endpoint_parameters& of);

} // namespace codynamo::aws::detail
