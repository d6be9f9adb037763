// SPDX-License-Identifier: BSL-1.0
// A socket with its protocol, and how others may cut it short.
#pragma once

#include "fork_count.hpp"
#include "net/pool_core.hpp"
#include "net/wake.hpp"
#include "net/wire.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <exception>
#include <mutex>

namespace codynamo::net {

/// How far the exchange on a connection has come.
struct exchange_state {
    bool sent = false; ///< at least one byte of the request
    advance state = advance::more;
    boost::system::error_code code;
    /// Why no more of the request can be sent. The server may have answered before, so this alone
    /// does not end the exchange.
    boost::system::error_code write_error;
    std::exception_ptr exception;

    [[nodiscard]] bool is_over() const noexcept {
        return code || exception || state != advance::more;
    }
};

/// Used by the one coroutine that has borrowed it, except for cut().
class connection : public pooled {
public:
    connection(const boost::asio::any_io_executor& executor, const origin& server,
               const pool_config& limits, std::shared_ptr<tls_context> tls);
    ~connection();

    [[nodiscard]] boost::asio::ip::tcp::socket& socket() noexcept { return socket_; }
    [[nodiscard]] wire& protocol() noexcept { return protocol_; }

    /// Takes a connected socket for its own.
    void adopt(boost::asio::ip::tcp::socket connected);
    /// Closes the socket and forgets that it was cut. Says nothing to the peer where the socket is
    /// shared with the parent process.
    void close() noexcept;
    /// Whether a connection that has been idle looks as if the server still held its end.
    [[nodiscard]] bool alive();

    /// From any thread: has whatever the borrower waits for end. The socket object itself is not
    /// touched: shutdown(2) may be called beside a read, and the guard keeps its descriptor from
    /// being closed and given to somebody else meanwhile.
    void cut() noexcept;
    [[nodiscard]] bool was_cut() const noexcept { return cut_.load(std::memory_order_acquire); }
    /// Whether it is the copy of a connection of the parent process: it must not be written to or
    /// read from. False again after close().
    [[nodiscard]] bool is_inherited() const noexcept {
        return forks_ != codynamo::detail::fork_count();
    }
    /// Cuts an inherited connection, by closing this process's copy of the socket.
    void abandon() noexcept;
    /// What cut() is to end instead of the socket; null when it is over. False when it has been cut
    /// already.
    [[nodiscard]] bool watch(abandonable* waiting) noexcept;

    /// Open, and between two exchanges.
    bool usable = false;
    /// Why the last attempt to open it failed, as far as it was not the server.
    shortage lack = shortage::none;
    exchange_state current;

private:
    boost::asio::ip::tcp::socket socket_;
    wire protocol_;
    std::mutex guard_;
    unsigned forks_ = codynamo::detail::fork_count(); // when it was last closed
    int descriptor_ = -1;                             // under guard_, as is the next
    abandonable* waiting_ = nullptr;
    std::atomic<bool> cut_ = false;
};

} // namespace codynamo::net
