// SPDX-License-Identifier: BSL-1.0
// A transport of the user's that throws, although errors of the network are outcomes.
#include "support/catch.hpp"
#include "support/run.hpp"
#include "unit/client/fake_client.hpp"

#include <codynamo/cache.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <new>
#include <stdexcept>
#include <utility>

using namespace codynamo;
using namespace codynamo::test;
using test_support::run;

namespace {

dynamodb_backend backend_with(testing::fake_transport::server server) {
    const fake_world world(std::move(server));
    dynamodb_backend_config config = world.backend_config();
    config.retry.max_attempts = 2;
    return run(dynamodb_backend::open(std::move(config)));
}

/// Throws for the first request, while the second one is under way; answers the others.
class failing_first final : public net::transport {
public:
    boost::asio::awaitable<net::send_outcome> send(net::exchange& exchange,
                                                   net::send_options) override {
        fake_request request;
        exchange.write(request.head, request.body);
        const bool is_first = sent++ == 0;
        for (int turns = is_first ? 50 : 100; turns != 0; --turns)
            co_await boost::asio::post(boost::asio::deferred);
        if (is_first) throw std::runtime_error("disk on fire");
        net::response_view view;
        view.status = 200;
        view.body = "{}";
        exchange.read(view);
        co_return net::send_outcome{{}, true, {}};
    }
    boost::asio::awaitable<void> close() override { co_return; }
    [[nodiscard]] net::transport_stats stats() const override { return {}; }

    int sent = 0;
};

template <class Outcome>
void check_outcome(const Outcome& outcome, const std::string& message) {
    REQUIRE(outcome.has_error());
    CHECK(outcome.error().code == errc::connection_lost);
    CHECK(outcome.error().message() == message);
    CHECK(outcome.error().info->attempts == 2);
}

} // namespace

TEST_CASE("what a user's transport throws is a failed attempt with its words") {
    struct row {
        void (*fail)();
        const char* message;
    };
    const row rows[] = {
        {[] { throw std::runtime_error("disk on fire"); }, "the transport threw: disk on fire"},
        {[] { throw 42; }, "the transport threw: something that is no std::exception"}, // NOLINT
    };
    for (const row& each : rows) {
        const dynamodb_backend backend = backend_with([&](const fake_request&) -> fake_response {
            each.fail();
            return {};
        });
        cache<int> it{backend};
        CHECK_THROWS_AS(run(it.get("k")), error);
        check_outcome(run(it.try_get("k")), each.message);
        check_outcome(run(it.try_set("k", 1)), each.message);
        for (const auto& outcome : run(it.get_many({"a", "b"})))
            check_outcome(outcome, each.message);
        for (const auto& outcome : run(it.set_many({{"a", 1}, {"b", 2}})))
            check_outcome(outcome, each.message);
        for (const auto& outcome : run(it.erase_many({"a", "b"})))
            check_outcome(outcome, each.message);
    }
}

TEST_CASE("a call goes on after a transport that throws once") {
    bool has_thrown = false;
    cache<int> it{backend_with([&](const fake_request&) -> fake_response {
        if (!std::exchange(has_thrown, true)) throw std::runtime_error("disk on fire");
        return answer("{}");
    })};
    CHECK_FALSE(run(it.try_get("k")).value());
    CHECK(has_thrown);
}

TEST_CASE("a transport's lack of memory passes as it is") {
    cache<int> it{
        backend_with([](const fake_request&) -> fake_response { throw std::bad_alloc(); })};
    CHECK_THROWS_AS(run(it.try_get("k")), std::bad_alloc);
}

TEST_CASE(
    "a hedged read is answered by its second request when the transport throws for the first") {
    const fake_world world([](const fake_request&) { return answer("{}"); });
    dynamodb_backend_config config = world.backend_config();
    const auto transport = std::make_shared<failing_first>();
    config.transport = transport;
    config.retry.max_attempts = 1;
    config.hedging.enabled = true;
    config.hedging.delay = std::chrono::milliseconds(20);
    cache<int> it{run(dynamodb_backend::open(std::move(config)))};
    CHECK_FALSE(run(it.try_get("k")).value());
    CHECK(transport->sent == 2);
}
