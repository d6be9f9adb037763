// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"

#include <codynamo/error.hpp>
#include <codynamo/json_serializer.hpp>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <vector>

using namespace codynamo;
namespace json = boost::json;

namespace {

const json_serializer<json::value> policy;

std::string refusal_to_read(std::string_view text) {
    try {
        static_cast<void>(policy.deserialize(text));
    } catch (const error& e) {
        CHECK(e.code() == make_error_code(errc::deserialize_failed));
        return e.info().message;
    }
    return "accepted";
}

std::string refusal_to_write(const json::value& value) {
    try {
        static_cast<void>(policy.serialize(value));
    } catch (const error& e) {
        CHECK(e.code() == make_error_code(errc::serialize_failed));
        return e.info().message;
    }
    return "accepted";
}

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

} // namespace

TEST_CASE("every double comes back bit for bit, as we write it and as Python writes it") {
    std::mt19937_64 random(20240607);
    std::uniform_real_distribution<double> uniform(0, 1000);
    std::size_t wrong = 0;
    std::size_t seen = 0;
    const auto check = [&](double d) {
        if (!std::isfinite(d)) return;
        ++seen;
        const json_serializer<double> doubles;
        if (!same_bits(doubles.deserialize(doubles.serialize(d)), d)) ++wrong;
        char shortest[40];
        const auto end = std::to_chars(shortest, shortest + sizeof shortest, d).ptr;
        std::string python(shortest, end); // repr: shortest digits, but never an integer
        if (python.find_first_of(".e") == std::string::npos) python += ".0";
        const json::value in_array = policy.deserialize("[" + python + "]");
        if (!same_bits(in_array.as_array()[0].as_double(), d)) ++wrong;
    };
    for (int i = 0; i != 150'000; ++i) {
        check(std::bit_cast<double>(random()));
        check(uniform(random));
    }
    for (const double edge :
         {0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 2.225073858507201e-308,
          1.7976931348623157e308, -1.7976931348623157e308, 0.1, 1.0 / 3, 1e22, 1e23,
          9007199254740993.0, 123456789012345680.0, 1795362414.052798})
        check(edge);
    CHECK(wrong == 0);
    CHECK(seen > 290'000);
}

TEST_CASE("every 64-bit integer comes back, and one beyond is refused") {
    using i64 = std::numeric_limits<std::int64_t>;
    using u64 = std::numeric_limits<std::uint64_t>;
    const json_serializer<std::int64_t> ints;
    for (const std::int64_t i : {i64::min(), i64::min() + 1, std::int64_t{-1}, std::int64_t{0},
                                 i64::max() - 1, i64::max(), std::int64_t{9007199254740993}})
        CHECK(ints.deserialize(ints.serialize(i)) == i);
    const json_serializer<std::uint64_t> units;
    for (const std::uint64_t u : {u64::min(), std::uint64_t{1} << 63, u64::max() - 1, u64::max()})
        CHECK(units.deserialize(units.serialize(u)) == u);
    CHECK(refusal_to_read("18446744073709551616").find("integer beyond 64 bits") !=
          std::string::npos);
    CHECK(refusal_to_read("[1,-9223372036854775809]").find("integer beyond 64 bits") !=
          std::string::npos);
    CHECK(refusal_to_read("[1" + std::string(400, '0') + "]").find("integer beyond 64 bits") !=
          std::string::npos);
}

TEST_CASE("what Python's json.dumps writes is read as it was meant") {
    struct row {
        const char* text;
        json::value expected;
    };
    const row table[] = {
        {R"({"name": "Alice", "tags": ["a", "b"], "n": 1})",
         {{"name", "Alice"}, {"tags", {"a", "b"}}, {"n", 1}}},
        {R"({})", json::object()},
        {R"([])", json::array()},
        {R"(null)", nullptr},
        {R"(true)", true},
        {R"("caf\u00e9 \ud83d\ude00")", "caf\xC3\xA9 \xF0\x9F\x98\x80"},
        {R"("\u0000")", json::string_view("\0", 1)},
        {R"("\"\\\/\b\f\n\r\t\u001f")", "\"\\/\b\f\n\r\t\x1f"},
        {R"(1e+16)", 1e16},
        {R"(1e-07)", 1e-7},
        {R"(-0.0)", -0.0},
        {R"(18446744073709551615)", std::numeric_limits<std::uint64_t>::max()},
        {R"({"a": 1, "a": 2})", {{"a", 2}}},
        {" [1 , 2]\r\n\t", {1, 2}},
    };
    for (const row& r : table) {
        INFO(r.text);
        CHECK(policy.deserialize(r.text) == r.expected);
    }
    CHECK(std::signbit(policy.deserialize("-0.0").as_double()));
}

TEST_CASE(
    "a negative zero keeps its sign as a double, with and without a point, and is 0 as an int") {
    const json_serializer<std::vector<double>> doubles;
    for (const double zero : doubles.deserialize("[-0,-0.0,-0e0]"))
        CHECK((zero == 0 && std::signbit(zero)));
    CHECK_FALSE(std::signbit(doubles.deserialize("[0]")[0]));
    CHECK(std::signbit(policy.deserialize("-0").as_double()));
    CHECK(policy.serialize(policy.deserialize("-0")) == "-0E0");
    CHECK(json_serializer<int>().deserialize("-0") == 0);
    CHECK(json_serializer<std::uint64_t>().deserialize("-0") == 0);
    CHECK(std::signbit(json_serializer<float>().deserialize("-0")));
}

TEST_CASE("what we write is compact JSON that Python's json.loads reads") {
    struct row {
        json::value value;
        const char* text;
    };
    const row table[] = {
        {{{"name", "Alice"}, {"n", 1}}, R"({"name":"Alice","n":1})"},
        {{1, -2, true, nullptr}, R"([1,-2,true,null])"},
        {"caf\xC3\xA9 \xF0\x9F\x98\x80", "\"caf\xC3\xA9 \xF0\x9F\x98\x80\""},
        {json::string_view("\0\x1f\n\"\\", 5), R"("\u0000\u001f\n\"\\")"},
        {1.0, "1E0"},
        {-0.0, "-0E0"},
        {0.1, "1E-1"},
        {5e-324, "5E-324"},
        {1.7976931348623157e308, "1.7976931348623157E308"},
        {std::numeric_limits<std::uint64_t>::max(), "18446744073709551615"},
        {json::object(), "{}"},
        {json::array(), "[]"},
    };
    for (const row& r : table)
        CHECK(policy.serialize(r.value) == r.text);
}

TEST_CASE("what C++ cannot hold exactly is refused, naming what and where") {
    struct row {
        std::string text;
        const char* what;
    };
    const row table[] = {
        {"NaN", "NaN, which is not JSON, at byte 0"},
        {R"({"a": NaN})", "NaN, which is not JSON, at byte 6"},
        {"[Infinity]", "an infinity, which is not JSON, at byte 1"},
        {"[-Infinity]", "an infinity, which is not JSON, at byte 2"},
        {"1e400", "a number beyond the range of double at byte"},
        {"[-1e309]", "a number beyond the range of double at byte"},
        {"[1e-400]", "a number beyond the range of double at byte"},
        {"[1e99999999999]", "a number beyond the range of double at byte"},
        {R"("\ud800")", "a lone surrogate at byte"},
        {R"("\udc00")", "a lone surrogate at byte"},
        {R"("\ud800x")", "a lone surrogate at byte"},
        {R"("\ud800\u0041")", "a lone surrogate at byte"},
        {"\"\xFF\"", "invalid UTF-8 at byte 1"},
        {"\"\xED\xA0\x80\"", "invalid UTF-8 at byte"},
        {"\"\xC0\x80\"", "invalid UTF-8 at byte"},
        {"[1] x", "something after the end at byte 4"},
        {"1 2", "something after the end at byte 2"},
        {"", "the text is cut off at byte 0"},
        {"  ", "the text is cut off at byte 2"},
        {"[1,", "the text is cut off at byte 3"},
        {"\"abc", "the text is cut off at byte 4"},
        {"12-", "something after the end at byte 2"},
        {"-", "the text is cut off at byte 1"},
        {"[01]", "syntax error at byte 2"},
        {"[1.]", "syntax error at byte 3"},
        {"[1,]", "syntax error at byte 3"},
        {"{'a':1}", "syntax error at byte 1"},
        {"[1] // x", "something after the end at byte 4"},
        {"\xEF\xBB\xBF[]", "syntax error at byte 0"},
        {"\"a\nb\"", "syntax error at byte 2"},
        {std::string("\0", 1), "syntax error at byte 0"},
        {std::string(513, '[') + std::string(513, ']'), "nesting deeper than 512 at byte 51"},
        {std::string(100'000, '['), "nesting deeper than 512 at byte 51"},
    };
    for (const row& r : table) {
        INFO(r.text.substr(0, 40));
        CHECK_THAT(refusal_to_read(r.text), Catch::Contains(r.what));
    }
    const std::string deepest = std::string(512, '[') + std::string(512, ']');
    CHECK(policy.serialize(policy.deserialize(deepest)) == deepest);
}

TEST_CASE("a cut or flipped text never crashes and never gives half a number") {
    const std::string text =
        R"({"a":[1,-2.5e10,18446744073709551615],"b":{"c":"x\u00e9\ud83d\ude00"},"d":null,"e":true})";
    for (std::size_t length = 0; length != text.size(); ++length)
        CHECK(refusal_to_read(text.substr(0, length)) != "accepted");
    std::mt19937 random(7);
    for (int i = 0; i != 20'000; ++i) {
        std::string damaged = text;
        damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
        try {
            const json::value read = policy.deserialize(damaged);
            CHECK(policy.deserialize(policy.serialize(read)) == read);
        } catch (const error&) { // as it should
        }
    }
}

TEST_CASE("what JSON cannot hold is not written") {
    CHECK_THAT(refusal_to_write(std::nan("")), Catch::Contains("NaN"));
    CHECK_THAT(refusal_to_write({{"a", {1, std::numeric_limits<double>::infinity()}}}),
               Catch::Contains("infinity"));
    CHECK_THAT(refusal_to_write("\xFF"), Catch::Contains("UTF-8"));
    CHECK_THAT(refusal_to_write({{"\xED\xA0\x80", 1}}), Catch::Contains("UTF-8"));
    json::value deep = 1;
    for (int i = 0; i != 512; ++i) {
        json::array outer;
        outer.push_back(std::move(deep));
        deep = std::move(outer);
    }
    CHECK(refusal_to_write(deep) == "accepted");
    json::object one_more;
    one_more["x"] = std::move(deep);
    CHECK_THAT(refusal_to_write(one_more), Catch::Contains("512"));
    CHECK_THROWS_AS(json_serializer<json::object>().serialize({{"x", std::nan("")}}), error);
    CHECK_THROWS_AS(json_serializer<json::array>().serialize(json::array{std::nan("")}), error);
}

TEST_CASE("a stored list is not a dict, nor the other way round") {
    const json_serializer<json::object> dicts;
    const json_serializer<json::array> lists;
    CHECK(dicts.deserialize(R"({"a":1})") == json::object{{"a", 1}});
    CHECK(lists.deserialize("[1,2]") == json::array{1, 2});
    const auto refused = Catch::Predicate<error>([](const error& e) {
        return e.code() == make_error_code(errc::deserialize_failed) &&
               e.info().message.find("expected") != std::string::npos;
    });
    for (const char* text : {"[1,2]", "null", "1", "\"x\""})
        CHECK_THROWS_MATCHES(dicts.deserialize(text), error, refused);
    for (const char* text : {"{}", "null", "1", "\"x\""})
        CHECK_THROWS_MATCHES(lists.deserialize(text), error, refused);
}
