// SPDX-License-Identifier: BSL-1.0
// The protocol without sockets: any split of the bytes gives the same response.
#include "net/wire.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <random>
#include <string>

using namespace codynamo;
using namespace codynamo::net;

namespace {

net::pool_config limits() {
    net::pool_config config;
    config.max_head_bytes = 1024;
    config.max_body_bytes = 20'000;
    return config;
}

struct result {
    advance state = advance::more;
    unsigned status = 0;
    std::string body;
    std::size_t headers = 0;
    bool reusable = false;
};

// Sends the request whole.
std::string send_request(wire& w) {
    REQUIRE(w.request());
    std::string text;
    for (;;) {
        const auto [first, second] = w.unsent();
        const auto n = first.size() + second.size();
        if (n == 0) return text;
        text.append(first).append(second);
        REQUIRE(w.sent(n));
    }
}

// Feeds in pieces of at most `piece`; stops at the end of the response.
result feed(wire& w, std::string_view text, std::size_t piece, std::string_view head = "GET ") {
    w.begin();
    w.head() = head;
    send_request(w);
    result r;
    while (r.state == advance::more && !text.empty()) {
        const auto space = w.space();
        const auto n = std::min({piece, text.size(), space.size()});
        std::copy_n(text.data(), n, space.data());
        text.remove_prefix(n);
        r.state = w.received(n);
    }
    if (r.state == advance::more) r.state = w.ended();
    if (r.state != advance::done) return r;
    const auto view = w.response();
    r.status = view.status;
    r.body = view.body;
    r.headers = view.headers.size();
    r.reusable = w.reusable() && text.empty();
    return r;
}

wire plain() {
    return wire({false, "h", 80}, limits(), nullptr);
}

std::string chunked(const std::string& body, std::mt19937& random) {
    std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < body.size();) {
        const auto n = std::min<std::size_t>(1 + random() % 900, body.size() - at);
        char size[32];
        std::snprintf(size, sizeof size, "%zx", n);
        text += std::string(size) + (random() % 3 == 0 ? ";ext=\"v\"\r\n" : "\r\n");
        text += body.substr(at, n) + "\r\n";
        at += n;
    }
    return text + (random() % 2 == 0 ? "0\r\n\r\n" : "0\r\nTrailer: x\r\n\r\n");
}

} // namespace

TEST_CASE("responses split at random are read alike, one after the other on the same wire") {
    std::mt19937 random(3);
    auto w = plain();
    w.reset();
    for (int i = 0; i < 400; ++i) {
        std::string body(random() % 19'000, '\0');
        for (auto& c : body)
            c = static_cast<char>(random());
        const bool in_chunks = random() % 2 == 0;
        const auto text = in_chunks ? chunked(body, random)
                                    : "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: " +
                                          std::to_string(body.size()) + "\r\n\r\n" + body;
        const auto piece = 1 + random() % (random() % 2 == 0 ? 5 : 5000);
        const auto r = feed(w, text, piece);
        REQUIRE(r.state == advance::done);
        REQUIRE(r.status == 200);
        REQUIRE(r.body == body);
        REQUIRE(r.headers == (in_chunks ? 1 : 2));
        REQUIRE(r.reusable);
    }
}

TEST_CASE("an end at any byte of a response is noticed") {
    std::mt19937 random(5);
    for (const auto& text : {std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
                             chunked("hello, world", random)})
        for (std::size_t cut = 0; cut < text.size(); ++cut) {
            auto w = plain();
            w.reset();
            const auto r = feed(w, std::string_view(text).substr(0, cut), 1000);
            INFO(cut);
            CHECK(r.state == (cut == 0 ? advance::stale : advance::failed));
            if (cut != 0) CHECK(w.failure().code == errc::connection_lost);
            CHECK_FALSE(w.reusable());
        }
}

// Beast 1.81 asserts that five bytes are there, where the last chunk is the first one too.
TEST_CASE("a chunked answer without content may come byte by byte") {
    const std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    for (const std::size_t piece : {1U, 2U, 3U, 4U, 5U}) {
        wire w = plain();
        const auto r = feed(w, text, piece);
        CHECK(r.state == advance::done);
        CHECK(r.body.empty());
        CHECK(r.reusable);
    }
}

// Newer Beasts consume the line of the last chunk alone: what follows may be two bytes.
TEST_CASE("a chunked answer is complete wherever it is cut in two") {
    for (const std::string body : {"5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n",
                                   "1\r\nx\r\n0\r\nTrailer: of no meaning\r\n\r\n"}) {
        const std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            wire w = plain();
            w.begin();
            w.head() = "GET ";
            send_request(w);
            advance state = advance::more;
            for (const std::string& piece : {text.substr(0, cut), text.substr(cut)}) {
                INFO(body << " cut at " << cut);
                REQUIRE(state == advance::more);
                std::copy(piece.begin(), piece.end(), w.space().data());
                state = w.received(piece.size());
            }
            INFO(body << " cut at " << cut);
            REQUIRE(state == advance::done);
            CHECK(w.response().body == (body[0] == '5' ? "hello" : body[0] == '1' ? "x" : ""));
            CHECK(w.response().headers.size() == 1); // trailers are no headers
            CHECK(w.reusable());
        }
    }
}

TEST_CASE("a transfer coding other than chunked is refused, with a length beside it too") {
    const std::string start = "HTTP/1.1 200 OK\r\n";
    for (const char* fields : {
             "Transfer-Encoding: gzip",
             "Transfer-Encoding: gzip, chunked",
             "Transfer-Encoding: chunked, gzip",
             "Transfer-Encoding: chunked, chunked",
             "Transfer-Encoding: xchunked",
             "Transfer-Encoding:",
             "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
             "Transfer-Encoding: gzip\r\nContent-Length: 15",
             "Transfer-Encoding: chunked\r\nContent-Length: 15",
             "Content-Length: 15\r\nTransfer-Encoding: gzip",
             "Content-Length: 15\r\nTransfer-Encoding: chunked",
         }) {
        INFO(fields);
        auto w = plain();
        w.reset();
        const auto r = feed(w, start + fields + "\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1000);
        CHECK(r.state == advance::failed);
        CHECK(w.failure().code == errc::bad_response);
        CHECK_FALSE(w.reusable());
    }
    for (const char* coding : {"chunked", "Chunked", " \tchunked \t", "\r\n chunked"}) {
        INFO(coding);
        auto w = plain();
        w.reset();
        const auto r = feed(w, start + "Transfer-Encoding:" + coding + "\r\n\r\n0\r\n\r\n", 1000);
        CHECK(r.state == advance::done);
        CHECK(r.reusable);
    }
}

TEST_CASE("a body that only the end delimits and that never begins is lost, not empty") {
    auto w = plain();
    w.reset();
    CHECK(feed(w, "HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 1000).state == advance::failed);
    CHECK(w.failure().code == errc::connection_lost);
    CHECK_FALSE(w.reusable());
    for (const auto* text : {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                             "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n."}) {
        INFO(text);
        auto other = plain();
        other.reset();
        CHECK(feed(other, text, 1000).state == advance::done);
    }
}

TEST_CASE("random bytes never do harm") {
    std::mt19937 random(9);
    const std::string alphabet = "HTTP/1.1 200 OK\r\n\r\nContent-Length: 5chunked0;";
    for (int i = 0; i < 20'000; ++i) {
        std::string text = random() % 2 == 0 ? "HTTP/1.1 200 OK\r\n" : "";
        if (random() % 3 == 0) text += "Transfer-Encoding: chunked\r\n\r\n";
        const auto n = random() % 60;
        for (std::size_t k = 0; k < n; ++k)
            text += alphabet[random() % alphabet.size()];
        auto w = plain();
        w.reset();
        (void)feed(w, text, 1 + random() % 30);
    }
    SUCCEED();
}

TEST_CASE("a head may have its bound to the byte, however it is cut and whatever it consists of") {
    const auto padded = [](std::string head, std::size_t size, std::string_view more) {
        while (head.size() + more.size() + 4 <= size)
            head += more;
        return head + std::string(size - head.size() - 4, 'x') + "\r\n\r\n";
    };
    const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: ";
    for (const std::string_view more : {"x", "v\r\nX-B: ", "v\r\n folded \r\n\t", "   \t   "})
        for (const std::size_t size : {1023U, 1024U, 1025U, 1040U})
            for (const std::string_view before : {"", "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"})
                for (const std::size_t piece : {1U, 3U, 17U, 1000U, 1024U, 5000U}) {
                    INFO(size << " bytes of " << more << " in pieces of " << piece);
                    auto w = plain();
                    w.reset();
                    const auto head = padded(start, size, more);
                    REQUIRE(head.size() == size);
                    const auto got = feed(w, std::string(before) + head + "{}", piece);
                    CHECK(got.state == (size <= 1024 ? advance::done : advance::failed));
                    CHECK(got.body == (size <= 1024 ? "{}" : ""));
                    if (size > 1024) CHECK(w.failure().code == errc::response_too_large);
                }
}

TEST_CASE("trailers that come byte by byte end before they have cost much") {
    auto large = limits();
    large.max_body_bytes = 64 * 1024 * 1024;
    const std::string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ";
    const auto bytes_until_refused = [&](std::size_t at_once) {
        wire w({false, "h", 80}, large, nullptr);
        w.reset();
        w.begin();
        w.head() = "GET ";
        send_request(w);
        auto state = advance::more;
        const std::string flood = start + std::string(at_once, 'x');
        for (std::string_view rest = flood; !rest.empty() && state == advance::more;) {
            const auto space = w.space();
            const auto n = std::min(rest.size(), space.size());
            std::copy_n(rest.data(), n, space.data());
            rest.remove_prefix(n);
            state = w.received(n);
        }
        std::size_t count = 0;
        for (; state == advance::more && count < 100'000; ++count) {
            w.space().front() = 'x';
            state = w.received(1);
        }
        CHECK(state == advance::failed);
        CHECK(w.failure().code == errc::response_too_large);
        return count;
    };
    CHECK(bytes_until_refused(2'000'000) < 100);
    CHECK(bytes_until_refused(10'000) < 10'000);
}

TEST_CASE("a folded header beyond what the parser holds is called that") {
    auto large = limits();
    large.max_head_bytes = 64 * 1024;
    wire w({false, "h", 80}, large, nullptr);
    w.reset();
    const auto r =
        feed(w, "HTTP/1.1 200 OK\r\nX: a\r\n " + std::string(5000, 'x') + "\r\n\r\n", 700);
    CHECK(r.state == advance::failed);
    CHECK_THAT(w.failure().message, Catch::Contains("folded"));
}

TEST_CASE("a body is refused as soon as its promised length is over the limit") {
    auto w = plain();
    w.reset();
    const auto r = feed(w, "HTTP/1.1 200 OK\r\nContent-Length: 20001\r\n\r\n", 1000);
    CHECK(r.state == advance::failed);
    CHECK(w.failure().code == errc::response_too_large);
}

TEST_CASE("a body without a bound is read as any other") {
    std::mt19937 random(11);
    net::pool_config config;
    config.max_body_bytes = SIZE_MAX;
    const std::string body(300'000, 'b');
    for (const auto& text :
         {"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body, chunked(body, random)})
        for (const std::size_t piece : {std::size_t{7}, std::size_t{5000}}) {
            wire w({false, "h", 80}, config, nullptr);
            w.reset();
            const auto r = feed(w, text, piece);
            INFO(w.failure().message);
            REQUIRE(r.state == advance::done);
            CHECK(r.body == body);
        }
}

TEST_CASE("a request is head and body, as two pieces when plain and worth it") {
    auto w = plain();
    w.reset();
    const std::string head = "POST / HTTP/1.1\r\n\r\n";
    for (const std::size_t size : {0U, 7U, 4096U, 4097U, 100'000U}) {
        const std::string body(size, 'b');
        w.begin();
        CHECK(w.head().empty());
        CHECK(w.body().empty());
        w.head() += head;
        w.body() += body;
        REQUIRE(w.request());
        const auto pieces = w.unsent();
        INFO(size);
        CHECK(pieces[1].empty() == (size <= 4096));
        CHECK(std::string(pieces[0]).append(pieces[1]) == head + body);
    }
}

TEST_CASE("a request is sent in pieces of any size") {
    auto w = plain();
    w.reset();
    const std::string head = "POST / HTTP/1.1\r\n\r\n", body(5000, 'b');
    for (const std::size_t piece : {std::size_t{1}, head.size(), std::size_t{4000}}) {
        w.begin();
        w.head() += head;
        w.body() += body;
        REQUIRE(w.request());
        std::string seen;
        for (;;) {
            const auto [first, second] = w.unsent();
            const auto rest = std::string(first).append(second).substr(0, piece);
            if (rest.empty()) break;
            seen += rest;
            REQUIRE(w.sent(rest.size()));
        }
        CHECK(seen == head + body);
    }
}

TEST_CASE("a connection whose response came before the request was sent whole is not reused") {
    for (const bool whole : {false, true}) {
        auto w = plain();
        w.reset();
        w.begin();
        w.head() = "POST / HTTP/1.1\r\n\r\n";
        w.body() = std::string(5000, 'b');
        const auto size = w.head().size() + w.body().size();
        REQUIRE(w.request());
        REQUIRE(w.sent(whole ? size : size - 1));
        const std::string text = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
        std::copy(text.begin(), text.end(), w.space().data());
        REQUIRE(w.received(text.size()) == advance::done);
        CHECK(w.response().status == 413);
        CHECK(w.reusable() == whole);
    }
}
