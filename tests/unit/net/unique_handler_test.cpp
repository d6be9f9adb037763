// SPDX-License-Identifier: BSL-1.0
// The erased handler: called once, elsewhere, or destroyed.
#include "net/unique_handler.hpp"
#include "support/catch.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <memory>
#include <vector>

namespace asio = boost::asio;
using codynamo::net::unique_handler;

namespace {

template <std::size_t Bulk>
void check_handler() {
    asio::io_context io;
    const auto alive = std::make_shared<int>(0);
    std::vector<int> calls;
    const auto make = [&] {
        return unique_handler<int>(
            asio::bind_executor(io.get_executor(), [&calls, alive, bulk = std::array<char, Bulk>{}](
                                                       int n) { calls.push_back(n + bulk[0]); }));
    };

    unique_handler<int> posted = make();
    unique_handler<int> moved(std::move(posted));
    CHECK(alive.use_count() > 1);
    unique_handler<int> assigned;
    CHECK_FALSE(assigned);
    assigned = std::move(moved);
    CHECK(assigned);
    assigned.post(7);
    CHECK_FALSE(assigned);
    CHECK(calls.empty()); // never on the stack of whoever completes it
    io.run();
    CHECK(calls == std::vector<int>{7});
    assigned.post(8); // empty: nothing
    io.restart();
    io.run();
    CHECK(calls.size() == 1);
    CHECK(alive.use_count() == 1);

    assigned = make();
    assigned.reset();
    { const auto dropped = make(); }
    CHECK(calls.size() == 1);
    CHECK(alive.use_count() == 1);
}

} // namespace

TEST_CASE("a small handler is erased in place") {
    check_handler<1>();
}

TEST_CASE("a large handler is erased too") {
    check_handler<500>();
}
