// SPDX-License-Identifier: BSL-1.0
// TLS on buffers, by OpenSSL: verification, session resumption, records in and out.
// asio::ssl::stream is not used: it holds two more copies of each record and 34 KB per connection,
// and its composed operations need more coroutine frames. Included by wire.cpp only.
#pragma once

#include "net/byte_buffer.hpp"

#include <codynamo/error.hpp>
#include <codynamo/net/transport.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace codynamo::net {

struct openssl_free {
    void operator()(SSL_CTX* p) const noexcept { SSL_CTX_free(p); }
    void operator()(SSL* p) const noexcept { SSL_free(p); }
    void operator()(SSL_SESSION* p) const noexcept { SSL_SESSION_free(p); }
    void operator()(BIO_METHOD* p) const noexcept { BIO_meth_free(p); }
};
template <class T>
using openssl_ptr = std::unique_ptr<T, openssl_free>;

/// The reason of the last failure of OpenSSL in this thread, and forgets it.
inline std::string take_openssl_error() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "unknown error";
    if (const char* const reason = ERR_reason_error_string(code)) return reason;
    return "error " + std::to_string(ERR_GET_REASON(code));
}

/// Whether a handshake that fails so is a matter of trust, names, versions or what either side
/// allows, and not of one bad node behind the name. Alerts are those of RFC 8446, 6.2.
inline bool is_final_failure(unsigned long code) noexcept {
    if (ERR_GET_LIB(code) == ERR_LIB_X509) return true;
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) return false;
    const int reason = ERR_GET_REASON(code);
    switch (reason - SSL_AD_REASON_OFFSET) {
    case SSL_AD_HANDSHAKE_FAILURE: // nothing in common; of TLS 1.2 also: it wants a certificate
    case SSL_AD_RECORD_OVERFLOW:
    case SSL_AD_NO_CERTIFICATE:
    case SSL_AD_BAD_CERTIFICATE: // of ours, which we have not
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_CERTIFICATE_REQUIRED:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_PROTOCOL_VERSION:
    case SSL_AD_INSUFFICIENT_SECURITY:
    case SSL_AD_INAPPROPRIATE_FALLBACK:
    case SSL_AD_MISSING_EXTENSION:
    case SSL_AD_UNSUPPORTED_EXTENSION:
    case SSL_AD_UNRECOGNIZED_NAME:
    case SSL_AD_NO_APPLICATION_PROTOCOL:
        return true;
    default:
        break;
    }
    switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_DH_KEY_TOO_SMALL:
    case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
    case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_DATA_LENGTH_TOO_LONG:
    case SSL_R_WRONG_VERSION_NUMBER: // not TLS at all
        return true;
    default:
        return false;
    }
}

/// Ciphertext on its way, and how OpenSSL gets at it.
struct tls_buffers {
    byte_buffer in;
    std::size_t consumed = 0; // of `in`
    std::string out;
    bool ended = false;

    [[nodiscard]] static openssl_ptr<BIO_METHOD> method() {
        openssl_ptr<BIO_METHOD> made(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "codynamo buffers"));
        if (made) {
            BIO_meth_set_write(made.get(), &tls_buffers::on_write);
            BIO_meth_set_read(made.get(), &tls_buffers::on_read);
            BIO_meth_set_ctrl(made.get(), &tls_buffers::on_ctrl);
        }
        return made;
    }

private:
    static int on_write(BIO* bio, const char* data, int size) {
        try {
            static_cast<tls_buffers*>(BIO_get_data(bio))
                ->out.append(data, static_cast<std::size_t>(size));
            return size;
        } catch (...) {
            return -1;
        }
    }

    static int on_read(BIO* bio, char* to, int size) {
        auto* const self = static_cast<tls_buffers*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        const auto n = std::min(self->in.size() - self->consumed, static_cast<std::size_t>(size));
        if (n == 0) {
            if (self->ended) return 0;
            BIO_set_retry_read(bio);
            return -1;
        }
        std::memcpy(to, self->in.data() + self->consumed, n);
        self->consumed += n;
        return static_cast<int>(n);
    }

    static long on_ctrl(BIO* bio, int command, long, void*) {
        if (command == BIO_CTRL_FLUSH) return 1;
        if (command == BIO_CTRL_EOF) {
            const auto* const self = static_cast<tls_buffers*>(BIO_get_data(bio));
            return self->ended && self->consumed == self->in.size() ? 1 : 0;
        }
        return 0;
    }
};

class tls_context {
public:
    explicit tls_context(const tls_config& config)
        : context_(SSL_CTX_new(TLS_client_method())), buffers_(tls_buffers::method()) {
        if (!context_ || !buffers_)
            throw error(errc::tls_failed, "cannot set up TLS: " + take_openssl_error());
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
        SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
        // While a server of TLS 1.2 renegotiated, nothing could be sent.
        SSL_CTX_set_options(context_.get(), SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_verify(context_.get(),
                           config.dangerously_skip_certificate_verification ? SSL_VERIFY_NONE
                                                                            : SSL_VERIFY_PEER,
                           nullptr);
        load_trust(config);
        SSL_CTX_set_app_data(context_.get(), this);
        SSL_CTX_set_session_cache_mode(context_.get(),
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
            auto* const self =
                static_cast<tls_context*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
            return self->keep(openssl_ptr<SSL_SESSION>(session));
        });
    }

    [[nodiscard]] SSL_CTX* get() const noexcept { return context_.get(); }
    [[nodiscard]] BIO_METHOD* buffers() const noexcept { return buffers_.get(); }

    /// A session to resume, or null. Tickets of TLS 1.3 are given out once (RFC 8446 C.4).
    [[nodiscard]] openssl_ptr<SSL_SESSION> session() {
        const std::lock_guard lock(mutex_);
        if (sessions_.empty()) return nullptr;
        SSL_SESSION* const newest = sessions_.back().get();
        if (SSL_SESSION_get_protocol_version(newest) < TLS1_3_VERSION) {
            SSL_SESSION_up_ref(newest);
            return openssl_ptr<SSL_SESSION>(newest);
        }
        auto taken = std::move(sessions_.back());
        sessions_.pop_back();
        return taken;
    }

    /// One of them may be why a handshake failed.
    void forget_sessions() noexcept {
        const std::lock_guard lock(mutex_);
        sessions_.clear();
    }

private:
    static constexpr std::size_t most_sessions = 16;

    void load_trust(const tls_config& config) {
        if (config.ca_file.empty()) {
            SSL_CTX_set_default_verify_paths(context_.get());
            ERR_clear_error();
        } else if (SSL_CTX_load_verify_locations(context_.get(), config.ca_file.c_str(), nullptr) !=
                   1) {
            std::string why = take_openssl_error();
            errno = 0;
            if (!std::ifstream(config.ca_file)) why = std::generic_category().message(errno);
            const std::string source =
                config.ca_file_source.empty() ? "tls.ca_file" : config.ca_file_source;
            throw error(errc::tls_failed, source + " = \"" + config.ca_file + "\": " + why);
        }
    }

    // 1: the reference is ours now. Called from within OpenSSL: must not throw.
    int keep(openssl_ptr<SSL_SESSION> session) noexcept {
        try {
            const std::lock_guard lock(mutex_);
            if (sessions_.size() == most_sessions) sessions_.erase(sessions_.begin());
            sessions_.push_back(std::move(session));
            return 1;
        } catch (...) {
            if (!session) return 1;
            (void)session.release();
            return 0;
        }
    }

    std::mutex mutex_;
    std::vector<openssl_ptr<SSL_SESSION>> sessions_;
    openssl_ptr<SSL_CTX> context_;
    openssl_ptr<BIO_METHOD> buffers_;
};

/// One TLS connection between two buffers of ciphertext.
class tls_engine {
public:
    enum class outcome { ok, want_input, ended, failed };

    explicit tls_engine(std::shared_ptr<tls_context> context) : context_(std::move(context)) {}

    void start(const origin& server) {
        buffers_.in.clear();
        buffers_.consumed = 0;
        buffers_.out.clear();
        buffers_.ended = false;
        is_open_ = false;
        ssl_.reset(SSL_new(context_->get()));
        BIO* const bio = ssl_ ? BIO_new(context_->buffers()) : nullptr;
        if (!bio) throw error(errc::tls_failed, "cannot set up TLS: " + take_openssl_error());
        BIO_set_data(bio, &buffers_);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl_.get(), bio, bio);
        SSL_set_connect_state(ssl_.get());
        expect(server.host);
        const auto session = context_->session();
        offers_session_ = session && SSL_set_session(ssl_.get(), session.get()) == 1;
    }

    outcome handshake() {
        ERR_clear_error();
        const outcome result = judge(SSL_do_handshake(ssl_.get()));
        if (result == outcome::ok) is_open_ = true;
        return result;
    }

    /// Plain text into `to`; `read` says how much.
    outcome read(char* to, std::size_t size, std::size_t& read) {
        ERR_clear_error();
        return judge(SSL_read_ex(ssl_.get(), to, size, &read));
    }

    outcome write(std::string_view text) {
        ERR_clear_error();
        std::size_t written = 0;
        while (!text.empty()) {
            const auto result = judge(SSL_write_ex(ssl_.get(), text.data(), text.size(), &written));
            if (result != outcome::ok) return result;
            text.remove_prefix(written);
        }
        return outcome::ok;
    }

    /// Ends; true when outgoing() holds a close_notify. Without this OpenSSL would take the session
    /// for broken and not resume it.
    bool finish() {
        if (!ssl_) return false;
        ERR_clear_error();
        // Behind a record that has not gone out whole it would be noise.
        const bool polite = SSL_is_init_finished(ssl_.get()) && !broken_ && buffers_.out.empty() &&
                            SSL_shutdown(ssl_.get()) >= 0 && !buffers_.out.empty();
        SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        ERR_clear_error();
        ssl_.reset();
        broken_ = false;
        return polite;
    }

    ~tls_engine() { finish(); }
    tls_engine(const tls_engine&) = delete;
    tls_engine& operator=(const tls_engine&) = delete;

    /// Where `at_least` or more bytes of ciphertext can go.
    byte_buffer& in(std::size_t at_least) {
        auto& in = buffers_.in;
        if (const auto used = std::exchange(buffers_.consumed, 0); used != 0) {
            std::memmove(in.data(), in.data() + used, in.size() - used);
            in.resize(in.size() - used);
        }
        in.make_room(at_least);
        return in;
    }
    void arrived(std::size_t n) noexcept { buffers_.in.resize(buffers_.in.size() + n); }
    [[nodiscard]] bool input_left() const noexcept {
        return buffers_.consumed != buffers_.in.size() || SSL_has_pending(ssl_.get()) != 0;
    }
    void input_ended() noexcept { buffers_.ended = true; }
    void out_sent() noexcept { buffers_.out.clear(); }
    /// Gives back what a large exchange took.
    void trim() noexcept {
        if (buffers_.out.empty() && buffers_.out.capacity() > usual_out)
            std::string().swap(buffers_.out);
    }
    [[nodiscard]] const std::string& out() const noexcept { return buffers_.out; }
    [[nodiscard]] bool resumed() const noexcept { return SSL_session_reused(ssl_.get()) != 0; }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    /// Of what failed: whether another handshake would be refused alike.
    [[nodiscard]] bool failed_for_good() const noexcept { return final_; }

private:
    static constexpr std::size_t usual_out = 32 * 1024; // ciphertext of a usual request

    void expect(const std::string& host) {
        const bool is_address = host.find(':') != std::string::npos || looks_like_ipv4(host);
        auto* const rules = SSL_get0_param(ssl_.get());
        // A common name is not a host name (RFC 9525, 6.2).
        X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        const bool ok = is_address
                            ? X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1
                            : X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) == 1 &&
                                  SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1;
        if (!ok)
            throw error(errc::tls_failed,
                        "cannot verify the name " + host + ": " + take_openssl_error());
    }

    static bool looks_like_ipv4(const std::string& host) noexcept {
        return !host.empty() && host.find_first_not_of("0123456789.") == std::string::npos;
    }

    outcome judge(int result) {
        if (result == 1) return outcome::ok;
        switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return outcome::want_input;
        case SSL_ERROR_ZERO_RETURN:
            return outcome::ended;
        default:
            broken_ = true;
            // After the handshake only the server's alerts are about it.
            final_ = is_final_failure(ERR_peek_error()) &&
                     (!is_open_ || ERR_GET_REASON(ERR_peek_error()) >= SSL_AD_REASON_OFFSET);
            reason_ = take_openssl_error();
            if (const long verdict = SSL_get_verify_result(ssl_.get());
                verdict != X509_V_OK && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE) {
                final_ = true;
                reason_ = std::string("certificate verify failed: ") +
                          X509_verify_cert_error_string(verdict);
            } else if (offers_session_ && !is_open_) {
                final_ = false; // without the session the server may accept
                context_->forget_sessions();
            }
            return outcome::failed;
        }
    }

    std::shared_ptr<tls_context> context_;
    tls_buffers buffers_;
    openssl_ptr<SSL> ssl_;
    std::string reason_;
    bool broken_ = false;
    bool final_ = false;
    bool offers_session_ = false;
    bool is_open_ = false; ///< the handshake is over, for our side
};

} // namespace codynamo::net
