// SPDX-License-Identifier: BSL-1.0
// A small proxy for tests: answers CONNECT as it is told, and carries bytes both ways; on threads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
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
    /// Ends all connections, joins all threads.
    ~connect_proxy();
    connect_proxy(const connect_proxy&) = delete;
    connect_proxy& operator=(const connect_proxy&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// "http://[user@]127.0.0.1:port"
    [[nodiscard]] std::string url(const std::string& user_info = {}) const;
    /// The heads of all requests.
    [[nodiscard]] std::vector<std::string> seen() const;
    [[nodiscard]] std::size_t connections() const noexcept { return connections_; }

private:
    void accept_loop();
    void serve(int client);
    void carry(int client, std::uint16_t port);
    void say(int client, const std::string& text) const;

    proxy_script script_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::size_t> connections_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> seen_;
    std::vector<int> open_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

} // namespace codynamo::testing
