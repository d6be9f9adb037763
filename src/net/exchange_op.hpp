// SPDX-License-Identifier: BSL-1.0
// An exchange on the wire: writes, and reads meanwhile, until the response is whole, resuming its
// coroutine once. As callbacks, because each co_await would cost its awaiter's place in the frame
// of all who wait for a connection, and a frame above 1020 bytes is not recycled by Asio.
#pragma once

#include "net/connection.hpp"

#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <utility>

namespace codynamo::net {

/// What of the request has not been sent.
[[nodiscard]] inline std::array<boost::asio::const_buffer, 2>
unsent(const wire& protocol) noexcept {
    const auto [first, second] = protocol.unsent();
    return {boost::asio::buffer(first.data(), first.size()),
            boost::asio::buffer(second.data(), second.size())};
}

/// Sends what the socket takes at once, which is all of a usual request. False when that is
/// nothing.
inline bool send_some(connection& c) {
    exchange_state& now = c.current;
    const auto pieces = unsent(c.protocol());
    boost::system::error_code ec;
    const auto n = pieces[1].size() == 0 ? c.socket().write_some(pieces[0], ec)
                                         : c.socket().write_some(pieces, ec);
    if (ec && ec != boost::asio::error::would_block) now.write_error = ec;
    if (n == 0) return false;
    now.sent = true;
    if (!c.protocol().sent(n)) now.state = advance::stale;
    return true;
}

/// Allocates what the next read needs, where that may throw: an initiation may not, because its
/// exception would destroy the coroutine, and its caller would never hear of it.
inline void make_room(connection& c) {
    static_cast<void>(c.protocol().space());
}

/// Whether a cancellation came while no operation was pending that it could have ended.
template <class Handler>
bool cancelled_meanwhile(const Handler& handler) {
    if constexpr (requires { handler.get_cancellation_state().cancelled(); })
        return handler.get_cancellation_state().cancelled() != boost::asio::cancellation_type::none;
    else
        return false;
}

template <class Handler>
class exchange_op {
public:
    exchange_op(connection& c, Handler handler)
        : connection_(&c), handler_(std::move(handler)),
          was_cancelled_(cancelled_meanwhile(handler_)) {}

    /// Completes nothing by itself, which an initiation must not.
    void start() {
        if (is_sending())
            wait();
        else
            read();
    }

    /// A read has ended.
    void operator()(const boost::system::error_code& ec, std::size_t n) {
        guarded([&] { take(ec, n); });
    }

    /// The socket has become readable or writable.
    void operator()(std::array<std::size_t, 2> order, const boost::system::error_code& readable,
                    const boost::system::error_code& writable) {
        const auto& first = order[0] == 0 ? readable : writable;
        guarded([&] {
            if (first == boost::asio::error::operation_aborted)
                connection_->current.code = first;
            else
                send();
        });
    }

    [[nodiscard]] const Handler& handler() const noexcept { return handler_; }

private:
    [[nodiscard]] bool is_sending() const noexcept {
        const auto [first, second] = connection_->protocol().unsent();
        return !(first.empty() && second.empty()) && !connection_->current.write_error;
    }

    template <class Step>
    void guarded(Step step) {
        auto& now = connection_->current;
        try {
            step();
            if (!now.is_over()) make_room(*connection_);
        } catch (...) {
            now.exception = std::current_exception();
        }
        if (now.code == boost::asio::error::operation_aborted && connection_->is_inherited())
            now.code = boost::asio::error::bad_descriptor; // closed, and not cancelled
        const bool over = now.is_over();
        if (over || (!was_cancelled_ && cancelled_meanwhile(handler_)))
            handler_(over && now.code != boost::asio::error::operation_aborted
                         ? boost::system::error_code()
                         : boost::asio::error::operation_aborted);
        else
            start();
    }

    void take(const boost::system::error_code& ec, std::size_t n) {
        auto& now = connection_->current;
        wire& protocol = connection_->protocol();
        if (!ec)
            now.state = protocol.received(n);
        else if (ec == boost::asio::error::eof ||
                 (ec == boost::asio::error::connection_reset && protocol.is_refusal()))
            now.state = protocol.ended();
        else
            now.code = ec;
    }

    // Sends and looks for an early response by turns, until the socket takes no more. A server that
    // has answered may never read the rest, and may reset the connection while that is sent.
    void send() {
        auto& now = connection_->current;
        do {
            const auto space = connection_->protocol().space();
            boost::system::error_code ec;
            const auto n = connection_->socket().read_some(
                boost::asio::buffer(space.data(), space.size()), ec);
            if (ec != boost::asio::error::would_block) take(ec, n);
        } while (!now.is_over() && is_sending() && send_some(*connection_));
    }

    void wait() {
        auto& socket = connection_->socket();
        using boost::asio::ip::tcp;
        boost::asio::experimental::make_parallel_group(
            socket.async_wait(tcp::socket::wait_read, boost::asio::deferred),
            socket.async_wait(tcp::socket::wait_write, boost::asio::deferred))
            .async_wait(boost::asio::experimental::wait_for_one(), std::move(*this));
    }

    void read() {
        auto& socket = connection_->socket();
        const auto space = connection_->protocol().space();
        const auto to = boost::asio::buffer(space.data(), space.size());
        socket.async_read_some(to, std::move(*this));
    }

    connection* connection_;
    Handler handler_;
    bool was_cancelled_;
};

/// Awaitable, after make_room(); goes on with connection::current until it is over. Throws
/// operation_aborted when cancelled, of whatever type; everything else is in connection::current.
[[nodiscard]] inline auto run_exchange(connection& c) {
    return boost::asio::async_initiate<const boost::asio::deferred_t,
                                       void(boost::system::error_code)>(
        [](auto handler, connection* on) {
            exchange_op<decltype(handler)>(*on, std::move(handler)).start();
        },
        boost::asio::deferred, &c);
}

} // namespace codynamo::net

/// Executor, allocator and cancellation slot are those of the coroutine.
template <template <class, class> class Associator, class Handler, class DefaultCandidate>
struct boost::asio::associator<Associator, codynamo::net::exchange_op<Handler>, DefaultCandidate>
    : Associator<Handler, DefaultCandidate> {
    static auto get(const codynamo::net::exchange_op<Handler>& op) noexcept {
        return Associator<Handler, DefaultCandidate>::get(op.handler());
    }
    static auto get(const codynamo::net::exchange_op<Handler>& op,
                    const DefaultCandidate& otherwise) noexcept {
        return Associator<Handler, DefaultCandidate>::get(op.handler(), otherwise);
    }
};
