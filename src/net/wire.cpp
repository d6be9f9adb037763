// SPDX-License-Identifier: BSL-1.0
// The one door to Beast and to OpenSSL's TLS: how bytes become responses.
#include "net/wire.hpp"

#include "net/response_parser.hpp"
#include "net/tls_engine.hpp"
#include "net/wipe.hpp"

#include <openssl/ssl.h>

#include <optional>
#include <utility>

namespace codynamo::net {
namespace {

constexpr std::size_t usual_room = 8 * 1024;
constexpr std::size_t record_room = 17 * 1024;       // a TLS record and its overhead
constexpr std::size_t most_room_ahead = 1024 * 1024; // promised lengths are not believed at once
constexpr std::size_t kept_capacity = 256 * 1024;
constexpr std::size_t harmless_rescans = 64 * 1024 * 1024;
constexpr int most_interim_responses = 16;
// Plain text that is encrypted at once: some records, so that a large request takes no second copy.
constexpr std::size_t encrypted_ahead = 64 * 1024;
constexpr std::size_t tls_record = 16 * 1024;

/// Gives the memory back, and overwrites it before: it may have held credentials.
void empty(std::string& text) noexcept {
    wipe(text);
    text.shrink_to_fit();
}

} // namespace

std::shared_ptr<tls_context> make_tls_context(const tls_config& config) {
    return std::make_shared<tls_context>(config);
}

class wire::impl {
public:
    impl(const origin& server, const pool_config& limits, std::shared_ptr<tls_context> context)
        : server_(server), limits_(limits) {
        if (context) tls_.emplace(std::move(context));
    }

    ~impl() {
        wipe(head_);
        wipe(body_);
    }

    void reset() {
        begin();
        served_ = false;
        opening_ = tls_.has_value();
        reusable_ = true;
        if (tls_) tls_->start(server_);
    }

    bool farewell() { return tls_ && tls_->finish(); }

    advance handshake() {
        switch (tls_->handshake()) {
        case tls_engine::outcome::ok:
            opening_ = false;
            return advance::done;
        case tls_engine::outcome::want_input:
            return advance::more;
        case tls_engine::outcome::ended:
            return broken_off();
        default:
            return fail(tls_->failed_for_good() ? errc::tls_failed : errc::connect_failed,
                        tls_->reason());
        }
    }

    void begin() {
        trim();
        input_.clear();
        head_.clear();
        body_.clear();
        written_ = 0;
        encrypted_ = 0;
        flushed_ = false;
        parsed_ = 0;
        interim_ = 0;
        answered_ = false;
        expect_head();
    }

    void trim() noexcept {
        if (head_.capacity() > kept_capacity) empty(head_);
        if (body_.capacity() > kept_capacity) empty(body_);
        if (input_.capacity() > kept_capacity) input_.release();
        if (tls_) tls_->trim();
    }

    bool request() {
        to_head_ = head_.starts_with("HEAD ");
        reusable_ = false; // until the whole response has been read
        // Plain: sendmsg(2) with two pieces costs more than copying a few kilobytes for send(2).
        constexpr std::size_t worth_joining = 4096;
        if (body_.size() <= (tls_ ? tls_record / 2 : worth_joining)) {
            reserve_wiping(head_, body_.size());
            head_ += body_; // with TLS: one record
            body_.clear();
        }
        return !tls_ || encrypt();
    }

    [[nodiscard]] std::array<std::string_view, 2> unsent() const noexcept {
        if (tls_) return {std::string_view(tls_->out()).substr(written_), {}};
        const auto of_head = std::min(written_, head_.size());
        return {std::string_view(head_).substr(of_head),
                std::string_view(body_).substr(written_ - of_head)};
    }

    bool sent(std::size_t n) {
        written_ += n;
        if (!tls_ || written_ != tls_->out().size()) return true;
        tls_->out_sent();
        written_ = 0;
        flushed_ = encrypted_ == head_.size() + body_.size();
        return flushed_ || encrypt();
    }

    [[nodiscard]] bool sent_whole() const noexcept {
        return tls_ ? flushed_ : written_ == head_.size() + body_.size();
    }

    std::span<char> space() {
        if (tls_) {
            auto& in = tls_->in(record_room);
            return {in.end(), in.room()};
        }
        make_room();
        return {input_.end(), input_.room()};
    }

    advance received(std::size_t n) {
        if (tls_) {
            tls_->arrived(n);
            return opening_ ? handshake() : decrypt();
        }
        input_.resize(input_.size() + n);
        answered_ = true;
        return parse();
    }

    advance ended() {
        if (tls_) {
            tls_->input_ended();
            if (opening_) return broken_off();
            return decrypt();
        }
        return text_ended();
    }

    [[nodiscard]] bool is_refusal() const noexcept {
        return parser_ && parser_->is_header_done() && parts_.status >= 400;
    }

    bool received_idle(std::size_t n) {
        if (!tls_) return false; // nothing was asked
        tls_->arrived(n);
        return quiet();
    }

    response_view response() {
        views_.clear();
        const char* const base = input_.data();
        for (const auto& f : parts_.fields) {
            const char* const value = (f.folded ? parts_.folded_values.data() : base) + f.value;
            views_.push_back({{base + f.name, f.name_size}, {value, f.value_size}});
        }
        return {parts_.status, views_, {base + parts_.body, parts_.body_size}};
    }

    origin server_;
    pool_config limits_;
    std::optional<tls_engine> tls_;
    std::string head_, body_;
    std::size_t written_ = 0; // of the ciphertext that is there, or else of head and body
    wire_failure failure_;
    bool reusable_ = false;
    bool answered_ = false;

private:
    advance fail(errc code, std::string message) {
        reusable_ = false;
        failure_ = {code, std::move(message)};
        return advance::failed;
    }

    // Nobody was refused: another attempt may succeed.
    advance broken_off() {
        return fail(errc::connect_failed, "the server ended during the handshake");
    }

    // Without the parser's chunk framing no more than this has to be held.
    [[nodiscard]] std::size_t most_input() const noexcept {
        const auto beside = limits_.max_head_bytes + 2 * record_room;
        return beside + std::min(limits_.max_body_bytes, SIZE_MAX - beside);
    }

    void expect_head() noexcept {
        parser_.reset();
        parts_.clear();
        head_fits_ = false;
        looked_at_again_ = 0;
    }

    void make_room() {
        std::size_t wanted = usual_room / 4;
        if (input_.capacity() == 0) wanted = usual_room;
        if (parser_ && parser_->expected_body() > parts_.body_size)
            wanted = std::max(
                wanted, std::min(parser_->expected_body() - parts_.body_size, most_room_ahead));
        // One byte more than expected: a read that does not fill its buffer spares the next one
        // a futile system call (Asio takes the socket for drained).
        input_.make_room(wanted + 1);
    }

    // The next pieces of head and body, until there is enough to send. Anything else but success is
    // final: nothing limits how much OpenSSL may put into the buffer.
    bool encrypt() {
        const auto size = head_.size() + body_.size();
        while (encrypted_ != size && tls_->out().size() < encrypted_ahead) {
            auto rest = encrypted_ < head_.size()
                            ? std::string_view(head_).substr(encrypted_)
                            : std::string_view(body_).substr(encrypted_ - head_.size());
            rest = rest.substr(0, encrypted_ahead);
            if (tls_->write(rest) != tls_engine::outcome::ok) {
                fail(errc::tls_failed, "cannot encrypt: " + tls_->reason());
                return false;
            }
            encrypted_ += rest.size();
        }
        return true;
    }

    advance decrypt() {
        for (;;) {
            make_room();
            std::size_t n = 0;
            switch (tls_->read(input_.end(), input_.room(), n)) {
            case tls_engine::outcome::ok:
                break;
            case tls_engine::outcome::want_input:
                return advance::more;
            case tls_engine::outcome::ended:
                return text_ended();
            case tls_engine::outcome::failed:
                if (answered_) return fail(errc::connection_lost, tls_->reason());
                // With TLS 1.3 the client has sent its request before it learns that the server
                // does not accept its side of the handshake, and did not decrypt anything.
                if (!served_ && tls_->failed_for_good())
                    return fail(errc::tls_failed,
                                "the server refused the TLS handshake: " + tls_->reason());
                return advance::stale;
            }
            answered_ = true;
            input_.resize(input_.size() + n);
            const auto result = parse();
            if (result == advance::done) reusable_ = reusable_ && quiet();
            if (result != advance::more) return result;
            if (!tls_->input_left()) return advance::more;
        }
    }

    // Whether nothing but TLS's own messages is left to read.
    bool quiet() {
        if (!tls_->input_left()) return true;
        char byte = 0;
        std::size_t n = 0;
        return tls_->read(&byte, 1, n) == tls_engine::outcome::want_input;
    }

    advance text_ended() {
        if (!answered_) return advance::stale;
        boost::system::error_code ec = http::error::partial_message;
        if (parser_ && parser_->got_some()) parser_->put_eof(ec);
        // A body that only the end delimits, and none of it came: lost rather than empty. Empty
        // would read as "no such item".
        if (!ec && parts_.body_size == 0)
            return fail(errc::connection_lost, "the connection ended before the body");
        if (!ec) {
            reusable_ = false;
            return advance::done;
        }
        return fail(errc::connection_lost, "the connection ended in the middle of the response");
    }

    advance parse() {
        for (;;) {
            if (!parser_) parser_.emplace(input_, parts_, limits_, to_head_);
            const auto rest = input_.size() - parsed_;
            if (rest < least_chunk()) return advance::more;
            boost::system::error_code ec;
            parsed_ += parser_->put({input_.data() + parsed_, input_.size() - parsed_}, ec);
            if (ec && ec != http::error::need_more) return refuse(ec);
            if (!head_fits())
                return fail(errc::response_too_large, "the head of the response is larger than " +
                                                          std::to_string(limits_.max_head_bytes) +
                                                          " bytes");
            if (!parser_->is_done()) {
                close_gap();
                if (dawdles())
                    return fail(errc::response_too_large, "the response's trailers do not end");
                if (input_.size() > most_input())
                    return fail(errc::response_too_large, "the response does not end");
                if (ec == http::error::need_more || parsed_ == input_.size()) return advance::more;
            } else if (!parser_->interim()) {
                reusable_ = parser_->keep_alive() && parsed_ == input_.size();
                served_ = true;
                return advance::done;
            } else if (!skip_interim()) {
                return fail(errc::bad_response, "too many or unwanted 1xx responses");
            }
        }
    }

    // What must be there before the parser may look at a chunk. Beast before Boost 1.90 asserts
    // that a last chunk without one before it has come whole. Newer ones consume its line alone:
    // then two bytes may be all that is left to come.
    [[nodiscard]] std::size_t least_chunk() const noexcept {
        constexpr std::size_t last_chunk = std::string_view("0\r\n\r\n").size();
        const bool expects_chunk =
            parser_->is_header_done() && parser_->chunked() && !parser_->last_chunk_done();
        return expects_chunk ? last_chunk : 1;
    }

    bool head_fits() {
        if (head_fits_) return true;
        if (input_.size() > limits_.max_head_bytes) {
            constexpr std::string_view blank_line = "\r\n\r\n";
            const auto end = std::string_view(input_.data(), input_.size()).find(blank_line);
            if (end == std::string_view::npos || end + blank_line.size() > limits_.max_head_bytes)
                return false;
        }
        head_fits_ = parser_->is_header_done();
        return true;
    }

    // The parser looks at a chunk's line, and at trailers, from their beginning each time that more
    // of them has come.
    bool dawdles() noexcept {
        if (!head_fits_) return false;
        looked_at_again_ += input_.size() - parsed_;
        return looked_at_again_ > harmless_rescans && looked_at_again_ / 64 > input_.size();
    }

    advance refuse(const boost::system::error_code& ec) {
        if (ec == http::error::body_limit)
            return fail(errc::response_too_large, "the body of the response is larger than " +
                                                      std::to_string(limits_.max_body_bytes) +
                                                      " bytes");
        if (ec == http::error::header_limit) // of Beast's buffer for it
            return fail(errc::response_too_large, "a folded header of the response is too long");
        return fail(errc::bad_response, "not an HTTP response: " + ec.message());
    }

    // Moves what has not been parsed up to the body, over the chunk headers: the buffer never holds
    // more than head, body and one chunk header.
    void close_gap() noexcept {
        const auto end = parts_.body + parts_.body_size;
        if (parts_.body_size == 0 || parsed_ <= end) return;
        const auto rest = input_.size() - parsed_;
        std::memmove(input_.data() + end, input_.data() + parsed_, rest);
        input_.resize(end + rest);
        parsed_ = end;
    }

    bool skip_interim() {
        if (parts_.status == 101 || ++interim_ > most_interim_responses) return false;
        const auto rest = input_.size() - parsed_;
        std::memmove(input_.data(), input_.data() + parsed_, rest);
        input_.resize(rest);
        parsed_ = 0;
        expect_head();
        return true;
    }

    byte_buffer input_; // plain text
    std::size_t parsed_ = 0;
    std::size_t encrypted_ = 0; // of head and body
    bool flushed_ = false;      // all of them have been encrypted and sent
    response_parts parts_;
    std::optional<response_parser> parser_;
    std::vector<header_view> views_;
    int interim_ = 0;
    std::size_t looked_at_again_ = 0;
    bool head_fits_ = false; // the present one is complete and within its bound
    bool opening_ = false;
    bool served_ = false; // a response has come on this connection
    bool to_head_ = false;
};

wire::wire(const origin& server, const pool_config& limits, std::shared_ptr<tls_context> tls)
    : impl_(std::make_unique<impl>(server, limits, std::move(tls))) {}

wire::~wire() = default;

void wire::reset() {
    impl_->reset();
}
bool wire::farewell() {
    return impl_->farewell();
}
advance wire::handshake() {
    return impl_->handshake();
}
bool wire::resumed() const noexcept {
    return impl_->tls_ && impl_->tls_->resumed();
}
void wire::begin() {
    impl_->begin();
}
std::string& wire::head() noexcept {
    return impl_->head_;
}
std::string& wire::body() noexcept {
    return impl_->body_;
}
bool wire::request() {
    return impl_->request();
}
std::array<std::string_view, 2> wire::unsent() const noexcept {
    return impl_->unsent();
}
bool wire::sent(std::size_t n) {
    return impl_->sent(n);
}
std::string_view wire::outgoing() const noexcept {
    return impl_->tls_ ? std::string_view(impl_->tls_->out()) : std::string_view{};
}
void wire::outgoing_sent() noexcept {
    if (impl_->tls_) impl_->tls_->out_sent();
}
std::span<char> wire::space() {
    return impl_->space();
}
advance wire::received(std::size_t n) {
    return impl_->received(n);
}
advance wire::ended() {
    return impl_->ended();
}
bool wire::received_idle(std::size_t n) {
    return impl_->received_idle(n);
}
response_view wire::response() {
    return impl_->response();
}
bool wire::reusable() const noexcept {
    return impl_->reusable_ && impl_->sent_whole();
}
void wire::trim() noexcept {
    impl_->trim();
}
bool wire::is_refusal() const noexcept {
    return impl_->is_refusal();
}

bool wire::answered() const noexcept {
    return impl_->answered_;
}
const wire_failure& wire::failure() const noexcept {
    return impl_->failure_;
}

} // namespace codynamo::net
