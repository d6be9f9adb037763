// SPDX-License-Identifier: BSL-1.0
// The bound that reading and writing JSON share.
#pragma once

#include <cstddef>

namespace codynamo::detail {

/// Deepest nesting of arrays and objects. Destroying a value recurses, so it must fit any stack.
inline constexpr std::size_t max_json_depth = 512;

} // namespace codynamo::detail
