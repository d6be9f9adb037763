// SPDX-License-Identifier: BSL-1.0
// Blocking sockets; an attempt is known by its connection or by the first byte after the last turn.
#include "support/scripted_server.hpp"

#include "support/server_peer.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace codynamo::testing {

scripted_server::scripted_server(scripted_config config)
    : config_(std::move(config)), sockets_([this](int fd, std::size_t) { serve(fd); }) {
    if (config_.turns.empty()) throw std::invalid_argument("a scripted server needs a turn");
    if (config_.tls) {
        tls_context_ = make_server_context(*config_.tls);
        std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    }
    if (!config_.refusing) listen();
}

std::vector<std::string> scripted_server::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

const turn& scripted_server::next_turn() {
    return config_.turns[std::min(turns_++, config_.turns.size() - 1)];
}

void scripted_server::serve(int fd) {
    const server_peer::surroundings around{[this] { return sockets_.stopping(); },
                                           [this](const std::string& request) {
                                               const std::lock_guard lock(mutex_);
                                               requests_.push_back(request);
                                           },
                                           config_.answer};
    const turn* now = &next_turn();
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

} // namespace codynamo::testing
