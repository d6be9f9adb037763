// SPDX-License-Identifier: BSL-1.0
// Which proxy stands between us and a server, as tables.
#include "net/config_check.hpp"
#include "net/proxy.hpp"
#include "support/catch.hpp"
#include "support/tap.hpp"

#include <map>

using namespace codynamo;
using namespace codynamo::net;
using namespace std::chrono_literals;

namespace {

environment with(std::map<std::string, std::string> variables) {
    environment env = testing_support::tapped();
    env.variable = [variables =
                        std::move(variables)](const char* name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    };
    return env;
}

std::string text_of(const std::optional<proxy_server>& proxy) {
    return proxy ? proxy->host + " " + std::to_string(proxy->port) + " " + proxy->authorization
                 : "direct";
}

} // namespace

TEST_CASE("a proxy's URL is taken apart") {
    struct row {
        const char* url;
        const char* expected;
    };
    const row rows[] = {
        {"http://proxy:3128", "proxy 3128 "},
        {"http://proxy:3128/", "proxy 3128 "},
        {"HTTP://Proxy.example", "Proxy.example 8080 "},
        {"proxy", "proxy 8080 "},
        {"proxy:80", "proxy 80 "},
        {"10.1.2.3:1", "10.1.2.3 1 "},
        {"http://[fd00::1]:3128", "fd00::1 3128 "},
        {"http://[fd00::1]", "fd00::1 8080 "},
        {"http://Aladdin:open%20sesame@proxy:1", "proxy 1 Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        {"http://user:p%40s%3As@proxy", "proxy 8080 Basic dXNlcjpwQHM6cw=="},
        {"http://user:p@ss@proxy", "proxy 8080 Basic dXNlcjpwQHNz"},
        {"http://user:a:b@proxy", "proxy 8080 Basic dXNlcjphOmI="},
        {"http://user@proxy", "proxy 8080 Basic dXNlcjo="},
        {"http://user:@[::2]:7", "::2 7 Basic dXNlcjo="},
        {"user:pw@proxy:7", "proxy 7 Basic dXNlcjpwdw=="},
        {"http://@proxy:7", "proxy 7 "},
    };
    for (const auto& r : rows) {
        INFO(r.url);
        CHECK(text_of(parse_proxy(r.url, "field")) == r.expected);
    }
}

TEST_CASE("a bad proxy URL is refused by the name of its field, without its password") {
    const std::string bad[] = {
        "https://proxy:1",
        "socks5://proxy:1",
        "http://",
        "http://:3128",
        "http://proxy:0",
        "http://proxy:65536",
        "http://proxy:x",
        "http://proxy/path",
        "http://pro xy",
        "http://proxy\r\nX: y",
        "http://proxy\n",
        "fd00::1",
        "http://user:secretword@",
        "http://user:secretword@proxy:x",
        "http://user:secretword@proxy/path",
        "http://user:secretword\r\n@proxy",
        "http://user:secretword%0d%0a@proxy",
        "http://user:secretword%4@proxy",
        "http://user:secretword%zz@proxy",
        "http://us%3aer:secretword@proxy",
        "ftp://user:secretword@proxy",
        "user:secretword://x@proxy",
        // No '@': what looks like host and port is a user and his password.
        "http://user:secretword",
        "http://user:secretword%40proxy:3128",
        "user:secretword%40proxy",
        "http://user:123456secretword/",
        "http://secretword/x",
        "http://secretword?",
        "http://[secretword",
        "http://:secretword",
        "http://secretword:0",
    };
    for (const auto& url : bad) {
        INFO(url);
        try {
            (void)parse_proxy(url, "HTTPS_PROXY");
            FAIL("was accepted");
        } catch (const error& e) {
            CHECK(e.code() == errc::invalid_argument);
            CHECK_THAT(e.what(), Catch::StartsWith("HTTPS_PROXY"));
            CHECK_THAT(e.what(), !Catch::Contains("secretword"));
            CHECK_THAT(e.what(), !Catch::Contains("\r") && !Catch::Contains("\n"));
        }
    }
}

TEST_CASE("the proxy of a server is found in configuration and environment") {
    struct row {
        const char* name;
        proxy_config config;
        std::map<std::string, std::string> variables;
        const char* server;
        const char* expected;
    };
    const row rows[] = {
        {"nothing set", {}, {}, "https://a.example", "direct"},
        {"for https", {}, {{"HTTPS_PROXY", "http://up:1"}}, "https://a.example", "up 1 "},
        {"lower case", {}, {{"https_proxy", "http://low:1"}}, "https://a.example", "low 1 "},
        {"lower case wins",
         {},
         {{"HTTPS_PROXY", "http://up:1"}, {"https_proxy", "http://low:1"}},
         "https://a.example",
         "low 1 "},
        {"an empty variable is none",
         {},
         {{"HTTPS_PROXY", "http://up:1"}, {"https_proxy", ""}},
         "https://a.example",
         "up 1 "},
        {"not for http", {}, {{"HTTPS_PROXY", "http://up:1"}}, "http://a.example", "direct"},
        {"for http", {}, {{"http_proxy", "http://low:1"}}, "http://a.example", "low 1 "},
        {"for http, upper case", {}, {{"HTTP_PROXY", "up:1"}}, "http://a.example", "up 1 "},
        {"for http, lower case wins",
         {},
         {{"HTTP_PROXY", "up:1"}, {"http_proxy", "low:1"}},
         "http://a.example",
         "low 1 "},
        {"httpoxy",
         {},
         {{"HTTP_PROXY", "http://evil:1"}, {"REQUEST_METHOD", "GET"}},
         "http://a.example",
         "direct"},
        {"httpoxy, with an empty method",
         {},
         {{"HTTP_PROXY", "http://evil:1"}, {"REQUEST_METHOD", ""}},
         "http://a.example",
         "direct"},
        {"a CGI program's lower case",
         {},
         {{"HTTP_PROXY", "evil:1"}, {"http_proxy", "low:1"}, {"REQUEST_METHOD", "GET"}},
         "http://a.example",
         "low 1 "},
        {"a CGI program's, for https",
         {},
         {{"HTTPS_PROXY", "up:1"}, {"REQUEST_METHOD", "GET"}},
         "https://a.example",
         "up 1 "},
        {"http's in upper case is not https's",
         {},
         {{"HTTP_PROXY", "up:1"}},
         "https://a.example",
         "direct"},
        {"http's is not https's", {}, {{"http_proxy", "low"}}, "https://a.example", "direct"},
        {"the configuration wins",
         {.url = "http://mine:2"},
         {{"HTTPS_PROXY", "http://up:1"}},
         "https://a.example",
         "mine 2 "},
        {"the configuration is for both", {.url = "mine:2"}, {}, "http://a.example", "mine 2 "},
        {"environment not asked",
         {.from_environment = false},
         {{"HTTPS_PROXY", "http://up:1"}},
         "https://a.example",
         "direct"},
        {"NO_PROXY",
         {},
         {{"HTTPS_PROXY", "up:1"}, {"NO_PROXY", "a.example"}},
         "https://a.example",
         "direct"},
        {"no_proxy wins",
         {},
         {{"HTTPS_PROXY", "up:1"}, {"NO_PROXY", "a.example"}, {"no_proxy", "b.example"}},
         "https://a.example",
         "up 1 "},
        {"NO_PROXY counts for the configured URL",
         {.url = "mine:2"},
         {{"NO_PROXY", "*"}},
         "https://a.example",
         "direct"},
        {"a configured list replaces NO_PROXY",
         {.url = "mine:2", .no_proxy = "b.example"},
         {{"NO_PROXY", "*"}},
         "https://a.example",
         "mine 2 "},
        {"a configured list",
         {.url = "mine:2", .no_proxy = "b.example"},
         {},
         "https://x.b.example",
         "direct"},
        {"NO_PROXY is not asked either",
         {.url = "mine:2", .from_environment = false},
         {{"NO_PROXY", "*"}},
         "https://a.example",
         "mine 2 "},
        {"nonsense in NO_PROXY is skipped",
         {},
         {{"HTTPS_PROXY", "up:1"}, {"NO_PROXY", "10.0.0.0/99, [, :x ,a.example"}},
         "https://a.example",
         "direct"},
        {"instance metadata", {.url = "mine:2"}, {}, "http://169.254.169.254", "direct"},
        {"a bad URL that is not needed",
         {},
         {{"HTTPS_PROXY", "https://up:1"}, {"NO_PROXY", "*"}},
         "https://a.example",
         "direct"},
    };
    for (const auto& r : rows) {
        INFO(r.name);
        const auto found =
            resolve_proxy(r.config, with(r.variables), parse_origin(r.server, "server"));
        CHECK(text_of(found) == r.expected);
    }
}

TEST_CASE("a proxy that cannot be meant is an error that names its source") {
    const auto server = parse_origin("https://a.example", "server");
    const auto plain = parse_origin("http://a.example", "server");
    CHECK_THROWS_WITH(resolve_proxy({}, with({{"HTTPS_PROXY", "https://x"}}), server),
                      Catch::StartsWith("HTTPS_PROXY: only"));
    CHECK_THROWS_WITH(resolve_proxy({}, with({{"http_proxy", "socks5://x"}}), plain),
                      Catch::StartsWith("http_proxy: only"));
    CHECK_THROWS_WITH(resolve_proxy({.url = "x\ry"}, with({}), server),
                      Catch::StartsWith("network.proxy.url: must not hold control"));
    CHECK_THROWS_WITH(resolve_proxy({.no_proxy = "10.0.0.0/33"}, with({}), server),
                      Catch::StartsWith("network.proxy.no_proxy: \"10.0.0.0/33\""));
    CHECK_THROWS_WITH(make_transport(server, {}, {}, with({}), {.proxy = {.url = "ftp://x"}}),
                      Catch::StartsWith("network.proxy.url"));
    CHECK_THROWS_WITH(resolve_proxy({}, with({{"HTTPS_PROXY", "http://alice:hunter2"}}), server),
                      "HTTPS_PROXY: is not http://HOST:PORT with a valid host and a port from 1 "
                      "to 65535 (user:password@ may stand before the host)");
}

TEST_CASE("hosts of this machine and this link are never reached through a proxy") {
    const char* const local[] = {"localhost",
                                 "LocalHost",
                                 "localhost.",
                                 "db.localhost",
                                 "127.0.0.1",
                                 "127.255.0.9",
                                 "::1",
                                 "169.254.169.254",
                                 "169.254.170.2",
                                 "169.254.0.1",
                                 "fe80::1",
                                 "febf::1",
                                 "fd00:ec2::254",
                                 "fd00:ec2::23",
                                 "fd00:0ec2:ffff::1",
                                 "::ffff:7f00:1",
                                 "0.0.0.0",
                                 "::ffff:127.0.0.1",
                                 "::"};
    const char* const remote[] = {"a.example",   "localhost.example", "notlocalhost", "10.0.0.1",
                                  "169.253.0.1", "170.254.0.1",       "128.0.0.1",    "fec0::1",
                                  "fd00:ec3::1", "fd01:ec2::1",       "::2",          "fe7f::1"};
    for (const auto* host : local) {
        INFO(host);
        CHECK(is_local(host));
        for (const bool tls : {false, true})
            CHECK_FALSE(resolve_proxy({.url = "http://proxy:1"}, with({}), {tls, host, 1}));
    }
    for (const auto* host : remote) {
        INFO(host);
        CHECK_FALSE(is_local(host));
        CHECK(resolve_proxy({.url = "http://proxy:1"}, with({}), {true, host, 1}));
    }
}

TEST_CASE("the head start is bounded") {
    for (const auto delay : {9ms, 2001ms, 0ms, -1ms})
        CHECK_THROWS_WITH(check(network_config{.attempt_delay = delay}),
                          Catch::StartsWith("network.attempt_delay = "));
    for (const auto delay : {10ms, 250ms, 2000ms})
        CHECK_NOTHROW(check(network_config{.attempt_delay = delay}));
}
