// SPDX-License-Identifier: BSL-1.0
// One entry of a list of hosts that are reached without a proxy.
#pragma once

#include <codynamo/net/transport.hpp>

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::net {

/// "*", a name ("example.com", ".example.com" and "*.example.com" mean the same), an address or a
/// network "address/bits"; each but the network may be followed by ":port".
struct bypass_rule {
    bool everything = false;
    std::string suffix{}; ///< lower case; empty for addresses
    boost::asio::ip::address network{};
    unsigned bits = 0;      ///< of `network` that count
    std::uint16_t port = 0; ///< 0: any

    [[nodiscard]] bool covers(const origin& server) const;
};

/// Nothing when the text is none of that.
[[nodiscard]] std::optional<bypass_rule> parse_bypass_rule(std::string_view entry);

/// Splits at commas and white space; no empty ones.
[[nodiscard]] std::vector<std::string_view> entries_of(std::string_view list);

} // namespace codynamo::net
