// SPDX-License-Identifier: BSL-1.0
// The one thing here that belongs to the process rather than to an object: which process it is.
#include "fork_count.hpp"

#include <pthread.h>

namespace codynamo::detail {

constinit std::atomic<unsigned> forks{0};

namespace {

void count_fork() {
    forks.fetch_add(1, std::memory_order_relaxed);
}

[[maybe_unused]] const int registered = ::pthread_atfork(nullptr, nullptr, count_fork);

} // namespace
} // namespace codynamo::detail
