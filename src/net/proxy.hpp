// SPDX-License-Identifier: BSL-1.0
// Through which proxy a server is reached, if any. Pure.
#pragma once

#include "net/wipe.hpp"

#include <codynamo/net/transport.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace codynamo::net {

/// A proxy and how to be let in.
struct proxy_server {
    std::string host{};
    std::uint16_t port = 0;
    /// Value of Proxy-Authorization; empty for none. A secret.
    std::string authorization{};

    proxy_server() = default;
    proxy_server(const proxy_server&) = default;
    proxy_server(proxy_server&&) = default;
    proxy_server& operator=(const proxy_server&) = default;
    proxy_server& operator=(proxy_server&&) = default;
    ~proxy_server() { wipe(authorization); }
};

/// Parses "[http://][user:password@]host[:port][/]"; user and password may be percent-encoded.
/// Throws errc::invalid_argument naming `field`; the message never holds what may be a password.
[[nodiscard]] proxy_server parse_proxy(std::string_view url, std::string_view field);

/// Whether a host is on this machine or this link, where no proxy has any business: localhost and
/// names below it, 127/8, 169.254/16, ::1, fe80::/10, fd00:ec2::/32, the unspecified addresses.
[[nodiscard]] bool is_local(std::string_view host);

/// Whether a list like NO_PROXY says that `server` is reached directly. Entries that make no sense
/// say nothing.
[[nodiscard]] bool bypasses(std::string_view no_proxy, const origin& server);

/// The proxy for `server`, or none. Throws errc::invalid_argument naming field or variable when
/// the URL that applies is not one, and when proxy_config::no_proxy has a bad entry.
[[nodiscard]] std::optional<proxy_server>
resolve_proxy(const proxy_config& config, const environment& env, const origin& server);

} // namespace codynamo::net
