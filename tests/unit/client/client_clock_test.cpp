// SPDX-License-Identifier: BSL-1.0
// What a client learns of the server's clock, and what it does about a wrong date.
#include "fake_client.hpp"
#include "support/catch.hpp"
#include "support/scripted_services.hpp"

#include <string>
#include <vector>

namespace codynamo::dynamodb {

using namespace test;

namespace {

/// A service ten minutes ahead of our clock that insists on dates of its own ten minutes. Half a
/// minute ahead it says nothing.
testing::fake_transport::server strict_about_dates(std::string code) {
    return [code](const fake_request& request) {
        const std::string_view date = request.header("x-amz-date");
        const bool ours = date.starts_with("20231114T2213");
        return dated(ours ? service_error(code, 403) : answer("{}"),
                     "Tue, 14 Nov 2023 22:23:20 GMT");
    };
}

} // namespace

TEST_CASE("a request refused for its date is dated by the server's clock and sent again, once") {
    fake_world world(strict_about_dates("InvalidSignatureException"));
    client_config config = world.client_config();
    config.retry.max_attempts = 1;
    client db(config);
    CHECK_FALSE(outcome_of(db).code);
    REQUIRE(world.transport->requests().size() == 2);
    CHECK(world.transport->requests()[1].header("x-amz-date") == "20231114T222320Z");
    CHECK(world.time->sleeps().empty());
    // And remembered.
    CHECK_FALSE(outcome_of(db).code);
    CHECK(world.transport->requests().size() == 3);
}

TEST_CASE("a wrong secret is not taken for a wrong clock") {
    fake_world world([](const fake_request&) {
        return dated(service_error("InvalidSignatureException", 403),
                     "Tue, 14 Nov 2023 22:14:00 GMT");
    });
    client db(world.client_config());
    CHECK(outcome_of(db).code == errc::credentials_rejected);
    CHECK(world.transport->requests().size() == 1);
}

TEST_CASE("the clock is learnt from answers of any kind, unless somebody forbids it") {
    struct row {
        std::string name;
        std::optional<bool> configured;
        variables environment;
        bool learns;
    };
    const std::vector<row> table{
        {"by default", std::nullopt, {}, true},
        {"forbidden by the configuration", false, {}, false},
        {"forbidden by the environment",
         std::nullopt,
         {{"AWS_DISABLE_CLOCK_SKEW_CORRECTION", "true"}},
         false},
        {"the configuration wins", true, {{"AWS_DISABLE_CLOCK_SKEW_CORRECTION", "true"}}, true},
    };
    for (const row& one : table) {
        INFO(one.name);
        fake_world world(script({dated(answer("{}"), "Tue, 14 Nov 2023 21:13:20 GMT")}));
        world.env.variable = one.environment;
        client_config config = world.client_config();
        config.clock_skew_correction = one.configured;
        client db(config);
        CHECK_FALSE(outcome_of(db).code);
        CHECK_FALSE(outcome_of(db).code);
        CHECK(world.transport->requests()[0].header("x-amz-date") == "20231114T221320Z");
        CHECK(world.transport->requests()[1].header("x-amz-date") ==
              (one.learns ? "20231114T211320Z" : "20231114T221320Z"));
    }
    fake_world refusing(strict_about_dates("InvalidSignatureException"));
    client_config config = refusing.client_config();
    config.clock_skew_correction = false;
    client db(config);
    CHECK(outcome_of(db).code == errc::credentials_rejected);
    CHECK(refusing.transport->requests().size() == 1);
}

TEST_CASE("whose dates are believed") {
    fake_response proxy;
    proxy.status = 503;
    proxy.body = "<html>come back later</html>";
    fake_response emulator = answer("{}");
    emulator.headers.clear();
    fake_response refusing = service_error("ValidationException");
    refusing.headers.clear();
    fake_response corrupt = answer("{}");
    corrupt.headers.emplace_back("x-amz-crc32", "1");
    struct row {
        std::string name;
        fake_response first;
        bool learns;
    };
    for (const row& one :
         {row{"the service's", answer("{}"), true},
          row{"an error of the service's", service_error("InternalServerError", 500), true},
          row{"a proxy's", proxy, false}, row{"an emulator's", emulator, true},
          row{"an emulator's error", refusing, true}, row{"of a broken answer", corrupt, false}}) {
        INFO(one.name);
        fake_world world(script({dated(one.first, "Tue, 14 Nov 2023 21:13:20 GMT"), answer("{}")}));
        client_config config = world.client_config();
        config.retry.max_attempts = 1;
        client db(config);
        (void)outcome_of(db);
        CHECK_FALSE(outcome_of(db).code);
        CHECK(world.transport->requests()[1].header("x-amz-date") ==
              (one.learns ? "20231114T211320Z" : "20231114T221320Z"));
    }
}

TEST_CASE("a Date header that makes signing fail is not believed for long") {
    // The service judges dates by a clock that agrees with ours; what it writes is an hour ahead.
    fake_world world([](const fake_request& request) {
        const bool right = request.header("x-amz-date").starts_with("20231114T2213");
        return dated(right ? answer("{}") : date_refused(), "Tue, 14 Nov 2023 23:13:20 GMT");
    });
    client_config config = world.client_config();
    config.retry.max_attempts = 1;
    client db(config);
    for (int call = 0; call != 50; ++call)
        CHECK_FALSE(outcome_of(db).code);
    // The second one was dated by the header, and refused once.
    CHECK(world.transport->requests().size() == 51);
    CHECK(world.time->sleeps().empty());
}

TEST_CASE("a signature that is refused for its secret says nothing of the clock") {
    for (const auto* date : {"Tue, 14 Nov 2023 22:16:20 GMT", "Tue, 14 Nov 2023 23:13:20 GMT"}) {
        INFO(date);
        const auto broken = std::make_shared<bool>(false);
        fake_world world([broken, date](const fake_request&) {
            return dated(*broken ? service_error("InvalidSignatureException", 403,
                                                 "The request signature we calculated does not "
                                                 "match the signature you provided.")
                                 : answer("{}"),
                         date);
        });
        client_config config = world.client_config();
        config.retry.max_attempts = 1;
        client db(config);
        for (int call = 0; call != 3; ++call)
            CHECK_FALSE(outcome_of(db).code);
        const std::string corrected(world.transport->requests().back().header("x-amz-date"));
        CHECK(corrected > "20231114T221600Z");
        *broken = true; // a rotation that was half written
        CHECK(outcome_of(db).code == errc::credentials_rejected);
        CHECK(world.transport->requests().size() == 4);
        *broken = false;
        CHECK_FALSE(outcome_of(db).code);
        CHECK(world.transport->requests().back().header("x-amz-date") == corrected);
    }
}

TEST_CASE("a clock that was doubted is believed again when ours is refused") {
    auto ahead = std::make_shared<bool>(false);
    fake_world world([ahead](const fake_request& request) {
        const bool ours = request.header("x-amz-date").starts_with("20231114T2213");
        return dated(ours != *ahead ? answer("{}") : date_refused(),
                     "Tue, 14 Nov 2023 23:13:20 GMT");
    });
    client_config config = world.client_config();
    config.retry.max_attempts = 1;
    client db(config);
    for (int call = 0; call != 6; ++call) {
        *ahead = call >= 3;
        CHECK_FALSE(outcome_of(db).code);
    }
    CHECK(world.transport->requests().size() == 8);
}

TEST_CASE("a container's credentials work although our clock is hours off") {
    for (const auto off : {std::chrono::hours(2), std::chrono::hours(-2)}) {
        INFO(off.count());
        testing_support::scripted_services services(
            {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c"}},
            {testing_support::answer(
                200, R"({"AccessKeyId":"ASIAX","SecretAccessKey":"s3cret-s3cret","Token":"t0ken",)"
                     R"("Expiration":"2023-11-14T23:13:20Z"})")});
        services.time = std::make_shared<testing::manual_clock>(
            timestamp(std::chrono::seconds(1'700'000'000)) + off);
        fake_world world([](const fake_request& request) {
            const bool right = request.header("x-amz-date").starts_with("20231114T2213");
            return dated(right ? answer("{}") : date_refused(), "Tue, 14 Nov 2023 22:13:20 GMT");
        });
        client_config config = world.client_config();
        config.env.time = services.time;
        config.credentials = aws::container_credentials(services.options());
        config.retry.max_attempts = 1;
        client db(config);
        for (int call = 0; call != 3; ++call)
            CHECK_FALSE(outcome_of(db).code);
        CHECK(world.transport->requests().size() == 4);
        CHECK(services.requests().size() == 1);
        // By the right clock they expire in an hour.
        services.time->advance(std::chrono::minutes(61));
        CHECK_FALSE(config.credentials->valid());
    }
}

} // namespace codynamo::dynamodb
