// SPDX-License-Identifier: BSL-1.0
// Source: Smithy, "Rules engine standard library" and "AWS rules engine library functions".
#include "aws/rule_functions.hpp"

#include "aws/text.hpp"

#include <algorithm>
#include <array>

namespace codynamo::aws::detail {

bool is_host_label(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_valid_host_label(std::string_view text, bool allow_subdomains) noexcept {
    if (!allow_subdomains) return is_host_label(text);
    for (auto dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.')) {
        if (!is_host_label(text.substr(0, dot))) return false;
        text.remove_prefix(dot + 1);
    }
    return is_host_label(text);
}

std::optional<arn_parts> parse_arn(std::string_view text) noexcept {
    std::array<std::string_view, 5> parts; // "arn", partition, service, region, account
    for (auto& part : parts) {
        const auto colon = text.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        part = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    const bool has_resource = !text.empty();
    if (parts[0] != "arn" || parts[1].empty() || parts[2].empty() || !has_resource)
        return std::nullopt;
    return arn_parts{parts[1], parts[2], parts[3], parts[4]};
}

std::optional<url_parts> parse_url(std::string_view text) noexcept {
    const auto mark = text.find("://");
    if (mark == std::string_view::npos) return std::nullopt;
    const auto scheme = text.substr(0, mark);
    if (scheme != "http" && scheme != "https") return std::nullopt;
    auto rest = text.substr(mark + 3);
    rest = rest.substr(0, rest.find('#'));
    if (rest.find('?') != std::string_view::npos) return std::nullopt;
    const auto slash = std::min(rest.find('/'), rest.size());
    if (slash == 0) return std::nullopt;
    return url_parts{scheme, rest.substr(0, slash), rest.substr(slash)};
}

std::optional<std::string_view> substring(std::string_view text, std::size_t start,
                                          std::size_t stop, bool reverse) noexcept {
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (start >= stop || text.size() < stop || !std::all_of(text.begin(), text.end(), is_ascii))
        return std::nullopt;
    return text.substr(reverse ? text.size() - stop : start, stop - start);
}

} // namespace codynamo::aws::detail
