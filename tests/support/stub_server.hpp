// SPDX-License-Identifier: BSL-1.0
// A scripted HTTP server for tests: says exactly what it is told, however wrong, on its own thread.
#pragma once

#include "support/loopback_server.hpp"
#include "support/server_script.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace codynamo::testing {

struct stub_config {
    /// What is done on the n-th connection (from 0); the last one is repeated for all that follow.
    /// Once at its end, the connection is ended.
    std::vector<std::vector<act>> connections{};
    /// When set, used instead: request head and body in, response out, for ever.
    std::function<std::string(const std::string& request)> answer{};
    std::shared_ptr<const stub_tls> tls{};
    bool ipv6 = false;
};

/// Listens on the loopback, port 0. Each connection is served by a thread of its own.
class stub_server {
public:
    explicit stub_server(stub_config config);

    [[nodiscard]] std::uint16_t port() const noexcept { return sockets_.port(); }
    [[nodiscard]] std::size_t connections() const noexcept { return sockets_.connections(); }
    [[nodiscard]] std::size_t requests() const noexcept { return requests_; }
    [[nodiscard]] std::vector<std::string> seen() const;
    /// Shuts down every connection that is open now.
    void end_all() { sockets_.end_all(); }

private:
    void serve(int fd, std::size_t index);

    stub_config config_;
    std::atomic<std::size_t> requests_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> seen_;
    std::shared_ptr<void> tls_context_;
    loopback_server sockets_;
};

/// A listening socket whose backlog is full: connecting to it never ends.
class black_hole {
public:
    black_hole();
    ~black_hole();
    black_hole(const black_hole&) = delete;
    black_hole& operator=(const black_hole&) = delete;
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    int listener_ = -1;
    std::vector<int> fillers_;
    std::uint16_t port_ = 0;
};

/// A port of the loopback on which nobody listens.
std::uint16_t free_port();

} // namespace codynamo::testing
