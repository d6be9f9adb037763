// SPDX-License-Identifier: BSL-1.0
// Classes of ASCII characters, independent of the locale.
#pragma once

namespace codynamo::net {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

} // namespace codynamo::net
