// SPDX-License-Identifier: BSL-1.0
// What every test server has: a socket on the loopback, a thread that accepts, and a thread for
// each connection.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace codynamo::testing {

/// Binds to a free port of the loopback, and says which.
std::uint16_t bind_loopback(int fd, bool ipv6);

/// Should be the last member of a server: its destructor ends what serves, while all that it
/// serves with is still there.
class loopback_server {
public:
    /// Serves a connection, known by its number from 0; does not close it. Called by threads.
    using service = std::function<void(int fd, std::size_t index)>;

    /// Binds to a port of its own, which refuses connections until listen() is called.
    explicit loopback_server(service serve, bool ipv6 = false);
    /// Ends all connections, joins all threads.
    ~loopback_server();
    loopback_server(const loopback_server&) = delete;
    loopback_server& operator=(const loopback_server&) = delete;

    /// Once, and when whatever serves is whole.
    void listen(int backlog);
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// Accepted so far.
    [[nodiscard]] std::size_t connections() const noexcept { return connections_; }
    [[nodiscard]] bool stopping() const noexcept { return stopping_; }
    /// Shuts down every connection that is open now.
    void end_all();

private:
    void accept_loop();
    void run(int fd, std::size_t index);

    service serve_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::size_t> connections_ = 0;
    std::mutex mutex_;
    std::vector<int> open_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

} // namespace codynamo::testing
