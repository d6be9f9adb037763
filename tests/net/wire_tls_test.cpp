// SPDX-License-Identifier: BSL-1.0
// The protocol over TLS without sockets: what a large request takes, and what is kept of it.
#include "net/wire.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/server_peer.hpp"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <malloc.h>
#include <memory>
#include <string>

using namespace codynamo;
using namespace codynamo::net;
using namespace codynamo::testing;

namespace {

/// The server's end, on buffers too.
class memory_peer {
public:
    explicit memory_peer(SSL_CTX* context)
        : ssl_(SSL_new(context), &SSL_free), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
        SSL_set_bio(ssl_.get(), in_, out_);
        SSL_set_accept_state(ssl_.get());
    }

    void take(std::string_view ciphertext) {
        BIO_write(in_, ciphertext.data(), static_cast<int>(ciphertext.size()));
    }
    void handshake() { SSL_do_handshake(ssl_.get()); }
    std::string read() {
        std::string text;
        std::size_t n = 0;
        for (char piece[16384]; SSL_read_ex(ssl_.get(), piece, sizeof piece, &n) == 1;)
            text.append(piece, n);
        return text;
    }
    void write(std::string_view text) {
        SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    }
    void update_key() {
        SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(ssl_.get());
    }
    /// Everything for the client, in pieces that it has space for; the last state.
    advance give(wire& client) {
        auto state = advance::more;
        for (;;) {
            const auto space = client.space();
            const int n = BIO_read(out_, space.data(), static_cast<int>(space.size()));
            if (n <= 0) return state;
            state = client.received(static_cast<std::size_t>(n));
        }
    }

private:
    std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
    BIO *in_, *out_;
};

struct connected {
    connected() {
        const auto leaf = ca.issue({.dns_names = {"localhost"}, .addresses = {}});
        context = make_server_context({leaf.certificate_pem, leaf.key_pem});
        client = std::make_unique<wire>(origin{true, "localhost", 443}, pool_config(),
                                        make_tls_context({.ca_file = ca.ca_file()}));
        peer = std::make_unique<memory_peer>(context.get());
        client->reset();
        auto state = client->handshake();
        while (state == advance::more) {
            peer->take(client->outgoing());
            client->outgoing_sent();
            peer->handshake();
            state = peer->give(*client);
        }
        REQUIRE(state == advance::done);
        peer->take(client->outgoing());
        client->outgoing_sent();
        peer->handshake();
    }

    void begin(const std::string& body) {
        client->begin();
        client->head() += "POST / HTTP/1.1\r\n\r\n";
        client->body() += body;
        REQUIRE(client->request());
    }

    authority ca;
    std::shared_ptr<SSL_CTX> context;
    std::unique_ptr<wire> client;
    std::unique_ptr<memory_peer> peer;
};

constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Bytes that the process has allocated; 0 where another allocator counts.
std::size_t allocated() {
    const auto now = ::mallinfo2();
    return now.uordblks + now.hblkhd;
}

} // namespace

TEST_CASE("a large request over TLS is encrypted in pieces and leaves no buffers behind") {
    connected c;
    const std::string small(100, 's'), large(8'000'000, 'l');
    for (const std::string* body : {&small, &large, &small, &large}) {
        const auto before = allocated();
        c.begin(*body);
        const auto of_request = allocated();
        std::string seen;
        std::size_t most_at_once = 0;
        for (;;) {
            const auto piece = c.client->unsent()[0];
            if (piece.empty()) break;
            most_at_once = std::max(most_at_once, piece.size());
            const auto n = std::min<std::size_t>(piece.size(), 50'000); // what a socket takes
            c.peer->take(piece.substr(0, n));
            REQUIRE(c.client->sent(n));
            seen += c.peer->read();
        }
        INFO(body->size() << " bytes");
        CHECK(seen == "POST / HTTP/1.1\r\n\r\n" + *body);
        CHECK(most_at_once <= 100'000);
        CHECK(of_request <= before + 2 * body->size() + 300'000); // std::string may double
        c.peer->write(answer);
        REQUIRE(c.peer->give(*c.client) == advance::done);
        CHECK(c.client->reusable());
        std::string().swap(seen);
        c.client->trim();
        CHECK(allocated() <= before + 300'000);
    }
}

TEST_CASE("a message of TLS that comes while a request is being sent does not disturb it") {
    connected c;
    const std::string body(300'000, 'b');
    c.begin(body);
    std::string seen;
    for (int i = 0;; ++i) {
        const auto piece = c.client->unsent()[0];
        if (piece.empty()) break;
        const auto n = std::min<std::size_t>(piece.size(), 10'000);
        c.peer->take(piece.substr(0, n));
        REQUIRE(c.client->sent(n));
        seen += c.peer->read();
        if (i % 4 == 2) { // the client has to answer this, behind what it has encrypted
            c.peer->update_key();
            CHECK(c.peer->give(*c.client) == advance::more);
        }
    }
    CHECK(seen == "POST / HTTP/1.1\r\n\r\n" + body);
    c.peer->write(answer);
    REQUIRE(c.peer->give(*c.client) == advance::done);
    CHECK(c.client->reusable());
}

TEST_CASE("a TLS connection is not reused when the response came before the end of the request") {
    connected c;
    c.begin(std::string(300'000, 'b'));
    c.peer->take(c.client->unsent()[0]);
    REQUIRE(c.client->sent(c.client->unsent()[0].size()));
    CHECK_FALSE(c.client->unsent()[0].empty());
    (void)c.peer->read();
    c.peer->write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    REQUIRE(c.peer->give(*c.client) == advance::done);
    CHECK(c.client->response().status == 413);
    CHECK_FALSE(c.client->reusable());
    CHECK_FALSE(c.client->farewell()); // it would follow half a record
}
