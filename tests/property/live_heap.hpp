// SPDX-License-Identifier: BSL-1.0
// What this program has allocated and not freed.
#pragma once

#include <cstddef>

namespace codynamo::property {

/// Bytes of blocks of operator new, with what the allocator adds to each.
[[nodiscard]] std::size_t live_heap() noexcept;

} // namespace codynamo::property
