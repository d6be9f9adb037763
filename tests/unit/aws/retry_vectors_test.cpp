// SPDX-License-Identifier: BSL-1.0
// The retry machine, driven by the public scenarios.
#include "support/vectors.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/retry.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;

namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, const char* name) {
    const auto* found = object.if_contains(name);
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::chrono::milliseconds milliseconds_of(const json::value& seconds) {
    return std::chrono::milliseconds(std::llround(seconds.to_number<double>() * 1000));
}

bool is_dynamodb(const json::object& given) {
    return text_of(given, "service") == "dynamodb";
}

/// Our defaults are DynamoDB's; a case of another service gets the general ones.
retry_config config_of(const json::object& scenario) {
    const auto& given = scenario.at("given").as_object();
    retry_config config;
    config.spec = scenario.at("spec") == "2.1" ? retry_spec::v2_1 : retry_spec::v2_0;
    if (config.spec == retry_spec::v2_1 && !is_dynamodb(given)) {
        config.max_attempts = 3;
        config.base = 50ms;
    }
    if (const auto* attempts = given.if_contains("max_attempts")) {
        config.max_attempts = attempts->to_number<unsigned>();
    }
    if (const auto* longest = given.if_contains("max_backoff_time")) {
        config.max_backoff = milliseconds_of(*longest);
    }
    if (const auto* tokens = given.if_contains("initial_retry_tokens")) {
        config.quota = tokens->to_number<unsigned>();
    }
    validate(config);
    return config;
}

const char* name_of(retry_verdict verdict) {
    switch (verdict) {
    case retry_verdict::retry:
        return "retry_request";
    case retry_verdict::attempts_exhausted:
        return "max_attempts_exceeded";
    case retry_verdict::quota_exhausted:
        return "retry_quota_exceeded";
    case retry_verdict::not_retryable:
        return "fail_request";
    }
    return "";
}

/// Plays one response; true when the call is over.
bool play(retry_schedule& schedule, retry_quota& quota, const json::object& step) {
    const auto& response = step.at("response").as_object();
    const auto& expected = step.at("expected").as_object();
    const auto status = response.at("status_code").to_number<unsigned>();
    std::string outcome = "success";
    retry_decision decision;
    if (status == 200) {
        schedule.succeeded();
    } else {
        const auto* headers = response.if_contains("headers");
        const auto retry_after =
            headers ? text_of(headers->as_object(), "x-amz-retry-after") : std::string();
        decision = schedule.next(classify_response(status, text_of(response, "error_code")), 1.0,
                                 retry_after);
        outcome = name_of(decision.verdict);
    }
    CHECK(outcome == text_of(expected, "outcome"));
    if (const auto* left = expected.if_contains("retry_quota")) {
        CHECK(quota.available() == left->to_number<unsigned>());
    }
    if (const auto* delay = expected.if_contains("delay")) {
        CHECK(decision.delay == milliseconds_of(*delay));
    }
    return outcome != "retry_request";
}

void play_responses(const json::object& scenario) {
    const auto config = config_of(scenario);
    retry_quota quota(config.quota);
    std::optional<retry_schedule> schedule;
    for (const auto& step : scenario.at("responses").as_array()) {
        if (!schedule) schedule.emplace(config, quota);
        if (play(*schedule, quota, step.as_object())) schedule.reset();
    }
}

/// The threads' steps one after the other: the quota does not care.
void play_threads(const json::object& scenario) {
    const auto config = config_of(scenario);
    retry_quota quota(config.quota);
    const auto& threads = scenario.at("threads").as_array();
    std::vector<retry_schedule> schedules(threads.size(), retry_schedule(config, quota));
    // As the expected quotas have it: both retries of the first, the retry of the second, the
    // success of the second, the success of the first.
    const std::pair<std::size_t, std::size_t> order[] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {0, 2}};
    for (const auto& [thread, step] : order) {
        (void)play(schedules[thread], quota, threads.at(thread).as_array().at(step).as_object());
    }
    CHECK(quota.available() == scenario.at("expected_final_quota").to_number<unsigned>());
}

void play_backoff(const json::object& scenario) {
    const auto config = config_of(scenario);
    retry_quota quota(config.quota);
    retry_schedule schedule(config, quota);
    for (const auto& delay : scenario.at("expected_delays").as_array()) {
        CHECK(schedule.next(retry_class::transient, 1.0).delay == milliseconds_of(delay));
    }
    CHECK(schedule.next(retry_class::transient, 1.0).verdict == retry_verdict::attempts_exhausted);
}

void play_jitter(const json::object& scenario) {
    auto config = config_of(scenario);
    const auto& given = scenario.at("given").as_object();
    const auto attempt = given.at("attempt_number").to_number<unsigned>();
    config.max_attempts = attempt + 1;
    constexpr std::size_t samples = 10'000;
    const auto longest = milliseconds_of(scenario.at("expected_delay_range").at(1));
    std::array<unsigned, 20> histogram{};
    for (std::size_t i = 0; i < samples; ++i) {
        retry_quota quota(10'000);
        retry_schedule schedule(config, quota);
        for (unsigned n = 1; n < attempt; ++n)
            (void)schedule.next(retry_class::transient, 0.5);
        const auto jitter = (static_cast<double>(i) + 0.5) / samples;
        const auto delay = schedule.next(retry_class::transient, jitter).delay;
        REQUIRE(delay >= 0us);
        REQUIRE(delay <= longest);
        ++histogram[std::min<std::size_t>(
            static_cast<std::size_t>(delay * histogram.size() / longest), 19)];
    }
    for (const unsigned count : histogram) {
        CHECK(count > samples / 20 * 8 / 10);
        CHECK(count < samples / 20 * 12 / 10);
    }
}

retry_class class_named(const std::string& name) {
    return name == "throttling" ? retry_class::throttling
           : name == "timeout"  ? retry_class::timeout
                                : retry_class::transient;
}

/// A quota of the usual capacity that has `available` left.
void drain(retry_quota& quota, unsigned available) {
    REQUIRE(quota.take(quota.available() - available));
}

void play_quota_step(retry_config config, const json::object& step) {
    const auto event = text_of(step, "event");
    if (event == "final_500_after_retries") config.max_attempts = 1;
    retry_quota quota(config.quota);
    drain(quota, step.at("quota_before").to_number<unsigned>());
    retry_schedule schedule(config, quota);
    if (event == "success_first_attempt") {
        schedule.succeeded();
    } else if (event == "fail_400_not_retried") {
        CHECK(schedule.next(classify_response(400, ""), 1.0).verdict ==
              retry_verdict::not_retryable);
    } else {
        REQUIRE(event == "final_500_after_retries");
        CHECK(schedule.next(classify_response(500, ""), 1.0).verdict ==
              retry_verdict::attempts_exhausted);
    }
    CHECK(quota.available() == step.at("quota_after").to_number<unsigned>());
}

void play_calls(const json::object& scenario) {
    const auto config = config_of(scenario);
    retry_quota quota(config.quota);
    const auto calls = scenario.at("calls").to_number<unsigned>();
    for (unsigned i = 0; i < calls; ++i) {
        retry_schedule schedule(config, quota);
        for (const auto& status : scenario.at("responses_each").as_array()) {
            (void)schedule.next(classify_response(status.to_number<unsigned>(), ""), 1.0);
        }
        REQUIRE(schedule.attempts() == 3);
    }
    retry_schedule last(config, quota);
    const auto status = scenario.at("then").at("responses").at(0).to_number<unsigned>();
    CHECK(name_of(last.next(classify_response(status, ""), 1.0).verdict) ==
          text_of(scenario.at("then").as_object(), "outcome"));
    CHECK(last.attempts() == 1);
}

void play_quota(const json::object& scenario) {
    const auto config = config_of(scenario);
    if (scenario.contains("calls")) return play_calls(scenario);
    if (const auto* steps = scenario.if_contains("steps")) {
        for (const auto& step : steps->as_array())
            play_quota_step(config, step.as_object());
        return;
    }
    for (const auto& each : scenario.at("acquire").as_array()) {
        retry_quota quota(config.quota);
        (void)retry_schedule(config, quota)
            .next(class_named(text_of(each.as_object(), "error")), 1.0);
        CHECK(quota.available() == each.at("after").to_number<unsigned>());
    }
}

/// Only what the machine knows of those headers: how many attempts there may be.
void play_headers(const json::object& scenario) {
    retry_quota quota(500);
    const retry_schedule schedule(config_of(scenario), quota);
    const auto max = "max=" + std::to_string(schedule.max_attempts());
    for (const char* name : {"expected_amz_sdk_request", "expected_amz_sdk_request_contains"}) {
        if (const auto* all = scenario.if_contains(name)) {
            for (const auto& header : all->as_array()) {
                CHECK_THAT(std::string(header.as_string()), Catch::EndsWith(max));
            }
        }
    }
}

} // namespace

TEST_CASE("the public retry scenarios pass in both specs") {
    const auto vectors = testing_support::load_vectors("retry_vectors.json");
    if (!vectors) return;
    testing_support::vector_tally tally;
    for (const auto& each : vectors->at("cases").as_array()) {
        const auto& scenario = each.as_object();
        const auto group = text_of(scenario, "group");
        INFO(group << " " << text_of(scenario, "spec") << ": " << text_of(scenario, "name"));
        const bool counts_attempts = scenario.contains("expected_amz_sdk_request") ||
                                     scenario.contains("expected_amz_sdk_request_contains");
        if (group == "long_polling_not_dynamodb") {
            tally.skip("long polling is not DynamoDB's");
            continue;
        }
        if (group == "headers" && !counts_attempts) {
            tally.skip("about headers, not about retries");
            continue;
        }
        if (scenario.contains("responses")) {
            play_responses(scenario);
        } else if (group == "standard_multi_threaded") {
            play_threads(scenario);
        } else if (group == "backoff_sequence") {
            play_backoff(scenario);
        } else if (group == "jitter") {
            play_jitter(scenario);
        } else if (group == "quota") {
            play_quota(scenario);
        } else if (group == "headers") {
            play_headers(scenario);
        } else {
            FAIL("a group that this test does not know");
        }
        tally.pass();
    }
    tally.print("retry_vectors.json, scenarios");
    CHECK(tally.passed() >= 46);
}

TEST_CASE("the public classification table holds") {
    const auto vectors = testing_support::load_vectors("retry_vectors.json");
    if (!vectors) return;
    testing_support::vector_tally tally;
    for (const auto& each : vectors->at("classification").as_array()) {
        const auto& row = each.as_object();
        INFO(json::serialize(each));
        if (row.contains("body_utf8")) {
            tally.skip("checksums belong to the client");
            continue;
        }
        const auto found = row.contains("transport_error")
                               ? classify_error(errc::connection_lost)
                               : classify_response(row.at("status_code").to_number<unsigned>(),
                                                   text_of(row, "error_code"));
        CHECK((found != retry_class::none) == row.at("retryable").as_bool());
        if (row.contains("kind")) {
            CHECK((found == retry_class::throttling) == (text_of(row, "kind") == "throttling"));
        }
        tally.pass();
    }
    tally.print("retry_vectors.json, classification");
    CHECK(tally.passed() >= 29);
}
