// SPDX-License-Identifier: BSL-1.0
// TLS servers that refuse the client, renegotiate, or do not resume a session.
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/harness.hpp"
#include "support/scripted_server.hpp"
#include "support/tap.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/dynamodb/client.hpp>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

struct refusing_server {
    const char* name;
    bool demands_certificate;
    bool only_tls_1_2;
    const char* ciphers;
    const char* words;
};

// The certificate's key is not one of RSA.
const refusing_server refusing_servers[] = {
    {"demands a certificate, TLS 1.3", true, false, "", "certificate required"},
    {"demands a certificate, TLS 1.2", true, true, "", "handshake failure"},
    {"no cipher in common", false, true, "AES256-SHA", "handshake failure"},
};

std::shared_ptr<const stub_tls> identity(const authority& ca, const refusing_server& r = {}) {
    const auto leaf = ca.issue({.dns_names = {"localhost"}, .addresses = {}});
    stub_tls tls{leaf.certificate_pem, leaf.key_pem};
    tls.demands_certificate = r.demands_certificate;
    tls.only_tls_1_2 = r.only_tls_1_2;
    if (r.ciphers) tls.ciphers = r.ciphers;
    return std::make_shared<stub_tls>(std::move(tls));
}

std::shared_ptr<net::transport> transport_to(const scripted_server& server, const authority& ca) {
    return net::make_transport(loopback(server.port(), true, "localhost"), {},
                               {.ca_file = ca.ca_file()}, {});
}

} // namespace

TEST_CASE("a server that refuses the client's side of the handshake has seen no request") {
    const authority ca;
    for (const auto& r : refusing_servers)
        for (const std::size_t size : {0U, 3'000'000U}) {
            INFO(r.name << ", " << size << " bytes");
            scripted_server server(
                {.turns = {{{read_request(), say(response("ok"))}}}, .tls = identity(ca, r)});
            asio::io_context io;
            const auto transport = transport_to(server, ca);
            remembering_exchange what("/", std::string(size, 'b'));
            const auto outcome = run(io, transport->send(what, {}));
            INFO(outcome.message);
            CHECK(outcome.code == errc::tls_failed);
            CHECK_FALSE(outcome.sent);
            CHECK_THAT(outcome.message, Catch::Contains(r.words));
            CHECK_THAT(outcome.message, Catch::Contains("TLS handshake"));
            CHECK(transport->stats().open == 0);
            CHECK(server.requests().empty());
        }
}

TEST_CASE("a write that a TLS server refuses is not retried, and its outcome is known") {
    const authority ca;
    for (const auto& r : refusing_servers) {
        INFO(r.name);
        scripted_server server(
            {.turns = {{{read_request(), say(response("{}"))}}}, .tls = identity(ca, r)});
        dynamodb::client_config config;
        config.region = "us-east-1";
        config.endpoint = "https://localhost:" + std::to_string(server.port());
        config.tls.ca_file = ca.ca_file();
        config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
        config.retry.base = 1ms;
        config.env = testing_support::tapped();
        config.env.variable = [](const char*) { return std::nullopt; };
        const dynamodb::client client(config);
        asio::io_context io;
        const auto put = [&]() -> asio::awaitable<void> {
            dynamodb::put_item_input in;
            in.table_name = "table";
            in.item = {{"key", "k"}};
            const auto answer = co_await dynamodb::client(client).attempt(in);
            REQUIRE_FALSE(answer.has_value());
            CHECK(answer.error().code == errc::tls_failed);
            REQUIRE(answer.error().info);
            CHECK_FALSE(answer.error().info->outcome_unknown);
        };
        run(io, put());
        CHECK(server.connections() == 1);
    }
}

TEST_CASE("a server of TLS 1.2 that wants to renegotiate does not harm the next exchange") {
    const authority ca;
    const std::vector<act> renegotiating{read_request(), say(response("one")), renegotiate()};
    scripted_server server({.turns = {{renegotiating}, {{read_request(), say(response("two"))}}},
                            .tls = identity(ca, {"", false, true, "", ""})});
    asio::io_context io;
    const auto transport = transport_to(server, ca);
    for (const auto wait : {0ms, 0ms, 30ms}) {
        std::this_thread::sleep_for(wait);
        remembering_exchange what;
        const auto outcome = run(io, transport->send(what, {.replay_safe = true}));
        INFO(outcome.message);
        REQUIRE_FALSE(outcome.code);
    }
}

TEST_CASE("a session that a server cannot resume is not offered again") {
    const authority ca;
    const std::vector<act> once{read_request(), say(response("ok", 200, "Connection: close\r\n")),
                                end()};
    const std::string handshake_failure("\x15\x03\x03\x00\x02\x02\x28", 7);
    for (const bool only_1_2 : {false, true}) {
        scripted_server server(
            {.turns = {{once}, {{read_some(), say(handshake_failure), end()}, true}, {once}},
             .tls = identity(ca, {"", false, only_1_2, "", ""})});
        asio::io_context io;
        const auto transport = transport_to(server, ca);
        const auto send = [&] {
            remembering_exchange what;
            return run(io, transport->send(what, {})).code;
        };
        CHECK_FALSE(send());
        CHECK(send() == errc::connect_failed); // worth another attempt, without the session
        CHECK_FALSE(send());
        CHECK(transport->stats().resumed == 0);
        CHECK_FALSE(send());
        CHECK(transport->stats().resumed == 1);
    }
}

TEST_CASE("what is no TLS after the handshake does not mean that the request was refused") {
    const authority ca;
    scripted_server server(
        {.turns = {{{read_request(),
                     say_raw(std::string("\x17\x09\x09\x00\x10", 5) + std::string(16, 'x')),
                     wait_end()}}},
         .tls = identity(ca)});
    asio::io_context io;
    const auto transport = transport_to(server, ca);
    remembering_exchange what;
    const auto outcome = run(io, transport->send(what, {}));
    INFO(outcome.message);
    CHECK(outcome.code == errc::connection_lost);
    CHECK(outcome.sent); // the server may have done what was asked
}
