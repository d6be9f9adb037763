// SPDX-License-Identifier: BSL-1.0
// What the tests of failing allocations say of one core.
#pragma once

#include "allocation_failures.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdio>
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

/// Text that no small string holds.
inline std::string long_text(char c) {
    return std::string(100, c);
}

} // namespace codynamo::test
