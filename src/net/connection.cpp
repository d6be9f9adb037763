// SPDX-License-Identifier: BSL-1.0
// Opening, probing, cutting and closing a socket.
#include "net/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::net {

connection::connection(const asio::any_io_executor& executor, const origin& server,
                       const pool_config& limits, std::shared_ptr<tls_context> tls)
    : socket_(executor), protocol_(server, limits, std::move(tls)) {}

connection::~connection() {
    close();
}

void connection::adopt(asio::ip::tcp::socket connected) {
    const std::lock_guard lock(guard_);
    socket_ = std::move(connected);
    descriptor_ = socket_.native_handle();
    // Cut after it had connected, and before anybody could shut it down: no other cut will come.
    if (was_cut() && !is_inherited()) ::shutdown(descriptor_, SHUT_RDWR);
}

void connection::close() noexcept {
    usable = false;
    boost::system::error_code ignored;
    const bool says_farewell = socket_.is_open() && protocol_.farewell();
    if (says_farewell && !is_inherited()) {
        const auto words = protocol_.outgoing();
        socket_.write_some(asio::buffer(words.data(), words.size()), ignored);
    }
    const std::lock_guard lock(guard_);
    descriptor_ = -1;
    socket_.close(ignored);
    cut_.store(false, std::memory_order_release);
    forks_ = codynamo::detail::fork_count();
}

void connection::abandon() noexcept {
    const std::lock_guard lock(guard_);
    usable = false;
    cut_.store(true, std::memory_order_release);
    if (waiting_) return waiting_->abandon(wake::timeout);
    descriptor_ = -1;
    boost::system::error_code ignored;
    socket_.close(ignored);
}

bool connection::alive() {
    char byte = 0;
    const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    if (n == 0) return false;
    const auto space = protocol_.space();
    boost::system::error_code ec;
    const auto size = socket_.read_some(asio::buffer(space.data(), space.size()), ec);
    return !ec && protocol_.received_idle(size);
}

void connection::cut() noexcept {
    const std::lock_guard lock(guard_);
    if (cut_.exchange(true, std::memory_order_acq_rel)) return;
    if (waiting_)
        waiting_->abandon(wake::timeout);
    else if (descriptor_ != -1 && !is_inherited())
        ::shutdown(descriptor_, SHUT_RDWR);
}

bool connection::watch(abandonable* waiting) noexcept {
    const std::lock_guard lock(guard_);
    waiting_ = waiting;
    return !was_cut();
}

} // namespace codynamo::net
