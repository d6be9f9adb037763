// SPDX-License-Identifier: BSL-1.0
// Plain POSIX sockets and blocking threads: nothing in common with what is tested.
#include "support/stub_server.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace codynamo::testing {
namespace {

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

std::shared_ptr<void> make_context(const stub_tls& tls) {
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    if (tls.only_tls_1_1) {
        SSL_CTX_set_security_level(context.get(), 0);
        SSL_CTX_set_min_proto_version(context.get(), TLS1_1_VERSION);
        SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
    }
    if (tls.only_tls_1_2) SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
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
        throw std::runtime_error("the stub server's certificate is unusable");
    return context;
}

} // namespace

std::string response(std::string_view body, int status, std::string_view more_headers) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " Said\r\n";
    text += more_headers;
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    text += body;
    return text;
}

/// One connection, plain or TLS, blocking.
class stub_server::peer {
public:
    peer(int fd, SSL_CTX* context) : fd_(fd) {
        if (!context) return;
        ssl_ = SSL_new(context);
        SSL_set_fd(ssl_, fd);
        ok_ = SSL_accept(ssl_) == 1;
    }
    ~peer() {
        ERR_clear_error();
        if (ssl_) SSL_free(ssl_);
    }
    peer(const peer&) = delete;
    peer& operator=(const peer&) = delete;

    [[nodiscard]] bool ok() const { return ok_; }

    void say(std::string_view text) {
        while (!text.empty()) {
            const auto n = ssl_ ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (n <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    // Empty when the client has ended.
    std::string request() {
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

    void wait_end() {
        while (more())
            input_.clear();
    }

    void close_notify() {
        if (ssl_) SSL_shutdown(ssl_);
    }

private:
    bool more() {
        char chunk[65536];
        const auto n =
            ssl_ ? SSL_read(ssl_, chunk, sizeof chunk) : ::recv(fd_, chunk, sizeof chunk, 0);
        if (n <= 0) return false;
        input_.append(chunk, static_cast<std::size_t>(n));
        return true;
    }

    int fd_;
    SSL* ssl_ = nullptr;
    bool ok_ = true;
    std::string input_;
};

stub_server::stub_server(stub_config config) : config_(std::move(config)) {
    if (config_.tls) {
        tls_context_ = make_context(*config_.tls);
        std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    }
    listener_ = ::socket(config_.ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    port_ = bind_loopback(listener_, config_.ipv6);
    ::listen(listener_, 1024);
    acceptor_ = std::thread([this] { accept_loop(); });
}

stub_server::~stub_server() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    end_all();
    for (auto& thread : threads_)
        thread.join();
}

std::vector<std::string> stub_server::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void stub_server::end_all() {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_)
        ::shutdown(fd, SHUT_RDWR);
}

void stub_server::accept_loop() {
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
        threads_.emplace_back([this, fd, index] { serve(fd, index); });
    }
}

void stub_server::serve(int fd, std::size_t index) {
    const auto pause = [this](std::chrono::milliseconds time) {
        const auto until = std::chrono::steady_clock::now() + time;
        while (!stopping_ && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    const auto note = [this](const std::string& request) {
        ++requests_;
        const std::lock_guard lock(mutex_);
        if (seen_.size() < 1000) seen_.push_back(request);
    };
    {
        peer client(fd, static_cast<SSL_CTX*>(tls_context_.get()));
        bool going = client.ok();
        bool polite = true;
        while (going && config_.answer) {
            const auto request = client.request();
            going = !request.empty();
            if (going) {
                note(request);
                client.say(config_.answer(request));
            }
        }
        static const std::vector<act> nothing;
        const auto& script =
            config_.connections.empty()
                ? nothing
                : config_.connections[std::min(index, config_.connections.size() - 1)];
        for (std::size_t i = 0; going && i < script.size(); ++i) {
            const act& next = script[i];
            switch (next.what) {
            case act::kind::read_request: {
                const auto request = client.request();
                going = !request.empty();
                if (going) note(request);
                break;
            }
            case act::kind::say:
                client.say(next.text);
                break;
            case act::kind::pause:
                pause(next.time);
                break;
            case act::kind::wait_end:
                client.wait_end();
                break;
            case act::kind::reset:
                set_linger_zero(fd);
                [[fallthrough]];
            case act::kind::drop:
                polite = false;
                [[fallthrough]];
            case act::kind::end:
                going = false;
                break;
            }
        }
        if (polite) client.close_notify();
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
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
