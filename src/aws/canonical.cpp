// SPDX-License-Identifier: BSL-1.0
// Source: IAM User Guide, "Create a signed AWS API request"; dot segments as in botocore's
// remove_dot_segments, which keeps a trailing slash only where there was one.
#include "aws/canonical.hpp"

#include "aws/text.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace codynamo::aws::detail {
namespace {

bool is_unreserved(char c) {
    return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& out, char c) {
    constexpr char digits[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
}

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The byte that "%XX" at the front of `text` stands for.
std::optional<char> escape_at_front(std::string_view text) {
    if (text.size() < 3 || text[0] != '%') return std::nullopt;
    const int high = hex_value(text[1]);
    const int low = hex_value(text[2]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

std::string encode_query_part(std::string_view part) {
    std::string out;
    while (!part.empty()) {
        const auto escaped = escape_at_front(part);
        const char c = escaped ? *escaped : part.front();
        if (is_unreserved(c)) {
            out += c;
        } else {
            append_encoded(out, c);
        }
        part.remove_prefix(escaped ? 3 : 1);
    }
    return out;
}

std::string without_dot_segments(std::string_view path) {
    std::vector<std::string_view> kept;
    for (std::size_t begin = 0; begin <= path.size();) {
        const auto end = std::min(path.find('/', begin), path.size());
        const auto segment = path.substr(begin, end - begin);
        if (segment == "..") {
            if (!kept.empty()) kept.pop_back();
        } else if (!segment.empty() && segment != ".") {
            kept.push_back(segment);
        }
        begin = end + 1;
    }
    std::string out;
    for (const auto segment : kept)
        out.append("/").append(segment);
    if (out.empty() || path.back() == '/') out += '/';
    return out;
}

} // namespace

std::string canonical_path(std::string_view path, bool normalize) {
    std::string resolved = normalize ? without_dot_segments(path) : std::string(path);
    if (resolved.empty()) resolved = "/";
    std::string out;
    for (std::string_view rest = resolved; !rest.empty(); rest.remove_prefix(1)) {
        const char c = rest.front();
        const bool kept_escape = c == '%' && !normalize && escape_at_front(rest);
        if (is_unreserved(c) || c == '/' || kept_escape) {
            out += c;
        } else {
            append_encoded(out, c);
        }
    }
    return out;
}

std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    for (std::size_t begin = 0; begin < query.size();) {
        const auto end = std::min(query.find('&', begin), query.size());
        const auto piece = query.substr(begin, end - begin);
        begin = end + 1;
        if (piece.empty()) continue;
        const auto equals = std::min(piece.find('='), piece.size());
        const auto value = piece.substr(std::min(equals + 1, piece.size()));
        parameters.emplace_back(encode_query_part(piece.substr(0, equals)),
                                encode_query_part(value));
    }
    std::sort(parameters.begin(), parameters.end());
    std::string out;
    for (const auto& [name, value] : parameters) {
        if (!out.empty()) out += '&';
        out.append(name).append("=").append(value);
    }
    return out;
}

std::string canonical_header_value(std::string_view name, std::string_view value) {
    std::string out;
    out.reserve(value.size()); // it may be a secret, and would leave itself behind as it grows
    bool gap = false;
    for (std::string_view rest = value; !rest.empty(); rest.remove_prefix(1)) {
        if (rest.starts_with("\r\n")) rest.remove_prefix(1);
        const char c = rest.front();
        const bool folding = c == '\n' && rest.size() > 1 && is_blank(rest[1]);
        if (is_blank(c) || folding) {
            gap = true;
            continue;
        }
        if (is_control(c)) {
            throw error(errc::invalid_argument,
                        "header " + std::string(name) + " holds a control character");
        }
        if (gap && !out.empty()) out += ' ';
        gap = false;
        out += c;
    }
    return out;
}

} // namespace codynamo::aws::detail
