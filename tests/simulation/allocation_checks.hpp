// SPDX-License-Identifier: BSL-1.0
// Loops that the tests of failing allocations share.
#pragma once

#include "allocation_failures.hpp"
#include "support/catch.hpp"

#include <codynamo/detail/recycled.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdio>
#include <new>
#include <string>

namespace codynamo::test {

/// Where there is nothing to be kept whole but the heap.
inline bool nothing_to_keep() {
    return true;
}

/// Each allocation of `what` fails once; it makes `least` of them or more.
template <class What, class Good>
void check(const char* name, std::size_t least, What what, Good good) {
    INFO(name);
    const std::size_t allocations = fail_each_allocation(what, good);
    std::printf("%s: %d allocations, each failed once\n", name, static_cast<int>(allocations) - 1);
    CHECK(allocations > least);
}

/// Whether a replay frees its blocks in the thread that allocated them; else leaks are not counted.
enum class heap_use { one_thread, several_threads };

/// Calls `replay(n)`, which makes the n-th allocation fail and returns whether it came to that,
/// with n = 1, 2, 3 …, until there is no such allocation; there must be `least`. Checks for leaks.
template <class Replay>
void check_replays(const char* name, std::size_t least, Replay replay,
                   heap_use use = heap_use::one_thread) {
    INFO(name);
    replay(1); // allocates objects that are created once and kept
    std::size_t n = 1;
    for (bool happened = true; happened; ++n) {
        INFO("allocation " << n);
        const std::size_t before = live_allocations();
        happened = replay(n);
        detail::free_kept_frames();
        if (use == heap_use::one_thread) CHECK(live_allocations() == before);
        REQUIRE(n < 5000);
    }
    std::printf("%s: %d allocations, each failed once\n", name, static_cast<int>(n) - 2);
    CHECK(n >= least + 2);
}

/// Runs it until it has no work left. run() may throw std::bad_alloc when Asio's own allocation
/// fails; it is called again then, as the README says.
inline void run_all(boost::asio::io_context& context) {
    for (bool again = true; again;) {
        again = false;
        try {
            context.restart();
            context.run();
        } catch (const std::bad_alloc&) {
            again = true;
        }
    }
}

/// Text that no small string holds.
inline std::string long_text(char c) {
    return std::string(100, c);
}

} // namespace codynamo::test
