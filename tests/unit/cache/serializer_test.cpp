// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"

#include <codynamo/json_serializer.hpp>
#include <codynamo/serializer.hpp>
#include <codynamo/testing/contract.hpp>

#include <boost/describe.hpp>

#include <map>

using namespace codynamo;
using codynamo::testing::check_serializer;
namespace json = boost::json;

namespace serializer_test {

struct address {
    std::string street;
    std::optional<int> number;
    friend bool operator==(const address&, const address&) = default;
};
BOOST_DESCRIBE_STRUCT(address, (), (street, number))

struct profile {
    std::string name;
    std::uint8_t age = 0;
    double score = 0;
    std::vector<address> homes;
    std::map<std::string, bool> flags;
    friend bool operator==(const profile&, const profile&) = default;
};
BOOST_DESCRIBE_STRUCT(profile, (), (name, age, score, homes, flags))

struct custom {
    int x = 0;
    friend bool operator==(const custom&, const custom&) = default;
};
void tag_invoke(json::value_from_tag, json::value& out, const custom& c) {
    out = {{"x", c.x}};
}
custom tag_invoke(json::value_to_tag<custom>, const json::value& v) {
    return {json::value_to<int>(v.at("x"))};
}

/// Two functions, as a user writes them.
struct hex_policy {
    std::string serialize(const int& value) const { return std::to_string(value); }
    int deserialize(std::string_view bytes) const { return std::stoi(std::string(bytes)); }
};

/// Forgets the sign.
struct lossy_policy : hex_policy {
    std::string serialize(const int& value) const {
        return std::to_string(value < 0 ? -value : value);
    }
};

/// Never says the same twice.
struct moody_policy : hex_policy {
    std::string serialize(const int& value) const {
        return std::string(++*calls, ' ') + std::to_string(value);
    }
    std::shared_ptr<std::size_t> calls = std::make_shared<std::size_t>(0);
};

struct one_way {
    std::string serialize(const int&) const { return {}; }
};

static_assert(serializer<hex_policy, int>);
static_assert(serializer<json_serializer<profile>, profile>);
static_assert(serializer<bytes_serializer<std::vector<std::byte>>, std::vector<std::byte>>);
static_assert(serializes_to_string<one_way, int> && !deserializes_from_bytes<one_way, int>);
static_assert(!serializer<one_way, int>);
static_assert(!serializer<hex_policy, std::string>);

} // namespace serializer_test

using namespace serializer_test;

TEST_CASE("the shipped policies give back what they are given") {
    const std::vector<std::string> none;
    const std::string all_bytes("\0\x01\x7F\x80\xFF end", 9);
    CHECK(check_serializer(text_serializer{}, std::vector<std::string>{"", "text", all_bytes}) ==
          none);
    CHECK(check_serializer(bytes_serializer<>{}, std::vector<std::string>{"", all_bytes}) == none);
    CHECK(check_serializer(
              bytes_serializer<std::vector<std::byte>>{},
              std::vector<std::vector<std::byte>>{{}, {std::byte{0}, std::byte{255}}}) == none);
    CHECK(check_serializer(bytes_serializer<std::vector<unsigned char>>{},
                           std::vector<std::vector<unsigned char>>{{0, 1, 255}}) == none);
    const std::vector<profile> profiles = {
        {}, {"Alice", 41, 0.1, {{"Main St", 7}, {"\xC3\x89toile", std::nullopt}}, {{"a", true}}}};
    CHECK(check_serializer(json_serializer<profile>{}, profiles) == none);
    CHECK(check_serializer(json_serializer<custom>{}, std::vector<custom>{{0}, {-5}}) == none);
    CHECK(check_serializer(json_serializer<std::optional<int>>{},
                           std::vector<std::optional<int>>{std::nullopt, 0, 7}) == none);
    CHECK(check_serializer(json_serializer<std::string>{},
                           std::vector<std::string>{"", "\xC3\xA9"}) == none);
    CHECK(check_serializer(json_serializer<std::map<std::string, double>>{},
                           std::vector<std::map<std::string, double>>{{}, {{"x", -0.0}}}) == none);
    CHECK(check_serializer(json_serializer<json::value>{},
                           std::vector<json::value>{nullptr, {1, 2.5, "x"}}) == none);
    CHECK(check_serializer(hex_policy{}, std::vector<int>{0, -1, 42}) == none);
}

TEST_CASE("the serializer contract notices a policy that breaks it") {
    CHECK_THAT(check_serializer(lossy_policy{}, std::vector<int>{1, -1}),
               Catch::VectorContains(std::string("value 1: what was serialized comes back equal")));
    CHECK_THAT(check_serializer(moody_policy{}, std::vector<int>{1}),
               Catch::VectorContains(std::string("value 0: serializing twice gives equal bytes")));
}

TEST_CASE("described structs are JSON objects by member name") {
    const json_serializer<profile> policy;
    const profile alice{"Alice", 41, 2.5, {{"Main St", 7}}, {{"a", true}}};
    CHECK(
        policy.serialize(alice) ==
        R"({"name":"Alice","age":41,"score":2.5E0,"homes":[{"street":"Main St","number":7}],"flags":{"a":true}})");
    CHECK(
        policy.deserialize(
            R"({"flags": {"a": true}, "homes": [{"street": "Main St", "number": 7}], "score": 2.5, "age": 41, "name": "Alice"})") ==
        alice);
}

TEST_CASE("an integer reads as a double, and what does not fit a member is an exception") {
    CHECK(json_serializer<double>().deserialize("1") == 1.0);
    CHECK(json_serializer<std::uint8_t>().deserialize("255") == 255);
    CHECK(json_serializer<int>().deserialize("1.0") == 1);
    CHECK_THROWS_AS(json_serializer<std::uint8_t>().deserialize("300"), std::exception);
    CHECK_THROWS_AS(json_serializer<std::uint8_t>().deserialize("-1"), std::exception);
    CHECK_THROWS_AS(json_serializer<int>().deserialize("1.5"), std::exception);
    CHECK_THROWS_AS(json_serializer<int>().deserialize("\"1\""), std::exception);
    CHECK_THROWS_AS(json_serializer<bool>().deserialize("1"), std::exception);
    CHECK_THROWS_AS(json_serializer<address>().deserialize(R"({"number":1})"), std::exception);
    CHECK_THROWS_AS(json_serializer<address>().deserialize("[]"), std::exception);
    CHECK_THROWS_AS(json_serializer<std::vector<int>>().deserialize("{}"), std::exception);
}

TEST_CASE("a policy that can move is given rvalues") {
    std::string text(1000, 'x');
    const char* where = text.data();
    std::string bytes = text_serializer{}.serialize(std::move(text));
    CHECK(bytes.data() == where);
    const std::string back = bytes_serializer<>{}.deserialize(std::move(bytes));
    CHECK(back.data() == where);
}
