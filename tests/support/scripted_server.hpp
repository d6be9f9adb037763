// SPDX-License-Identifier: BSL-1.0
// A server that follows a script of turns: one for each attempt that reaches it, whichever
// connection it comes by.
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

/// What is done about one attempt, from the moment the connection is accepted or, on an open
/// connection, the first byte of a request has come. Afterwards the connection waits for the next
/// request, unless an act has ended it.
struct turn {
    std::vector<act> acts;
    /// Before a handshake rather than after it; the connection ends with the turn.
    bool before_tls = false;
};

struct scripted_config {
    /// In the order in which attempts come; the last one is repeated for all that follow.
    std::vector<turn> turns{};
    /// For act::kind::answer: the request, head and body, to a whole response.
    std::function<std::string(const std::string& request)> answer{};
    std::shared_ptr<const stub_tls> tls{};
    /// Refuses connections until listen() is called.
    bool refusing = false;
};

/// Listens on the loopback, on a port of its own. Each connection is served by a thread.
class scripted_server {
public:
    explicit scripted_server(scripted_config config);

    void listen() { sockets_.listen(128); }
    [[nodiscard]] std::uint16_t port() const noexcept { return sockets_.port(); }
    [[nodiscard]] std::size_t connections() const noexcept { return sockets_.connections(); }
    /// Attempts that have reached the server, however little of them.
    [[nodiscard]] std::size_t turns() const noexcept { return turns_; }
    /// Requests read from end to end.
    [[nodiscard]] std::vector<std::string> requests() const;

private:
    void serve(int fd);
    const turn& next_turn();

    scripted_config config_;
    std::atomic<std::size_t> turns_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::shared_ptr<void> tls_context_;
    loopback_server sockets_;
};

} // namespace codynamo::testing
