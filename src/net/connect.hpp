// SPDX-License-Identifier: BSL-1.0
// Opening a connection: name, whichever address answers first, proxy, TLS.
#pragma once

#include "net/lease.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>

namespace codynamo::net {

/// host:port as a person writes it.
[[nodiscard]] std::string describe(const std::string& host, std::uint16_t port);

/// Makes the borrowed connection usable, or says why not; `sent` is false. Bounded by the
/// configured connect time-out and by `deadline`. Cancellation throws operation_aborted.
[[nodiscard]] boost::asio::awaitable<send_outcome>
connect(lease& held, const transport_settings& settings, steady_time deadline);

} // namespace codynamo::net
