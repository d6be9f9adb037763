// SPDX-License-Identifier: BSL-1.0
// Blocking sockets; an attempt is known by its connection or by the first byte after the last turn.
#include "support/scripted_server.hpp"

#include "support/server_peer.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace codynamo::testing {

scripted_server::scripted_server(scripted_config config) : config_(std::move(config)) {
    if (config_.turns.empty()) throw std::invalid_argument("a scripted server needs a turn");
    if (config_.tls) {
        tls_context_ = make_server_context(*config_.tls);
        std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    }
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    port_ = bind_loopback(listener_, false);
    if (!config_.refusing) listen();
}

scripted_server::~scripted_server() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    ::close(listener_);
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_)
            ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_)
        thread.join();
}

void scripted_server::listen() {
    ::listen(listener_, 128);
    acceptor_ = std::thread([this] { accept_loop(); });
}

std::vector<std::string> scripted_server::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

const turn& scripted_server::next_turn() {
    return config_.turns[std::min(turns_++, config_.turns.size() - 1)];
}

void scripted_server::accept_loop() {
    while (!stopping_) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        ++connections_;
        const std::lock_guard lock(mutex_);
        open_.push_back(fd);
        threads_.emplace_back([this, fd] { serve(fd); });
    }
}

void scripted_server::serve(int fd) {
    const server_peer::surroundings around{[this] { return stopping_.load(); },
                                           [this](const std::string& request) {
                                               const std::lock_guard lock(mutex_);
                                               requests_.push_back(request);
                                           },
                                           config_.answer};
    const turn* now = &next_turn();
    {
        const bool plain = now->before_tls || !tls_context_;
        server_peer client(fd, plain ? nullptr : static_cast<SSL_CTX*>(tls_context_.get()));
        bool open = client.ok();
        while (open) {
            for (const act& one : now->acts) {
                open = client.perform(one, around) == server_peer::after::go_on;
                if (!open) break;
            }
            open = open && !now->before_tls && client.wait_input();
            if (open) now = &next_turn();
        }
        client.close_politely();
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
}

} // namespace codynamo::testing
