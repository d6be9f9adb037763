// SPDX-License-Identifier: BSL-1.0
// TLS: whom we trust, what we refuse, and what is resumed.
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/harness.hpp"
#include "support/stub_server.hpp"

#include <cstdlib>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

enum class version { any, only_1_1, only_1_2 };

std::shared_ptr<const stub_tls> identity(const certificate& c, version v = version::any) {
    return std::make_shared<stub_tls>(
        stub_tls{c.certificate_pem, c.key_pem, v == version::only_1_1, v == version::only_1_2});
}

std::string ok_answer(const std::string&) {
    return response("ok");
}

struct outcome_of {
    net::send_outcome outcome;
    net::transport_stats stats;
};

outcome_of try_once(stub_server& server, const std::string& host, net::tls_config config) {
    asio::io_context io;
    const auto transport = net::make_transport(loopback(server.port(), true, host), {}, config, {});
    remembering_exchange what;
    auto outcome = run(io, transport->send(what, {}));
    if (!outcome.code) CHECK(what.body == "ok");
    return {std::move(outcome), transport->stats()};
}

} // namespace

TEST_CASE("a server whose certificate has the right name or address is trusted") {
    const authority ca;
    stub_server server(
        {.answer = ok_answer,
         .tls = identity(ca.issue({.dns_names = {"localhost"}, .addresses = {"127.0.0.1"}}))});
    for (const auto* host : {"localhost", "127.0.0.1"}) {
        const auto [outcome, stats] = try_once(server, host, {.ca_file = ca.ca_file()});
        INFO(outcome.message);
        CHECK_FALSE(outcome.code);
        CHECK(stats.opened == 1);
    }
}

namespace {

/// A certificate that must be refused by those who trust `trusted`.
struct refused {
    const char* name;
    certificate shown;
    std::string trusted; // a PEM file; empty for the system's own trust
    const char* words;
    std::string host = "localhost";
    version v = version::any;
};

std::vector<refused> refused_certificates(const authority& ca, const authority& stranger,
                                          const authority& former) {
    const certificate_request good{.dns_names = {"localhost"}, .addresses = {}};
    const auto with = [&](auto change) {
        certificate_request what = good;
        change(what);
        return ca.issue(what);
    };
    const auto& ours = ca.ca_file();
    return {
        {"wrong name", with([](auto& c) { c.dns_names = {"example.com"}; }), ours,
         "hostname mismatch"},
        {"a name below", with([](auto& c) { c.dns_names = {"www.localhost"}; }), ours,
         "hostname mismatch"},
        {"a wildcard for everything", with([](auto& c) { c.dns_names = {"*"}; }), ours,
         "hostname mismatch"},
        {"a wildcard within a label", with([](auto& c) { c.dns_names = {"local*"}; }), ours,
         "hostname mismatch"},
        {"the name as common name only", with([](auto& c) {
             c.dns_names.clear();
             c.common_name = "localhost";
         }),
         ours, "hostname mismatch"},
        {"no name of an address", ca.issue(good), ours, "IP address mismatch", "127.0.0.1"},
        {"another address", with([](auto& c) { c.addresses = {"127.0.0.2"}; }), ours,
         "IP address mismatch", "127.0.0.1"},
        {"an address as a name", with([](auto& c) { c.dns_names = {"127.0.0.1"}; }), ours,
         "IP address mismatch", "127.0.0.1"},
        {"expired", with([](auto& c) { c.expired = true; }), ours, "certificate has expired"},
        {"not yet valid", with([](auto& c) { c.not_yet_valid = true; }), ours, "not yet valid"},
        {"of an authority that has expired", former.issue(good), former.ca_file(),
         "certificate has expired"},
        {"self-signed", ca.self_signed(good), ours, "self-signed certificate"},
        {"of another authority", ca.issue(good), stranger.ca_file(),
         "unable to get local issuer certificate"},
        {"unknown to the system", ca.issue(good), "", "unable to get local issuer certificate"},
        {"of somebody who may not sign", ca.issued_by_a_leaf(good), ours, "invalid CA certificate"},
        {"for clients only", with([](auto& c) { c.extended_key_usage = "clientAuth"; }), ours,
         "certificate purpose"},
        {"for mail only", with([](auto& c) { c.extended_key_usage = "emailProtection"; }), ours,
         "certificate purpose"},
        {"signed by way of SHA-1", with([](auto& c) { c.sha1 = true; }), ours, "too weak"},
        {"a key of 768 bits", with([](auto& c) { c.rsa_768 = true; }), ours, "key too weak"},
        {"TLS 1.1", ca.issue(good), ours, "protocol version", "localhost", version::only_1_1},
    };
}

/// Sets SSL_CERT_FILE while it lives.
class system_trust {
public:
    explicit system_trust(const std::string& file) {
        if (!file.empty()) ::setenv("SSL_CERT_FILE", file.c_str(), 1);
    }
    ~system_trust() { ::unsetenv("SSL_CERT_FILE"); }
    system_trust(const system_trust&) = delete;
    system_trust& operator=(const system_trust&) = delete;
};

} // namespace

TEST_CASE("who cannot be trusted is refused, with the reason") {
    const authority ca, stranger, former(true);
    const bool by_file = GENERATE(true, false);
    for (const auto& r : refused_certificates(ca, stranger, former)) {
        INFO(r.name << (by_file ? ", by a CA file" : ", by the system's trust"));
        const system_trust trust(by_file ? "" : r.trusted);
        stub_server server({.answer = ok_answer, .tls = identity(r.shown, r.v)});
        const auto [outcome, stats] =
            try_once(server, r.host, {.ca_file = by_file ? r.trusted : ""});
        CHECK(outcome.code == errc::tls_failed);
        CHECK_FALSE(outcome.sent);
        CHECK_THAT(outcome.message, Catch::Contains(r.words));
        CHECK_THAT(outcome.message, Catch::Contains(r.host));
        CHECK(stats.open == 0);
        CHECK(stats.opened == 0);
        CHECK(server.requests() == 0);
    }
}

TEST_CASE("verification can be switched off, for experiments") {
    const authority ca;
    stub_server server(
        {.answer = ok_answer, .tls = identity(ca.self_signed({.dns_names = {}, .addresses = {}}))});
    const auto [outcome, stats] =
        try_once(server, "localhost", {.dangerously_skip_certificate_verification = true});
    CHECK_FALSE(outcome.code);
}

TEST_CASE("SSL_CERT_FILE names the system's trust store") {
    const authority ca;
    stub_server server({.answer = ok_answer,
                        .tls = identity(ca.issue({.dns_names = {"localhost"}, .addresses = {}}))});
    const system_trust trust(ca.ca_file());
    const auto [outcome, stats] = try_once(server, "localhost", {});
    INFO(outcome.message);
    CHECK_FALSE(outcome.code);
}

namespace {

/// What a server does that gives up the handshake so.
std::vector<act> alert(int description) {
    const char level = description == 0 ? 1 : 2;
    std::string record("\x15\x03\x03\x00\x02", 5);
    record += {level, static_cast<char>(description)};
    return {say(record), wait_end()};
}

} // namespace

TEST_CASE("a handshake that an alert ends is not blamed on a certificate that nobody checks") {
    stub_server server({.connections = {alert(80)}});
    const auto [outcome, stats] =
        try_once(server, "localhost", {.dangerously_skip_certificate_verification = true});
    CHECK(outcome.code == errc::connect_failed);
    CHECK_THAT(outcome.message, Catch::Contains("internal error"));
}

TEST_CASE("a plain server, and one that ends during the handshake, are not mistaken for TLS") {
    struct row {
        const char* name;
        std::vector<act> script;
        errc code; // connect_failed is worth another attempt, tls_failed is not
    };
    const row rows[] = {
        {"plain", {say("HTTP/1.1 400 Bad Request\r\n\r\n"), wait_end()}, errc::tls_failed},
        {"close_notify", alert(0), errc::connect_failed},
        {"unexpected_message", alert(10), errc::connect_failed},
        {"record_overflow", alert(22), errc::tls_failed},
        {"handshake_failure", alert(40), errc::tls_failed},
        {"no_certificate", alert(41), errc::tls_failed},
        {"illegal_parameter", alert(47), errc::connect_failed},
        {"decode_error", alert(50), errc::connect_failed},
        {"decrypt_error", alert(51), errc::connect_failed},
        {"internal_error", alert(80), errc::connect_failed},
        {"user_canceled", alert(90), errc::connect_failed},
        {"bad_certificate", alert(42), errc::tls_failed},
        {"unknown_ca", alert(48), errc::tls_failed},
        {"access_denied", alert(49), errc::tls_failed},
        {"protocol_version", alert(70), errc::tls_failed},
        {"insufficient_security", alert(71), errc::tls_failed},
        {"unrecognized_name", alert(112), errc::tls_failed},
        {"inappropriate_fallback", alert(86), errc::tls_failed},
        {"missing_extension", alert(109), errc::tls_failed},
        {"unsupported_extension", alert(110), errc::tls_failed},
        {"certificate_required", alert(116), errc::tls_failed},
        {"no_application_protocol", alert(120), errc::tls_failed},
        {"a record that is too large",
         {say(std::string("\x16\x03\x03\xff\xff\x02", 6)), wait_end()},
         errc::tls_failed},
        {"a message that is too large",
         {say(std::string("\x16\x03\x03\x00\x04\x02\xff\xff\xff", 9)), wait_end()},
         errc::tls_failed},
        {"an alert without its end",
         {say(std::string("\x15\x03\x03\x00\x02\x02", 6)), end()},
         errc::connect_failed},
        {"garbage", {say(std::string(300, '\x7f')), wait_end()}, errc::tls_failed},
        {"a record of nonsense",
         {say(std::string("\x16\x03\x03\x00\x04\x63\x00\x00\x00", 9)), wait_end()},
         errc::connect_failed},
        {"end", {end()}, errc::connect_failed},
        {"reset", {pause(20ms), reset()}, errc::connect_failed},
    };
    for (const auto& r : rows) {
        INFO(r.name);
        stub_server server({.connections = {r.script}});
        const auto [outcome, stats] = try_once(server, "127.0.0.1", {});
        INFO(outcome.message);
        CHECK(outcome.code == r.code);
        CHECK_FALSE(outcome.sent);
        CHECK_THAT(outcome.message, Catch::Contains("TLS handshake with 127.0.0.1:"));
        CHECK(stats.open == 0);
    }
}

TEST_CASE("a CA file that cannot be loaded is an error at once") {
    CHECK_THROWS_WITH(net::make_transport(loopback(1, true), {}, {.ca_file = "/no/such/file"}, {}),
                      Catch::Contains("/no/such/file") && Catch::Contains("No such file"));
}

TEST_CASE("new connections resume the session of earlier ones") {
    const authority ca;
    for (const auto v : {version::any, version::only_1_2}) {
        stub_server server(
            {.connections = {{read_request(), say(response("ok", 200, "Connection: close\r\n")),
                              end()}},
             .tls = identity(ca.issue({.dns_names = {"localhost"}, .addresses = {}}), v)});
        asio::io_context io;
        const auto transport = net::make_transport(loopback(server.port(), true, "localhost"), {},
                                                   {.ca_file = ca.ca_file()}, {});
        for (int i = 0; i < 4; ++i) {
            remembering_exchange what;
            const auto outcome = run(io, transport->send(what, {}));
            INFO(outcome.message);
            REQUIRE_FALSE(outcome.code);
        }
        CHECK(transport->stats().opened == 4);
        CHECK(transport->stats().resumed == 3);
    }
}

TEST_CASE("one TLS connection serves many, with bodies larger than a record") {
    const authority ca;
    const std::string big(3'000'000, 'b');
    stub_server server({.answer =
                            [&](const std::string& request) {
                                return response(std::to_string(request.size()) + big);
                            },
                        .tls = identity(ca.issue({.dns_names = {"localhost"}, .addresses = {}}))});
    asio::io_context io;
    const auto transport = net::make_transport(loopback(server.port(), true, "localhost"), {},
                                               {.ca_file = ca.ca_file()}, {});
    for (const std::size_t size : {std::size_t{0}, std::size_t{100'000}, std::size_t{2'000'000}}) {
        remembering_exchange what("/", std::string(size, 'q'));
        const auto outcome = run(io, transport->send(what, {}));
        INFO(outcome.message);
        REQUIRE_FALSE(outcome.code);
        CHECK(what.body.size() > big.size());
        CHECK(std::stoul(what.body) > size);
    }
    CHECK(server.connections() == 1);
    CHECK(transport->stats().idle == 1);
}

TEST_CASE("a TLS connection that ends without close_notify") {
    const authority ca;
    const auto leaf = ca.issue({.dns_names = {"localhost"}, .addresses = {}});
    struct row {
        const char* name;
        std::vector<act> script;
        boost::system::error_code code;
    };
    const row rows[] = {
        {"in the middle of a body",
         {read_request(), say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), drop()},
         errc::connection_lost},
        {"at the end of a body without length",
         {read_request(), say("HTTP/1.1 200 OK\r\n\r\nmay be all"), drop()},
         errc::connection_lost},
        {"after a body that is complete by its length",
         {read_request(), say(response("ok")), drop()},
         {}},
        {"with close_notify, at the end of a body without length",
         {read_request(), say("HTTP/1.1 200 OK\r\n\r\nall"), end()},
         {}},
        {"before the response", {read_request(), drop()}, errc::connection_lost},
    };
    for (const auto& r : rows) {
        INFO(r.name);
        stub_server server({.connections = {r.script}, .tls = identity(leaf)});
        asio::io_context io;
        const auto transport = net::make_transport(loopback(server.port(), true, "localhost"), {},
                                                   {.ca_file = ca.ca_file()}, {});
        remembering_exchange what;
        const auto outcome = run(io, transport->send(what, {}));
        INFO(outcome.message);
        CHECK(outcome.code == r.code);
    }
}

TEST_CASE("dead idle TLS connections are noticed, and dying ones are replayed") {
    const authority ca;
    const auto leaf = ca.issue({.dns_names = {"localhost"}, .addresses = {}});
    const std::vector<act> living{read_request(), say(response("two")), wait_end()};
    const auto third = {
        std::vector<act>{read_request(), say(response("one")), end()},
        std::vector<act>{read_request(), say(response("one")), drop()},
        std::vector<act>{read_request(), say(response("one")), read_request(), drop()}};
    for (const auto& dying : third) {
        stub_server server({.connections = {dying, living}, .tls = identity(leaf)});
        asio::io_context io;
        const auto transport = net::make_transport(loopback(server.port(), true, "localhost"), {},
                                                   {.ca_file = ca.ca_file()}, {});
        remembering_exchange what;
        REQUIRE_FALSE(run(io, transport->send(what, {})).code);
        std::this_thread::sleep_for(20ms);
        const auto outcome = run(io, transport->send(what, {.replay_safe = true}));
        INFO(outcome.message);
        REQUIRE_FALSE(outcome.code);
        CHECK(what.body == "two");
    }
}
