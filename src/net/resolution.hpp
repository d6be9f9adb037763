// SPDX-License-Identifier: BSL-1.0
// One look-up of a name, shared by all who need it meanwhile; each may stop waiting, the look-up
// itself cannot be stopped.
#pragma once

#include "net/pool_core.hpp"
#include "net/unique_handler.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace codynamo::net {

/// How a waiting coroutine comes to be resumed.
enum class wake { granted, timeout, closed, overloaded, aborted };

class resolution;

/// One who waits for a resolution; lives in his coroutine's frame.
class resolve_waiter {
public:
    explicit resolve_waiter(std::shared_ptr<resolution> what) noexcept : what_(std::move(what)) {}
    ~resolve_waiter() { leave(); }
    resolve_waiter(const resolve_waiter&) = delete;
    resolve_waiter& operator=(const resolve_waiter&) = delete;

    /// Ends the wait from any thread, if it is not over.
    void abandon(wake why) noexcept;

private:
    friend class resolution;
    friend class node_list<resolve_waiter>;
    void leave() noexcept;

    resolve_waiter* prev = nullptr;
    resolve_waiter* next = nullptr;
    bool in_list_ = false;
    unique_handler<wake> handler_;
    std::shared_ptr<resolution> what_;
};

/// Thread-safe.
class resolution : public std::enable_shared_from_this<resolution> {
public:
    explicit resolution(const boost::asio::any_io_executor& executor);

    void start(const std::string& host, std::uint16_t port);
    [[nodiscard]] bool done() const;
    /// Has the handler completed when the look-up is over. The slot of the handler is the caller's
    /// to set, before.
    void join(resolve_waiter& waiter, unique_handler<wake> handler);
    /// Ends the wait, if it is not over.
    void end(resolve_waiter& waiter, wake why) noexcept;
    /// The context dies: destroys the handlers.
    void drop() noexcept;

    /// Valid once done.
    [[nodiscard]] const boost::system::error_code& error() const noexcept { return error_; }
    [[nodiscard]] const std::vector<boost::asio::ip::tcp::endpoint>& endpoints() const noexcept {
        return endpoints_;
    }

private:
    friend class resolve_waiter;
    void finish(boost::system::error_code ec,
                const boost::asio::ip::tcp::resolver::results_type& r);

    mutable std::mutex mutex_;
    node_list<resolve_waiter> waiters_;
    std::unique_ptr<boost::asio::ip::tcp::resolver> resolver_;
    boost::system::error_code error_;
    std::vector<boost::asio::ip::tcp::endpoint> endpoints_;
    bool done_ = false;
};

} // namespace codynamo::net
