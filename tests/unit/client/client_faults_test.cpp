// SPDX-License-Identifier: BSL-1.0
// What a client makes of failing endpoints, shared settings and answers that repeat secrets.
#include "fake_client.hpp"
#include "support/catch.hpp"

#include <functional>
#include <string>
#include <vector>

namespace codynamo::dynamodb {

using namespace std::chrono_literals;
using namespace test;

TEST_CASE("a client leaves a failing endpoint alone, probes it, and goes on when it answers") {
    bool up = false;
    fake_world world([&up](const fake_request&) { return up ? answer("{}") : lost(false); });
    client_config config = world.client_config();
    config.retry.max_attempts = 1;
    config.breaker.minimum_calls = 5;
    client db(config);
    for (int i = 0; i < 5; ++i)
        CHECK(outcome_of(db).code == errc::connection_lost);
    const failure refused = outcome_of(db);
    CHECK(refused.code == errc::circuit_open);
    CHECK(refused.message() ==
          "not sent: http://fake has been failing and is left alone for another 500 ms");
    CHECK(refused.info->attempts == 0);
    CHECK_FALSE(refused.info->outcome_unknown);
    CHECK(world.transport->requests().size() == 5);

    world.time->advance(500ms);
    CHECK(outcome_of(db).code == errc::connection_lost);
    CHECK(outcome_of(db).code == errc::circuit_open);
    up = true;
    world.time->advance(500ms);
    CHECK_FALSE(outcome_of(db).code);
    CHECK_FALSE(outcome_of(db).code);
    CHECK(world.transport->requests().size() == 8);
}

TEST_CASE("calls with retries wait for the endpoint instead of failing in a tight loop") {
    int failures = 8;
    fake_world world(
        [&failures](const fake_request&) { return failures-- > 0 ? lost(false) : answer("{}"); });
    client_config config = world.client_config();
    config.breaker.minimum_calls = 3;
    client db(config);
    const auto before = world.time->steady_now();
    int calls = 0;
    while (outcome_of(db).code && calls < 100)
        ++calls;
    // Each of them took its time, and fewer requests were sent than without a breaker.
    CHECK(calls >= 2);
    CHECK(world.time->steady_now() - before >= calls * 500ms);
    CHECK(world.transport->requests().size() == 9);
}

TEST_CASE("the retry settings are the configuration's, the environment's, or the default") {
    struct row {
        std::string name;
        variables environment;
        aws::retry_config configured;
        std::size_t requests;
        std::chrono::milliseconds first_wait;
    };
    const std::vector<row> table{
        {"default", {}, {}, 3, 1000ms},
        {"AWS_MAX_ATTEMPTS", {{"AWS_MAX_ATTEMPTS", "5"}}, {}, 5, 1000ms},
        {"the configuration wins", {{"AWS_MAX_ATTEMPTS", "5"}}, {.max_attempts = 2}, 2, 1000ms},
        {"AWS_NEW_RETRIES_2026", {{"AWS_NEW_RETRIES_2026", "True"}}, {}, 4, 25ms},
        {"the configuration's spec wins",
         {{"AWS_NEW_RETRIES_2026", "true"}},
         {.spec = aws::retry_spec::v2_0},
         3,
         1000ms},
    };
    for (const row& one : table) {
        INFO(one.name);
        fake_world world(script({service_error("InternalServerError", 500)}));
        world.env.variable = one.environment;
        client_config config = world.client_config();
        config.retry = one.configured;
        client db(config);
        CHECK(outcome_of(db, {.timeout = 1h}).code == errc::service_failed);
        CHECK(world.transport->requests().size() == one.requests);
        REQUIRE_FALSE(world.time->sleeps().empty());
        CHECK(std::chrono::round<std::chrono::milliseconds>(world.time->sleeps()[0]) ==
              one.first_wait);
    }
}

TEST_CASE("in adaptive mode the whole client slows down when it was throttled") {
    for (const bool adaptive : {false, true}) {
        fake_world world(script({service_error("ThrottlingException"), answer("{}")}));
        if (adaptive) world.env.variable = variables{{"AWS_RETRY_MODE", "adaptive"}};
        client db(world.client_config());
        CHECK_FALSE(outcome_of(db).code);
        const std::size_t waits = world.time->sleeps().size();
        CHECK_FALSE(outcome_of(db).code);
        CHECK((world.time->sleeps().size() > waits) == adaptive);
    }
}

TEST_CASE("bad settings of environment and breaker are named") {
    struct row {
        variables environment;
        std::function<void(client_config&)> breaks;
        std::string words;
    };
    const std::vector<row> table{
        {{{"AWS_MAX_ATTEMPTS", "0"}}, [](client_config&) {}, "AWS_MAX_ATTEMPTS"},
        {{}, [](client_config& c) { c.breaker.minimum_calls = 0; }, "breaker.minimum_calls"},
        {{}, [](client_config& c) { c.hedging.max_extra_load = 2; }, "hedging.max_extra_load"},
        {{}, [](client_config& c) { c.use_fips = true; }, "FIPS"},
    };
    for (const row& one : table) {
        fake_world world(script({answer("{}")}));
        world.env.variable = one.environment;
        client_config config = world.client_config();
        one.breaks(config);
        try {
            client db(config);
            FAIL("accepted " << one.words);
        } catch (const error& why) {
            CHECK(why.code() == errc::invalid_argument);
            CHECK(std::string(why.what()).find(one.words) != std::string::npos);
        }
    }
}

TEST_CASE("a service that repeats what it was sent does not make us tell secrets") {
    const std::string echo =
        R"({"__type":"InvalidSignatureException","message":"The Canonical String should have been )"
        R"('POST x-amz-security-token:token-of-session', Authorization='AWS4-HMAC-SHA256 )"
        R"(Credential=AKIDEXAMPLE/20231114, Signature=5d672d79c15b13162d9279b0855cfba6' )"
        R"(and the secret wJalrXUtnFEMI"})";
    fake_world world(script({dated(answer(echo, 403), "Tue, 14 Nov 2023 22:23:20 GMT")}));
    world.credentials =
        aws::static_credentials({"AKIDEXAMPLE", "wJalrXUtnFEMI", "token-of-session"});
    client_config config = world.client_config();
    config.breaker.minimum_calls = 1;
    client db(config);
    std::string all = outcome_of(db).message();
    CHECK(all.find("Canonical String") != std::string::npos);
    for (const std::string& line : world.log.all())
        all += line;
    CHECK(all.find("ms ahead of ours") != std::string::npos);
    CHECK(all.find("wJalrXUtnFEMI") == std::string::npos);
    CHECK(all.find("token-of-session") == std::string::npos);
    CHECK(all.find("5d672d79c15b") == std::string::npos);
}

} // namespace codynamo::dynamodb
