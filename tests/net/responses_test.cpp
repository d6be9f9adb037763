// SPDX-License-Identifier: BSL-1.0
// What servers say, rightly or wrongly, and what becomes of it.
#include "support/catch.hpp"
#include "support/harness.hpp"
#include "support/stub_server.hpp"
#include "support/tap.hpp"

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

net::pool_config small_limits() {
    net::pool_config config;
    config.max_head_bytes = 4096;
    config.max_body_bytes = 100'000;
    return config;
}

struct fixture {
    explicit fixture(stub_config script, net::pool_config config = small_limits())
        : server(std::move(script)), transport(net::make_transport(loopback(server.port()), config,
                                                                   {}, testing_support::tapped())) {
    }

    net::send_outcome send(net::exchange& what, net::send_options options = {}) {
        return run(io, transport->send(what, options));
    }

    stub_server server;
    asio::io_context io;
    std::shared_ptr<net::transport> transport;
};

std::vector<act> in_pieces(const std::string& text, std::size_t size) {
    std::vector<act> script{read_request()};
    for (std::size_t at = 0; at < text.size(); at += size) {
        script.push_back(say(text.substr(at, size)));
        script.push_back(pause(1ms));
    }
    script.push_back(wait_end());
    return script;
}

struct spoken {
    const char* name;
    std::vector<act> script; // after the request
    unsigned status;
    std::string body;
    std::size_t open_after; // 1: the connection may be used again
    const char* method = "POST";
};

std::vector<spoken> good_responses() {
    const std::string big(90'000, 'x');
    return {
        {"a body of known length", {say(response("hello")), wait_end()}, 200, "hello", 1},
        {"an empty body", {say(response("")), wait_end()}, 200, "", 1},
        {"an error status is a response too", {say(response("no", 500)), wait_end()}, 500, "no", 1},
        {"a big body", {say(response(big)), wait_end()}, 200, big, 1},
        {"chunks with extension and trailer",
         {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, "
              "world\r\n0\r\nT: 1\r\n\r\n"),
          wait_end()},
         200,
         "hello, world",
         1},
        {"no length: until the end",
         {say("HTTP/1.1 200 OK\r\n\r\nuntil the"), pause(5ms), say(" end"), end()},
         200,
         "until the end",
         0},
        {"HTTP/1.0 closes",
         {say("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), wait_end()},
         200,
         "ok",
         0},
        {"HTTP/1.0 with keep-alive does not",
         {say("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"),
          wait_end()},
         200,
         "ok",
         1},
        {"Connection: close",
         {say(response("bye", 200, "Connection: close\r\n")), wait_end()},
         200,
         "bye",
         0},
        {"bytes behind the response", {say(response("ok") + "?"), wait_end()}, 200, "ok", 0},
        {"100 Continue is skipped",
         {say("HTTP/1.1 100 Continue\r\n\r\n"), pause(5ms), say(response("ok")), wait_end()},
         200,
         "ok",
         1},
        {"100 and the response in one piece",
         {say("HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" + response("ok")), wait_end()},
         200,
         "ok",
         1},
        {"HEAD has a length and no body",
         {say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), wait_end()},
         200,
         "",
         1,
         "HEAD"},
        {"204 has no body", {say("HTTP/1.1 204 No Content\r\n\r\n"), wait_end()}, 204, "", 1},
        {"complete by length, then RST", {say(response("ok")), reset()}, 200, "ok", 1},
    };
}

struct misspoken {
    const char* name;
    std::vector<act> script; // after the request
    errc code;
    const char* words;
};

std::vector<misspoken> bad_responses() {
    return {
        {"garbage", {say("SSH-2.0-OpenSSH_9.2\r\n\r\n"), wait_end()}, errc::bad_response, "HTTP"},
        {"a body shorter than promised",
         {say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"), end()},
         errc::connection_lost,
         "in the middle"},
        {"an end within the head",
         {say("HTTP/1.1 200 OK\r\nContent-Le"), end()},
         errc::connection_lost,
         "in the middle"},
        {"an end within a chunk",
         {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"), end()},
         errc::connection_lost,
         "in the middle"},
        {"RST within the body",
         {say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"), pause(20ms), reset()},
         errc::connection_lost,
         "in the middle"},
        {"an end before the response", {end()}, errc::connection_lost, "before the response"},
        {"RST before the response", {reset()}, errc::connection_lost, "before the response"},
        {"a length that is no number",
         {say("HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n"), wait_end()},
         errc::bad_response,
         "HTTP"},
        {"two lengths that differ",
         {say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), wait_end()},
         errc::bad_response,
         "HTTP"},
        {"length and chunks at once",
         {say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
          wait_end()},
         errc::bad_response,
         "HTTP"},
        {"a chunk size that is no number",
         {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), wait_end()},
         errc::bad_response,
         "HTTP"},
        {"a promised body over the limit",
         {say("HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"), wait_end()},
         errc::response_too_large,
         "100000"},
        {"chunks over the limit",
         {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n"), wait_end()},
         errc::response_too_large,
         "100000"},
        {"an endless body without length",
         {say("HTTP/1.1 200 OK\r\n\r\n" + std::string(200'000, 'x')), wait_end()},
         errc::response_too_large,
         "100000"},
        {"a head over the limit",
         {say("HTTP/1.1 200 OK\r\nA: " + std::string(5000, 'a') + "\r\n\r\n"), wait_end()},
         errc::response_too_large,
         "4096"},
        {"many small fields over the limit",
         {say([] {
              std::string text = "HTTP/1.1 200 OK\r\n";
              for (int i = 0; i < 1000; ++i)
                  text += "A: b\r\n";
              return text + "\r\n";
          }()),
          wait_end()},
         errc::response_too_large,
         "4096"},
        {"101 was not asked for",
         {say("HTTP/1.1 101 Switching\r\n\r\n"), wait_end()},
         errc::bad_response,
         "1xx"},
    };
}

} // namespace

TEST_CASE("responses of all shapes are read, whole and in pieces") {
    for (const auto& row : good_responses()) {
        INFO(row.name);
        auto script = row.script;
        script.insert(script.begin(), read_request());
        fixture f({.connections = {script}});
        remembering_exchange exchange("/", "{}", row.method);
        const auto outcome = f.send(exchange);
        INFO(outcome.message);
        REQUIRE_FALSE(outcome.code);
        CHECK(outcome.sent);
        CHECK(exchange.status == row.status);
        CHECK(exchange.body == row.body);
        CHECK(f.transport->stats().open == row.open_after);
        CHECK(f.transport->stats().idle == row.open_after);
    }
}

TEST_CASE("a response arrives in the smallest pieces") {
    const std::string plain = response("some body", 201, "X-One: 1\r\nx-two:  two words \r\n");
    const std::string chunked = "HTTP/1.1 201 Said\r\nX-One: 1\r\nx-two:  two words "
                                "\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n5\r\n "
                                "body\r\n0\r\n\r\n";
    for (const auto& text : {plain, chunked})
        for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{17}}) {
            fixture f({.connections = {in_pieces(text, size)}});
            remembering_exchange exchange;
            const auto outcome = f.send(exchange);
            INFO(outcome.message);
            REQUIRE_FALSE(outcome.code);
            CHECK(exchange.status == 201);
            CHECK(exchange.body == "some body");
            REQUIRE(exchange.headers.size() == 3);
            CHECK(exchange.headers[0] == std::pair<std::string, std::string>("X-One", "1"));
            CHECK(exchange.headers[1] == std::pair<std::string, std::string>("x-two", "two words"));
            CHECK(f.transport->stats().idle == 1);
        }
}

TEST_CASE("a folded header is put together") {
    fixture f({.connections = {
                   {read_request(), say(response("ok", 200, "A: one\r\n two\r\n")), wait_end()}}});
    remembering_exchange exchange;
    REQUIRE_FALSE(f.send(exchange).code);
    CHECK(exchange.headers.front() == std::pair<std::string, std::string>("A", "one two"));
}

TEST_CASE("wrong responses become clear errors, and their connection is not used again") {
    for (const auto& row : bad_responses()) {
        INFO(row.name);
        auto script = row.script;
        script.insert(script.begin(), read_request());
        fixture f({.connections = {script}});
        remembering_exchange exchange;
        const auto outcome = f.send(exchange, {.replay_safe = true});
        CHECK(outcome.code == row.code);
        CHECK(outcome.sent);
        CHECK_THAT(outcome.message, Catch::Contains(row.words));
        CHECK_THAT(outcome.message, Catch::Contains("127.0.0.1:"));
        CHECK(exchange.reads == 0);
        CHECK(exchange.writes == 1);
        CHECK(f.transport->stats().open == 0);
    }
}

TEST_CASE("a large request is sent whole, though the server is slow to read") {
    const std::string content(8 * 1024 * 1024, 'q');
    fixture f(
        {.connections = {{pause(50ms), read_request(), say(response("got it")), wait_end()}}});
    remembering_exchange exchange("/", content);
    const auto outcome = f.send(exchange);
    REQUIRE_FALSE(outcome.code);
    CHECK(exchange.body == "got it");
    REQUIRE(f.server.seen().size() == 1);
    CHECK(f.server.seen()[0].size() > content.size());
    CHECK(f.server.seen()[0].ends_with("qqq"));
}

TEST_CASE("after a huge response small ones are read as before") {
    const std::string huge(20'000'000, 'h');
    net::pool_config config;
    fixture f({.answer =
                   [&](const std::string& request) {
                       return response(request.starts_with("POST /huge") ? huge : "small");
                   }},
              config);
    for (int i = 0; i < 3; ++i) {
        remembering_exchange big("/huge");
        REQUIRE_FALSE(f.send(big).code);
        CHECK(big.body == huge);
        remembering_exchange little("/little");
        REQUIRE_FALSE(f.send(little).code);
        CHECK(little.body == "small");
    }
    CHECK(f.server.connections() == 1);
}

TEST_CASE("what an exchange throws is thrown, and the connection stays") {
    fixture f({.answer = [](const std::string&) { return response("ok"); }});
    remembering_exchange good;
    REQUIRE_FALSE(f.send(good).code);

    remembering_exchange cannot_write;
    cannot_write.on_write = [] { throw std::runtime_error("cannot write"); };
    CHECK_THROWS_WITH(f.send(cannot_write), "cannot write");
    CHECK(f.transport->stats().idle == 1);

    remembering_exchange cannot_read;
    cannot_read.on_read = [] { throw std::runtime_error("cannot read"); };
    CHECK_THROWS_WITH(f.send(cannot_read), "cannot read");
    CHECK(f.transport->stats().idle == 1);

    REQUIRE_FALSE(f.send(good).code);
    CHECK(f.server.connections() == 1);
    CHECK(f.server.requests() == 3);
}
