// SPDX-License-Identifier: BSL-1.0
// The tap itself: were it blind, the search for secrets would find nothing and pass.
#include "support/catch.hpp"
#include "support/tap.hpp"

#include <codynamo/error.hpp>

#include <boost/system/system_error.hpp>

#include <exception>
#include <string>
#include <vector>

using namespace codynamo;
using testing_support::tap_seen;
using testing_support::tapped;

TEST_CASE("the tap sees what is thrown, of whatever type, and what is rethrown from a pointer") {
    const auto before = tap_seen();
    const auto ignore = [](auto&& thrower) {
        try {
            thrower();
        } catch (const std::exception&) {
        }
    };
    ignore([] { throw error(errc::closed, "tap test"); });
    ignore([] { throw std::runtime_error("tap test"); });
    ignore([] { throw boost::system::system_error(errc::closed); });
    CHECK(tap_seen().exceptions == before.exceptions + 3);
    ignore([] {
        std::rethrow_exception(std::make_exception_ptr(error(errc::closed, "tap test, made")));
    });
    CHECK(tap_seen().exceptions > before.exceptions + 3);
    try {
        throw 1;
    } catch (int) {
    }
    CHECK(tap_seen().lines == before.lines);
}

TEST_CASE("a tapped environment logs everything and passes on what was wanted") {
    std::vector<std::string> got;
    environment env{};
    env.log = {log_level::warning,
               [&](log_level, std::string_view line) { got.emplace_back(line); }};
    const auto tapped_env = tapped(env);
    const auto before = tap_seen();
    REQUIRE(tapped_env.log.wants(log_level::debug));
    tapped_env.log.write(log_level::debug, "tap test, debug");
    tapped_env.log.write(log_level::warning, "tap test, warning");
    CHECK(tap_seen().lines == before.lines + 2);
    CHECK(got == std::vector<std::string>{"tap test, warning"});
    tapped().log.write(log_level::debug, "tap test, no sink before");
    CHECK(tap_seen().lines == before.lines + 3);
}
