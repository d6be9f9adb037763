// SPDX-License-Identifier: BSL-1.0
// A small proxy for tests: answers CONNECT as it is told, and carries bytes both ways; on threads.
#pragma once

#include "support/loopback_server.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace codynamo::testing {

struct proxy_script {
    /// What is said to CONNECT; empty: whether credentials are right decides between 200 and 407.
    std::string answer{};
    /// Sent in pieces of this many bytes, a millisecond apart; 0: at once.
    std::size_t piece = 0;
    /// Whether bytes are carried after the answer; else the connection is ended, or held.
    bool carry = true;
    /// Says nothing at all, and holds the connection.
    bool mute = false;
    /// Expected value of Proxy-Authorization; empty: anything goes.
    std::string authorization{};
    /// Carries to this port of 127.0.0.1 whatever is asked for; 0: to the port that is asked for.
    std::uint16_t to_port = 0;
};

/// Listens on 127.0.0.1, port 0.
class connect_proxy {
public:
    explicit connect_proxy(proxy_script script);

    [[nodiscard]] std::uint16_t port() const noexcept { return sockets_.port(); }
    /// "http://[user@]127.0.0.1:port"
    [[nodiscard]] std::string url(const std::string& user_info = {}) const;
    /// The heads of all requests.
    [[nodiscard]] std::vector<std::string> seen() const;
    [[nodiscard]] std::size_t connections() const noexcept { return sockets_.connections(); }

private:
    void serve(int client);
    void carry(int client, std::uint16_t port);
    void say(int client, const std::string& text) const;

    proxy_script script_;
    mutable std::mutex mutex_;
    std::vector<std::string> seen_;
    loopback_server sockets_;
};

} // namespace codynamo::testing
