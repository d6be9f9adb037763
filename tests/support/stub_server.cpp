// SPDX-License-Identifier: BSL-1.0
// Plain POSIX sockets and blocking threads: nothing in common with what is tested.
#include "support/stub_server.hpp"

#include "support/server_peer.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace codynamo::testing {

std::string response(std::string_view body, int status, std::string_view more_headers) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " Said\r\n";
    text += more_headers;
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    text += body;
    return text;
}

stub_server::stub_server(stub_config config)
    : config_(std::move(config)),
      sockets_([this](int fd, std::size_t index) { serve(fd, index); }, config_.ipv6) {
    if (config_.tls) {
        tls_context_ = make_server_context(*config_.tls);
        std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    }
    sockets_.listen(1024);
}

std::vector<std::string> stub_server::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void stub_server::serve(int fd, std::size_t index) {
    const server_peer::surroundings around{[this] { return sockets_.stopping(); },
                                           [this](const std::string& request) {
                                               ++requests_;
                                               const std::lock_guard lock(mutex_);
                                               if (seen_.size() < 1000) seen_.push_back(request);
                                           },
                                           config_.answer};
    server_peer client(fd, static_cast<SSL_CTX*>(tls_context_.get()));
    auto next = client.ok() ? server_peer::after::go_on : server_peer::after::end;
    while (next == server_peer::after::go_on && config_.answer) {
        next = client.perform(read_request(), around);
        if (next == server_peer::after::go_on) next = client.perform(answer_it(), around);
    }
    static const std::vector<act> nothing;
    const auto& script = config_.connections.empty()
                             ? nothing
                             : config_.connections[std::min(index, config_.connections.size() - 1)];
    for (std::size_t i = 0; next == server_peer::after::go_on && i < script.size(); ++i)
        next = client.perform(script[i], around);
    client.close_politely();
}

black_hole::black_hole() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    port_ = bind_loopback(listener_, false);
    ::listen(listener_, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port_);
    for (int i = 0; i < 4; ++i) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
        fillers_.push_back(fd);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

black_hole::~black_hole() {
    for (const int fd : fillers_)
        ::close(fd);
    ::close(listener_);
}

std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto port = bind_loopback(fd, false);
    ::close(fd);
    return port;
}

} // namespace codynamo::testing
