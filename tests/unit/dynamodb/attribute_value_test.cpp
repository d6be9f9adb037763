// SPDX-License-Identifier: BSL-1.0
// Numbers as text, types and their names, and what an item weighs.
#include "support/catch.hpp"

#include <codynamo/dynamodb/attribute_value.hpp>
#include <codynamo/error.hpp>

#include <cmath>
#include <concepts>
#include <cstdlib>
#include <limits>
#include <random>
#include <type_traits>

namespace {

using namespace codynamo::dynamodb;
using codynamo::errc;

template <class F>
std::string message_of(F f, errc expected) {
    try {
        f();
    } catch (const codynamo::error& e) {
        CHECK(e.code() == expected);
        return e.info().message;
    }
    return "nothing was thrown";
}

TEST_CASE("codec: numbers are written as the shortest exact text") {
    CHECK(number().text() == "0");
    CHECK(number(-7).text() == "-7");
    CHECK(number(std::numeric_limits<std::int64_t>::min()).text() == "-9223372036854775808");
    CHECK(number(std::numeric_limits<std::uint64_t>::max()).text() == "18446744073709551615");
    CHECK(number(0.1).text() == "0.1");
    CHECK(number(1e100).text() == "1e+100");
    CHECK(number("007.50").text() == "007.50");
}

TEST_CASE("codec: NaN and infinity are no numbers") {
    const auto check = [](auto value, const char* text) {
        const std::string why = std::string("number is ") + text + ": a finite number is needed";
        CHECK(message_of([=] { number n(value); }, errc::invalid_argument) == why);
        CHECK(message_of([=] { attribute_value v(value); }, errc::invalid_argument) == why);
    };
    check(std::nan(""), "nan");
    check(HUGE_VAL, "inf");
    check(-HUGE_VAL, "-inf");
    check(std::nanf(""), "nan");
    check(HUGE_VALF, "inf");
    check(std::nanl(""), "nan");
    check(-HUGE_VALL, "-inf");
}

/// The least and the greatest value of a type, as a number and as an attribute value in a list of
/// braces, which is where overloads used to be ambiguous.
template <class T>
void check_extremes() {
    for (const T value :
         {std::numeric_limits<T>::lowest(), T(0), T(1), T(42), std::numeric_limits<T>::max()}) {
        const item of_braces{{"n", value}};
        const number& stored = of_braces.at("n").template as<number>();
        CHECK(stored == number(value));
        if constexpr (std::signed_integral<T>) {
            CHECK(stored.to_int64() == value);
        } else if constexpr (std::unsigned_integral<T>) {
            CHECK(stored.to_uint64() == value);
        } else if constexpr (sizeof(T) <= sizeof(double)) {
            CHECK(static_cast<T>(stored.to_double()) == value);
        } else {
            CHECK(std::strtold(stored.text().c_str(), nullptr) == value);
        }
    }
}

TEST_CASE("codec: every integer and floating-point type makes a number, exactly") {
    check_extremes<signed char>();
    check_extremes<unsigned char>();
    check_extremes<short>();
    check_extremes<unsigned short>();
    check_extremes<int>();
    check_extremes<unsigned>();
    check_extremes<long>();
    check_extremes<unsigned long>();
    check_extremes<long long>();
    check_extremes<unsigned long long>();
    check_extremes<float>();
    check_extremes<double>();
    check_extremes<long double>();
    CHECK(item{{"n", 5u}}.at("n").as<number>().text() == "5");
    CHECK(item{{"n", 5ll}}.at("n").as<number>().text() == "5");
    CHECK(item{{"n", 5ull}}.at("n").as<number>().text() == "5");
    CHECK(item{{"n", 0}}.at("n").is<number>()); // neither a null pointer nor a text
    CHECK(number(0.1f).text() == "0.1");
    CHECK(number(0.1L).text() == "0.1");
    CHECK(number(std::int8_t{-7}).text() == "-7");
    CHECK(attribute_value(true).is<bool>());
    const list mixed{1, 2u, 3l, 4ull, 5.5f, "text", true, nullptr};
    CHECK(mixed.at(4).as<number>().text() == "5.5");
    CHECK(mixed.at(6).is<bool>());
}

template <class T>
constexpr bool makes_value =
    std::is_constructible_v<attribute_value, T> || std::is_convertible_v<T, attribute_value>;
template <class T>
constexpr bool makes_number =
    std::is_constructible_v<number, T> || std::is_convertible_v<T, number>;

enum class scoped { one };

static_assert(!makes_number<bool> && !makes_value<char> && !makes_number<char>);
static_assert(!makes_value<wchar_t> && !makes_number<wchar_t>);
static_assert(!makes_value<char8_t> && !makes_number<char8_t>);
static_assert(!makes_value<char16_t> && !makes_number<char16_t>);
static_assert(!makes_value<char32_t> && !makes_number<char32_t>);
static_assert(!makes_value<scoped> && !makes_number<scoped>);
static_assert(!makes_value<int*> && !makes_number<int*>);
static_assert(makes_value<const int&> && makes_value<std::int8_t> && makes_value<long double&>);

TEST_CASE("codec: integers are read from every way to write them") {
    const std::pair<const char*, std::int64_t> cases[] = {
        {"0", 0},
        {"-0", 0},
        {"+5", 5},
        {"1E3", 1000},
        {"1e+3", 1000},
        {"1.50E1", 15},
        {"1500E-2", 15},
        {"12.00", 12},
        {"00012", 12},
        {"-1.2E1", -12},
        {"0E999999999999", 0},
        {".5E1", 5},
        {"5.", 5},
        {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
        {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
        {"-9.223372036854775808E18", std::numeric_limits<std::int64_t>::min()},
    };
    for (const auto& [text, expected] : cases) {
        CAPTURE(text);
        CHECK(number(text).to_int64() == expected);
    }
    CHECK(number("18446744073709551615").to_uint64() == std::numeric_limits<std::uint64_t>::max());
    CHECK(number("-0").to_uint64() == 0);
}

TEST_CASE("codec: what is no 64-bit integer is an error that shows the text") {
    const auto text =
        GENERATE("1.5", "15E-1", "9223372036854775808", "-9223372036854775809", "1E19",
                 "1E999999999999999999999", "1E-1", "", " 1", "1 ", "abc", "NaN", "Infinity",
                 "0x10", "1E", "1E+", "E1", ".", "+", "-", "--1", "1.2.3", "1,5", "1E1.5", "\xff");
    CAPTURE(text);
    CHECK_THAT(message_of([=] { return number(text).to_int64(); }, errc::bad_response),
               Catch::StartsWith("number \"") && Catch::Contains("is not a signed 64-bit integer"));
    if (std::string(text) != "9223372036854775808" && std::string(text) != "1E19")
        CHECK_THROWS_AS(number(text).to_uint64(), codynamo::error);
}

TEST_CASE("codec: unsigned integers end at zero and at 2^64 - 1") {
    CHECK(number("10000000000000000000").to_uint64() == 10'000'000'000'000'000'000u);
    for (const char* text : {"-1", "18446744073709551616", "20000000000000000000", "1E20"})
        CHECK_THROWS_AS(number(text).to_uint64(), codynamo::error);
}

TEST_CASE("codec: doubles come back bit for bit") {
    std::mt19937_64 random(7);
    for (int i = 0; i < 10'000; ++i) {
        const double value = std::bit_cast<double>(random());
        if (!std::isfinite(value)) continue;
        REQUIRE(std::bit_cast<std::uint64_t>(number(value).to_double()) ==
                std::bit_cast<std::uint64_t>(value));
    }
    CHECK(number("+1.5").to_double() == 1.5);
    CHECK(number("0.1").to_double() == 0.1);
    CHECK(number("12345678901234567890123456789012345678").to_double() == 1.2345678901234568e37);
    for (const char* text : {"", "nan", "inf", "1E400", "1x", "0x1p3", "+-1", "+"})
        CHECK_THROWS_AS(number(text).to_double(), codynamo::error);
}

TEST_CASE("codec: an attribute value knows its type and refuses to be another") {
    CHECK(attribute_value().type_name() == "NULL");
    CHECK(attribute_value("text").type_name() == "S");
    CHECK(attribute_value(std::string("text")).type_name() == "S");
    CHECK(attribute_value(std::string_view("text")).type_name() == "S");
    CHECK(attribute_value(1).type_name() == "N");
    CHECK(attribute_value(1.5).type_name() == "N");
    CHECK(attribute_value(binary{"b"}).type_name() == "B");
    CHECK(attribute_value(true).type_name() == "BOOL");
    CHECK(attribute_value(null{}).type_name() == "NULL");
    CHECK(attribute_value(list{}).type_name() == "L");
    CHECK(attribute_value(map{}).type_name() == "M");
    CHECK(attribute_value(string_set{}).type_name() == "SS");
    CHECK(attribute_value(number_set{}).type_name() == "NS");
    CHECK(attribute_value(binary_set{}).type_name() == "BS");
    CHECK(attribute_value("x").as<std::string>() == "x");
    CHECK(message_of([] { return attribute_value("x").as<number>().text(); }, errc::bad_response) ==
          "attribute value is S where N is expected");
    CHECK(attribute_value("x").get_if<number>() == nullptr);
}

TEST_CASE("codec: an item weighs what the developer guide says") {
    const std::pair<item, std::size_t> cases[] = {
        {{}, 0},
        {{{"name", "value"}}, 9},
        {{{"ä", "€"}}, 5},
        {{{"n", 0}}, 2},
        {{{"n", 12}}, 3},
        {{{"n", 123}}, 4},
        {{{"n", -123}}, 5},
        {{{"n", number("1000000")}}, 3},
        {{{"n", number("0.00012E50")}}, 3},
        {{{"b", binary{"1234"}}}, 5},
        {{{"t", true}, {"u", null{}}}, 4},
        {{{"l", list{}}}, 4},
        {{{"l", list{"ab", true}}}, 1 + 3 + 2 + 2 + 1},
        {{{"m", map{{"k", "vv"}}}}, 1 + 3 + 1 + 1 + 2},
        {{{"s", string_set{{"a", "bc"}}}}, 4},
        {{{"s", number_set{{number(1), number(200)}}}}, 1 + 2 + 2},
        {{{"s", binary_set{{binary{"12"}}}}}, 3},
    };
    for (const auto& [what, size] : cases)
        CHECK(item_size(what) == size);
}

TEST_CASE("a null pointer is NULL, and no other pointer is a value by accident") {
    CHECK(attribute_value(nullptr).is<null>());
    CHECK(attribute_value(true).is<bool>());
    STATIC_REQUIRE_FALSE(std::is_constructible_v<attribute_value, int*>);
}

} // namespace
