// SPDX-License-Identifier: BSL-1.0
// Work on a strand of its own that a coroutine waits for, whatever memory is left.
#pragma once

#include "net/unique_handler.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace codynamo::net {

/// `Work` has start() and cancel(cancellation_type), which are called on the strand, and calls
/// complete() there, once. It is owned by what runs on the strand.
template <class Work>
class strand_work : public std::enable_shared_from_this<Work> {
public:
    using strand = boost::asio::strand<boost::asio::any_io_executor>;

    /// Awaitable, once; throws what complete() is given. Cancellation: all types, for cancel() to
    /// act on.
    [[nodiscard]] static auto run(std::shared_ptr<Work> work) {
        namespace asio = boost::asio;
        return asio::async_initiate<const asio::deferred_t, void(std::exception_ptr)>(
            // Not left in the frame of the coroutine, which the handler owns.
            [](auto handler, std::shared_ptr<Work> self) {
                auto slot = asio::get_associated_cancellation_slot(handler);
                if (slot.is_connected()) {
                    slot.assign([weak = std::weak_ptr<Work>(self)](asio::cancellation_type type) {
                        auto alive = weak.lock();
                        if (!alive) return;
                        asio::post(alive->home_, [alive, type] { alive->cancel(type); });
                    });
                }
                self->begin(unique_handler<std::exception_ptr>(std::move(handler)));
            },
            asio::deferred, std::move(work));
    }

protected:
    ~strand_work() = default;

    void complete(std::exception_ptr failure) noexcept {
        // Moved out, so that work which goes on does not keep the caller's frame alive.
        auto handler = std::move(handler_);
        handler.post(std::move(failure));
    }

    const strand home_;

private:
    friend Work;
    explicit strand_work(strand home) : home_(std::move(home)) {}

    // Within an initiation: what it threw would destroy the coroutine, and its caller would never
    // hear of it.
    void begin(unique_handler<std::exception_ptr> handler) noexcept {
        handler_ = std::move(handler);
        try {
            boost::asio::post(home_, [self = this->shared_from_this()] { self->start(); });
        } catch (...) { // out of memory
            complete(std::current_exception());
        }
    }

    unique_handler<std::exception_ptr> handler_;
};

} // namespace codynamo::net
