// SPDX-License-Identifier: BSL-1.0
// One connection of a test server, plain or TLS, blocking.
#pragma once

#include "support/server_script.hpp"

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace codynamo::testing {

/// A server's identity; throws std::runtime_error when it is unusable.
std::shared_ptr<SSL_CTX> make_server_context(const stub_tls& tls);

class server_peer {
public:
    /// With a context: does the handshake at once.
    server_peer(int fd, SSL_CTX* context);
    ~server_peer();
    server_peer(const server_peer&) = delete;
    server_peer& operator=(const server_peer&) = delete;

    /// Whether the handshake succeeded.
    [[nodiscard]] bool ok() const noexcept { return ok_; }

    void say(std::string_view text);
    /// A whole request; empty when the client has ended.
    std::string request();
    /// Waits for the first byte of what comes next; false when the client has ended.
    bool wait_input();
    void wait_end();
    /// What has been read of the request now being read.
    [[nodiscard]] const std::string& partial() const noexcept { return input_; }

    /// What an act needs besides the connection.
    struct surroundings {
        std::function<bool()> stopping;
        std::function<void(const std::string&)> note; ///< told each whole request
        std::function<std::string(const std::string&)> answer;
    };
    enum class after { go_on, end };
    after perform(const act& what, const surroundings& around);
    /// close_notify, unless an act has closed the connection rudely.
    void close_politely();

private:
    bool more(std::size_t most = 65536);
    bool read_until(std::size_t size);

    int fd_;
    SSL* ssl_ = nullptr;
    bool ok_ = true;
    bool polite_ = true;
    std::string input_;
    std::string last_request_;
};

} // namespace codynamo::testing
