// SPDX-License-Identifier: BSL-1.0
// Which types json_serializer takes, and that what it takes comes back as it was.
#include "support/catch.hpp"

#include <codynamo/json_serializer.hpp>
#include <codynamo/testing/seeded_random.hpp>

#include <boost/describe.hpp>
#include <boost/system/result.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>
#include <valarray>
#include <vector>

using namespace codynamo;
namespace json = boost::json;

namespace json_types_test {

enum class colour { red, green, blue = 7 };
BOOST_DESCRIBE_ENUM(colour, red, green, blue)
enum class undescribed_enum { one };

/// Another library's string_view.
struct foreign_view {
    const char* data = nullptr;
    std::size_t size = 0;
    foreign_view() = default;
    explicit foreign_view(std::string_view text) : data(text.data()), size(text.size()) {}
    operator json::string_view() const { return {data, size}; } // NOLINT: on purpose
};

struct node {
    int value = 0;
    std::vector<node> children;
    std::map<std::string, node> named;
    friend bool operator==(const node&, const node&) = default;
};
BOOST_DESCRIBE_STRUCT(node, (), (value, children, named))

struct root_base {
    std::string id;
    friend bool operator==(const root_base&, const root_base&) = default;
};
BOOST_DESCRIBE_STRUCT(root_base, (), (id))
struct middle_base : root_base {
    std::optional<int> level;
    friend bool operator==(const middle_base&, const middle_base&) = default;
};
BOOST_DESCRIBE_STRUCT(middle_base, (root_base), (level))
struct derived : middle_base {
    colour shade = colour::red;
    friend bool operator==(const derived&, const derived&) = default;
};
BOOST_DESCRIBE_STRUCT(derived, (middle_base), (shade))

struct circle {
    double radius = 0;
    std::optional<std::string> label;
    friend bool operator==(const circle&, const circle&) = default;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius, label))
struct square {
    double side = 0;
    std::optional<std::string> label;
    friend bool operator==(const square&, const square&) = default;
};
BOOST_DESCRIBE_STRUCT(square, (), (side, label))
/// Everything that a circle needs, and more: a named_circle's text is a circle's too.
struct named_circle {
    double radius = 0;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(named_circle, (), (radius, name))
struct all_optional {
    std::optional<int> x;
};
BOOST_DESCRIBE_STRUCT(all_optional, (), (x))

struct custom {
    int x = 0;
    friend bool operator==(const custom&, const custom&) = default;
};
void tag_invoke(json::value_from_tag, json::value& out, const custom& c) {
    if (c.x == 0)
        out = nullptr;
    else
        out = c.x;
}
custom tag_invoke(json::value_to_tag<custom>, const json::value& v) {
    if (v.is_null()) return {0};
    return {json::value_to<int>(v)};
}
/// Written by the user, but not read.
struct write_only {
    int x = 0;
};
void tag_invoke(json::value_from_tag, json::value& out, const write_only& w) {
    out = w.x;
}

/// Described, and written by the user, but not read.
struct described_write_only {
    int x = 0;
};
BOOST_DESCRIBE_STRUCT(described_write_only, (), (x))
void tag_invoke(json::value_from_tag, json::value& out, const described_write_only& w) {
    out = w.x;
}
/// Described, and read by the user, but not written.
struct described_read_only {
    int x = 0;
};
BOOST_DESCRIBE_STRUCT(described_read_only, (), (x))
described_read_only tag_invoke(json::value_to_tag<described_read_only>, const json::value& v) {
    return {json::value_to<int>(v)};
}
struct read_only_with_result {
    int x = 0;
};
BOOST_DESCRIBE_STRUCT(read_only_with_result, (), (x))
boost::system::result<read_only_with_result>
tag_invoke(json::try_value_to_tag<read_only_with_result>, const json::value& v) {
    return read_only_with_result{json::value_to<int>(v)};
}
/// Would be written as its base is.
struct derived_from_custom : custom {
    int y = 0;
};
BOOST_DESCRIBE_STRUCT(custom, (), (x))
BOOST_DESCRIBE_STRUCT(derived_from_custom, (custom), (y))

struct with_view {
    int before = 0;
    std::string_view text;
};
BOOST_DESCRIBE_STRUCT(with_view, (), (before, text))
struct inherits_view : with_view {};
BOOST_DESCRIBE_STRUCT(inherits_view, (with_view), ())
struct with_variant {
    std::variant<int, double> number;
};
BOOST_DESCRIBE_STRUCT(with_variant, (), (number))

struct plain_base {
    int a = 0;
};
struct base_not_described : plain_base {
    int b = 0;
};
BOOST_DESCRIBE_STRUCT(base_not_described, (plain_base), (b))
struct same_name : root_base {
    int id = 0;
};
BOOST_DESCRIBE_STRUCT(same_name, (root_base), (id))
struct other_base {
    std::string id;
};
BOOST_DESCRIBE_STRUCT(other_base, (), (id))
struct two_bases : root_base, other_base {};
BOOST_DESCRIBE_STRUCT(two_bases, (root_base, other_base), ())
class with_private {
    int hidden_ = 0;
    BOOST_DESCRIBE_CLASS(with_private, (), (), (), (hidden_))
};
class private_base : root_base {
public:
    int b = 0;
    BOOST_DESCRIBE_CLASS(private_base, (root_base), (b), (), ())
};
struct with_const {
    const int fixed = 1;
};
BOOST_DESCRIBE_STRUCT(with_const, (), (fixed))
struct no_default {
    explicit no_default(int given) : x(given) {}
    int x;
};
BOOST_DESCRIBE_STRUCT(no_default, (), (x))
struct with_array {
    int numbers[3] = {};
};
BOOST_DESCRIBE_STRUCT(with_array, (), (numbers))

struct left_base : root_base {};
BOOST_DESCRIBE_STRUCT(left_base, (root_base), ())
struct right_base : root_base {};
BOOST_DESCRIBE_STRUCT(right_base, (root_base), ())
struct ambiguous_base : left_base, right_base {
    int x = 0;
};
BOOST_DESCRIBE_STRUCT(ambiguous_base, (left_base, right_base), (x))

/// Has tag_invoke overloads, but no default constructor.
struct custom_without_default {
    explicit custom_without_default(int given) : x(given) {}
    int x;
    friend bool operator==(const custom_without_default&, const custom_without_default&) = default;
};
void tag_invoke(json::value_from_tag, json::value& out, const custom_without_default& c) {
    out = c.x;
}
custom_without_default tag_invoke(json::value_to_tag<custom_without_default>,
                                  const json::value& v) {
    return custom_without_default(json::value_to<int>(v));
}
/// Has tag_invoke overloads, but cannot be assigned.
struct custom_constant {
    const int x = 0;
};
void tag_invoke(json::value_from_tag, json::value& out, const custom_constant& c) {
    out = c.x;
}
custom_constant tag_invoke(json::value_to_tag<custom_constant>, const json::value& v) {
    return {json::value_to<int>(v)};
}
struct with_custom_constant {
    custom_constant x;
};
BOOST_DESCRIBE_STRUCT(with_custom_constant, (), (x))
/// A text that no text makes.
class write_only_text {
public:
    operator json::string_view() const { return text_; } // NOLINT: on purpose

private:
    std::string text_;
};

struct described_text : std::string {
    int tag = 0;
};
BOOST_DESCRIBE_STRUCT(described_text, (), (tag))
struct described_vector : std::vector<int> {
    int extra = 0;
};
BOOST_DESCRIBE_STRUCT(described_vector, (), (extra))
struct described_map : std::map<std::string, int> {
    int extra = 0;
};
BOOST_DESCRIBE_STRUCT(described_map, (), (extra))
struct described_tuple {
    int x = 0;
    int y = 0;
};
BOOST_DESCRIBE_STRUCT(described_tuple, (), (x, y))
template <std::size_t I>
int get(const described_tuple& of) {
    return I == 0 ? of.x : of.y;
}
class range_with_members {
public:
    using value_type = int;
    std::string name;
    auto begin() const { return items_.begin(); }
    auto end() const { return items_.end(); }
    void push_back(int item) { items_.push_back(item); }

private:
    std::vector<int> items_;
    BOOST_DESCRIBE_CLASS(range_with_members, (), (name), (), ())
};
/// Says itself how it is written.
struct custom_vector : std::vector<int> {
    int extra = 0;
};
BOOST_DESCRIBE_STRUCT(custom_vector, (), (extra))
void tag_invoke(json::value_from_tag, json::value& out, const custom_vector& v) {
    out = v.extra;
}
custom_vector tag_invoke(json::value_to_tag<custom_vector>, const json::value& v) {
    custom_vector out;
    out.extra = json::value_to<int>(v);
    return out;
}

} // namespace json_types_test

template <>
struct std::tuple_size<json_types_test::described_tuple> : std::integral_constant<std::size_t, 2> {
};
template <std::size_t I>
struct std::tuple_element<I, json_types_test::described_tuple> {
    using type = int;
};

namespace json_types_test {

template <class T>
constexpr detail::json_problem problem = detail::json_problem_in<T>::problem;
using enum detail::json_problem;

// Accepted.
static_assert(json_representable<bool> && json_representable<char> && json_representable<float>);
static_assert(json_representable<std::uint64_t> && json_representable<double>);
static_assert(json_representable<std::string> && json_representable<json::string>);
static_assert(json_representable<json::value> && json_representable<json::object>);
static_assert(json_representable<std::nullptr_t> && json_representable<std::monostate>);
static_assert(json_representable<colour> && json_representable<node> &&
              json_representable<derived>);
static_assert(json_representable<std::vector<bool>> && json_representable<std::array<float, 2>>);
static_assert(json_representable<std::map<int, std::tuple<std::string, colour>>>);
static_assert(json_representable<custom> && json_representable<std::optional<custom>>);
static_assert(json_representable<std::optional<json::value>>);
static_assert(json_representable<
              std::variant<std::monostate, bool, int, std::string, json::array, json::object>>);
static_assert(json_representable<std::variant<std::optional<int>, std::string>>);
static_assert(json_representable<std::variant<circle, square, std::vector<circle>>>);
static_assert(json_representable<std::variant<custom>>);

// Views, wherever they are.
static_assert(problem<std::string_view> == view && problem<json::string_view> == view);
static_assert(problem<const char*> == view && problem<foreign_view> == view);
static_assert(problem<std::span<int>> == view && problem<int*> == view);
static_assert(problem<std::vector<std::string_view>> == view);
static_assert(problem<std::optional<std::string_view>> == view);
static_assert(problem<std::map<std::string_view, int>> == view);
static_assert(problem<std::map<std::string, std::string_view>> == view);
static_assert(problem<std::map<int, const char*>> == view);
static_assert(problem<std::pair<int, std::string_view>> == view);
static_assert(problem<std::tuple<std::string, int&>> == view);
static_assert(problem<std::array<std::string_view, 2>> == view);
static_assert(problem<std::variant<int, std::string_view>> == view);
static_assert(problem<with_view> == view && problem<inherits_view> == view);
static_assert(problem<std::vector<std::optional<std::map<std::string, inherits_view>>>> == view);

// What JSON cannot tell apart.
static_assert(problem<std::variant<int, double>> == variant);
static_assert(problem<std::variant<int, int>> == variant);
static_assert(problem<std::variant<std::string, colour>> == variant);
static_assert(problem<std::variant<std::vector<int>, std::tuple<int>>> == variant);
static_assert(problem<std::variant<std::monostate, std::optional<int>>> == variant);
static_assert(problem<std::variant<circle, named_circle>> == variant);
static_assert(problem<std::variant<circle, all_optional>> == variant);
static_assert(problem<std::variant<circle, std::map<std::string, int>>> == variant);
static_assert(problem<std::variant<custom, std::string>> == variant);
static_assert(problem<std::variant<json::value, int>> == variant);
static_assert(problem<std::optional<std::optional<int>>> == nested_optional);
static_assert(problem<std::optional<std::monostate>> == nested_optional);
static_assert(problem<std::optional<std::variant<std::monostate, int>>> == nested_optional);
static_assert(problem<std::optional<std::variant<std::optional<int>, bool>>> == nested_optional);
static_assert(problem<with_variant> == variant && problem<std::vector<with_variant>> == variant);

// Structs that cannot be written or read whole.
static_assert(problem<base_not_described> == undescribed_base);
static_assert(problem<same_name> == equal_names && problem<two_bases> == equal_names);
static_assert(problem<with_private> == hidden_members && problem<private_base> == hidden_members);
static_assert(problem<with_const> == not_assignable && problem<no_default> == not_assignable);
static_assert(problem<described_write_only> == single_overload);
static_assert(problem<described_read_only> == single_overload);
static_assert(problem<read_only_with_result> == single_overload);
static_assert(problem<std::vector<std::optional<derived_from_custom>>> == single_overload);
static_assert(problem<described_text> == described_container);
static_assert(problem<described_vector> == described_container);
static_assert(problem<described_map> == described_container);
static_assert(problem<described_tuple> == described_container);
static_assert(problem<range_with_members> == described_container);
static_assert(problem<std::vector<std::optional<described_text>>> == described_container);
static_assert(json_representable<custom_vector>);
static_assert(problem<with_array> == c_array && problem<char[8]> == c_array);

// What cannot be built from what is read.
static_assert(problem<std::forward_list<int>> == not_constructible);
static_assert(problem<std::vector<std::valarray<double>>> == not_constructible);
static_assert(problem<std::array<custom_without_default, 2>> == not_constructible);
static_assert(problem<std::array<custom_constant, 2>> == not_constructible);
static_assert(problem<write_only_text> == not_constructible);
static_assert(problem<std::map<write_only_text, int>> == not_constructible);
static_assert(problem<with_custom_constant> == not_assignable);
static_assert(json_representable<std::array<int, 0>> && problem<std::array<int*, 0>> == view);
static_assert(json_representable<std::vector<custom_without_default>>);

// The fault of an alternative comes before the question whether it is told apart.
static_assert(problem<ambiguous_base> == equal_names);
static_assert(problem<std::variant<circle, ambiguous_base>> == equal_names);
static_assert(problem<std::optional<ambiguous_base>> == equal_names);

// Types that nobody described.
static_assert(problem<undescribed_enum> == unsupported && problem<plain_base> == unsupported);
static_assert(problem<std::vector<plain_base>> == unsupported);
static_assert(problem<std::filesystem::path> == unsupported);
static_assert(problem<std::chrono::seconds> == unsupported);
static_assert(problem<std::unique_ptr<int>> == unsupported && problem<std::byte> == unsupported);
static_assert(problem<write_only> == single_overload);
static_assert(problem<long double> == number && problem<std::vector<long double>> == number);

/// One of everything that comes back.
struct everything {
    bool flag = false;
    std::int8_t small = 0;
    std::uint64_t large = 0;
    std::int64_t signed_large = 0;
    char letter = 0;
    float narrow = 0;
    double wide = 0;
    std::string text;
    json::value document;
    std::optional<double> perhaps;
    std::vector<bool> flags;
    std::deque<std::optional<int>> holes;
    std::array<std::uint16_t, 3> three{};
    std::array<custom_without_default, 0> none{};
    std::set<int> distinct;
    std::multimap<int, std::string> many;
    std::unordered_map<std::string, derived> named;
    std::pair<colour, std::tuple<int, std::string>> mixed;
    std::variant<std::monostate, bool, double, std::string, std::vector<int>, circle, square> any;
    std::variant<std::optional<int>, std::string> nullable;
    node tree;
    custom own;
    friend bool operator==(const everything&, const everything&) = default;
};
BOOST_DESCRIBE_STRUCT(everything, (),
                      (flag, small, large, signed_large, letter, narrow, wide, text, document,
                       perhaps, flags, holes, three, none, distinct, many, named, mixed, any,
                       nullable, tree, own))

class maker {
public:
    explicit maker(std::uint64_t seed) : random_(seed) {}

    everything make() {
        everything e;
        e.flag = random_.chance(0.5);
        e.small = static_cast<std::int8_t>(random_.next());
        e.large = random_.next();
        e.signed_large = static_cast<std::int64_t>(random_.next());
        e.letter = static_cast<char>(random_.next());
        e.narrow = finite<float, std::uint32_t>();
        e.wide = finite<double, std::uint64_t>();
        e.text = text();
        e.document = document();
        if (random_.chance(0.5)) e.perhaps = finite<double, std::uint64_t>();
        for (std::uint64_t n = random_.below(4); n != 0; --n) {
            e.flags.push_back(random_.chance(0.5));
            e.holes.push_back(random_.chance(0.5) ? std::optional(number()) : std::nullopt);
            e.distinct.insert(number());
            e.many.emplace(number() % 2, text());
            derived d;
            d.id = text();
            if (random_.chance(0.5)) d.level = number();
            d.shade = shade();
            e.named.emplace(text(), d);
        }
        for (std::uint16_t& one : e.three)
            one = static_cast<std::uint16_t>(random_.next());
        e.mixed = {shade(), {number(), text()}};
        e.any = any();
        if (random_.chance(0.3))
            e.nullable = text();
        else if (random_.chance(0.5))
            e.nullable = std::optional(number());
        e.tree = tree(3);
        e.own.x = number() % 3;
        return e;
    }

private:
    int number() { return static_cast<int>(random_.next() % 2001) - 1000; }
    colour shade() {
        constexpr colour all[] = {colour::red, colour::green, colour::blue};
        return all[random_.below(3)];
    }
    template <class Float, class Bits>
    Float finite() {
        for (;;) {
            const auto value = std::bit_cast<Float>(static_cast<Bits>(random_.next()));
            if (std::isfinite(value)) return value;
        }
    }
    std::string text() {
        constexpr const char* pieces[] = {"",   "a",  "\xC3\xA9",        "\"",
                                          "\\", "\n", "\xF0\x9F\x98\x80"};
        std::string made;
        for (std::uint64_t n = random_.below(6); n != 0; --n)
            made += pieces[random_.below(7)];
        if (random_.chance(0.1)) made += '\0';
        return made;
    }
    json::value document() {
        switch (random_.below(4)) {
        case 0:
            return nullptr;
        case 1:
            return random_.next();
        case 2:
            return {{text(), number()}, {"x", {1, nullptr, text()}}};
        default:
            return finite<double, std::uint64_t>();
        }
    }
    decltype(everything::any) any() {
        switch (random_.below(7)) {
        case 0:
            return std::monostate();
        case 1:
            return random_.chance(0.5);
        case 2:
            return 5.0;
        case 3:
            return text();
        case 4:
            return std::vector<int>(random_.below(3), number());
        case 5:
            return circle{1.5, text()};
        default:
            return square{2, std::nullopt};
        }
    }
    node tree(int depth) {
        node made;
        made.value = number();
        for (std::uint64_t n = depth == 0 ? 0 : random_.below(3); n != 0; --n) {
            made.children.push_back(tree(depth - 1));
            made.named.emplace(text(), tree(depth - 1));
        }
        return made;
    }

    testing::seeded_random random_;
};

std::string refusal_of(const auto& action) {
    try {
        action();
    } catch (const error& e) {
        return e.info().message;
    }
    return "accepted";
}

} // namespace json_types_test

using namespace json_types_test;

TEST_CASE("every value of a type that is taken comes back as it was") {
    const json_serializer<everything> policy;
    std::size_t alternatives = 0;
    for (std::uint64_t seed = 0; seed != 2'000; ++seed) {
        INFO("seed " << seed);
        const everything value = maker(seed).make();
        const everything back = policy.deserialize(policy.serialize(value));
        REQUIRE(back == value);
        REQUIRE(std::signbit(back.wide) == std::signbit(value.wide));
        alternatives |= std::size_t{1} << value.any.index();
    }
    CHECK(alternatives == 0x7F);
}

TEST_CASE("members of described bases are members of the object") {
    derived d;
    d.id = "x";
    d.shade = colour::blue;
    const json_serializer<derived> policy;
    CHECK(policy.serialize(d) == R"({"id":"x","level":null,"shade":"blue"})");
    CHECK(policy.deserialize(policy.serialize(d)) == d);
}

TEST_CASE("a variant is read by the kind of its JSON, and of objects by the members") {
    using shape = std::variant<circle, square, int>;
    const json_serializer<shape> policy;
    CHECK(policy.deserialize(R"({"side":1.0,"label":"s"})") == shape(square{1, "s"}));
    CHECK(policy.deserialize(R"({"radius":1.0,"new":0})") == shape(circle{1, std::nullopt}));
    CHECK(policy.deserialize("5") == shape(5));
    CHECK_THAT(refusal_of([&] { static_cast<void>(policy.deserialize("\"5\"")); }),
               Catch::Contains("none of the alternatives"));
    CHECK_THAT(refusal_of([&] { static_cast<void>(policy.deserialize(R"({"label":"s"})")); }),
               Catch::Contains("none of the alternatives"));
    CHECK_THAT(
        refusal_of([&] { static_cast<void>(policy.deserialize(R"({"radius":1.0,"side":1.0})")); }),
        Catch::Contains("more than one alternative"));
}

TEST_CASE("a null inside a std::optional is refused when it is written") {
    using maybe_document = std::optional<json::value>;
    const json_serializer<maybe_document> documents;
    CHECK(documents.serialize(std::nullopt) == "null");
    CHECK(documents.serialize(maybe_document(5)) == "5");
    CHECK_THAT(refusal_of([&] {
                   static_cast<void>(documents.serialize(maybe_document(json::value(nullptr))));
               }),
               Catch::Contains("would come back empty"));
    const json_serializer<std::optional<custom>> customs;
    CHECK(customs.deserialize(customs.serialize(custom{3})) == custom{3});
    CHECK_THAT(refusal_of([&] { static_cast<void>(customs.serialize(custom{0})); }),
               Catch::Contains("would come back empty"));
}

TEST_CASE("containers that would lose stored elements refuse them") {
    CHECK_THAT(refusal_of([] {
                   static_cast<void>(json_serializer<std::set<int>>().deserialize("[1,1]"));
               }),
               Catch::Contains("equal elements"));
    CHECK_THAT(refusal_of([] {
                   static_cast<void>(
                       json_serializer<std::map<int, bool>>().deserialize("[[1,true],[1,false]]"));
               }),
               Catch::Contains("equal elements"));
    CHECK_THAT(refusal_of([] {
                   static_cast<void>(json_serializer<std::array<int, 2>>().deserialize("[1,2,3]"));
               }),
               Catch::Contains("2 elements is expected, but the stored one has 3"));
    CHECK_THAT(refusal_of([] {
                   static_cast<void>(json_serializer<std::array<int, 0>>().deserialize("[1]"));
               }),
               Catch::Contains("0 elements is expected, but the stored one has 1"));
}

TEST_CASE("values nested too deep are refused when they are written, however deep") {
    node deep;
    for (int i = 0; i != 20'000; ++i) {
        node outer;
        outer.children.push_back(std::move(deep));
        deep = std::move(outer);
    }
    CHECK_THAT(refusal_of([&] { static_cast<void>(json_serializer<node>().serialize(deep)); }),
               Catch::Contains("more than 512 levels"));
    // One level after the other: a destructor that recurses so deep needs more stack than there is
    // under a sanitizer.
    while (!deep.children.empty())
        deep = node(std::move(deep.children.front()));
}
