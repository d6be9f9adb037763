// SPDX-License-Identifier: BSL-1.0
// When a look-up that hangs is given up, by times that are told.
#include "net/resolution.hpp"
#include "support/catch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace codynamo;
using namespace std::chrono_literals;

namespace {

asio::awaitable<std::vector<std::string>> hang(std::string) {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
    co_return std::vector<std::string>{};
}

} // namespace

TEST_CASE("a look-up that hangs is joined until its time is over, and then cancelled") {
    asio::io_context io;
    const net::steady_time start(1h);
    const auto names = std::make_shared<net::resolution>(io.get_executor());
    names->start(start, "db.example", 443, hang);
    io.poll();
    CHECK(names->joinable(start, 2s));
    CHECK(names->joinable(start + 2s - 1ns, 2s));
    CHECK_FALSE(names->given_up());
    CHECK_FALSE(names->joinable(start + 2s, 2s));
    CHECK(names->given_up());
    io.poll();
    CHECK(io.stopped()); // nothing is left that waits
    CHECK_FALSE(names->joinable(start, 2s));
}
