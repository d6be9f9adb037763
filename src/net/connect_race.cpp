// SPDX-License-Identifier: BSL-1.0
// One race.
#include "net/connect_race.hpp"

#include "net/growth_schedule.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace codynamo::net {

connect_race::connect_race(race_state& state)
    : state_(&state), schedule_(state.endpoints.size(), state.head_start),
      sockets_(state.endpoints.size()), timer_(state.executor) {}

void connect_race::start() noexcept {
    const std::lock_guard lock(mutex_);
    proceed();
}

void connect_race::end(wake why) noexcept {
    const std::lock_guard lock(mutex_);
    if (done_) return;
    for (std::size_t i = 0; i < sockets_.size(); ++i)
        if (sockets_[i]) note(i, {});
    finish(why);
}

void connect_race::proceed() noexcept {
    while (!done_) {
        const auto now = state_->time->steady_now();
        const auto next = schedule_.next(now);
        switch (next.what) {
        case connect_schedule::action::start:
            launch(next.address);
            break;
        case connect_schedule::action::wait:
            if (next.until != steady_time::max()) sleep_until(next.until, now);
            return;
        case connect_schedule::action::lost:
            finish(wake::granted);
            return;
        }
    }
}

void connect_race::launch(std::size_t index) noexcept {
    try {
        connect(index);
    } catch (const boost::system::system_error& e) {
        failed(index, e.code());
    } catch (const std::bad_alloc&) { // the reactor allocates for each socket
        failed(index, make_error_code(boost::system::errc::not_enough_memory));
    }
}

void connect_race::connect(std::size_t index) {
    const auto& endpoint = state_->endpoints[index];
    auto& socket = sockets_[index].emplace(state_->executor);
    boost::system::error_code ec;
    socket.open(endpoint.protocol(), ec);
    if (!ec) socket.non_blocking(true, ec);
    if (!ec) socket.set_option(tcp::no_delay(true), ec);
    if (ec) return failed(index, ec);
    socket.async_connect(endpoint,
                         [self = shared_from_this(), index](const boost::system::error_code& e) {
                             self->connected(index, e);
                         });
}

void connect_race::failed(std::size_t index, const boost::system::error_code& ec) noexcept {
    sockets_[index].reset();
    if (const auto lack = shortage_of(ec); lack != shortage::none) {
        ++state_->shortages;
        state_->least = std::min(state_->least, lack);
    }
    note(index, ec);
    schedule_.failed();
}

void connect_race::connected(std::size_t index, const boost::system::error_code& ec) noexcept {
    const std::lock_guard lock(mutex_);
    if (done_) return;
    if (!ec) {
        state_->winner.emplace(std::move(*sockets_[index]));
        finish(wake::granted);
        return;
    }
    failed(index, ec);
    proceed();
}

// Words, which are not worth a program when there is no memory for them.
void connect_race::note(std::size_t index, const boost::system::error_code& ec) noexcept {
    try {
        auto reason = state_->endpoints[index].address().to_string() + ": ";
        reason += ec ? ec.message() : "no answer";
        auto& reasons = state_->reasons;
        reasons += reasons.empty() ? reason : "; " + reason;
    } catch (const std::bad_alloc&) {
    }
}

void connect_race::sleep_until(steady_time when, steady_time now) noexcept {
    if (wakes_at_ == when) return;
    wakes_at_ = when;
    try {
        timer_.expires_after(when - now);
        timer_.async_wait([self = shared_from_this(), when](const boost::system::error_code&) {
            const std::lock_guard lock(self->mutex_);
            if (self->wakes_at_ != when) return; // another wait has taken its place
            self->wakes_at_ = steady_time::max();
            self->proceed();
        });
    } catch (const std::bad_alloc&) { // then the next address waits until this one has failed
        wakes_at_ = steady_time::max();
    }
}

void connect_race::finish(wake why) noexcept {
    done_ = true;
    sockets_.clear(); // closes the losers
    timer_.cancel();
    auto handler = std::move(handler_);
    handler.post(why); // the coroutine may run on, and its frame end, from here on
}

} // namespace codynamo::net
