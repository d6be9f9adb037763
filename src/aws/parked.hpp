// SPDX-License-Identifier: BSL-1.0
// A coroutine that waits for something that happens elsewhere: in another thread or in another
// execution context. It is resumed by its own executor, or destroyed with its own context.
#pragma once

#include "aws/context_guest.hpp"
#include "net/unique_handler.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace codynamo::aws::detail {

enum class wakeup {
    done,      ///< what was waited for has happened
    abandoned, ///< it will never happen
    aborted,   ///< the waiting coroutine was cancelled
    overdue,   ///< it takes long; look whether it is worth waiting for
    no_memory, ///< the wait could not begin for lack of memory
};

/// One wait. Thread-safe; counts as work of its context, so that run() does not return meanwhile.
class parked final : public context_guest, public std::enable_shared_from_this<parked> {
public:
    /// Has the coroutine resumed with `why`, unless it has been already. From any thread. Ends the
    /// program when there is no memory for the post: a wakeup that is lost would hang the
    /// coroutine.
    void wake(wakeup why) noexcept {
        const std::lock_guard lock(mutex_);
        // Posted under the lock: the context waits in context_gone() for as long as that takes, and
        // its strands work until then (see register_guest).
        if (handler_) handler_.post(why);
        work_.reset();
    }

    void context_gone() noexcept override {
        net::unique_handler<wakeup> dying;
        {
            const std::lock_guard lock(mutex_);
            dying = std::move(handler_);
            work_.reset();
        }
    }

    /// Awaitable, once; the result is a wakeup. `started` is called when the coroutine is parked,
    /// and may wake it at once; when it throws std::bad_alloc, the result is no_memory. All
    /// types of cancellation end the wait.
    template <class Started>
    [[nodiscard]] static auto wait(std::shared_ptr<parked> where, Started started) {
        return boost::asio::async_initiate<const boost::asio::deferred_t, void(wakeup)>(
            [](auto handler, std::shared_ptr<parked> self, Started then) {
                auto slot = boost::asio::get_associated_cancellation_slot(handler);
                if (slot.is_connected()) {
                    slot.assign([weak = std::weak_ptr(self)](boost::asio::cancellation_type type) {
                        if (type == boost::asio::cancellation_type::none) return;
                        if (const auto still = weak.lock()) still->wake(wakeup::aborted);
                    });
                }
                const boost::asio::any_io_executor executor =
                    boost::asio::get_associated_executor(handler);
                try {
                    self->park(std::move(handler), executor);
                    register_guest(executor, self);
                    then();
                } catch (...) { // rethrowing would leave a suspended coroutine
                    self->wake(wakeup::no_memory);
                }
            },
            boost::asio::deferred, std::move(where), std::move(started));
    }

private:
    template <class Handler>
    void park(Handler handler, const boost::asio::any_io_executor& executor) {
        const std::lock_guard lock(mutex_);
        handler_ = net::unique_handler<wakeup>(std::move(handler));
        work_.emplace(executor);
    }

    std::mutex mutex_;
    net::unique_handler<wakeup> handler_;
    std::optional<boost::asio::executor_work_guard<boost::asio::any_io_executor>> work_;
};

} // namespace codynamo::aws::detail
