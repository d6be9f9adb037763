// SPDX-License-Identifier: BSL-1.0
// Random items of all ten types: what is encoded for a PutItem comes back from a GetItem unchanged.
#include "dynamodb/codec.hpp"
#include "support/catch.hpp"

#include <array>
#include <random>

namespace {

using namespace codynamo::dynamodb;

class item_maker {
public:
    explicit item_maker(unsigned seed) : random_(seed) {}

    item make(std::size_t depth) {
        item out;
        for (std::size_t left = below(6) + 1; left > 0; --left)
            out[text() + std::to_string(left)] = value(depth);
        return out;
    }
    /// How many values of each type were made.
    const std::array<std::size_t, 10>& made() const { return made_; }

private:
    std::size_t below(std::size_t bound) { return random_() % bound; }

    std::string bytes() {
        std::string out(below(40), '\0');
        for (char& c : out)
            c = static_cast<char>(random_());
        return out;
    }
    std::string text() {
        static constexpr std::array<std::string_view, 12> pieces = {
            "a",    "plain text", "\"", "\\", "\n", std::string_view("\0", 1),
            "\x1f", "\x7f",       "é",  "€",  "😀", "/"};
        std::string out;
        for (std::size_t left = below(8); left > 0; --left)
            out += pieces[below(pieces.size())];
        return out;
    }
    number any_number() {
        switch (below(4)) {
        case 0:
            return number(static_cast<std::int64_t>(random_()));
        case 1:
            return number(static_cast<double>(below(1'000'000)) / 1000);
        case 2:
            return number("-1.50E" + std::to_string(below(100)));
        default:
            return number("12345678901234567890123456789012345678");
        }
    }
    template <class Set, class Make>
    Set set(Make make) {
        Set out;
        for (std::size_t left = below(4) + 1; left > 0; --left)
            out.values.push_back(make());
        return out;
    }
    attribute_value value(std::size_t depth) {
        const std::size_t type = below(10);
        ++made_[type];
        switch (type) {
        case 0:
            return text();
        case 1:
            return any_number();
        case 2:
            return binary{bytes()};
        case 3:
            return below(2) == 0;
        case 4:
            return null{};
        case 5:
            return elements(depth);
        case 6:
            return depth == 0 ? map{} : make(depth - 1);
        case 7:
            return set<string_set>([&] { return text(); });
        case 8:
            return set<number_set>([&] { return any_number(); });
        default:
            return set<binary_set>([&] { return binary{bytes()}; });
        }
    }
    list elements(std::size_t depth) {
        list out;
        for (std::size_t left = depth == 0 ? 0 : below(4); left > 0; --left)
            out.push_back(value(depth - 1));
        return out;
    }

    std::mt19937_64 random_;
    std::array<std::size_t, 10> made_{};
};

/// The document of the PutItem, with its item in the place where a GetItem answers it.
item through_the_wire(const item& what) {
    std::string sent;
    const put_item_input in{.table_name = "table", .item = what};
    validate(in);
    encode(in, sent);
    const std::string_view start = R"({"TableName":"table",)";
    REQUIRE(sent.starts_with(start));
    get_item_output out;
    decode("{" + sent.substr(start.size()), out);
    REQUIRE(out.item);
    return *out.item;
}

TEST_CASE("codec: random items come back equal") {
    item_maker maker(20120810);
    for (int i = 0; i < 3000; ++i) {
        CAPTURE(i);
        const item what = maker.make(static_cast<std::size_t>(i % 5));
        REQUIRE(through_the_wire(what) == what);
    }
    for (const std::size_t count : maker.made())
        CHECK(count > 500);
}

TEST_CASE("codec: items as deep and as large as the service allows come back equal") {
    attribute_value deep = "bottom";
    for (int i = 0; i < 32; ++i)
        deep = i % 2 == 0 ? attribute_value(map{{"m", std::move(deep)}})
                          : attribute_value(list{std::move(deep)});
    CHECK(through_the_wire({{"deep", deep}}) == item{{"deep", deep}});
    const item large = {{"b", binary{std::string(200'000, '\xfe')}},
                        {"s", std::string(200'000, '\n')}};
    CHECK(through_the_wire(large) == large);
}

} // namespace
