// SPDX-License-Identifier: BSL-1.0
// What the process has allocated at the moment, and what of it is in memory.
#pragma once

#include <cstdint>

namespace bench {

struct memory_use {
    /// Blocks of the heap that are in use, the allocator's own words beside them included.
    std::int64_t heap_bytes = 0;
    std::int64_t rss_bytes = 0;

    /// Gives unused memory back to the system first, when `trimmed`.
    [[nodiscard]] static memory_use now(bool trimmed = false);
};

} // namespace bench
