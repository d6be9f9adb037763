// SPDX-License-Identifier: BSL-1.0
// Keys and names in messages.
#pragma once

#include <string>
#include <string_view>

namespace codynamo::detail {

/// The text as a message can hold it: at most 80 bytes, and nothing but printable ASCII and valid
/// UTF-8; other bytes become '?'.
[[nodiscard]] std::string shown(std::string_view text);

} // namespace codynamo::detail
