// SPDX-License-Identifier: BSL-1.0
#include "aws/clock_skew.hpp"
#include "support/catch.hpp"

#include <optional>
#include <string>
#include <vector>

namespace codynamo::aws {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

/// 2023-11-14 22:13:20 UTC.
constexpr timestamp noon{std::chrono::seconds(1'700'000'000)};

struct times {
    microseconds sent;
    microseconds received;
};

std::optional<microseconds> observe(const std::string& date, times when,
                                    const std::string& age = {}) {
    std::vector<net::header_view> headers{{"Server", "Server"}};
    if (!date.empty()) headers.push_back({"Date", date});
    if (!age.empty()) headers.push_back({"Age", age});
    net::response_view response;
    response.headers = headers;
    return observed_skew(response, {noon + when.sent, noon + when.received});
}

} // namespace

TEST_CASE("dates of HTTP are read strictly") {
    struct row {
        std::string text;
        std::optional<long> seconds; ///< since the epoch
    };
    const std::vector<row> table{
        {"Tue, 14 Nov 2023 22:13:20 GMT", 1'700'000'000},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Thu, 29 Feb 2024 23:59:59 GMT", 1'709'251'199},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1'483'228'800},
        {"Wed, 29 Feb 2023 00:00:00 GMT", std::nullopt},
        {"Tue, 14 Nov 2023 24:00:00 GMT", std::nullopt},
        {"Tue, 14 nov 2023 22:13:20 GMT", std::nullopt},
        {"Tue, 14 Nov 2023 22:13:20 UTC", std::nullopt},
        {"Tue, 14 Nov 2023 22:13:20 GMT ", std::nullopt},
        {"Tue, 1x Nov 2023 22:13:20 GMT", std::nullopt},
        {"Tue, -1 Nov 2023 22:13:20 GMT", std::nullopt},
        {"Tuesday, 14-Nov-23 22:13:20 GMT", std::nullopt},
        {"2023-11-14T22:13:20Z", std::nullopt},
        {"", std::nullopt},
    };
    for (const row& one : table) {
        INFO(one.text);
        const auto read = parse_http_date(one.text);
        CHECK(read.has_value() == one.seconds.has_value());
        if (read && one.seconds) CHECK(read->time_since_epoch().count() == *one.seconds);
    }
}

TEST_CASE("what a response shows of the server's clock") {
    const std::string same = "Tue, 14 Nov 2023 22:13:20 GMT";
    const std::string later = "Tue, 14 Nov 2023 22:23:20 GMT";
    // The middle of the second against the middle of the exchange.
    CHECK(observe(same, {500ms, 500ms}) == 0us);
    CHECK(observe(same, {0s, 1s}) == 0us);
    CHECK(observe(same, {0s, 0s}) == 500ms);
    CHECK(observe(later, {400ms, 600ms}) == 10min);
    CHECK(observe(later, {10min, 10min + 1s}) == 0us);
    // What shows nothing.
    CHECK_FALSE(observe("", {0s, 1s}));
    CHECK_FALSE(observe("yesterday", {0s, 1s}));
    CHECK_FALSE(observe(later, {0s, 1s}, "0"));
    CHECK_FALSE(observe(later, {0s, 15min + 1us}));
    CHECK(observe(later, {0s, 15min}));
    CHECK_FALSE(observe(later, {1s, 0s}));
}

TEST_CASE("the estimate is off by half a second and half of the round trip at most") {
    for (const microseconds skew : {-3600s, 0s, 7s}) {
        for (const microseconds trip : {0ms, 30ms, 4000ms}) {
            for (microseconds sent = 0ms; sent < 3s; sent += 170ms) {
                for (const microseconds read_at : {microseconds(0), trip / 3, trip}) {
                    const auto server =
                        std::chrono::floor<std::chrono::seconds>(noon + sent + read_at + skew);
                    // As the header would say it; noon is on a full second.
                    const timestamp shown = server;
                    const timestamp middle = noon + sent + trip / 2;
                    const microseconds estimate = shown + 500ms - middle;
                    CHECK(std::chrono::abs(estimate - skew) <= 500ms + trip / 2);
                }
            }
        }
    }
}

TEST_CASE("a clock is corrected when it is contradicted, and left alone by noise") {
    clock_skew skew(true);
    const exchange_times quick{noon, noon};
    const exchange_times slow{noon, noon + 6s};
    CHECK(skew.offset() == 0us);
    CHECK_FALSE(skew.learn(900ms, quick));
    CHECK_FALSE(skew.learn(-2s, quick));
    CHECK_FALSE(skew.learn(5s, slow));
    CHECK(skew.offset() == 0us);
    CHECK(skew.learn(10min, quick));
    CHECK(skew.offset() == 10min);
    CHECK_FALSE(skew.learn(10min + 1400ms, quick));
    CHECK(skew.offset() == 10min);
    CHECK(skew.learn(0us, quick)); // somebody set the clock
    CHECK(skew.offset() == 0us);
}

TEST_CASE("records are corrected beyond five seconds only") {
    struct row {
        microseconds offset;
        microseconds of_records;
    };
    for (const row& one :
         {row{3s, 0s}, row{5s, 0s}, row{-5s, 0s}, row{5001ms, 5001ms}, row{-10min, -10min}}) {
        clock_skew skew(true);
        REQUIRE(skew.learn(one.offset, {noon, noon}));
        CHECK(skew.offset() == one.offset);
        CHECK(skew.table_offset() == 0us);
        CHECK(skew.table_offset_in_doubt() == (one.of_records > 5s || one.of_records < -5s));
        CHECK_FALSE(skew.learn(one.offset + 1s, {noon, noon}));
        CHECK(skew.offset() == one.offset);
        CHECK(skew.table_offset() == one.of_records);
        CHECK_FALSE(skew.table_offset_in_doubt());
    }
}

TEST_CASE("one wrong date does not move records, and is forgotten") {
    const exchange_times quick{noon, noon};
    for (const microseconds right : {microseconds(0), microseconds(10min)}) {
        clock_skew skew(true);
        (void)skew.learn(right, quick);
        (void)skew.learn(right, quick);
        REQUIRE(skew.table_offset() == right);
        CHECK(skew.learn(right + 1h, quick));
        CHECK(skew.table_offset() == right);
        CHECK(skew.learn(right + 400ms, quick));
        CHECK(skew.offset() == right);
        CHECK(skew.table_offset() == right);
        CHECK_FALSE(skew.table_offset_in_doubt());
    }
}

TEST_CASE("nobody's records are moved by more than a day") {
    for (const microseconds off : {microseconds(24h), microseconds(-24h), microseconds(24h + 1us),
                                   microseconds(-24h - 1us), microseconds(24h * 2'900'000)}) {
        clock_skew skew(true);
        const bool sane = off <= 24h && off >= -24h;
        CHECK(skew.learn(off, {noon, noon}));
        CHECK(skew.table_offset_in_doubt() == sane);
        CHECK_FALSE(skew.learn(off, {noon, noon}));
        CHECK(skew.offset() == off);
        CHECK(skew.table_offset() == (sane ? off : 0us));
    }
}

TEST_CASE("what taught nothing is not read again within the second") {
    const std::string date = "Tue, 14 Nov 2023 22:13:20 GMT";
    clock_skew skew(true);
    CHECK_FALSE(skew.is_old_news(date, noon));
    CHECK_FALSE(skew.learn(0s, {noon, noon}));
    skew.remember(date, noon);
    CHECK(skew.is_old_news(date, noon));
    CHECK(skew.is_old_news(date, noon + 999ms));
    CHECK_FALSE(skew.is_old_news(date, noon + 1s)); // our clock may have been set
    CHECK_FALSE(skew.is_old_news("Tue, 14 Nov 2023 22:13:21 GMT", noon));
    CHECK_FALSE(skew.is_old_news("", noon));

    SECTION("nor when it may contradict what has been learnt meanwhile") {
        CHECK(skew.learn(1h, {noon, noon}));
        CHECK_FALSE(skew.is_old_news(date, noon));
        skew.remember(date, noon); // in doubt
        CHECK_FALSE(skew.is_old_news(date, noon));
        CHECK(skew.learn(0s, {noon, noon}));
        CHECK_FALSE(skew.learn(0s, {noon, noon}));
        skew.remember(date, noon);
        CHECK(skew.is_old_news(date, noon));
    }
    SECTION("what is no date is never remembered") {
        skew.remember("yesterday", noon);
        CHECK(skew.is_old_news(date, noon));
        CHECK_FALSE(skew.is_old_news("yesterday", noon));
    }
}

TEST_CASE("who does not want it learns nothing") {
    clock_skew skew(false);
    CHECK_FALSE(skew.enabled());
    CHECK_FALSE(skew.learn(10min, {noon, noon}));
    CHECK(skew.offset() == 0us);
}

TEST_CASE("which refusals may be the clock's fault") {
    for (const char* code : {"InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure",
                             "RequestTimeTooSkewed", "AccessDeniedException"}) {
        CHECK(is_skew_code(code));
    }
    for (const char* code : {"RequestExpired", "RequestInTheFuture", "ExpiredTokenException",
                             "ValidationException", "UnrecognizedClientException", ""}) {
        CHECK_FALSE(is_skew_code(code));
    }
}

TEST_CASE("an offset with which signatures are refused is dropped, and doubted from then on") {
    clock_skew skew(true);
    const exchange_times when{noon, noon};
    CHECK_FALSE(skew.is_known());
    CHECK_FALSE(skew.drop(0s)); // our own clock cannot be dropped
    CHECK(skew.learn(4min, when));
    CHECK_FALSE(skew.drop(4min)); // no service refuses that
    CHECK(skew.offset() == 4min);
    for (const auto* words : {"Signature expired: x is now earlier than y",
                              "Signature not yet current: x is still later than y"})
        CHECK(refuses_date("InvalidSignatureException", words));
    CHECK(refuses_date("RequestTimeTooSkewed", ""));
    CHECK_FALSE(refuses_date("InvalidSignatureException", "The request signature we calculated"));
    CHECK_FALSE(refuses_date("RequestExpired", "")); // with DynamoDB the token's
    CHECK(skew.learn(1h, when));
    CHECK(skew.is_known());
    CHECK_FALSE(skew.learn(1h, when)); // confirmed
    CHECK(skew.table_offset() == 1h);
    CHECK(skew.drop(1h));
    CHECK(skew.offset() == 0s);
    CHECK(skew.table_offset() == 0s);
    CHECK(skew.drop(1h)); // for another request that was dated with it
    CHECK_FALSE(skew.learn(1h + 1s, when));
    CHECK(skew.offset() == 0s);
    CHECK(skew.learn(2h, when)); // that is something else
    CHECK(skew.offset() == 2h);
    CHECK(skew.drop(2h));
    // A date without it was refused too.
    CHECK(skew.learn(2h, when, true));
    CHECK(skew.offset() == 2h);
    skew.set(-5min);
    CHECK(skew.offset() == -5min);
    CHECK(skew.table_offset() == -5min);
}

} // namespace codynamo::aws
