// SPDX-License-Identifier: BSL-1.0
// One race.
#include "net/connect_race.hpp"

#include "net/growth_schedule.hpp"

#include <boost/asio/error.hpp>

#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace codynamo::net {

connect_race::connect_race(race_state& state, unique_handler<wake> handler)
    : state_(&state), handler_(std::move(handler)),
      schedule_(state.endpoints.size(), state.head_start), sockets_(state.endpoints.size()),
      timer_(state.executor) {}

void connect_race::start() noexcept {
    const std::lock_guard lock(mutex_);
    proceed();
}

void connect_race::end(wake why) noexcept {
    const std::lock_guard lock(mutex_);
    if (done_) return;
    for (std::size_t i = 0; i < sockets_.size(); ++i)
        if (sockets_[i]) note(i, "no answer");
    finish(why);
}

void connect_race::proceed() {
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

void connect_race::launch(std::size_t index) {
    const auto& endpoint = state_->endpoints[index];
    auto& socket = sockets_[index].emplace(state_->executor);
    boost::system::error_code ec;
    socket.open(endpoint.protocol(), ec);
    if (!ec) socket.non_blocking(true, ec);
    if (!ec) socket.set_option(tcp::no_delay(true), ec);
    if (ec) {
        sockets_[index].reset();
        note(index, ec);
        schedule_.failed();
        return;
    }
    socket.async_connect(endpoint,
                         [self = shared_from_this(), index](const boost::system::error_code& e) {
                             self->connected(index, e);
                         });
}

void connect_race::connected(std::size_t index, const boost::system::error_code& ec) noexcept {
    const std::lock_guard lock(mutex_);
    if (done_) return;
    if (!ec) {
        state_->winner.emplace(std::move(*sockets_[index]));
        finish(wake::granted);
        return;
    }
    sockets_[index].reset();
    note(index, ec);
    schedule_.failed();
    proceed();
}

void connect_race::note(std::size_t index, const boost::system::error_code& ec) {
    if (const auto lack = shortage_of(ec); lack != shortage::none) {
        ++state_->shortages;
        state_->least = std::min(state_->least, lack);
    }
    note(index, ec.message());
}

void connect_race::note(std::size_t index, const std::string& reason) {
    auto& reasons = state_->reasons;
    if (!reasons.empty()) reasons += "; ";
    reasons += state_->endpoints[index].address().to_string() + ": " + reason;
}

void connect_race::sleep_until(steady_time when, steady_time now) {
    if (wakes_at_ == when) return;
    wakes_at_ = when;
    timer_.expires_after(when - now);
    timer_.async_wait([self = shared_from_this(), when](const boost::system::error_code&) {
        const std::lock_guard lock(self->mutex_);
        if (self->wakes_at_ != when) return; // another wait has taken its place
        self->wakes_at_ = steady_time::max();
        self->proceed();
    });
}

void connect_race::finish(wake why) noexcept {
    done_ = true;
    sockets_.clear(); // closes the losers
    timer_.cancel();
    auto handler = std::move(handler_);
    handler.post(why); // the coroutine may run on, and its frame end, from here on
}

} // namespace codynamo::net
