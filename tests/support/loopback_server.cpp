// SPDX-License-Identifier: BSL-1.0
// Plain POSIX sockets and blocking threads: nothing in common with what is tested.
#include "support/loopback_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace codynamo::testing {

std::uint16_t bind_loopback(int fd, bool ipv6) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const address =
        ipv6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
    socklen_t size = ipv6 ? sizeof six : sizeof four;
    if (::bind(fd, address, size) != 0 || ::getsockname(fd, address, &size) != 0)
        throw std::runtime_error("cannot bind to the loopback");
    return ntohs(ipv6 ? six.sin6_port : four.sin_port);
}

loopback_server::loopback_server(service serve, bool ipv6) : serve_(std::move(serve)) {
    listener_ = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    try {
        port_ = bind_loopback(listener_, ipv6);
    } catch (...) {
        ::close(listener_);
        throw;
    }
}

loopback_server::~loopback_server() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    ::close(listener_);
    end_all();
    for (auto& thread : threads_)
        thread.join();
}

void loopback_server::listen(int backlog) {
    ::listen(listener_, backlog);
    acceptor_ = std::thread([this] { accept_loop(); });
}

void loopback_server::end_all() {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_)
        ::shutdown(fd, SHUT_RDWR);
}

void loopback_server::accept_loop() {
    for (;;) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (stopping_ || fd < 0) {
            if (fd >= 0) ::close(fd);
            if (stopping_) return;
            continue;
        }
        const auto index = connections_++;
        const std::lock_guard lock(mutex_);
        open_.push_back(fd);
        threads_.emplace_back([this, fd, index] { run(fd, index); });
    }
}

void loopback_server::run(int fd, std::size_t index) {
    serve_(fd, index);
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
}

} // namespace codynamo::testing
