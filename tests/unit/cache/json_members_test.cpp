// SPDX-License-Identifier: BSL-1.0
// Members that come and go, numbers that do not fit, and what the messages say.
#include "support/catch.hpp"
#include "support/log_lines.hpp"
#include "support/run.hpp"
#include "unit/cache/backends.hpp"

#include <codynamo/cache.hpp>

#include <boost/describe.hpp>

#include <cmath>
#include <limits>
#include <map>

using namespace codynamo;
using namespace codynamo::test_support;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace json_members_test {

enum class colour : std::uint8_t { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

struct address {
    std::string street;
    std::optional<int> number = 1;
    friend bool operator==(const address&, const address&) = default;
};
BOOST_DESCRIBE_STRUCT(address, (), (street, number))

struct person {
    std::string name;
    colour favourite = colour::red;
    std::vector<address> homes;
    std::map<std::string, float> scores;
    friend bool operator==(const person&, const person&) = default;
};
BOOST_DESCRIBE_STRUCT(person, (), (name, favourite, homes, scores))

struct picky {
    int x = 0;
};
void tag_invoke(json::value_from_tag, json::value& out, const picky& p) {
    if (p.x < 0) throw std::runtime_error("too picky to write");
    out = p.x;
}
picky tag_invoke(json::value_to_tag<picky>, const json::value& v) {
    if (!v.is_int64()) throw std::runtime_error("too picky to read");
    return {static_cast<int>(v.get_int64())};
}
struct holder {
    std::vector<picky> all;
};
BOOST_DESCRIBE_STRUCT(holder, (), (all))

template <class T>
std::string refusal_to_read(std::string_view text, bool strict = false) {
    try {
        static_cast<void>(json_serializer<T>{.strict = strict}.deserialize(text));
    } catch (const error& e) {
        CHECK(e.code() == make_error_code(errc::deserialize_failed));
        return e.info().message;
    }
    return "accepted";
}

template <class T>
std::string refusal_to_write(const T& value) {
    try {
        static_cast<void>(json_serializer<T>().serialize(value));
    } catch (const error& e) {
        CHECK(e.code() == make_error_code(errc::serialize_failed));
        return e.info().message;
    }
    return "accepted";
}

template <class T>
T read(std::string_view text) {
    return json_serializer<T>().deserialize(text);
}

} // namespace json_members_test

using namespace json_members_test;

TEST_CASE("a missing optional member is empty and an unknown one is ignored") {
    CHECK(read<address>(R"({"street":"x"})") == address{"x", std::nullopt});
    CHECK(read<address>(R"({"street":"x","number":null})") == address{"x", std::nullopt});
    CHECK(read<address>(R"({"new":{"a":[]},"street":"x","number":7,"old":0})") == address{"x", 7});
    CHECK(refusal_to_read<address>(R"({"number":7})") ==
          "json_members_test::address: member 'street': missing in the stored object");
}

TEST_CASE("a strict serializer refuses missing and unknown members") {
    const json_serializer<address> strict{.strict = true};
    CHECK(strict.deserialize(R"({"number":7,"street":"x"})") == address{"x", 7});
    CHECK_THAT(refusal_to_read<address>(R"({"street":"x"})", true),
               Catch::Contains("member 'number': missing"));
    CHECK_THAT(refusal_to_read<address>(R"({"street":"x","number":7,"new":0})", true),
               Catch::Contains("member 'new': unknown"));
    CHECK_THAT(refusal_to_read<person>(
                   R"({"name":"","favourite":"red","homes":[{"street":"x"}],"scores":{}})", true),
               Catch::Contains("member 'homes[0].number': missing"));
}

TEST_CASE("a refusal to read names the member and the type") {
    struct row {
        const char* text;
        const char* words;
    };
    const std::string person_of = "json_members_test::person: ";
    const row table[] = {
        {R"([])", "an object is expected, but the stored JSON is of kind array"},
        {R"({"name":5,"favourite":"red","homes":[],"scores":{}})",
         "member 'name': a string is expected, but the stored JSON is of kind int64"},
        {R"({"name":"","favourite":"blue","homes":[],"scores":{}})",
         "member 'favourite': the stored text is the name of no described enumerator"},
        {R"({"name":"","favourite":"red\u0000","homes":[],"scores":{}})",
         "member 'favourite': the stored text is the name of no described enumerator"},
        {R"({"name":"","favourite":0,"homes":[],"scores":{}})",
         "member 'favourite': a string is expected, but the stored JSON is of kind int64"},
        {R"({"name":"","favourite":"red","homes":[{"street":"a"},{"street":"b","number":0.5}],"scores":{}})",
         "member 'homes[1].number': an integer from -2147483648 to 2147483647 is expected, but the "
         "stored number is another one"},
        {R"({"name":"","favourite":"red","homes":[],"scores":{"a\nb":1e300}})",
         "member 'scores.a?b': the stored number is beyond the range of float"},
    };
    for (const row& r : table) {
        INFO(r.text);
        CHECK(refusal_to_read<person>(r.text) == person_of + r.words);
    }
    CHECK(refusal_to_read<holder>(R"({"all":[1,2.5]})") ==
          "json_members_test::holder: member 'all[1]': too picky to read");
}

TEST_CASE("a number is read only by a type that can hold it") {
    constexpr float least = std::numeric_limits<float>::denorm_min();
    CHECK(refusal_to_read<float>("1e300") ==
          "float: the stored number is beyond the range of float");
    // The shortest text of the largest float, and the last number that rounds to it.
    constexpr float largest = std::numeric_limits<float>::max();
    CHECK(read<float>("3.4028235e38") == largest);
    CHECK(read<float>("-3.4028235e38") == -largest);
    CHECK(read<float>("3.4028235677973362e38") == largest);
    CHECK(refusal_to_read<float>("3.4028235677973366e38") ==
          "float: the stored number is beyond the range of float");
    CHECK_THAT(refusal_to_read<float>("-3.5e38"), Catch::Contains("beyond the range of float"));
    CHECK_THAT(refusal_to_read<float>("1e-300"), Catch::Contains("too small for a float"));
    CHECK_THAT(refusal_to_read<float>("-1e-50"), Catch::Contains("too small for a float"));
    CHECK_THAT(refusal_to_read<float>("16777217"), Catch::Contains("more digits than a float"));
    CHECK(read<float>("16777216") == 16777216.0F);
    CHECK(read<float>("0.1") == 0.1F);
    CHECK(read<float>("0e0") == 0.0F);
    CHECK(std::signbit(read<float>("-0.0")));
    for (const float edge : {std::numeric_limits<float>::max(), least, -least})
        CHECK(read<float>(json_serializer<float>().serialize(edge)) == edge);
    CHECK_THAT(refusal_to_read<double>("9007199254740993"), Catch::Contains("more digits"));
    CHECK_THAT(refusal_to_read<double>("18446744073709551615"), Catch::Contains("more digits"));
    CHECK_THAT(refusal_to_read<double>("9223372036854775807"), Catch::Contains("more digits"));
    CHECK(read<double>("9007199254740992") == 9007199254740992.0);
    CHECK(read<double>("-9223372036854775808") == -9223372036854775808.0);
    CHECK(read<double>("9223372036854775808") == 9223372036854775808.0);

    CHECK(read<std::int64_t>("-9.223372036854775808e18") ==
          std::numeric_limits<std::int64_t>::min());
    CHECK(read<std::uint64_t>("9.223372036854775808e18") == std::uint64_t{1} << 63);
    CHECK_THAT(refusal_to_read<std::int64_t>("9.223372036854775808e18"),
               Catch::Contains("integer"));
    CHECK_THAT(refusal_to_read<std::uint64_t>("1.8446744073709551616e19"),
               Catch::Contains("from 0 to 18446744073709551615"));
    CHECK_THAT(refusal_to_read<std::uint64_t>("-1"), Catch::Contains("from 0 to"));
    CHECK_THAT(refusal_to_read<std::int64_t>("9223372036854775808"), Catch::Contains("integer"));
    CHECK_THAT(refusal_to_read<int>("1e300"), Catch::Contains("integer"));
    CHECK_THAT(refusal_to_read<std::int8_t>("128"), Catch::Contains("from -128 to 127"));
    CHECK_THAT(refusal_to_read<int>("true"), Catch::Contains("an integer is expected"));
    CHECK(read<std::int8_t>("-128") == -128);
}

TEST_CASE("an enumeration's value without a name is refused when it is set") {
    CHECK(refusal_to_write(static_cast<colour>(9)) ==
          "json_members_test::colour: 9 is the value of no described enumerator of "
          "json_members_test::colour");
    person p;
    p.favourite = static_cast<colour>(9);
    CHECK_THAT(refusal_to_write(p), Catch::Contains("member 'favourite': 9 is the value of no"));
    CHECK(refusal_to_write(holder{{{1}, {-1}}}) ==
          "json_members_test::holder: member 'all[1]': too picky to write");

    const minimal_backend below;
    cache<colour> it{below};
    CHECK(run(it.try_set("k", static_cast<colour>(9))).error().code == errc::serialize_failed);
    CHECK_THROWS_AS(run(it.set("k", static_cast<colour>(9))), error);
    CHECK(below.kept().empty());
    run(it.set("k", colour::green));
    CHECK(run(it.get("k")) == colour::green);
}

TEST_CASE(
    "bytes that cannot be decoded are an error that names the key, or a miss whose line does not") {
    const frozen t;
    const minimal_backend below;
    const testing_support::log_lines log;
    environment env = t.env();
    env.log.level = log_level::warning;
    env.log.sink = log.sink();
    cache<address> strict{below, {.env = env}};
    cache<address> lenient{below, {.env = env, .on_undecodable = undecodable::miss}};
    const std::string key = "home\n" + std::string(100, 'k');
    below.kept()[key] = t.made(R"({"number":7})");
    const std::string words =
        "key 'home?" + std::string(75, 'k') +
        "...': json_members_test::address: member 'street': missing in the stored object";

    CHECK(run(strict.try_get(key)).error().message() == words);
    CHECK_THROWS_AS(run(strict.get(key)), error);
    CHECK_THROWS_AS(run(strict.get_entry(key)), error);
    CHECK(run(strict.get_many({"absent", key}))[1].error().message() == words);
    CHECK(strict.stats().errors == 4);
    CHECK(strict.stats().undecodable == 4);
    CHECK(strict.stats().hits == 0);
    CHECK(strict.stats().misses == 1);
    CHECK(log.all().empty());

    CHECK_FALSE(run(lenient.try_get(key)).value());
    CHECK_FALSE(run(lenient.get(key)));
    CHECK_FALSE(run(lenient.get_entry(key)));
    const auto many = run(lenient.get_many({key, "absent", key}));
    for (const auto& outcome : many)
        CHECK_FALSE(outcome.value());
    CHECK(lenient.stats().errors == 0);
    CHECK(lenient.stats().undecodable == 5);
    CHECK(lenient.stats().misses == 6);
    CHECK(lenient.stats().expired == 0);
    CHECK(lenient.stats().hits == 0);
    REQUIRE(log.all().size() == 5);
    for (const std::string& line : log.all())
        CHECK(line == "cache: a value that cannot be read as json_members_test::address is a miss: "
                      "the stored bytes could not be deserialized");

    run(lenient.set(key, {"x", 7}));
    CHECK(run(lenient.get(key)) == address{"x", 7});
    CHECK(run(strict.get(key)) == address{"x", 7});
    CHECK(lenient.stats().hits == 1);
}
