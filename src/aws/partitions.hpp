// SPDX-License-Identifier: BSL-1.0
// Which partition a region belongs to, and what its host names end in.
#pragma once

#include <span>
#include <string_view>

namespace codynamo::aws::detail {

/// Source: the SDKs' shared partitions data, version 1.1.
struct partition {
    std::string_view name;
    std::string_view dns_suffix;
    std::string_view dualstack_suffix;
    bool supports_fips;
    bool supports_dualstack;
    /// What its regions begin with: "us-gov" for "us-gov-west-1".
    std::span<const std::string_view> prefixes;
    /// Those known by name, and names such as "aws-global" that stand for the whole partition.
    std::span<const std::string_view> regions;
};

[[nodiscard]] std::span<const partition> partitions() noexcept;

/// By its regions, then by its prefixes with "-name-number" behind them, else "aws".
[[nodiscard]] const partition& partition_of(std::string_view region) noexcept;

} // namespace codynamo::aws::detail
