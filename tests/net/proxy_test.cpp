// SPDX-License-Identifier: BSL-1.0
// Through a proxy: the tunnel, TLS within it, and proxies that will not have us.
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/connect_proxy.hpp"
#include "support/first_step.hpp"
#include "support/harness.hpp"
#include "support/log_lines.hpp"
#include "support/stub_server.hpp"
#include "support/tap.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

// "tester:pass word" in base64; not a secret of anybody's.
constexpr auto credentials = "Basic dGVzdGVyOnBhc3Mgd29yZA==";
constexpr auto user_info = "tester:pass%20word";

/// A server behind a proxy, under a name that only the proxy knows.
struct fixture {
    explicit fixture(proxy_script script, bool over_tls = false, std::string who = "")
        : tls(over_tls), user(std::move(who)), server({.answer = answer, .tls = identity()}),
          proxy(to(std::move(script), server.port())) {
        env.log.level = log_level::debug;
        env.log.sink = log.sink();
        env = testing_support::tapped(std::move(env));
        env.variable = [this](const char* name) -> std::optional<std::string> {
            if (std::string_view(name) == (tls ? "HTTPS_PROXY" : "http_proxy"))
                return proxy.url(user);
            return std::nullopt;
        };
    }

    static std::string answer(const std::string& request) {
        return response(request.substr(0, request.find(" HTTP")));
    }
    static proxy_script to(proxy_script script, std::uint16_t port) {
        script.to_port = port;
        return script;
    }
    [[nodiscard]] std::shared_ptr<const stub_tls> identity() const {
        if (!tls) return nullptr;
        const auto c = ca.issue({.dns_names = {"db.example"}, .addresses = {}});
        return std::make_shared<stub_tls>(stub_tls{c.certificate_pem, c.key_pem});
    }

    [[nodiscard]] std::shared_ptr<net::transport> transport(std::string host = "db.example") const {
        return net::make_transport({tls, std::move(host), 4711}, config, {.ca_file = ca.ca_file()},
                                   env);
    }

    net::send_outcome send(net::transport& through, net::send_options options = {}) {
        remembering_exchange what("/x");
        auto outcome = run(io, through.send(what, options));
        if (!outcome.code) CHECK(what.body == "POST /x");
        return outcome;
    }

    authority ca;
    const bool tls;
    const std::string user;
    stub_server server;
    connect_proxy proxy;
    asio::io_context io;
    environment env{};
    net::pool_config config;
    testing_support::log_lines log;
};

} // namespace

TEST_CASE("exchanges pass through a tunnel, in plain and over TLS") {
    for (const bool tls : {false, true})
        for (const std::size_t piece : {std::size_t{0}, std::size_t{1}}) {
            INFO((tls ? "TLS" : "plain") << ", answer in pieces of " << piece);
            fixture f({.piece = piece}, tls);
            const auto transport = f.transport();
            for (int i = 0; i < 3; ++i) {
                const auto outcome = f.send(*transport);
                INFO(outcome.message);
                REQUIRE_FALSE(outcome.code);
            }
            CHECK(transport->stats().reused == 2);
            REQUIRE(f.proxy.seen().size() == 1);
            CHECK(f.proxy.seen()[0] ==
                  "CONNECT db.example:4711 HTTP/1.1\r\nHost: db.example:4711\r\n\r\n");
            CHECK(f.server.connections() == 1);
        }
}

TEST_CASE("an answer that arrives with an interim one and headers opens the tunnel too") {
    fixture f({.answer = "HTTP/1.1 102 Wait\r\n\r\nHTTP/1.0 200 OK\r\nVia: 1.0 x\r\n\r\n"}, true);
    const auto transport = f.transport();
    const auto outcome = f.send(*transport);
    INFO(outcome.message);
    CHECK_FALSE(outcome.code);
}

TEST_CASE("user name and password are sent to the proxy, and are nowhere to be read") {
    fixture f({.authorization = credentials}, true, user_info);
    const auto transport = f.transport();
    CHECK_FALSE(f.send(*transport).code);
    CHECK_THAT(f.proxy.seen().at(0),
               Catch::Contains(std::string("\r\nProxy-Authorization: ") + credentials + "\r\n"));
    CHECK(std::ranges::any_of(f.log.all(), [](const std::string& line) {
        return line.find("pass through the proxy 127.0.0.1:") != line.npos;
    }));
    for (const auto& request : f.server.seen())
        CHECK_THAT(request, !Catch::Contains("Proxy-Authorization"));

    for (const std::string wrong : {"", "tester:pass%20words"}) {
        fixture g({.authorization = credentials}, true, wrong);
        const auto refused = g.transport();
        const auto outcome = g.send(*refused);
        CHECK(outcome.code == errc::connect_failed);
        CHECK_FALSE(outcome.sent);
        CHECK_THAT(outcome.message, Catch::Contains("status 407"));
        CHECK_THAT(outcome.message,
                   Catch::Contains(wrong.empty() ? "wants a user name" : "does not accept"));
        std::string everything = outcome.message;
        for (const fixture* one : {&f, &g})
            for (const std::string& line : one->log.all())
                everything += "\n" + line;
        for (const auto* secret : {"pass word", "pass%20word", "dGVzdGVy", "tester"})
            CHECK_THAT(everything, !Catch::Contains(secret));
    }
}

TEST_CASE("the certificate is checked against the server's name, not the proxy's") {
    fixture f({}, true);
    const auto wrong = f.transport("other.example");
    const auto outcome = f.send(*wrong);
    CHECK(outcome.code == errc::tls_failed);
    CHECK_THAT(outcome.message, Catch::Contains("hostname mismatch"));
    CHECK(f.server.requests() == 0);
}

TEST_CASE("a proxy that will not, and what is said of it") {
    const std::string huge(20 * 1024, 'x');
    struct row {
        const char* name;
        proxy_script script;
        const char* words;
    };
    const row rows[] = {
        {"wants credentials", {.answer = "HTTP/1.1 407 tester\r\n\r\n"}, "status 407: it"},
        {"forbids", {.answer = "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nNo!"}, "status 403"},
        {"cannot", {.answer = "HTTP/1.1 502 No\r\n\r\n"}, "refused the tunnel with status 502"},
        {"redirects", {.answer = "HTTP/1.1 302 No\r\nLocation: /\r\n\r\n"}, "status 302"},
        {"speaks otherwise", {.answer = "220 smtp ready\r\n"}, "did not answer in HTTP/1"},
        {"never ends its head", {.answer = "HTTP/1.1 200 OK\r\nX: " + huge}, "too great a length"},
        {"says too much", {.answer = "HTTP/1.1 200 OK\r\n\r\nhello"}, "sent more than its answer"},
        {"ends in the middle", {.answer = "HTTP/1.1 200 OK\r\n", .carry = false}, "in the middle"},
    };
    for (const auto& r : rows)
        for (const std::size_t piece : {std::size_t{0}, std::size_t{700}}) {
            INFO(r.name);
            auto script = r.script;
            script.piece = piece;
            script.carry = false;
            if (piece != 0 && std::string_view(r.name) == "says too much") continue;
            fixture f(script, true, user_info);
            const auto transport = f.transport();
            const auto outcome = f.send(*transport);
            CHECK(outcome.code == errc::connect_failed);
            CHECK_FALSE(outcome.sent);
            CHECK_THAT(outcome.message,
                       Catch::StartsWith("the proxy 127.0.0.1:" + std::to_string(f.proxy.port()) +
                                         " on the way to db.example:4711 "));
            CHECK_THAT(outcome.message, Catch::Contains(r.words) && !Catch::Contains("tester"));
            CHECK(transport->stats().open == 0);
            CHECK(f.server.connections() == 0);
        }
}

TEST_CASE("a silent proxy is left at the connect time-out, or at the deadline") {
    fixture f({.mute = true}, true);
    f.config.connect_timeout = 120ms;
    const auto transport = f.transport();
    const auto started = steady::now();
    const auto outcome = f.send(*transport);
    CHECK(outcome.code == errc::connect_failed);
    CHECK_THAT(outcome.message, Catch::Contains("did not answer: it took longer than 120 ms"));
    CHECK(steady::now() - started >= 120ms);
    CHECK(steady::now() - started < 400ms);
    const auto hurried = f.send(*transport, {.deadline = steady::now() + 40ms});
    CHECK(hurried.code == errc::timeout);
    CHECK_FALSE(hurried.sent);
    CHECK(transport->stats().open == 0);
}

TEST_CASE("a deadline that passes while a busy context has not seen the connection yet") {
    // The socket connects at once, and the sweep comes when the coroutine has not been resumed.
    const auto busily = [](asio::io_context& io, net::transport& through, net::exchange& what,
                           net::send_options options) -> asio::awaitable<net::send_outcome> {
        asio::post(io, [] { std::this_thread::sleep_for(250ms); });
        co_return co_await through.send(what, options);
    };
    enum class way { tunnel, direct_tls, direct_plain };
    for (const auto by : {way::tunnel, way::direct_tls, way::direct_plain})
        for (const bool by_deadline : {false, true}) {
            INFO(static_cast<int>(by) << (by_deadline ? ", deadline" : ", connect time-out"));
            fixture f({.mute = true}, true);
            stub_server mute({.connections = {{wait_end()}}});
            f.config.connect_timeout = by_deadline ? 3000ms : 60ms;
            const auto transport =
                by == way::tunnel
                    ? f.transport()
                    : net::make_transport(loopback(mute.port(), by == way::direct_tls), f.config,
                                          {}, {});
            remembering_exchange what("/x");
            net::send_options options;
            options.deadline = steady::now() + (by_deadline ? 60ms : 3000ms);
            const auto started = steady::now();
            const auto outcome = run(f.io, busily(f.io, *transport, what, options));
            CHECK(outcome.code == errc::timeout);
            CHECK_FALSE(outcome.sent);
            CHECK_THAT(outcome.message,
                       Catch::Contains("connecting to ") && Catch::Contains("took longer than "));
            CHECK(steady::now() - started < 1500ms);
            CHECK(transport->stats().open == 0);
        }
}

TEST_CASE("a proxy that is not there, or whose name is not known") {
    asio::io_context io;
    net::network_config network;
    network.proxy.from_environment = false;
    network.proxy.url = "http://127.0.0.1:" + std::to_string(free_port());
    const auto gone = net::make_transport({true, "db.example", 443}, {}, {}, {}, network);
    remembering_exchange what;
    auto outcome = run(io, gone->send(what, {}));
    CHECK(outcome.code == errc::connect_failed);
    CHECK_THAT(outcome.message, Catch::Contains("cannot connect to the proxy 127.0.0.1:"));

    network.proxy.url = "http://u:pw@no-such-proxy.invalid:1";
    network.resolve = [](std::string) -> asio::awaitable<std::vector<std::string>> {
        co_return std::vector<std::string>();
    };
    const auto unknown = net::make_transport({true, "db.example", 443}, {}, {}, {}, network);
    outcome = run(io, unknown->send(what, {}));
    CHECK(outcome.code == errc::resolve_failed);
    CHECK(outcome.message == "cannot resolve no-such-proxy.invalid: the resolver knows no address");
}

TEST_CASE("opening a tunnel can be cancelled at each step") {
    int aborts = 0;
    for (const bool mute : {false, true})
        for (int step = first_step_to_cancel(); step < 40; ++step) {
            fixture f({.mute = mute}, true);
            const auto transport = f.transport();
            remembering_exchange what("/x");
            asio::cancellation_signal signal;
            bool done = false, aborted = false, succeeded = false;
            asio::co_spawn(f.io, transport->send(what, {}),
                           asio::bind_cancellation_slot(
                               signal.slot(), [&](std::exception_ptr e, net::send_outcome o) {
                                   done = true;
                                   aborted = e != nullptr;
                                   succeeded = !e && !o.code;
                               }));
            for (int i = 0; i < step && !done; ++i)
                f.io.run_one_for(mute ? 5ms : 1s);
            if (done) break;
            signal.emit(asio::cancellation_type::terminal);
            for (int i = 0; i < 100 && !done; ++i)
                f.io.run_one_for(1s);
            REQUIRE(done);
            CHECK((aborted || succeeded)); // the whole answer may have been read by then
            CHECK(transport->stats().open == (succeeded ? 1 : 0));
            aborts += aborted ? 1 : 0;
        }
    CHECK(aborts > 10);
}
