// SPDX-License-Identifier: BSL-1.0
// Small things that every file of this room does with text: blanks, case, what may stand in a
// header.
#pragma once

#include <codynamo/error.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace codynamo::aws::detail {

[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr bool is_alphanumeric(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        c = to_lower(c);
    return lower;
}

/// Without the blanks (space, tab, line ends) around it.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Printable ASCII without the space: what keeps a header one line and its canonical form equal to
/// itself.
[[nodiscard]] constexpr bool is_visible(char c) noexcept {
    return c > ' ' && c < '\x7f';
}

[[nodiscard]] constexpr bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
}

/// Percent-encodes everything but letters, digits and "-._~" (RFC 3986, unreserved).
inline void append_uri_encoded(std::string& to, std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '~') {
            to += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            to += '%';
            to += digits[byte >> 4];
            to += digits[byte & 15];
        }
    }
}

/// Throws errc::invalid_argument naming `field`, and never the value, which may be a secret.
inline void require_word(std::string_view field, std::string_view value) {
    if (value.empty()) {
        throw error(errc::invalid_argument, std::string(field) + " is empty");
    }
    if (!std::all_of(value.begin(), value.end(), is_visible)) {
        throw error(errc::invalid_argument,
                    std::string(field) + " holds a blank, a control character or a byte that is "
                                         "not ASCII");
    }
}

/// The same for what is never sent and may hold anything but control characters.
inline void require_no_control(std::string_view field, std::string_view value) {
    if (value.empty()) {
        throw error(errc::invalid_argument, std::string(field) + " is empty");
    }
    if (std::any_of(value.begin(), value.end(), is_control)) {
        throw error(errc::invalid_argument, std::string(field) + " holds a control character");
    }
}

} // namespace codynamo::aws::detail
