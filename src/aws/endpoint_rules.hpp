// SPDX-License-Identifier: BSL-1.0
// What surrounds the rule sets: checks before them, and messages that name the settings.
#pragma once

#include "aws/rule_evaluator.hpp"

#include <codynamo/aws/endpoint.hpp>

#include <span>
#include <string_view>

namespace codynamo::aws::detail {

/// Throws errc::invalid_argument when `region` is missing or no host label.
void require_region(std::string_view region);

/// resolve_endpoint() with other partitions than the public ones.
[[nodiscard]] endpoint resolve_in(std::span<const partition> known, const endpoint_parameters& of);

} // namespace codynamo::aws::detail
