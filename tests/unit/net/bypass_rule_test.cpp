// SPDX-License-Identifier: BSL-1.0
// NO_PROXY, entry by entry.
#include "net/bypass_rule.hpp"
#include "net/proxy.hpp"
#include "support/catch.hpp"

using namespace codynamo::net;

TEST_CASE("which hosts a list of exceptions covers") {
    struct row {
        const char* list;
        const char* host;
        std::uint16_t port;
        bool expected;
    };
    const row rows[] = {
        {"", "a.example", 443, false},
        {"*", "a.example", 443, true},
        {"x, *", "10.0.0.1", 443, true},
        {"*:443", "a.example", 443, true},
        {"*:444", "a.example", 443, false},
        {"a.example", "a.example", 443, true},
        {"A.Example", "a.eXAMPLE", 443, true},
        {"a.example.", "a.example", 443, true},
        {"a.example", "a.example.", 443, true},
        {"a.example", "b.a.example", 443, true},
        {".a.example", "b.a.example", 443, true},
        {".a.example", "a.example", 443, true},
        {"*.a.example", "c.b.a.example", 443, true},
        {"a.example", "ba.example", 443, false},
        {"a.example", "example", 443, false},
        {"a.example", "a.example.org", 443, false},
        {"a.example:8000", "a.example", 8000, true},
        {"a.example:8000", "a.example", 8001, false},
        {"b.example , a.example", "a.example", 443, true},
        {"b.example a.example", "a.example", 443, true},
        {",,a.example,", "a.example", 443, true},
        {"10.0.0.1", "10.0.0.1", 443, true},
        {"10.0.0.1", "10.0.0.10", 443, false},
        {"0.0.1", "10.0.0.1", 443, false},
        {"10.0.0.1:443", "10.0.0.1", 443, true},
        {"10.0.0.1:443", "10.0.0.1", 444, false},
        {"10.0.0.0/8", "10.255.1.2", 443, true},
        {"10.0.0.0/8", "11.0.0.1", 443, false},
        {"10.1.2.3/8", "10.9.9.9", 443, true},
        {"10.0.0.0/9", "10.127.255.255", 443, true},
        {"10.0.0.0/9", "10.128.0.0", 443, false},
        {"10.0.0.4/30", "10.0.0.7", 443, true},
        {"10.0.0.4/30", "10.0.0.8", 443, false},
        {"10.0.0.1/32", "10.0.0.1", 443, true},
        {"10.0.0.1/32", "10.0.0.0", 443, false},
        {"0.0.0.0/0", "1.2.3.4", 443, true},
        {"0.0.0.0/0", "fd00::1", 443, false},
        {"0.0.0.0/0", "a.example", 443, false},
        {"10.0.0.0/8", "10.example", 443, false},
        {"10.0.0.0/8", "::ffff:10.0.0.1", 443, true},
        {"fd00::/8", "fd12::1", 443, true},
        {"fd00::/8", "fc00::1", 443, false},
        {"fd00::1", "fd00:0::1", 443, true},
        {"[fd00::1]", "fd00::1", 443, true},
        {"[fd00::1]:8000", "fd00::1", 8000, true},
        {"[fd00::1]:8000", "fd00::1", 8001, false},
        {"FD00::A", "fd00::a", 443, true},
    };
    for (const auto& r : rows) {
        INFO("\"" << r.list << "\" and " << r.host << " " << r.port);
        CHECK(bypasses(r.list, {true, r.host, r.port}) == r.expected);
    }
}

TEST_CASE("what is no entry") {
    for (const auto* entry :
         {"",        "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "fd00::/129", "a/8",          "a:0",
          "a:65536", "a:",          "a:b",       ":80",         "[fd00::1",   "fd00::1]",     "[]",
          "..",      "**",          "a@b",       "*.",          "[a]x",       "10.0.0.0/8:80"}) {
        INFO(entry);
        CHECK_FALSE(parse_bypass_rule(entry));
        CHECK_FALSE(bypasses(entry, {true, "a.example", 443}));
    }
}
