// SPDX-License-Identifier: BSL-1.0
// Origins as text and the bounds of a pool, as tables.
#include "net/config_check.hpp"
#include "support/catch.hpp"

#include <codynamo/net/transport.hpp>

#include <functional>
#include <string>

using namespace codynamo;
using namespace std::chrono_literals;

TEST_CASE("an origin is parsed and says its authority") {
    struct row {
        const char* url;
        net::origin parsed;
        const char* authority;
    };
    const row rows[] = {
        {"https://dynamodb.eu-west-1.amazonaws.com",
         {true, "dynamodb.eu-west-1.amazonaws.com", 443},
         "dynamodb.eu-west-1.amazonaws.com"},
        {"http://localhost:8000", {false, "localhost", 8000}, "localhost:8000"},
        {"http://localhost:8000/", {false, "localhost", 8000}, "localhost:8000"},
        {"HTTP://LocalHost", {false, "LocalHost", 80}, "localhost"},
        {"http://h:80", {false, "h", 80}, "h"},
        {"https://h:443", {true, "h", 443}, "h"},
        {"https://h:80", {true, "h", 80}, "h:80"},
        {"http://h:443", {false, "h", 443}, "h:443"},
        {"http://127.0.0.1:65535", {false, "127.0.0.1", 65535}, "127.0.0.1:65535"},
        {"https://[::1]:8443", {true, "::1", 8443}, "[::1]:8443"},
        {"https://[2001:DB8::1]", {true, "2001:DB8::1", 443}, "[2001:db8::1]"},
        {"http://under_score.example:1",
         {false, "under_score.example", 1},
         "under_score.example:1"},
    };
    for (const auto& r : rows) {
        INFO(r.url);
        const auto parsed = net::parse_origin(r.url, "endpoint");
        CHECK(parsed == r.parsed);
        CHECK(parsed.authority() == r.authority);
    }
}

TEST_CASE("what is not an origin is refused with the name of the field") {
    for (const auto* url : {"",
                            "localhost:8000",
                            "ftp://h",
                            "https:/h",
                            "http://",
                            "http:///",
                            "http://h:",
                            "http://h:0",
                            "http://h:65536",
                            "http://h:8x",
                            "http://h:-1",
                            "http://h: 80",
                            "http://h/path",
                            "http://h?query",
                            "http://h#fragment",
                            "http://h//",
                            "http://user@h",
                            "http://[::1",
                            "http://[::1]x",
                            "http://[h]",
                            "http://::1",
                            "http://a b",
                            "http://a\r\nb",
                            "http://-h",
                            "http://.h",
                            "http://h%20",
                            "http://[fe80::1%eth0]"}) {
        INFO(url);
        CHECK_THROWS_WITH(net::parse_origin(url, "config.endpoint"),
                          Catch::StartsWith("config.endpoint"));
        try {
            (void)net::parse_origin(url, "config.endpoint");
        } catch (const error& e) {
            CHECK(e.code() == errc::invalid_argument);
        }
    }
}

TEST_CASE("a host that only the system's resolver takes for an address is refused") {
    const char* const odd[] = {"2852039166", // 169.254.169.254
                               "0xA9FEA9FE",
                               "0Xa9fea9fe",
                               "025177524776",
                               "0251.0376.0251.0376",
                               "0xa9.0xfe.0xa9.0xfe",
                               "169.254.43518",
                               "169.16689662",
                               "0xa9.254.0251.254",
                               "127.1",
                               "0",
                               "0x",
                               "127.0.0.01",
                               "127.0.0.256",
                               "127.0.0.1.",
                               "127.0.0.1.2",
                               "127..1",
                               "2130706433."};
    for (const std::string host : odd) {
        INFO(host);
        for (const auto& url : {"http://" + host, "https://" + host + ":8000"})
            CHECK_THROWS_WITH(net::parse_origin(url, "endpoint"),
                              Catch::StartsWith("endpoint = ") &&
                                  Catch::Contains("must be four decimal numbers"));
        CHECK_THROWS_WITH(net::check(net::origin{false, host, 80}),
                          Catch::StartsWith("origin.host = ") &&
                              Catch::Contains("must be four decimal numbers"));
    }
    for (const std::string host :
         {"0.0.0.0", "255.255.255.255", "10.0.0.10", "1.example", "127.0.0.1.example", "0x7f.a",
          "db-1", "a1", "1a", "0xg", "x1", "1.2.3.4a", "::ffff:1.2.3.4"}) {
        INFO(host);
        CHECK_NOTHROW(net::check(net::origin{false, host, 80}));
    }
}

TEST_CASE("secrets and control characters of what is not an origin are not quoted back") {
    struct row {
        const char* url;
        const char* words;
    };
    const row rows[] = {
        {"https://me:PASSWORD@host", "endpoint: must not hold user info"},
        {"ftp://u:PASSWORD@h", "endpoint: must not hold user info"},
        {"u:PASSWORD@h", "endpoint: must not hold user info"},
        {"http://u:PASSWORD@h:99999/x?abc", "endpoint: must not hold user info"},
        {"http://h\r\nX:1", "endpoint = \"http://h??X:1\": has no valid host"},
        {"http://\x1b[2J\x7f\x9b", "endpoint = \"http://?[2J??\": has no valid host"},
        {"http://h?X-Amz-Credential=abc",
         "endpoint = \"http://h?...\": must not hold a path, query"},
        {"h?X-Amz-Credential=abc", "endpoint = \"h?...\": must start with"},
    };
    for (const auto& r : rows) {
        INFO(r.words);
        try {
            (void)net::parse_origin(r.url, "endpoint");
            FAIL("accepted");
        } catch (const error& e) {
            CHECK_THAT(e.what(), Catch::Contains(r.words));
            CHECK_THAT(e.what(), !Catch::Contains("PASSWORD") && !Catch::Contains("abc"));
            CHECK(std::string_view(e.what()).find_first_of("\r\n\x1b\x7f\x9b") ==
                  std::string_view::npos);
        }
    }
}

TEST_CASE("headers are found whatever their case, the first one first") {
    const net::header_view headers[] = {{"Content-Type", "a"}, {"x-id", "1"}, {"X-Id", "2"}};
    const net::response_view view{200, headers, {}};
    CHECK(view.header("content-type") == "a");
    CHECK(view.header("X-ID") == "1");
    CHECK(view.header("x-i").empty());
    CHECK(view.header("").empty());
}

TEST_CASE("the bounds of a pool are checked and named") {
    struct row {
        const char* field;
        std::function<void(net::pool_config&)> spoil;
    };
    const row rows[] = {
        {"max_connections", [](auto& c) { c.max_connections = 0; }},
        {"min_idle", [](auto& c) { c.min_idle = c.max_connections + 1; }},
        {"idle_limit", [](auto& c) { c.idle_limit = 0ms; }},
        {"max_age", [](auto& c) { c.max_age = 0ms; }},
        {"connect_timeout", [](auto& c) { c.connect_timeout = -1ms; }},
        {"idle_limit = 86400001 ms: must be at most 86400000 ms",
         [](auto& c) { c.idle_limit = 24h + 1ms; }},
        {"max_age = 86400001 ms: must be at most 86400000 ms",
         [](auto& c) { c.max_age = 24h + 1ms; }},
        {"connect_timeout = 9223372036854775807 ms: must be at most 86400000 ms",
         [](auto& c) { c.connect_timeout = std::chrono::milliseconds::max(); }},
        {"max_head_bytes", [](auto& c) { c.max_head_bytes = 1023; }},
        {"max_head_bytes", [](auto& c) { c.max_head_bytes = 1024 * 1024 + 1; }},
        {"max_body_bytes", [](auto& c) { c.max_body_bytes = 1023; }},
    };
    CHECK_NOTHROW(net::check(net::pool_config{}));
    CHECK_NOTHROW(
        net::check(net::pool_config{.idle_limit = 24h, .max_age = 24h, .connect_timeout = 24h}));
    CHECK_NOTHROW(net::check(net::pool_config{.max_body_bytes = SIZE_MAX}));
    for (const auto& r : rows) {
        net::pool_config config;
        r.spoil(config);
        INFO(r.field);
        CHECK_THROWS_WITH(net::check(config), Catch::Contains(std::string("pool.") + r.field) &&
                                                  Catch::Contains("must be at"));
        CHECK_THROWS_AS(net::make_transport({false, "h", 1}, config, {}, {}), error);
    }
}

TEST_CASE("an origin that cannot be one makes no transport") {
    for (const auto& server : {net::origin{false, "", 80}, net::origin{false, "a b", 80},
                               net::origin{false, "h", 0}, net::origin{false, "h\r\nX: y", 80}})
        CHECK_THROWS_WITH(net::make_transport(server, {}, {}, {}), Catch::StartsWith("origin."));
    CHECK_THROWS_WITH(net::check(net::origin{false, "u:PASSWORD@h", 80}),
                      Catch::Contains("user info") && !Catch::Contains("PASSWORD"));
}
