// SPDX-License-Identifier: BSL-1.0
// What passes over one connection, without the connection: TLS and HTTP/1.1 on buffers only.
// Its .cpp is the library's one door to Beast and to OpenSSL's TLS.
#pragma once

#include <codynamo/net/transport.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace codynamo::net {

/// One per transport: trust, protocol versions, and the sessions that may be resumed. Thread-safe.
class tls_context;

/// Throws errc::tls_failed when the CA file cannot be loaded.
[[nodiscard]] std::shared_ptr<tls_context> make_tls_context(const tls_config& config);

enum class advance {
    more,   ///< send outgoing(), then read
    done,   ///< the handshake, or the response, is complete
    stale,  ///< the peer ended before the first byte of the response
    failed, ///< see failure()
};

struct wire_failure {
    errc code = errc::connection_lost;
    std::string message;
};

/// The protocol side of one connection. Its buffers are reused from exchange to exchange, and
/// overwritten before their memory goes back: requests hold tokens, and responses credentials.
/// Order of calls: reset; with TLS handshake until done; then for each exchange begin, fill head()
/// and body(), request, sent until nothing is unsent, received or ended until done, and trim. A
/// response may be done before the request has been sent whole.
class wire {
public:
    /// `tls` is null for plain HTTP.
    wire(const origin& server, const pool_config& limits, std::shared_ptr<tls_context> tls);
    ~wire();
    wire(const wire&) = delete;
    wire& operator=(const wire&) = delete;

    /// Makes ready for a new connection.
    void reset();
    /// Forgets the connection; true when outgoing() holds a farewell worth sending.
    bool farewell();

    [[nodiscard]] advance handshake();
    [[nodiscard]] bool resumed() const noexcept;

    /// Empties head and body for a new exchange, and gives back what a huge one took.
    void begin();
    /// Who appends a secret to either makes room by reserve_wiping() first.
    [[nodiscard]] std::string& head() noexcept;
    [[nodiscard]] std::string& body() noexcept;
    /// Begins to send head and body. False when TLS can send no more on this connection: failure()
    /// says why.
    [[nodiscard]] bool request();
    /// What comes next of the request, and of TLS's own messages; the second piece is empty unless
    /// the body is large. With TLS a large request is encrypted in pieces: empty means that all of
    /// it has been sent. Valid until the next call of another function.
    [[nodiscard]] std::array<std::string_view, 2> unsent() const noexcept;
    /// `n` bytes of unsent() have gone out. False as in request().
    [[nodiscard]] bool sent(std::size_t n);

    /// Bytes of TLS to be sent before reading on; for the handshake and the farewell.
    [[nodiscard]] std::string_view outgoing() const noexcept;
    void outgoing_sent() noexcept;

    /// Where the next bytes from the peer go; never empty.
    [[nodiscard]] std::span<char> space();
    /// `n` bytes have been put into space(); during the handshake or an exchange.
    [[nodiscard]] advance received(std::size_t n);
    /// The peer has ended.
    [[nodiscard]] advance ended();
    /// Whether the head of a response with a status of 400 or more is there. A server that refuses
    /// a request without having read all of it closes the connection, which then ends with a reset:
    /// that counts as an end.
    [[nodiscard]] bool is_refusal() const noexcept;
    /// `n` bytes came between two exchanges. False when the connection cannot be used any more.
    [[nodiscard]] bool received_idle(std::size_t n);

    /// Valid when received or ended said done, until begin().
    [[nodiscard]] response_view response();
    /// Whether another exchange may follow the one that is done: never after a response to a
    /// request of which a part has not been sent.
    [[nodiscard]] bool reusable() const noexcept;
    /// The response is not needed any more: gives back what a large exchange took.
    void trim() noexcept;
    /// Whether a byte of the response has been seen.
    [[nodiscard]] bool answered() const noexcept;
    [[nodiscard]] const wire_failure& failure() const noexcept;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

} // namespace codynamo::net
