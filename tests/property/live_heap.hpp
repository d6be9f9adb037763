// SPDX-License-Identifier: BSL-1.0
// What this program has allocated and not freed.
#pragma once

#include <cstddef>

namespace codynamo::property {

/// Bytes of blocks of operator new, with what the allocator adds to each.
[[nodiscard]] std::size_t live_heap() noexcept;

/// The largest block asked for since the last call, in bytes; of all threads.
[[nodiscard]] std::size_t take_largest_block() noexcept;

} // namespace codynamo::property
