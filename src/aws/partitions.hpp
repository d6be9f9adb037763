// SPDX-License-Identifier: BSL-1.0
// Which partition a region belongs to, and what its host names end in.
#pragma once

#include <span>
#include <string_view>

namespace codynamo::aws::detail {

struct partition {
    std::string_view name;
    std::string_view dns_suffix;
    std::string_view dualstack_suffix;
    bool supports_fips;
    bool supports_dualstack;
    /// What its regions begin with: "us-gov" for "us-gov-west-1".
    std::span<const std::string_view> prefixes;
    /// Known regions, and names such as "aws-global" that stand for the whole partition.
    std::span<const std::string_view> regions;
};

/// Those of the public data; defined in endpoint_data.cpp.
[[nodiscard]] std::span<const partition> partitions() noexcept;

/// The first partition of `table` that lists the region, or has its prefix before "-name-number",
/// where a name is made of letters, digits and '_'; the first of all when none has.
[[nodiscard]] const partition&
partition_of(std::string_view region, std::span<const partition> table = partitions()) noexcept;

} // namespace codynamo::aws::detail
