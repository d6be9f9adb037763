// SPDX-License-Identifier: BSL-1.0
#include "heap.hpp"

#include <fstream>
#include <malloc.h>
#include <unistd.h>

namespace bench {
memory_use memory_use::now(bool trimmed) {
    if (trimmed) malloc_trim(0);
    const struct mallinfo2 heap = mallinfo2();
    std::int64_t pages = 0;
    std::ifstream("/proc/self/statm").ignore(32, ' ') >> pages;
    return {static_cast<std::int64_t>(heap.uordblks + heap.hblkhd),
            pages * ::sysconf(_SC_PAGESIZE)};
}

} // namespace bench
