// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/replayed_write.hpp"
#include "support/catch.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

#include <memory>
#include <string>
#include <vector>

namespace codynamo::dynamodb {
namespace {

attribute_value numeral(std::string text) {
    return number(std::move(text));
}

bool met(const attribute_value& sent, const attribute_value& found, bool unknown = true) {
    put_item_input in;
    in.version_attribute = "v";
    in.item.emplace("k", "a");
    in.item.emplace("v", 6);
    in.item.emplace("x", sent);
    auto details = std::make_shared<failure_details>();
    details->old_item = in.item;
    details->old_item.insert_or_assign("x", found);
    diagnostics words;
    words.outcome_unknown = unknown;
    words.details = details;
    return met_its_own_success(in, make_failure(errc::conditional_check_failed, std::move(words)));
}

} // namespace

TEST_CASE("what a put would have left is compared attribute by attribute, as DynamoDB keeps it") {
    const auto numbers = [](std::vector<number> values) { return number_set{std::move(values)}; };
    struct row {
        std::string name;
        attribute_value sent;
        attribute_value found;
        bool same;
    };
    const std::vector<row> table{
        {"text", "mine", "mine", true},
        {"another's", "mine", "theirs", false},
        {"another type", "6", 6, false},
        {"numbers by value", numeral("1.50"), numeral("15E-1"), true},
        {"of 38 digits", numeral("0.12345678901234567890123456789012345678"),
         numeral("12345678901234567890123456789012345678e-38"), true},
        {"of 38 digits, the last one other", numeral("12345678901234567890123456789012345678"),
         numeral("12345678901234567890123456789012345679"), false},
        {"a power of ten", numeral("1"), numeral("10"), false},
        {"signs", numeral("1"), numeral("-1"), false},
        {"zeros", numeral("-0.0"), numeral("0"), true},
        {"nested", list{map{{"n", numeral("1.0")}}}, list{map{{"n", numeral("1")}}}, true},
        {"nested, another's", list{map{{"n", 1}}}, list{map{{"n", 2}}}, false},
        {"shorter list", list{1, 2}, list{1}, false},
        {"longer map", map{{"n", 1}}, map{{"m", 1}, {"n", 1}}, false},
        {"sets have no order", string_set{{"a", "b"}}, string_set{{"b", "a"}}, true},
        {"sets of numbers", numbers({number(std::string("1.0")), number(2)}),
         numbers({number(2), number(1)}), true},
        {"sets of bytes", binary_set{{{"a"}, {"b"}}}, binary_set{{{"b"}, {"a"}}}, true},
        {"other sets", string_set{{"a", "b"}}, string_set{{"a", "c"}}, false},
        {"null", nullptr, nullptr, true},
        {"booleans", true, false, false},
    };
    for (const row& one : table) {
        INFO(one.name);
        CHECK(met(one.sent, one.found) == one.same);
        CHECK(met(one.found, one.sent) == one.same);
        CHECK_FALSE(met(one.sent, one.found, false));
    }
}

TEST_CASE("an item with more attributes, or none at all, is another's") {
    put_item_input in;
    in.version_attribute = "v";
    in.item.emplace("v", 6);
    for (const item& found : {item{}, item{{"v", 6}, {"more", 1}}}) {
        auto details = std::make_shared<failure_details>();
        details->old_item = found;
        diagnostics words;
        words.outcome_unknown = true;
        words.details = details;
        CHECK_FALSE(met_its_own_success(
            in, make_failure(errc::conditional_check_failed, std::move(words))));
    }
}

} // namespace codynamo::dynamodb
