// SPDX-License-Identifier: BSL-1.0
#include "fake_client.hpp"
#include "support/catch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <string>
#include <vector>

namespace codynamo::dynamodb {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace test;
using test_support::run;

namespace {

put_item_input conditional_put() {
    put_item_input in;
    in.table_name = "cache";
    in.item.emplace("k", "hello");
    in.condition.expression = "attribute_not_exists(k)";
    return in;
}

template <class Input>
result<typename Input::output> attempt(fake_world& world, Input in, call_options options = {}) {
    client db(world.client_config());
    return run(db.attempt(std::move(in), options));
}

} // namespace

TEST_CASE("a request carries what the service wants and is signed at the time of sending") {
    fake_world world(script({answer("{}")}));
    const auto got = attempt(world, get_request());
    REQUIRE(got.has_value());
    CHECK_FALSE(got->item);
    REQUIRE(world.transport->requests().size() == 1);
    const fake_request sent = world.transport->requests().front();
    CHECK(sent.head.starts_with("POST / HTTP/1.1\r\n"));
    CHECK(sent.header("host") == "fake");
    CHECK(sent.header("content-type") == "application/x-amz-json-1.0");
    CHECK(sent.header("x-amz-target") == "DynamoDB_20120810.GetItem");
    CHECK(sent.header("x-amz-date") == "20231114T221320Z");
    CHECK(sent.header("content-length") == std::to_string(sent.body.size()));
    CHECK(sent.header("authorization")
              .starts_with("AWS4-HMAC-SHA256 "
                           "Credential=AKIDEXAMPLE/20231114/us-east-1/dynamodb/aws4_request"));
    CHECK(sent.body == R"({"TableName":"cache","Key":{"k":{"S":"hello"}}})");
}

TEST_CASE("what comes of an answer or a fault, and how often it was sent") {
    struct row {
        std::string name;
        std::vector<fake_response> answers;
        bool idempotent;
        errc code; ///< {} for success
        std::size_t requests;
    };
    fake_response bad_crc = answer("{}");
    bad_crc.headers.emplace_back("x-amz-crc32", "1");
    const auto refused = fake_response::network_error(make_error_code(errc::connect_failed), false);
    const std::vector<row> table{
        {"200", {answer("{}")}, true, {}, 1},
        {"200 without a body", {answer("")}, true, errc::bad_response, 1},
        {"500 then 200", {service_error("InternalServerError", 500), answer("{}")}, true, {}, 2},
        {"500 for ever",
         {service_error("InternalServerError", 500)},
         true,
         errc::service_failed,
         3},
        {"500 on a conditional write",
         {service_error("InternalServerError", 500), answer("{}")},
         false,
         errc::service_failed,
         1},
        {"throttled then 200", {service_error("ThrottlingException"), answer("{}")}, false, {}, 2},
        {"throttled for ever",
         {service_error("ProvisionedThroughputExceededException")},
         true,
         errc::throttled,
         3},
        {"refused connection then 200", {refused, answer("{}")}, false, {}, 2},
        {"lost after sending then 200", {lost(true), answer("{}")}, true, {}, 2},
        {"lost after sending a conditional write",
         {lost(true), answer("{}")},
         false,
         errc::connection_lost,
         1},
        {"condition false",
         {service_error("ConditionalCheckFailedException")},
         false,
         errc::conditional_check_failed,
         1},
        {"no such table",
         {service_error("ResourceNotFoundException")},
         true,
         errc::resource_not_found,
         1},
        {"bad checksum then 200", {bad_crc, answer("{}")}, true, {}, 2},
        {"bad checksum for ever", {bad_crc}, true, errc::checksum_mismatch, 3},
        {"not JSON", {answer("<html>")}, true, errc::bad_response, 1},
        {"HTML 503 then 200", {answer("<html>busy</html>", 503), answer("{}")}, true, {}, 2},
        {"expired token, then another",
         {service_error("ExpiredTokenException"), answer("{}")},
         false,
         {},
         2},
        {"redirect", {answer("", 301)}, true, errc::bad_response, 1},
    };
    for (const row& one : table) {
        INFO(one.name);
        fake_world world(script(one.answers));
        std::optional<failure> why;
        if (one.idempotent) {
            const auto got = attempt(world, get_request());
            if (!got) why = got.error();
        } else {
            const auto got = attempt(world, conditional_put());
            if (!got) why = got.error();
        }
        CHECK(world.transport->requests().size() == one.requests);
        CHECK(why.has_value() == (one.code != errc{}));
        if (why) {
            CHECK(why->code == one.code);
            CHECK(why->info->attempts == one.requests);
            CHECK_FALSE(why->message().empty());
        }
    }
}

TEST_CASE("whoever declares a write safe has it replayed, and whoever forbids it has it not") {
    fake_world safe(script({lost(true), answer("{}")}));
    CHECK(attempt(safe, conditional_put(), {.replay = replay::safe}).has_value());
    fake_world unsafe(script({lost(true), answer("{}")}));
    CHECK_FALSE(attempt(unsafe, get_request(), {.replay = replay::unsafe}).has_value());
    CHECK(unsafe.transport->requests().size() == 1);
}

TEST_CASE("retries wait as the standard mode says and are signed anew") {
    fake_world world(script({service_error("InternalServerError", 500)}));
    CHECK_FALSE(attempt(world, get_request()).has_value());
    const auto sleeps = world.time->sleeps();
    REQUIRE(sleeps.size() == 2);
    CHECK(std::chrono::round<std::chrono::milliseconds>(sleeps[0]) == 1000ms);
    CHECK(std::chrono::round<std::chrono::milliseconds>(sleeps[1]) == 2000ms);
    std::vector<std::string> dates;
    for (const auto& sent : world.transport->requests()) {
        dates.emplace_back(sent.header("x-amz-date"));
    }
    CHECK(dates[0] != dates[1]);
    CHECK(dates[1] != dates[2]);
}

TEST_CASE("a retry waits from the end of the attempt before it, however long that took") {
    std::shared_ptr<testing::manual_clock> time;
    fake_world world([&](const fake_request&) {
        time->advance(700ms);
        return service_error("InternalServerError", 500);
    });
    time = world.time;
    CHECK_FALSE(attempt(world, get_request()).has_value());
    const auto sleeps = world.time->sleeps();
    REQUIRE(sleeps.size() == 2);
    CHECK(std::chrono::round<std::chrono::milliseconds>(sleeps[0]) == 1000ms);
    CHECK(std::chrono::round<std::chrono::milliseconds>(sleeps[1]) == 2000ms);
}

TEST_CASE("a call gives up before a wait that would end after its deadline") {
    fake_world world(script({service_error("InternalServerError", 500)}));
    const auto got = attempt(world, get_request(), {.timeout = 2500ms});
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::service_failed);
    CHECK(world.transport->requests().size() == 2);
}

TEST_CASE("invalid input is refused before anything is sent") {
    fake_world world(script({answer("{}")}));
    get_item_input in = get_request();
    in.table_name = "x";
    const auto got = attempt(world, in);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::invalid_argument);
    CHECK(got.error().message().find("table_name") != std::string::npos);
    in = get_request();
    in.key.insert_or_assign("k", std::string("\xff"));
    const auto not_text = attempt(world, in);
    REQUIRE_FALSE(not_text.has_value());
    CHECK(not_text.error().code == errc::invalid_argument);
    CHECK(world.transport->requests().empty());
}

TEST_CASE("a bad configuration names its field") {
    struct row {
        std::function<void(client_config&)> breaks;
        std::string field;
    };
    const std::vector<row> table{
        {[](client_config& c) { c.call_timeout = 0ms; }, "call_timeout"},
        {[](client_config& c) { c.attempt_timeout = -1ms; }, "attempt_timeout"},
        {[](client_config& c) { c.call_timeout = std::chrono::milliseconds::max(); },
         "call_timeout"},
        {[](client_config& c) { c.region.clear(); }, "region"},
        {[](client_config& c) { c.region = "eu\r\nX: y"; }, "region"},
        {[](client_config& c) { c.endpoint = "ftp://fake"; }, "endpoint"},
        {[](client_config& c) { c.endpoint = "http://fake\r\nX: y"; }, "endpoint"},
        {[](client_config& c) { c.retry.max_attempts = 5000; }, "max_attempts"},
        {[](client_config& c) {
             c.pool.max_connections = 0;
             c.transport.reset();
         },
         "max_connections"},
    };
    for (const row& one : table) {
        INFO(one.field);
        fake_world world(script({answer("{}")}));
        client_config config = world.client_config();
        one.breaks(config);
        try {
            client db(config);
            FAIL("accepted");
        } catch (const error& why) {
            CHECK(why.code() == errc::invalid_argument);
            CHECK(std::string(why.what()).find(one.field) != std::string::npos);
        }
    }
}

TEST_CASE("without credentials the error says where they were looked for") {
    fake_world world(script({answer("{}")}));
    world.credentials = nullptr;
    const auto got = attempt(world, get_request());
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::no_credentials);
    CHECK(got.error().message().find("environment") != std::string::npos);
    CHECK(world.transport->requests().empty());
}

namespace {

/// What somebody else's provider may do.
class broken_provider final : public aws::credentials_provider {
public:
    std::string_view name() const noexcept override { return "broken"; }
    aws::credentials_ptr current() const override { return nullptr; }
    asio::awaitable<aws::credentials_ptr> resolve() override {
        throw boost::system::system_error(asio::error::connection_refused);
        co_return nullptr;
    }
};

} // namespace

TEST_CASE("whatever a provider throws comes as a failure, and a very long time-out is a long one") {
    fake_world world(script({answer("{}")}));
    CHECK(attempt(world, get_request(), {.timeout = std::chrono::milliseconds::max()}).has_value());
    world.credentials = std::make_shared<broken_provider>();
    const auto got = attempt(world, get_request());
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == asio::error::connection_refused);
}

TEST_CASE("a transaction gets a token of its own, the same for each attempt") {
    fake_world world(script({service_error("InternalServerError", 500), answer("{}")}));
    transact_write_items_input in;
    in.items.push_back({.table_name = "cache", .item = conditional_put().item});
    REQUIRE(attempt(world, in).has_value());
    REQUIRE(world.transport->requests().size() == 2);
    CHECK(world.transport->requests()[0].body == world.transport->requests()[1].body);
    CHECK(world.transport->requests()[0].body.find("ClientRequestToken") != std::string::npos);
}

TEST_CASE("after close every call is refused, and the handle may go while a call is under way") {
    fake_world world(script({answer("{}")}));
    client db(world.client_config());
    run(db.close());
    const auto closed = run(db.attempt(get_request()));
    REQUIRE_FALSE(closed.has_value());
    CHECK(closed.error().code == errc::closed);

    fake_world other(script({answer("{}")}));
    auto under_way = client(other.client_config()).attempt(get_request());
    CHECK(run(std::move(under_way)).has_value());
}

TEST_CASE("cancellation at every suspension ends the call with operation_aborted") {
    for (int steps = 1; steps < 12; ++steps) {
        fake_world world(script({service_error("InternalServerError", 500)}));
        client db(world.client_config());
        asio::io_context context;
        asio::cancellation_signal signal;
        bool aborted = false;
        bool finished = false;
        asio::co_spawn(
            context, db.attempt(get_request()),
            asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr why, auto) {
                finished = !why;
                if (!why) return;
                try {
                    std::rethrow_exception(why);
                } catch (const boost::system::system_error& e) {
                    aborted = e.code() == asio::error::operation_aborted;
                }
            }));
        for (int i = 0; i < steps && context.poll_one() > 0; ++i) {
        }
        signal.emit(asio::cancellation_type::terminal);
        context.restart();
        context.run();
        INFO(steps);
        CHECK(aborted != finished);
        if (steps == 1) CHECK(aborted);
        if (steps == 11) CHECK(finished);
    }
}

TEST_CASE("neither log nor error text holds a secret") {
    fake_world world(script({service_error("InternalServerError", 500)}));
    world.credentials =
        aws::static_credentials({"AKIDEXAMPLE", "wJalrXUtnFEMI", "token-of-session"});
    const auto got = attempt(world, get_request());
    REQUIRE_FALSE(got.has_value());
    std::string all = got.error().message();
    for (const std::string& line : world.log.all())
        all += line;
    CHECK_FALSE(world.log.all().empty());
    CHECK(all.find("wJalrXUtnFEMI") == std::string::npos);
    CHECK(all.find("token-of-session") == std::string::npos);
    CHECK(all.find("hello") == std::string::npos);
}

} // namespace codynamo::dynamodb
