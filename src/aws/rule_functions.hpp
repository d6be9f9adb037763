// SPDX-License-Identifier: BSL-1.0
// The functions of the endpoint rule sets' standard library that take texts apart. Pure. What they
// return points into their argument.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace codynamo::aws::detail {

/// RFC 1123: letters, digits and inner hyphens, 1 to 63 of them.
[[nodiscard]] bool is_host_label(std::string_view text) noexcept;
/// With subdomains: labels with dots between them.
[[nodiscard]] bool is_valid_host_label(std::string_view text, bool allow_subdomains) noexcept;

struct arn_parts {
    std::string_view partition;
    std::string_view service;
    std::string_view region;
    std::string_view account_id;
};

/// Of "arn:partition:service:region:account:resource". Region and account may be empty.
[[nodiscard]] std::optional<arn_parts> parse_arn(std::string_view text) noexcept;

struct url_parts {
    std::string_view scheme;
    std::string_view authority;
    std::string_view path;
};

/// Of a URL with scheme "http" or "https", an authority and no query.
[[nodiscard]] std::optional<url_parts> parse_url(std::string_view text) noexcept;

/// Characters start to stop, counted from the end when `reverse`. Empty when `text` is shorter than
/// `stop` or is not ASCII.
[[nodiscard]] std::optional<std::string_view> substring(std::string_view text, std::size_t start,
                                                        std::size_t stop, bool reverse) noexcept;

} // namespace codynamo::aws::detail
