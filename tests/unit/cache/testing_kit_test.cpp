// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/run.hpp"

#include <codynamo/testing/fake_transport.hpp>
#include <codynamo/testing/manual_clock.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

using namespace codynamo;
using namespace codynamo::test_support;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct get_exchange final : net::exchange {
    void write(std::string& head, std::string& body) override {
        head += "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n\r\n";
        body += "{}";
    }
    void read(const net::response_view& response) override {
        seen = std::to_string(response.status) + " " + std::string(response.header("X-A")) + " " +
               std::string(response.body);
    }
    std::string seen;
};

template <class T>
std::exception_ptr cancelled_at_once(asio::awaitable<T> what) {
    asio::io_context context;
    asio::cancellation_signal cancel;
    std::exception_ptr failed;
    asio::co_spawn(
        context, std::move(what),
        asio::bind_cancellation_slot(
            cancel.slot(), [&](std::exception_ptr e, auto&&...) { failed = std::move(e); }));
    // Behind the coroutine's start in the queue, and before what it posts itself.
    asio::post(context, [&] { cancel.emit(asio::cancellation_type::terminal); });
    context.run();
    return failed;
}

} // namespace

TEST_CASE("a manual clock moves when told, and when somebody sleeps") {
    testing::manual_clock clock;
    const timestamp wall = clock.now();
    const auto steady = clock.steady_now();
    CHECK(clock.now() == wall);
    clock.advance(5s);
    CHECK(clock.now() == wall + 5s);
    CHECK(clock.steady_now() == steady + 5s);
    run(clock.sleep_until(steady + 8s));
    CHECK(clock.now() == wall + 8s);
    run(clock.sleep_until(steady + 1s));
    CHECK(clock.steady_now() == steady + 8s);
    clock.shift_wall(-1h);
    CHECK(clock.now() == wall + 8s - 1h);
    CHECK(clock.steady_now() == steady + 8s);
    const std::vector<std::chrono::microseconds> slept = {3s};
    CHECK(clock.sleeps() == slept);
}

TEST_CASE("a sleeper on a manual clock can be cancelled") {
    testing::manual_clock clock;
    CHECK(nullptr != cancelled_at_once(clock.sleep_until(clock.steady_now() + 1s)));
}

TEST_CASE("a fake transport shows requests to a function and its answer to the exchange") {
    testing::fake_transport server([](const testing::fake_request& request) {
        CHECK(request.header("HOST") == "h");
        CHECK(request.header("absent").empty());
        return testing::fake_response{.status = 201,
                                      .headers = {{"x-a", "b"}},
                                      .body = "for " + std::string(request.operation())};
    });
    get_exchange exchange;
    const net::send_outcome outcome = run(server.send(exchange, {}));
    CHECK_FALSE(outcome.code);
    CHECK(outcome.sent);
    CHECK(exchange.seen == "201 b for GetItem");
    REQUIRE(server.requests().size() == 1);
    CHECK(server.requests()[0].body == "{}");
}

TEST_CASE("a fake transport fails as told, is closed and can be cancelled") {
    testing::fake_transport server([](const testing::fake_request&) {
        return testing::fake_response::network_error(make_error_code(errc::connection_lost), true);
    });
    get_exchange exchange;
    const net::send_outcome lost = run(server.send(exchange, {}));
    CHECK(lost.code == errc::connection_lost);
    CHECK(lost.sent);
    CHECK(nullptr != cancelled_at_once(server.send(exchange, {})));
    run(server.close());
    const net::send_outcome closed = run(server.send(exchange, {}));
    CHECK(closed.code == errc::closed);
    CHECK_FALSE(closed.sent);
}

TEST_CASE("run notices a coroutine that does not complete") {
    const auto stuck = []() -> asio::awaitable<void> {
        const auto drop = [](auto&&) {};
        co_await asio::async_initiate<const asio::deferred_t&, void()>(drop, asio::deferred);
    };
    CHECK_NOTHROW(run([]() -> asio::awaitable<int> { co_return 5; }));
    CHECK_THROWS_AS(run(stuck), std::logic_error);
}
