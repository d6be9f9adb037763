// SPDX-License-Identifier: BSL-1.0
// Two requests for one answer, on a transport that answers when it is told to.
#include "dynamodb/latency_estimate.hpp"
#include "fake_client.hpp"
#include "support/catch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <numeric>
#include <string>
#include <vector>

namespace codynamo::dynamodb {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::answer;
using test::fake_response;
using test::fake_world;
using test::get_request;
using test::service_error;
using test_support::run;

namespace {

constexpr int never = -1;

/// What comes of the n-th request: an answer after so many turns of the executor.
struct step {
    int turns;
    fake_response response;
    bool throws = false;
};

class paced_transport final : public net::transport {
public:
    explicit paced_transport(std::vector<step> steps) : steps_(std::move(steps)) {}

    asio::awaitable<net::send_outcome> send(net::exchange& what, net::send_options) override {
        testing::fake_request request;
        what.write(request.head, request.body);
        const step mine = steps_.at(sent++);
        const counted_exit guard(ended_early);
        if (mine.turns == never) {
            asio::steady_timer timer(co_await asio::this_coro::executor,
                                     asio::steady_timer::time_point::max());
            co_await timer.async_wait(asio::deferred);
        }
        for (int i = 0; i < mine.turns; ++i)
            co_await asio::post(asio::deferred);
        if (mine.throws) throw error(errc::tls_failed, "cannot encrypt");
        guard.finished = true;
        net::response_view view;
        view.status = mine.response.status;
        view.body = mine.response.body;
        what.read(view);
        co_return net::send_outcome{{}, true, {}};
    }
    asio::awaitable<void> close() override { co_return; }
    net::transport_stats stats() const override { return {}; }

    std::size_t sent = 0;
    int ended_early = 0;

private:
    struct counted_exit {
        explicit counted_exit(int& early_exits) : early(early_exits) {}
        ~counted_exit() { early += finished ? 0 : 1; }
        counted_exit(const counted_exit&) = delete;
        counted_exit& operator=(const counted_exit&) = delete;
        int& early;
        mutable bool finished = false;
    };
    const std::vector<step> steps_;
};

fake_response holding(const std::string& value) {
    return answer(R"({"Item":{"k":{"S":"hello"},"v":{"S":")" + value + R"("}}})");
}

struct hedging_world : fake_world {
    explicit hedging_world(std::vector<step> steps)
        : fake_world(test::script({answer("{}")})),
          paced(std::make_shared<paced_transport>(std::move(steps))) {}

    [[nodiscard]] dynamodb::client_config config() const {
        dynamodb::client_config made = client_config();
        made.transport = paced;
        made.hedging.enabled = true;
        made.hedging.delay = 20ms;
        return made;
    }
    std::shared_ptr<paced_transport> paced;
};

} // namespace

TEST_CASE("which of two requests answers a hedged read") {
    struct row {
        std::string name;
        std::vector<step> steps;
        std::string value; ///< empty: the call fails
        std::size_t sent;
        int cancelled;
    };
    const fake_response bad = service_error("ValidationException");
    const fake_response broken = service_error("InternalServerError", 500);
    const std::vector<row> table{
        {"the first answers at once", {{0, holding("1")}}, "1", 1, 0},
        {"the first hangs", {{never, {}}, {3, holding("2")}}, "2", 2, 1},
        {"the first is quicker after all", {{50, holding("1")}, {never, {}}}, "1", 2, 1},
        {"the second is quicker", {{50, holding("1")}, {1, holding("2")}}, "2", 2, 1},
        {"the first fails late", {{20, broken}, {50, holding("2")}}, "2", 2, 0},
        {"the first is refused for good", {{20, bad}, {50, holding("2")}}, "", 2, 1},
        {"the second cannot be sent", {{50, holding("1")}, {1, {}, true}}, "1", 2, 1},
        {"the second fails", {{50, holding("1")}, {1, bad}}, "1", 2, 0},
        {"the first fails at once: no second, but a retry",
         {{0, broken}, {0, holding("2")}},
         "2",
         2,
         0},
        {"both fail for good", {{50, bad}, {1, bad}}, "", 2, 0},
        {"both fail and are retried", {{50, broken}, {1, broken}, {0, holding("3")}}, "3", 3, 0},
        {"there is nothing", {{never, {}}, {1, answer("{}")}}, "nothing", 2, 1},
    };
    for (const row& one : table) {
        INFO(one.name);
        hedging_world world(one.steps);
        client db(world.config());
        const auto got = run(db.attempt(get_request()));
        CHECK(got.has_value() == !one.value.empty());
        if (got && got->item) {
            CHECK(got->item->at("v").as<std::string>() == one.value);
        } else if (got) {
            CHECK(one.value == "nothing");
        }
        CHECK(world.paced->sent == one.sent);
        CHECK(world.paced->ended_early == one.cancelled);
    }
}

TEST_CASE("second requests are sent after the delay, within the budget, and for reads only") {
    hedging_world world(
        {{50, holding("1")}, {1, holding("2")}, {50, holding("3")}, {50, holding("4")}});
    client db(world.config());
    CHECK(run(db.attempt(get_request())).has_value());
    REQUIRE(world.time->sleeps().size() == 1);
    CHECK(world.time->sleeps()[0] == 20ms);
    CHECK(world.paced->sent == 2);
    // Used up for the next nineteen.
    CHECK(run(db.attempt(get_request())).has_value());
    CHECK(world.paced->sent == 3);

    hedging_world writes({{50, answer("{}")}});
    client writer(writes.config());
    put_item_input put;
    put.table_name = "cache";
    put.item.emplace("k", "hello");
    CHECK(run(writer.attempt(put)).has_value());
    CHECK(writes.paced->sent == 1);
}

TEST_CASE("without a fixed delay reads are measured first, and then the slow ones are hedged") {
    std::vector<step> steps(latency_estimate::enough_samples, step{0, holding("1")});
    steps.push_back({50, holding("1")});
    steps.push_back({1, holding("2")});
    hedging_world world(steps);
    client_config config = world.config();
    config.hedging.delay = 0ms;
    client db(config);
    for (std::size_t i = 0; i < latency_estimate::enough_samples; ++i)
        REQUIRE(run(db.attempt(get_request())).has_value());
    CHECK(world.paced->sent == latency_estimate::enough_samples);
    const auto got = run(db.attempt(get_request()));
    REQUIRE(got.has_value());
    CHECK(got->item->at("v").as<std::string>() == "2");
    CHECK(world.paced->sent == latency_estimate::enough_samples + 2);
}

TEST_CASE("a probe of an open circuit is not hedged") {
    hedging_world world({{0, service_error("InternalServerError", 500)},
                         {50, holding("1")},
                         {50, holding("1")},
                         {1, holding("2")}});
    client_config config = world.config();
    config.retry.max_attempts = 1;
    config.breaker.minimum_calls = 1;
    client db(config);
    CHECK_FALSE(run(db.attempt(get_request())).has_value());
    world.time->advance(500ms);
    CHECK(run(db.attempt(get_request())).has_value());
    CHECK(world.paced->sent == 2);
    CHECK(run(db.attempt(get_request())).has_value());
    CHECK(world.paced->sent == 4);
}

TEST_CASE("in adaptive mode a second request that is throttled slows the client down") {
    hedging_world world(
        {{50, holding("1")}, {1, service_error("ThrottlingException")}, {0, holding("3")}});
    client_config config = world.config();
    config.retry.mode = aws::retry_mode::adaptive;
    client db(config);
    CHECK(run(db.attempt(get_request())).has_value());
    REQUIRE(world.time->sleeps().size() == 1);
    CHECK(run(db.attempt(get_request())).has_value());
    const auto sleeps = world.time->sleeps(); // a long wait looks at the rate again and again
    REQUIRE(sleeps.size() >= 2);
    CHECK(std::accumulate(sleeps.begin() + 1, sleeps.end(), 0us) > 1s);
}

TEST_CASE("without hedging a slow read stays alone") {
    hedging_world world({{50, holding("1")}});
    client_config config = world.config();
    config.hedging.enabled = false;
    client db(config);
    CHECK(run(db.attempt(get_request())).has_value());
    CHECK(world.paced->sent == 1);
}

TEST_CASE("whoever cancels a hedged read cancels both requests") {
    for (int steps = 1; steps < 40; ++steps) {
        INFO(steps);
        hedging_world world({{never, {}}, {never, {}}});
        client db(world.config());
        asio::io_context context;
        asio::cancellation_signal signal;
        bool aborted = false;
        bool ended = false;
        asio::co_spawn(context, db.attempt(get_request()),
                       asio::bind_cancellation_slot(
                           signal.slot(), [&](const std::exception_ptr& why, const auto&) {
                               ended = true;
                               try {
                                   if (why) std::rethrow_exception(why);
                               } catch (const boost::system::system_error& e) {
                                   aborted = e.code() == asio::error::operation_aborted;
                               }
                           }));
        for (int i = 0; i < steps && context.poll_one() > 0; ++i) {
        }
        CHECK_FALSE(ended);
        signal.emit(asio::cancellation_type::terminal);
        context.restart();
        context.run();
        CHECK(ended);
        CHECK(aborted);
        CHECK(world.paced->ended_early == static_cast<int>(world.paced->sent));
    }
}

TEST_CASE("an executor that is destroyed takes a hedged read with it") {
    hedging_world world({{never, {}}, {never, {}}});
    client db(world.config());
    {
        asio::io_context context;
        asio::co_spawn(context, db.attempt(get_request()),
                       [](const std::exception_ptr&, const auto&) {});
        context.poll();
        CHECK(world.paced->sent == 2);
    }
    CHECK(world.paced->ended_early == 2);
}

TEST_CASE("a table backend's load is hedged like any GetItem") {
    const fake_response record_item =
        answer(R"({"Item":{"key":{"S":"k"},"value":{"B":"aGk="},"expire":{"N":"0"},)"
               R"("update_ts":{"N":"1700000000"}}})");
    hedging_world world({{never, {}}, {2, record_item}});
    dynamodb_backend_config config = world.backend_config();
    config.transport = world.paced;
    config.hedging = world.config().hedging;
    auto backend = run(dynamodb_backend::open(config));
    const auto found = run(backend.load("k"));
    REQUIRE(found);
    CHECK(found->value == "hi");
    CHECK(world.paced->sent == 2);
}

} // namespace codynamo::dynamodb
