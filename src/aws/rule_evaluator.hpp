// SPDX-License-Identifier: BSL-1.0
// Interprets the tables of an endpoint rule set. Pure.
#pragma once

#include "aws/endpoint_data.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace codynamo::aws::detail {

/// What rule sets may ask for. A parameter that is empty text is set; one without value is not.
struct rule_parameters {
    std::optional<std::string_view> region{};
    bool use_dualstack = false;
    bool use_fips = false;
    std::optional<std::string_view> endpoint{};
    std::optional<std::string_view> account_id{};
    std::optional<std::string_view> account_id_endpoint_mode{};
    std::optional<std::string_view> resource_arn{};
    std::optional<std::span<const std::string>> resource_arns{};
    std::optional<bool> is_search_operation{};
    bool use_global_endpoint = false;
};

struct rule_result {
    /// Index of the rule that decided; the number of rules when none applies.
    std::size_t rule = 0;
    /// Empty when the rules refuse.
    std::string url{};
    /// The rule set's own message; empty when there is a URL.
    std::string error{};
    /// Empty: the request's region.
    std::string signing_region{};
    std::string signing_name{};
};

[[nodiscard]] rule_result evaluate(const rule_set& rules, const rule_parameters& given,
                                   std::span<const partition> known = partitions());

} // namespace codynamo::aws::detail
