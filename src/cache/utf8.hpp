// SPDX-License-Identifier: BSL-1.0
// What is valid UTF-8.
#pragma once

#include <string_view>

namespace codynamo::detail {

/// Whether the text is well-formed UTF-8: no overlong forms, surrogates or code points above
/// U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

} // namespace codynamo::detail
