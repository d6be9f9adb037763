// SPDX-License-Identifier: BSL-1.0
// CONNECT and every answer to it, without sockets.
#include "net/tunnel.hpp"
#include "support/catch.hpp"

using namespace codynamo::net;

namespace {

proxy_server proxy(std::string authorization = {}) {
    proxy_server p;
    p.host = "proxy";
    p.port = 1;
    p.authorization = std::move(authorization);
    return p;
}

const origin server{true, "db.example", 443};

tunnel::state feed(tunnel& t, std::string_view text, std::size_t piece) {
    auto state = tunnel::state::more;
    while (!text.empty() && state == tunnel::state::more) {
        const auto n = std::min(piece, text.size());
        state = t.received(text.substr(0, n));
        text.remove_prefix(n);
    }
    return state;
}

} // namespace

TEST_CASE("the request for a tunnel") {
    CHECK(tunnel(proxy(), server).request() ==
          "CONNECT db.example:443 HTTP/1.1\r\nHost: db.example:443\r\n\r\n");
    CHECK(tunnel(proxy("Basic eDp5"), {false, "fd00::1", 80}).request() ==
          "CONNECT [fd00::1]:80 HTTP/1.1\r\nHost: [fd00::1]:80\r\n"
          "Proxy-Authorization: Basic eDp5\r\n\r\n");
}

TEST_CASE("answers to the request for a tunnel, in pieces of every size") {
    using state = tunnel::state;
    struct row {
        std::string answer;
        state expected;
        const char* words;
    };
    const row rows[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", state::open, ""},
        {"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", state::open, ""},
        {"HTTP/1.1 204\r\n\r\n", state::open, ""},
        {"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", state::open, ""},
        {"HTTP/1.1 200 OK\r\n", state::more, ""},
        {"HTTP/1.1 403 No secret\r\n\r\n", state::refused, "refused the tunnel with status 403"},
        {"HTTP/1.1 502 Bad\r\nContent-Length: 9\r\n\r\n", state::refused, "status 502"},
        {"HTTP/1.1 407 Who\r\n\r\n", state::refused, "407: it wants a user name and password"},
        {"HTTP/1.1 301 There\r\n\r\n", state::refused, "status 301"},
        {"HTTP/1.1 101 Other\r\n\r\n", state::refused, "status 101"},
        {"HTTP/2 200 OK\r\n\r\n", state::refused, "did not answer in HTTP/1"},
        {"HTTP/1.1 2x0 OK\r\n\r\n", state::refused, "did not answer in HTTP/1"},
        {"HTTP/1.1 2000 OK\r\n\r\n", state::refused, "did not answer in HTTP/1"},
        {"HTTP/1.x 200 OK\r\n\r\n", state::refused, "did not answer in HTTP/1"},
        {"HTTP/1.1-200 OK\r\n\r\n", state::refused, "did not answer in HTTP/1"},
        {"HTTP/1.1 20\r\n\r\n", state::refused, "did not answer in HTTP/1"},
        {"HTTP/1.\r\n\r\n", state::refused, "did not answer in HTTP/1"},
        {"HTTP/1.1 \r\n\r\n", state::refused, "did not answer in HTTP/1"},
        {"SSH-2.0-x\r\n", state::refused, "did not answer in HTTP/1"},
        {"\x16\x03\x01", state::refused, "did not answer in HTTP/1"},
        {"HTTP/1.1 200 OK\r\nX: " + std::string(tunnel::most_bytes, 'x'), state::refused,
         "at too great a length"},
    };
    for (const auto& r : rows)
        for (const std::size_t piece : {1, 2, 3, 7, 100'000}) {
            INFO(r.answer.substr(0, 60) << " in pieces of " << piece);
            tunnel t(proxy(), server);
            CHECK(feed(t, r.answer, piece) == r.expected);
            CHECK_THAT(t.words(), Catch::Contains(r.words));
            CHECK_THAT(t.words(), !Catch::Contains("secret"));
        }
    std::string interim;
    while (interim.size() <= tunnel::most_bytes)
        interim += "HTTP/1.1 100 Go on\r\n\r\n";
    tunnel endless(proxy(), server);
    CHECK(feed(endless, interim, 100) == state::refused);
}

TEST_CASE("nothing may follow the answer that opens the tunnel") {
    tunnel t(proxy(), server);
    CHECK(t.received("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n") == tunnel::state::refused);
    CHECK(t.words() == "sent more than its answer");
}

TEST_CASE("a proxy that refuses our credentials is told apart from one that wants some") {
    tunnel t(proxy("Basic eDp5"), server);
    CHECK(t.received("HTTP/1.1 407 Basic eDp5\r\n\r\n") == tunnel::state::refused);
    CHECK(t.words() ==
          "refused the tunnel with status 407: it does not accept the user name and password");
}

TEST_CASE("a proxy that ends") {
    tunnel silent(proxy(), server), abrupt(proxy(), server);
    CHECK(silent.ended() == tunnel::state::refused);
    CHECK(silent.words() == "ended without an answer");
    CHECK(abrupt.received("HTTP/1.1 200 OK\r\n") == tunnel::state::more);
    CHECK(abrupt.ended() == tunnel::state::refused);
    CHECK(abrupt.words() == "ended in the middle of its answer");
}
