// SPDX-License-Identifier: BSL-1.0
// Looks at every block of memory that goes back to the heap, at that moment, for secrets in it.
#pragma once

#include <cstddef>

namespace codynamo::testing_support {

/// How many blocks went back with one of tests/support/secrets.hpp's own secrets in them, so far.
[[nodiscard]] std::size_t freed_with_secret() noexcept;

/// How many blocks have been looked at.
[[nodiscard]] std::size_t freed() noexcept;

/// Where the latest of them was freed, to stderr, as addresses for addr2line.
void print_latest_leak() noexcept;

} // namespace codynamo::testing_support
