// SPDX-License-Identifier: BSL-1.0
// Whether this process is a copy of the one that did something earlier.
#pragma once

#include <atomic>

namespace codynamo::detail {

extern std::atomic<unsigned> forks;

/// How many forks lie between this process and the one that started the program, as far as they
/// were made by fork(3). Two values differ exactly when a fork separates the moments.
[[nodiscard]] inline unsigned fork_count() noexcept {
    return forks.load(std::memory_order_relaxed);
}

} // namespace codynamo::detail
