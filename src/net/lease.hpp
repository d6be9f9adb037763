// SPDX-License-Identifier: BSL-1.0
// A coroutine's hold on a connection, or on a place in the queue: given back whatever happens.
#pragma once

#include "net/context_pool.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace codynamo::net {

/// Lives in the frame of the coroutine that borrows.
class lease {
public:
    lease() noexcept = default;
    explicit lease(std::shared_ptr<context_pool> pool) noexcept : pool_(std::move(pool)) {}
    ~lease() {
        if (!pool_) return;
        // Granted, but the coroutine was cancelled or destroyed before it took the connection.
        if (!connection_ && waiter_.granted) connection_ = pool_->forsake(waiter_);
        if (connection_) pool_->give_back(*connection_);
    }
    lease(const lease&) = delete;
    lease& operator=(const lease&) = delete;

    [[nodiscard]] const std::shared_ptr<context_pool>& pool() const noexcept { return pool_; }
    [[nodiscard]] connection& operator*() const noexcept { return *connection_; }
    [[nodiscard]] connection* operator->() const noexcept { return connection_; }

    /// How it ended, or nothing where one has to wait().
    [[nodiscard]] std::optional<wake> checkout(steady_time now, steady_time deadline) {
        switch (pool_->checkout(now, deadline, waiter_.after_failure, connection_)) {
        case admission::wait:
            return std::nullopt;
        case admission::overloaded:
            return wake::overloaded;
        case admission::hopeless:
            return wake::hopeless;
        case admission::closed:
            return wake::closed;
        default:
            return wake::granted;
        }
    }
    /// What the other one holds, who is of the same pool, until then.
    void take_over(lease& other, steady_time now, steady_time deadline) {
        connection_ = std::exchange(other.connection_, nullptr);
        if (connection_) (void)pool_->set_deadline(*connection_, now, deadline);
    }
    /// After wake::granted.
    void take() noexcept {
        if (!connection_) connection_ = pool_->forsake(waiter_);
    }
    /// Gives back what is held, for who goes on without it.
    void drop() noexcept {
        if (connection_) pool_->give_back(*std::exchange(connection_, nullptr));
    }
    /// The connection could not be opened. True when another one is to be waited for: checkout
    /// again.
    [[nodiscard]] bool open_failed(steady_time now) noexcept {
        if (!pool_->open_failed(*connection_, now)) return false;
        connection_ = nullptr;
        waiter_.after_failure = true;
        return true;
    }
    void replace(steady_time now) { connection_ = &pool_->replace(*connection_, now); }

    /// Awaitable; the result is a wake. All types of cancellation end it.
    [[nodiscard]] auto wait(steady_time deadline) {
        return boost::asio::async_initiate<const boost::asio::deferred_t, void(wake)>(
            [](auto handler, lease* self, steady_time until) {
                self->start_wait(std::move(handler), until);
            },
            boost::asio::deferred, this, deadline);
    }

    /// The beginning of what wait() is, as a part of another operation.
    template <class Handler>
    void start_wait(Handler handler, steady_time deadline) {
        // The coroutine may run on, and this end, as soon as the pool has the handler: the slot is
        // set before, and the pool kept.
        const auto pool = pool_;
        on_cancel(handler, [pool, waiter = &waiter_] { pool->cancel(*waiter); });
        pool->wait(waiter_, unique_handler<wake>(std::move(handler)), deadline);
    }
    /// For a lease without one.
    void join(std::shared_ptr<context_pool> pool) noexcept { pool_ = std::move(pool); }
    void leave() noexcept {
        drop();
        pool_.reset();
    }

    /// Awaitable; ends when `owner` sees no busy connection any more.
    [[nodiscard]] auto wait_for_close(std::shared_ptr<pool_owner> owner) {
        return boost::asio::async_initiate<const boost::asio::deferred_t, void(wake)>(
            [](auto handler, lease* self, std::shared_ptr<pool_owner> who) {
                const auto pool = self->pool_;
                on_cancel(handler,
                          [pool, waiter = &self->waiter_] { pool->cancel_close(*waiter); });
                pool->wait_for_close(self->waiter_, unique_handler<wake>(std::move(handler)));
                who->drained(); // it may be over already
            },
            boost::asio::deferred, this, std::move(owner));
    }

private:
    template <class Handler, class End>
    static void on_cancel(const Handler& handler, End end) {
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        if (!slot.is_connected()) return;
        slot.assign([end = std::move(end)](boost::asio::cancellation_type type) {
            if (type != boost::asio::cancellation_type::none) end();
        });
    }

    std::shared_ptr<context_pool> pool_;
    connection* connection_ = nullptr;
    pool_waiter waiter_;
};

} // namespace codynamo::net
