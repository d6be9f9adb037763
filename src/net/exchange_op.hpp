// SPDX-License-Identifier: BSL-1.0
// An exchange on the wire: writes and reads until the response is whole, resuming its coroutine
// once. As callbacks, because each co_await would cost its awaiter's place in the frame of all who
// wait for a connection, and a frame above 1020 bytes is not recycled by Asio.
#pragma once

#include "net/connection.hpp"

#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace codynamo::net {

/// What of the request has not been sent.
[[nodiscard]] inline std::array<boost::asio::const_buffer, 2>
unsent(const exchange_state& now) noexcept {
    const auto& [first, second] = now.request;
    const auto of_first = std::min(now.written, first.size());
    const auto of_second = now.written - of_first;
    return {boost::asio::buffer(first.data() + of_first, first.size() - of_first),
            boost::asio::buffer(second.data() + of_second, second.size() - of_second)};
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

    void start() { proceed(); }

    void operator()(const boost::system::error_code& ec, std::size_t n) {
        auto& now = connection_->current;
        try {
            take(now, ec, n);
        } catch (...) {
            now.exception = std::current_exception();
        }
        if (now.code == boost::asio::error::operation_aborted && connection_->is_inherited())
            now.code = boost::asio::error::bad_descriptor; // closed, and not cancelled
        const bool over = now.code || now.exception || now.state != advance::more;
        if (over || (!was_cancelled_ && cancelled_meanwhile(handler_)))
            handler_(over && now.code != boost::asio::error::operation_aborted
                         ? boost::system::error_code()
                         : boost::asio::error::operation_aborted);
        else
            proceed();
    }

    [[nodiscard]] const Handler& handler() const noexcept { return handler_; }

private:
    void take(exchange_state& now, const boost::system::error_code& ec, std::size_t n) {
        wire& protocol = connection_->protocol();
        if (now.reading) {
            if (!ec)
                now.state = protocol.received(n);
            else if (ec == boost::asio::error::eof)
                now.state = protocol.ended();
            else
                now.code = ec;
            return;
        }
        now.code = ec;
        now.written += n;
        now.sent = now.sent || n != 0;
        if (now.written == now.size()) protocol.outgoing_sent();
    }

    void proceed() {
        auto& now = connection_->current;
        wire& protocol = connection_->protocol();
        if (now.written == now.size())
            if (const auto words = protocol.outgoing(); !words.empty()) {
                now.request = {words, {}};
                now.written = 0;
            }
        now.reading = now.written == now.size();
        auto& socket = connection_->socket();
        if (!now.reading) {
            const auto rest = unsent(now);
            socket.async_write_some(rest, std::move(*this));
        } else {
            const auto space = protocol.space();
            const auto to = boost::asio::buffer(space.data(), space.size());
            socket.async_read_some(to, std::move(*this));
        }
    }

    connection* connection_;
    Handler handler_;
    bool was_cancelled_;
};

/// Awaitable; goes on with connection::current until it is over. Throws operation_aborted when
/// cancelled, of whatever type; everything else is in connection::current.
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
