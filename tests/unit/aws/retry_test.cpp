// SPDX-License-Identifier: BSL-1.0
// The retry machine, by tables of our own.
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/retry.hpp>

#include <boost/asio/error.hpp>

#include <array>
#include <thread>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;
using testing_support::message_of;

TEST_CASE("responses are classified by code first, then by status") {
    struct row {
        unsigned status;
        const char* code;
        retry_class expected;
    };
    const row rows[] = {
        {200, "", retry_class::none},
        {200, "ThrottlingException", retry_class::none},
        {400, "ThrottlingException", retry_class::throttling},
        {500, "ThrottlingException", retry_class::throttling},
        {400, "ReplicatedWriteConflictException", retry_class::transient},
        {400, "RequestTimeout", retry_class::transient},
        {429, "", retry_class::throttling},
        {429, "Whatever", retry_class::throttling},
        {500, "InternalServerError", retry_class::transient},
        {501, "", retry_class::none},
        {509, "", retry_class::none},
        {404, "", retry_class::none},
        {301, "", retry_class::none},
        {400, "throttlingexception", retry_class::none},
        {400, "ValidationException", retry_class::none},
        {400, "ConditionalCheckFailedException", retry_class::none},
        {400, "ResourceNotFoundException", retry_class::none},
        {400, "TransactionCanceledException", retry_class::none},
        {400, "TransactionConflictException", retry_class::none},
        {400, "ExpiredTokenException", retry_class::none},
    };
    for (const row& each : rows) {
        INFO(each.status << " " << each.code);
        CHECK(classify_response(each.status, each.code) == each.expected);
    }
}

TEST_CASE("failures without a response are classified") {
    namespace asio_error = boost::asio::error;
    struct row {
        boost::system::error_code code;
        retry_class expected;
    };
    const row rows[] = {
        {{}, retry_class::none},
        {asio_error::operation_aborted, retry_class::none},
        {errc::timeout, retry_class::timeout},
        {errc::connection_lost, retry_class::transient},
        {errc::connect_failed, retry_class::transient},
        {errc::resolve_failed, retry_class::transient},
        {errc::tls_failed, retry_class::none},
        {errc::checksum_mismatch, retry_class::transient},
        {errc::throttled, retry_class::throttling},
        {errc::bad_response, retry_class::none},
        {errc::response_too_large, retry_class::none},
        {errc::overloaded, retry_class::none},
        {errc::closed, retry_class::none},
        {errc::invalid_argument, retry_class::none},
        {errc::conditional_check_failed, retry_class::none},
        {asio_error::connection_reset, retry_class::transient},
        {asio_error::eof, retry_class::transient},
        {asio_error::timed_out, retry_class::timeout},
        {asio_error::no_memory, retry_class::none},
    };
    for (const row& each : rows) {
        INFO(each.code.message());
        CHECK(classify_error(each.code) == each.expected);
    }
}

TEST_CASE("a retry configuration out of bounds is refused by name") {
    CHECK_NOTHROW(validate({}));
    retry_config config;
    config.max_attempts = 1001;
    CHECK(message_of(errc::invalid_argument, [&] { validate(config); }) ==
          "retry max_attempts 1001 is out of bounds: at most 1000");
    config = {};
    config.max_backoff = -1ms;
    CHECK(message_of(errc::invalid_argument, [&] { validate(config); }) ==
          "retry max_backoff -1 ms is out of bounds: 0 to 3600000 ms");
    config = {};
    config.base = 2h;
    CHECK_THAT(message_of(errc::invalid_argument, [&] { validate(config); }),
               Catch::StartsWith("retry base 7200000 ms"));
    config = {};
    config.throttling_base = -5ms;
    CHECK_THAT(message_of(errc::invalid_argument, [&] { validate(config); }),
               Catch::StartsWith("retry throttling_base -5 ms"));
}

TEST_CASE("defaults are those of the chosen spec, and given values win") {
    retry_quota quota(500);
    CHECK(retry_schedule({}, quota).max_attempts() == 3);
    CHECK(retry_schedule({.spec = retry_spec::v2_1}, quota).max_attempts() == 4);
    CHECK(retry_schedule({.spec = retry_spec::v2_1, .max_attempts = 1}, quota).max_attempts() == 1);

    retry_schedule own({.base = 100ms, .throttling_base = 300ms}, quota);
    CHECK(own.next(retry_class::transient, 1.0).delay == 100ms);
    CHECK(own.next(retry_class::throttling, 1.0).delay == 600ms);
    CHECK(own.attempts() == 3);
    CHECK(own.next(retry_class::transient, 1.0).verdict == retry_verdict::attempts_exhausted);
}

TEST_CASE("what cannot be retried costs nothing and ends at once") {
    retry_quota quota(500);
    retry_schedule schedule({}, quota);
    CHECK(schedule.next(retry_class::none, 0.5, "1000").verdict == retry_verdict::not_retryable);
    CHECK(quota.available() == 500);
    CHECK(schedule.attempts() == 1);
}

TEST_CASE("jitter scales the wait, and is kept within 0 and 1") {
    retry_quota quota(500);
    const auto delay = [&](double jitter) {
        return retry_schedule({}, quota).next(retry_class::transient, jitter).delay;
    };
    CHECK(delay(0.0) == 0us);
    CHECK(delay(0.25) == 250ms);
    CHECK(delay(1.0) == 1s);
    CHECK(delay(-3.0) == 0us);
    CHECK(delay(7.0) == 1s);
}

TEST_CASE("many attempts do not overflow the wait") {
    retry_quota quota(100'000);
    retry_schedule schedule({.max_attempts = 1000, .max_backoff = 1h, .base = 1h}, quota);
    for (int i = 1; i < 1000; ++i) {
        REQUIRE(schedule.next(retry_class::transient, 1.0).delay == 1h);
    }
    CHECK(schedule.attempts() == 1000);
}

TEST_CASE("x-amz-retry-after is read strictly") {
    retry_quota quota(10'000);
    const auto delay = [&](const char* header) {
        return retry_schedule({.spec = retry_spec::v2_1}, quota)
            .next(retry_class::transient, 1.0, header)
            .delay;
    };
    CHECK(delay("1500") == 1500ms);
    CHECK(delay(" 1500 ") == 1500ms);
    CHECK(delay("6000") == 5025ms);
    for (const char* ignored : {"", " ", "-1", "+1", "1.5", "1500ms", "0x10", "99999999999"}) {
        CHECK(delay(ignored) == 25ms);
    }
    // No further jitter, but the jittered wait is the lower bound.
    retry_schedule half({.spec = retry_spec::v2_1}, quota);
    CHECK(half.next(retry_class::throttling, 0.5, "100").delay == 500ms);
    retry_schedule old({}, quota);
    CHECK(old.next(retry_class::transient, 1.0, "10").delay == 10ms);
}

TEST_CASE("the quota never grows above its capacity and a refusal takes nothing") {
    retry_quota quota(10);
    CHECK_FALSE(quota.take(11));
    CHECK(quota.available() == 10);
    CHECK(quota.take(10));
    CHECK_FALSE(quota.take(1));
    quota.give_back(3);
    CHECK(quota.available() == 3);
    quota.give_back(~0U);
    CHECK(quota.available() == 10);
}

TEST_CASE("a success gives back what the last retry took, and one token without a retry") {
    retry_quota quota(500);
    retry_schedule troubled({}, quota);
    (void)troubled.next(retry_class::timeout, 0.5);
    (void)troubled.next(retry_class::transient, 0.5);
    CHECK(quota.available() == 485);
    troubled.succeeded();
    CHECK(quota.available() == 490);
    retry_schedule smooth({}, quota);
    smooth.succeeded();
    CHECK(quota.available() == 491);
}

TEST_CASE("many threads share one quota without losing a token") {
    retry_quota quota(1000);
    std::atomic<int> taken = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 1000; ++i)
                    taken += quota.take(1);
            });
        }
    }
    CHECK(taken == 1000);
    CHECK(quota.available() == 0);
}

TEST_CASE("a retry that is not made gives back what it took, once") {
    retry_quota quota(500);
    retry_schedule schedule({.max_attempts = 2}, quota);
    CHECK(schedule.next(retry_class::timeout, 1.0).verdict == retry_verdict::retry);
    CHECK(quota.available() == 490);
    schedule.withdraw();
    CHECK(quota.available() == 500);
    CHECK(schedule.attempts() == 1);
    REQUIRE(quota.take(100));
    schedule.withdraw();
    CHECK(quota.available() == 400);
    CHECK(schedule.next(retry_class::transient, 1.0).verdict == retry_verdict::retry);
}
