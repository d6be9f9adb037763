// SPDX-License-Identifier: BSL-1.0
// A lock for some tens of instructions: half the price of a mutex when nobody else has it.
#pragma once

#include <atomic>
#include <thread>

namespace codynamo::detail {

/// Waits by trying again; whoever waits long lets others run, who may be the holder. Nothing that
/// allocates, and no code but ours, runs under it. For std::lock_guard.
class short_lock {
public:
    void lock() noexcept {
        for (int tries = 0; taken_.exchange(true, std::memory_order_acquire);) {
            while (taken_.load(std::memory_order_relaxed))
                if (++tries % patience == 0) std::this_thread::yield();
        }
    }
    void unlock() noexcept { taken_.store(false, std::memory_order_release); }

private:
    static constexpr int patience = 128;
    std::atomic<bool> taken_{false};
};

} // namespace codynamo::detail
