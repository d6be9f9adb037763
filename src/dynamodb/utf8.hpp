// SPDX-License-Identifier: BSL-1.0
// What is well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing
// above U+10FFFF.
#pragma once

#include <cstddef>

namespace codynamo::dynamodb {

/// Length of the character at `at`, of which `left` > 0 bytes are there; 0 when it is not
/// well-formed.
[[nodiscard]] inline std::size_t utf8_length(const char* at, std::size_t left) noexcept {
    const auto byte = [at](std::size_t i) { return static_cast<unsigned char>(at[i]); };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    if (lead < 0xE0) return left >= 2 && follows(1) ? 2 : 0;
    if (lead < 0xF0) {
        if (left < 3 || !follows(1) || !follows(2)) return 0;
        const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
        const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (left < 4 || !follows(1) || !follows(2) || !follows(3)) return 0;
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool too_large = lead == 0xF4 && byte(1) >= 0x90;
    return overlong || too_large ? 0 : 4;
}

/// Whether the well-formed character of `length` bytes is a control character: C0, DEL or C1
/// (U+0080 to U+009F), which some terminals obey too.
[[nodiscard]] inline bool is_control(const char* at, std::size_t length) noexcept {
    const auto first = static_cast<unsigned char>(at[0]);
    if (length == 1) return first < 0x20 || first == 0x7F;
    return length == 2 && first == 0xC2 && static_cast<unsigned char>(at[1]) < 0xA0;
}

} // namespace codynamo::dynamodb
