// SPDX-License-Identifier: BSL-1.0
// Tells calls that wait for something outside the client that the client is closed.
#pragma once

#include "aws/parked.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace codynamo::dynamodb {

/// Thread-safe.
class close_signal {
public:
    /// Wakes it when the client is closed; at once if it is.
    void add(const std::shared_ptr<aws::detail::parked>& waiter) {
        {
            const std::lock_guard lock(mutex_);
            if (!closed_) {
                if (waiters_.size() >= sweep_at_) {
                    std::erase_if(waiters_, [](const auto& each) { return each.expired(); });
                    sweep_at_ = std::max<std::size_t>(16, 2 * waiters_.size());
                }
                waiters_.push_back(waiter);
                return;
            }
        }
        waiter->wake(aws::detail::wakeup::done);
    }

    void close() noexcept {
        std::vector<std::weak_ptr<aws::detail::parked>> woken;
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
            woken.swap(waiters_);
        }
        for (const auto& each : woken)
            if (const auto waiter = each.lock()) waiter->wake(aws::detail::wakeup::done);
    }

private:
    std::mutex mutex_;
    bool closed_ = false;
    std::vector<std::weak_ptr<aws::detail::parked>> waiters_;
    std::size_t sweep_at_ = 16;
};

} // namespace codynamo::dynamodb
