// SPDX-License-Identifier: BSL-1.0
// How a proxy is asked for a tunnel, and what it says to that; without the connection.
#pragma once

#include "net/proxy.hpp"

#include <string>
#include <string_view>

namespace codynamo::net {

/// One CONNECT (RFC 9110, 9.3.6). Only a status of 2xx opens the tunnel, and nothing may follow
/// its head: in both of our protocols the client speaks first.
class tunnel {
public:
    tunnel(const proxy_server& via, const origin& server);
    ~tunnel() { wipe(request_); }
    tunnel(const tunnel&) = delete;
    tunnel& operator=(const tunnel&) = delete;

    /// What is to be sent. May hold a secret.
    [[nodiscard]] std::string_view request() const noexcept { return request_; }

    enum class state { more, open, refused };
    [[nodiscard]] state received(std::string_view bytes);
    /// The proxy has ended.
    [[nodiscard]] state ended();
    /// Why it was refused. Never holds what the proxy said, which may be what we told it.
    [[nodiscard]] const std::string& words() const noexcept { return words_; }

    /// Of the answers of the proxy, interim ones included.
    static constexpr std::size_t most_bytes = 16 * 1024;

private:
    [[nodiscard]] state judge(std::size_t end);
    [[nodiscard]] state refuse(std::string words);

    std::string request_;
    std::string answer_;
    std::size_t seen_ = 0;
    std::string words_;
    bool authorized_;
};

} // namespace codynamo::net
