// SPDX-License-Identifier: BSL-1.0
// How a name is looked up once for many.
#include "net/resolution.hpp"

#include "exception_words.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include <new>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace codynamo::net {
namespace {

/// Owns what the user's coroutine refers to.
asio::awaitable<std::vector<std::string>> call(resolver how, std::string host) {
    co_return co_await how(std::move(host));
}

} // namespace

void resolve_waiter::abandon(wake why) noexcept {
    const auto what = what_; // outlives the lock, even if the coroutine ends at once
    what->end(*this, why);
}

void resolve_waiter::leave() noexcept {
    const std::lock_guard lock(what_->mutex_);
    if (in_list_) what_->waiters_.erase(*this);
    in_list_ = false;
    what_->one_left();
}

resolution::resolution(const asio::any_io_executor& executor) : executor_(executor) {}

void resolution::start(steady_time now, const std::string& host, std::uint16_t port,
                       const resolver& how) {
    started_ = now;
    if (how)
        ask(how, host, port);
    else
        ask_system(host, port);
}

void resolution::ask_system(const std::string& host, std::uint16_t port) {
    resolver_ = std::make_unique<tcp::resolver>(executor_);
    const auto query = std::make_shared<system_query>();
    system_query_ = query;
    resolver_->async_resolve(
        host, std::to_string(port), tcp::resolver::numeric_service,
        [self = shared_from_this(), query](const boost::system::error_code& ec,
                                           const tcp::resolver::results_type& results) {
            self->finish_with([&] {
                endpoints_type found;
                for (const auto& entry : results)
                    found.push_back(entry.endpoint());
                self->finish(ec, ec.message(), std::move(found));
            });
        });
}

void resolution::ask(const resolver& how, const std::string& host, std::uint16_t port) {
    strand_.emplace(asio::make_strand(executor_));
    asio::post(*strand_, [self = shared_from_this(), strand = *strand_, how, host, port] {
        asio::co_spawn(
            strand, call(how, host),
            asio::bind_cancellation_slot(
                self->cancel_.slot(),
                [self, port](std::exception_ptr e, const std::vector<std::string>& addresses) {
                    self->finish_with([&] { self->answered(e, addresses, port); });
                    self->returned();
                }));
    });
}

void resolution::answered(std::exception_ptr failure, const std::vector<std::string>& addresses,
                          std::uint16_t port) {
    if (failure)
        return finish(asio::error::host_not_found, detail::words_of(failure, "the resolver failed"),
                      {});
    endpoints_type found;
    std::string odd;
    for (const auto& text : addresses) {
        boost::system::error_code ec;
        const auto address = asio::ip::make_address(text, ec);
        if (!ec)
            found.emplace_back(address, port);
        else if (odd.empty())
            odd = "the resolver's answer holds what is not an address";
    }
    if (!found.empty()) return finish({}, {}, std::move(found));
    finish(asio::error::host_not_found, odd.empty() ? "the resolver knows no address" : odd, {});
}

bool resolution::joinable(steady_time now, steady_time::duration patience) {
    const std::lock_guard lock(mutex_);
    if (is_lost())
        look_up_anew();
    else if (dispensable() && now - started_ >= patience)
        give_up();
    return !done_ && !given_up_;
}

void resolution::join(resolve_waiter& waiter, unique_handler<wake> handler) {
    const std::lock_guard lock(mutex_);
    if (waiter.ended_ || done_ || given_up_) {
        handler.post(waiter.ended_.value_or(wake::granted));
        return;
    }
    waiter.handler_ = std::move(handler);
    waiter.in_list_ = true;
    waiters_.push_back(waiter);
    left_ = false;
}

void resolution::end(resolve_waiter& waiter, wake why) noexcept {
    const std::lock_guard lock(mutex_);
    if (done_) return; // the frame of the waiter may be gone with its context
    if (!waiter.in_list_) {
        waiter.ended_ = why; // in between being registered and joining
        return;
    }
    waiters_.erase(waiter);
    waiter.in_list_ = false;
    auto handler = std::move(waiter.handler_);
    handler.post(why); // the coroutine may run on, and the waiter end, from here on
}

bool resolution::precede(const std::shared_ptr<resolution>& next) {
    const std::scoped_lock lock(mutex_, next->mutex_);
    if (!given_up_ || returned_) return false;
    next_ = next;
    next->keep_ = true;
    return true;
}

void resolution::returned() {
    std::shared_ptr<resolution> next;
    {
        const std::lock_guard lock(mutex_);
        returned_ = true;
        next = next_.lock();
    }
    if (!next) return;
    const std::lock_guard lock(next->mutex_);
    next->keep_ = false;
    if (next->left_) next->one_left();
}

bool resolution::is_lost() const noexcept {
    return resolver_ && !done_ && !given_up_ && system_query_.expired();
}

bool resolution::dispensable() const noexcept {
    return !done_ && !given_up_ && !keep_ && strand_;
}

void resolution::one_left() {
    left_ = waiters_.empty();
    if (left_ && dispensable()) give_up();
}

void resolution::give_up() {
    try {
        asio::post(*strand_, [self = shared_from_this()] {
            self->cancel_.emit(asio::cancellation_type::terminal);
        });
    } catch (const std::bad_alloc&) { // then the query is not stopped, and its answer is ignored
    }
    look_up_anew();
}

void resolution::look_up_anew() noexcept {
    given_up_ = true;
    returned_ = returned_ || resolver_;
    resolver_.reset();
    strand_.reset();
    wake_all();
}

template <class Finish>
void resolution::finish_with(Finish with) {
    try {
        with();
    } catch (const std::bad_alloc&) { // those who wait must hear of it
        finish(make_error_code(boost::system::errc::not_enough_memory), {}, {});
    }
}

void resolution::finish(boost::system::error_code ec, std::string words, endpoints_type found) {
    const std::lock_guard lock(mutex_);
    if (done_ || given_up_) return;
    done_ = true;
    error_ = ec;
    words_ = std::move(words);
    endpoints_ = std::move(found);
    resolver_.reset();
    strand_.reset();
    wake_all();
}

void resolution::wake_all() noexcept {
    while (resolve_waiter* const waiter = waiters_.pop_front()) {
        waiter->in_list_ = false;
        auto handler = std::move(waiter->handler_);
        handler.post(wake::granted);
    }
}

void resolution::drop() noexcept {
    node_list<resolve_waiter> waiting;
    const auto self = shared_from_this(); // may be owned by the coroutines that are about to end
    {
        const std::lock_guard lock(mutex_);
        done_ = true;
        error_ = asio::error::operation_aborted;
        while (resolve_waiter* const waiter = waiters_.pop_front()) {
            waiter->in_list_ = false;
            waiting.push_back(*waiter);
        }
        resolver_.reset();
        strand_.reset();
        executor_ = {};
    }
    while (resolve_waiter* const waiter = waiting.pop_front()) {
        const auto ended = std::move(waiter->handler_); // owns the waiting coroutine
    }
}

} // namespace codynamo::net
