// SPDX-License-Identifier: BSL-1.0
// The pool of one context by itself: who is told that it has closed.
#include "net/context_pool.hpp"
#include "support/catch.hpp"
#include "support/tap.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace codynamo;

namespace {

struct silent_owner final : net::pool_owner {
    void drained() noexcept override {}
    void gone(net::context_pool&) noexcept override {}
};

struct one_pool {
    one_pool() {
        auto made = std::make_shared<net::transport_settings>();
        made->env = testing_support::tapped();
        pool = net::context_pool::make(io.get_executor(), std::move(made), owner);
    }
    void wait(net::pool_waiter& waiter, std::string name) {
        pool->wait_for_close(waiter,
                             net::unique_handler<net::wake>(asio::bind_executor(
                                 io.get_executor(), [this, name = std::move(name)](net::wake how) {
                                     told.emplace_back(name, how);
                                 })));
    }

    std::vector<std::pair<std::string, net::wake>> told;
    asio::io_context io;
    std::shared_ptr<silent_owner> owner = std::make_shared<silent_owner>();
    std::shared_ptr<net::context_pool> pool;
};

struct closing_pool : one_pool {
    closing_pool() { pool->close(); }
};

} // namespace

TEST_CASE("a cancelled wait for the end of a pool is over, and its waiter can wait again") {
    closing_pool one;
    net::pool_waiter first, second;
    one.wait(first, "first");
    one.wait(second, "second");
    one.pool->cancel_close(first);
    one.pool->cancel_close(first); // twice does no harm
    one.wait(first, "first again");
    one.pool->wake_closers();
    one.io.poll();
    const std::vector<std::pair<std::string, net::wake>> expected{
        {"first", net::wake::aborted},
        {"second", net::wake::closed},
        {"first again", net::wake::closed}};
    CHECK(one.told == expected);
}

TEST_CASE("a context has nothing to do for a pool when the last wait for its end is cancelled") {
    closing_pool one;
    net::pool_waiter waiter;
    one.wait(waiter, "close");
    one.pool->cancel_close(waiter);
    one.io.run_for(std::chrono::seconds(10));
    CHECK(one.io.stopped());
    CHECK(one.told.size() == 1);
}

TEST_CASE("who comes to wait when a connection may be opened is granted one") {
    one_pool one;
    net::pool_waiter waiter;
    std::vector<net::wake> told;
    one.pool->wait(waiter,
                   net::unique_handler<net::wake>(asio::bind_executor(
                       one.io.get_executor(), [&](net::wake how) { told.push_back(how); })),
                   net::steady_time::max());
    one.io.poll();
    CHECK(told == std::vector<net::wake>{net::wake::granted});
    net::connection* const granted = one.pool->forsake(waiter);
    REQUIRE(granted);
    one.pool->give_back(*granted);
    one.pool->close();
    CHECK(one.pool->is_drained());
}
