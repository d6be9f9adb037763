// SPDX-License-Identifier: BSL-1.0
// How a region finds its partition: by name, then by pattern.
#include "aws/partitions.hpp"

#include "aws/text.hpp"

#include <algorithm>

namespace codynamo::aws::detail {
namespace {

/// What stands before "-name-number", as "us-gov" in "us-gov-west-1"; empty when the region is not
/// of that form.
std::string_view prefix_of(std::string_view region) noexcept {
    const auto number = region.rfind('-');
    if (number == std::string_view::npos || number == 0) return {};
    const auto digits = region.substr(number + 1);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return {};
    const auto place = region.rfind('-', number - 1);
    if (place == std::string_view::npos || place + 1 == number) return {};
    const auto name = region.substr(place + 1, number - place - 1);
    const bool is_name = std::all_of(name.begin(), name.end(),
                                     [](char c) { return is_alphanumeric(c) || c == '_'; });
    return is_name ? region.substr(0, place) : std::string_view();
}

bool contains(std::span<const std::string_view> names, std::string_view name) noexcept {
    return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

const partition& partition_of(std::string_view region, std::span<const partition> table) noexcept {
    const auto prefix = prefix_of(region);
    for (const partition& each : table) {
        if (contains(each.regions, region) || contains(each.prefixes, prefix)) return each;
    }
    return table[0];
}

} // namespace codynamo::aws::detail
