// SPDX-License-Identifier: BSL-1.0
// How a name is looked up once for many.
#include "net/resolution.hpp"

namespace asio = boost::asio;

namespace codynamo::net {

void resolve_waiter::abandon(wake why) noexcept {
    const auto what = what_; // outlives the lock, even if the coroutine ends at once
    what->end(*this, why);
}

void resolve_waiter::leave() noexcept {
    const std::lock_guard lock(what_->mutex_);
    if (in_list_) what_->waiters_.erase(*this);
    in_list_ = false;
}

resolution::resolution(const asio::any_io_executor& executor)
    : resolver_(std::make_unique<asio::ip::tcp::resolver>(executor)) {}

void resolution::start(const std::string& host, std::uint16_t port) {
    resolver_->async_resolve(
        host, std::to_string(port), asio::ip::tcp::resolver::numeric_service,
        [self = shared_from_this()](const boost::system::error_code& ec,
                                    const asio::ip::tcp::resolver::results_type& results) {
            self->finish(ec, results);
        });
}

bool resolution::done() const {
    const std::lock_guard lock(mutex_);
    return done_;
}

void resolution::join(resolve_waiter& waiter, unique_handler<wake> handler) {
    const std::lock_guard lock(mutex_);
    if (done_) {
        handler.post(wake::granted);
        return;
    }
    waiter.handler_ = std::move(handler);
    waiter.in_list_ = true;
    waiters_.push_back(waiter);
}

void resolution::end(resolve_waiter& waiter, wake why) noexcept {
    const std::lock_guard lock(mutex_);
    if (done_) return; // the frame of the waiter may be gone with its context
    if (!waiter.in_list_) return;
    waiters_.erase(waiter);
    waiter.in_list_ = false;
    auto handler = std::move(waiter.handler_);
    handler.post(why); // the coroutine may run on, and the waiter end, from here on
}

void resolution::finish(boost::system::error_code ec,
                        const asio::ip::tcp::resolver::results_type& results) {
    const std::lock_guard lock(mutex_);
    done_ = true;
    error_ = ec;
    resolver_.reset();
    for (const auto& entry : results)
        endpoints_.push_back(entry.endpoint());
    while (resolve_waiter* const waiter = waiters_.pop_front()) {
        waiter->in_list_ = false;
        auto handler = std::move(waiter->handler_);
        handler.post(wake::granted);
    }
}

void resolution::drop() noexcept {
    std::vector<unique_handler<wake>> handlers;
    const auto self = shared_from_this(); // may be owned by the coroutines that are about to end
    {
        const std::lock_guard lock(mutex_);
        done_ = true;
        error_ = asio::error::operation_aborted;
        while (resolve_waiter* const waiter = waiters_.pop_front()) {
            waiter->in_list_ = false;
            handlers.push_back(std::move(waiter->handler_));
        }
        resolver_.reset();
    }
}

} // namespace codynamo::net
