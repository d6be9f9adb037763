// SPDX-License-Identifier: BSL-1.0
// Plain POSIX sockets and OpenSSL's blocking calls: nothing in common with what is tested.
#include "support/server_peer.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace codynamo::testing {
namespace {

void set_linger_zero(int fd) {
    const linger off{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
}

std::size_t content_length(std::string_view head) {
    std::string lower(head);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    const auto at = lower.find("content-length:");
    return at == std::string::npos
               ? 0
               : static_cast<std::size_t>(std::strtoul(lower.c_str() + at + 15, nullptr, 10));
}

void sleep_unless(const std::function<bool()>& stopping, std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (!stopping() && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

} // namespace

std::shared_ptr<SSL_CTX> make_server_context(const stub_tls& tls) {
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0); // it may show anything
    if (tls.only_tls_1_1) {
        SSL_CTX_set_min_proto_version(context.get(), TLS1_1_VERSION);
        SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
    }
    if (tls.only_tls_1_2) SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    if (tls.demands_certificate)
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           nullptr);
    if (!tls.ciphers.empty() && SSL_CTX_set_cipher_list(context.get(), tls.ciphers.c_str()) != 1)
        throw std::runtime_error("unknown ciphers: " + tls.ciphers);
    SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("t"), 1);
    const std::unique_ptr<BIO, int (*)(BIO*)> chain(
        BIO_new_mem_buf(tls.certificate_pem.data(), static_cast<int>(tls.certificate_pem.size())),
        &BIO_free);
    const std::unique_ptr<X509, void (*)(X509*)> leaf(
        PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr), &X509_free);
    const std::unique_ptr<BIO, int (*)(BIO*)> key_text(
        BIO_new_mem_buf(tls.key_pem.data(), static_cast<int>(tls.key_pem.size())), &BIO_free);
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
        PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    if (!leaf || !key || SSL_CTX_use_certificate(context.get(), leaf.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
        throw std::runtime_error("the test server's certificate is unusable");
    while (X509* const next = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr))
        SSL_CTX_add0_chain_cert(context.get(), next);
    ERR_clear_error();
    return context;
}

server_peer::server_peer(int fd, SSL_CTX* context) : fd_(fd) {
    // What has been said is on its way, even when a reset follows.
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!context) return;
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd);
    ok_ = SSL_accept(ssl_) == 1;
}

server_peer::~server_peer() {
    ERR_clear_error();
    if (ssl_) SSL_free(ssl_);
}

void server_peer::say(std::string_view text) {
    while (!text.empty()) {
        const auto n = ssl_ ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                            : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

std::string server_peer::request() {
    for (;;) {
        if (const auto end = input_.find("\r\n\r\n"); end != std::string::npos) {
            const auto size = end + 4 + content_length(std::string_view(input_).substr(0, end));
            if (input_.size() >= size) {
                auto whole = input_.substr(0, size);
                input_.erase(0, size);
                return whole;
            }
        }
        if (!more()) return {};
    }
}

bool server_peer::wait_input() {
    return !input_.empty() || more();
}

void server_peer::wait_end() {
    do
        input_.clear();
    while (more());
}

void server_peer::close_politely() {
    if (ssl_ && polite_) SSL_shutdown(ssl_);
}

server_peer::after server_peer::perform(const act& what, const surroundings& around) {
    switch (what.what) {
    case act::kind::read_request:
        last_request_ = request();
        if (last_request_.empty()) return after::end;
        around.note(last_request_);
        return after::go_on;
    case act::kind::read_head:
        while (input_.find("\r\n\r\n") == std::string::npos)
            if (!more()) return after::end;
        return after::go_on;
    case act::kind::read_body: {
        const auto head = input_.find("\r\n\r\n");
        return read_until((head == std::string::npos ? 0 : head + 4) + what.size) ? after::go_on
                                                                                  : after::end;
    }
    case act::kind::read_some:
        return more() ? after::go_on : after::end;
    case act::kind::answer:
        say(around.answer(last_request_));
        return after::go_on;
    case act::kind::say:
        say(what.text);
        return after::go_on;
    case act::kind::say_raw:
        (void)::send(fd_, what.text.data(), what.text.size(), MSG_NOSIGNAL);
        return after::go_on;
    case act::kind::pause:
        sleep_unless(around.stopping, what.time);
        return after::go_on;
    case act::kind::wait_end:
        wait_end();
        return after::end;
    case act::kind::renegotiate:
        SSL_renegotiate(ssl_);
        return SSL_do_handshake(ssl_) == 1 ? after::go_on : after::end;
    case act::kind::reset:
        set_linger_zero(fd_);
        [[fallthrough]];
    case act::kind::drop:
        polite_ = false;
        [[fallthrough]];
    case act::kind::end:
        break;
    }
    return after::end;
}

bool server_peer::more(std::size_t most) {
    char chunk[65536];
    most = std::min(most, sizeof chunk);
    const auto n =
        ssl_ ? SSL_read(ssl_, chunk, static_cast<int>(most)) : ::recv(fd_, chunk, most, 0);
    if (n <= 0) return false;
    input_.append(chunk, static_cast<std::size_t>(n));
    return true;
}

bool server_peer::read_until(std::size_t size) {
    while (input_.size() < size)
        if (!more(size - input_.size())) return false;
    return true;
}

} // namespace codynamo::testing
