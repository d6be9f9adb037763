// SPDX-License-Identifier: BSL-1.0
#include "cache/record_item.hpp"
#include "dynamodb/base64.hpp"
#include "support/catch.hpp"

#include <limits>
#include <string>
#include <vector>

namespace codynamo::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr microseconds longest = microseconds::max();
const record_attributes names;

std::string base64(std::string_view raw) {
    std::string text;
    dynamodb::append_base64(text, raw);
    return text;
}

errc code_of(const std::string& response) {
    try {
        (void)decode_record(names, response);
    } catch (const error& why) {
        return static_cast<errc>(why.code().value());
    }
    return {};
}

} // namespace

TEST_CASE("seconds are written as the shortest decimal text") {
    struct row {
        microseconds value;
        std::string text;
    };
    const std::vector<row> table{
        {0us, "0"},
        {3600s, "3600"},
        {500ms, "0.5"},
        {1us, "0.000001"},
        {-1500ms, "-1.5"},
        {1795362414052798us, "1795362414.052798"},
        {1795362414000000us, "1795362414"},
        {longest, "9223372036854.775807"},
        {microseconds::min(), "-9223372036854.775808"},
    };
    for (const row& one : table) {
        CHECK(seconds_text(one.value) == one.text);
        if (one.value != microseconds::min()) CHECK(parse_seconds(one.text) == one.value);
    }
}

TEST_CASE("seconds are read from any decimal text") {
    struct row {
        std::string text;
        std::optional<microseconds> value;
    };
    const std::vector<row> table{
        {"1.7953624140527985E9", 1795362414052798us},
        {"1795362414.0527989", 1795362414052798us},
        {"1.5E3", 1500s},
        {"15e-1", 1500ms},
        {"+2", 2s},
        {".5", 500ms},
        {"5.", 5s},
        {"1e30", longest},
        {"-1e30", -longest},
        {"99999999999999999999999999999999", longest},
        {"0.00000000000000000000000000000000001", 0us},
        {"0e125", 0us},
        {"1e-130", 0us},
        {"", std::nullopt},
        {"-", std::nullopt},
        {".", std::nullopt},
        {"1e", std::nullopt},
        {"1e9999", std::nullopt},
        {"NaN", std::nullopt},
        {"1 ", std::nullopt},
        {"0x10", std::nullopt},
    };
    for (const row& one : table) {
        INFO(one.text);
        CHECK(parse_seconds(one.text) == one.value);
    }
}

TEST_CASE("a record becomes the item that pynamodb_mate writes, and the native TTL beside it") {
    record r{.value = "\"v\"", .written = timestamp(1795362414052798us), .lifetime = 1500ms};
    const dynamodb::item item = to_item(names, "k", std::move(r));
    const dynamodb::item expected{{"key", "k"},
                                  {"value", dynamodb::binary{"\"v\""}},
                                  {"expire", dynamodb::number("1.5")},
                                  {"update_ts", dynamodb::number("1795362414.052798")},
                                  {"ttl", dynamodb::number("1795362416")}};
    CHECK(item == expected);
}

TEST_CASE("what never expires has no native TTL, and neither has anybody who switched it off") {
    const record forever{.value = "x", .written = timestamp(5s)};
    CHECK_FALSE(to_item(names, "k", record(forever)).contains("ttl"));
    record_attributes without = names;
    without.ttl.clear();
    const record mortal{.value = "x", .written = timestamp(5s), .lifetime = 1s};
    CHECK(to_item(without, "k", record(mortal)).size() == 4);
}

TEST_CASE("the native TTL of a lifetime beyond all time stays in range") {
    const record r{.value = "x", .written = timestamp(5s), .lifetime = longest};
    REQUIRE(native_ttl(r));
    CHECK(*native_ttl(r) > 0);
}

TEST_CASE("items and responses are read by the same rules") {
    struct row {
        std::string name;
        std::string attributes; ///< of the response, without key
        std::optional<record> expected;
    };
    const std::string value = R"("value":{"B":")" + base64("bytes") + R"("})";
    const std::vector<row> table{
        {"all there", value + R"(,"expire":{"N":"2.5"},"update_ts":{"N":"100.25"})",
         record{"bytes", timestamp(100250ms), 2500ms}},
        {"no times", value, record{"bytes", timestamp(0us), for_ever}},
        {"NULL times", value + R"(,"expire":{"NULL":true},"update_ts":{"NULL":true})",
         record{"bytes", timestamp(0us), for_ever}},
        {"foreign attributes",
         value +
             R"(,"tags":{"SS":["value","expire"]},"m":{"M":{"value":{"N":"1"}}},"l":{"L":[{"M":{"expire":{"S":"x"}}}]})",
         record{"bytes", timestamp(0us), for_ever}},
        {"empty value", R"("value":{"B":""})", record{"", timestamp(0us), for_ever}},
        {"value missing", R"("expire":{"N":"0"})", std::nullopt},
        {"value a string", R"("value":{"S":"x"})", std::nullopt},
        {"value a number", R"("value":{"N":"1"})", std::nullopt},
        {"value NULL", R"("value":{"NULL":true})", std::nullopt},
        {"expire a string", value + R"(,"expire":{"S":"1"})", std::nullopt},
        {"expire binary", value + R"(,"expire":{"B":"AAAA"})", std::nullopt},
        {"expire a map", value + R"(,"expire":{"M":{"N":{"N":"1"}}})", std::nullopt},
        {"expire garbage", value + R"(,"expire":{"N":"soon"})", std::nullopt},
        {"expire a lifetime below the microsecond",
         value + R"(,"expire":{"N":"1E-7"},"update_ts":{"N":"1"})",
         record{"bytes", timestamp(1s), 1us}},
        {"expire a negative one", value + R"(,"expire":{"N":"-1E-7"},"update_ts":{"N":"1"})",
         record{"bytes", timestamp(1s), -1us}},
        {"expire zero in a long spelling", value + R"(,"expire":{"N":"-0.00E5"})",
         record{"bytes", timestamp(0us), for_ever}},
        {"expire without update_ts", value + R"(,"expire":{"N":"5"})", std::nullopt},
    };
    for (const row& one : table) {
        INFO(one.name);
        const std::string response =
            R"({"ConsumedCapacity":{"CapacityUnits":0.5},"Item":{"key":{"S":"k"},)" +
            one.attributes + "}}";
        if (!one.expected) {
            CHECK(code_of(response) == errc::deserialize_failed);
            continue;
        }
        const auto found = decode_record(names, response);
        REQUIRE(found);
        CHECK(found->value == one.expected->value);
        CHECK(found->written == one.expected->written);
        CHECK(found->lifetime == one.expected->lifetime);
        CHECK(found->source == "dynamodb");
    }
}

TEST_CASE("an item without times needs no value when only the times are asked for") {
    const auto found =
        decode_record(names, R"({"Item":{"expire":{"N":"1"},"update_ts":{"N":"2"}}})", false);
    REQUIRE(found);
    CHECK(found->written == timestamp(2s));
    CHECK(found->value.empty());
}

TEST_CASE("a response without an item is a miss, and one that is no GetItem response is an error") {
    CHECK_FALSE(decode_record(names, "{}"));
    CHECK(code_of("") == errc::bad_response);
    CHECK(code_of(" \r\n") == errc::bad_response);
    CHECK_FALSE(decode_record(names, R"({"Item":null})"));
    CHECK_FALSE(decode_record(names, R"({"Other":{"value":{"B":"AAAA"}}})"));
    for (const std::string bad : {"<html>",
                                  "{",
                                  "[]]",
                                  R"({"Item":[]})",
                                  R"({"Item":5})",
                                  R"({"Item":"x"})",
                                  R"({"Item":{"value":"x"}})",
                                  R"({"Item":{"value":[]}})",
                                  R"({"Item":{"value":{"B":"***"}}})",
                                  R"([])",
                                  R"("x")",
                                  "true",
                                  "5",
                                  R"([{"Item":{}}])",
                                  R"({"__type":"InternalServerError"})",
                                  R"({"Item":{},"Item":{}})",
                                  R"({"Item":{"value":{"B":""},"expire":{"N":5}}})",
                                  R"({"Item":{"value":{"B":""},"expire":{"N":null}}})",
                                  R"({"Item":{"value":{"B":""},"expire":{"N":["5"]}}})",
                                  R"({"Item":{"value":{"B":""},"expire":{"N":{"N":"5"}}}})",
                                  R"({"Item":{"value":{"B":""},"expire":{}}})",
                                  R"({"Item":{"value":{"B":5}}})",
                                  "{} {}"}) {
        INFO(bad);
        const errc found = code_of(bad);
        CHECK((found == errc::bad_response || found == errc::deserialize_failed));
    }
}

TEST_CASE("the item of another key is never taken for the one that was asked for") {
    const std::string response = R"({"Item":{"value":{"B":""},"key":{"S":"a"}}})";
    CHECK(decode_record(names, response, true, "a"));
    CHECK_THROWS_AS(decode_record(names, response, true, "b"), error);
    CHECK(decode_record(names, R"({"Item":{"value":{"B":""}}})", true, "b"));
}

TEST_CASE("an attribute nested as deeply as the service allows does no harm") {
    std::string deep = R"({"S":"x"})";
    for (int level = 0; level < 32; ++level)
        deep = R"({"M":{"m":)" + deep + "}}";
    CHECK(decode_record(names, R"({"Item":{"value":{"B":""},"deep":)" + deep + "}}"));
}

TEST_CASE("escaped and very long texts survive the streaming reader") {
    std::string raw(300'000, 'x');
    for (std::size_t i = 0; i < raw.size(); ++i)
        raw[i] = static_cast<char>(i * 31);
    std::string text = base64(raw);
    std::string escaped;
    for (const char c : text)
        escaped += c == '/' ? std::string("\\/") : std::string(1, c);
    for (const std::string& form : {text, escaped}) {
        const auto found =
            decode_record(names, R"({"Item":{"\u0076alue":{"\u0042":")" + form + R"("}}})");
        REQUIRE(found);
        CHECK(found->value == raw);
    }
}

} // namespace codynamo::detail
