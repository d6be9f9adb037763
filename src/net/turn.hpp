// SPDX-License-Identifier: BSL-1.0
// A turn for a connection that is waited for before there is anything else of the exchange, so that
// a hundred thousand who wait take a few hundred bytes each.
#pragma once

#include "net/lease.hpp"

#include <codynamo/net/transport.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace codynamo::net {

/// What one who waits has from his coming until he sends. It lives in the frame of a coroutine.
struct turn {
    lease held{};
    /// When he came.
    steady_time since{};
    /// How the wait ended, where there was one: the lease has a pool then.
    wake how = wake::closed;
};

/// A transport whose queue can be joined without an exchange. Thread-safe.
class queueing_transport : public transport {
public:
    /// Whether somebody waits for a connection, in whatever context: whoever comes will have to
    /// wait, probably.
    [[nodiscard]] virtual bool crowded() const noexcept = 0;
    /// For a turn of a coroutine with that executor; null when the transport is closed.
    [[nodiscard]] virtual std::shared_ptr<context_pool>
    pool_of(const boost::asio::any_io_executor& executor) = 0;
    /// As send(), by somebody who knows what time it is. With a `place`, which must live until
    /// completion: with the outcome of its wait instead of another one.
    [[nodiscard]] virtual boost::asio::awaitable<send_outcome>
    send_now(exchange& what, send_options options, steady_time now, turn* place) = 0;
};

} // namespace codynamo::net
