// SPDX-License-Identifier: BSL-1.0
// What is refused before it is sent: names, keys, items, expressions.
#include "limits.hpp"

namespace {

using namespace codynamo::dynamodb;
using namespace codynamo::dynamodb::limits;

const get_item_input sound_get{.table_name = "table", .key = {{"id", "a"}}};
const put_item_input sound_put{.table_name = "table", .item = {{"id", "a"}}};
const update_item_input sound_update{.table_name = "table", .key = {{"id", "a"}}};

TEST_CASE("codec limits: table names") {
    using in = describe_table_input;
    const std::string characters =
        " has a character other than a-z, A-Z, 0-9, '_', '-' and '.' at position ";
    check_all<in>(
        in{"table"},
        {
            {[](in& i) { i.table_name = "abc"; }, ""},
            {[](in& i) { i.table_name = "A-Z_a.z09"; }, ""},
            {[](in& i) { i.table_name = times(255); }, ""},
            {[](in& i) { i.table_name = "arn:aws:dynamodb:eu-west-1:123456789012:table/x"; }, ""},
            {[](in& i) { i.table_name = "arn:" + times(1020); }, ""},
            {[](in& i) { i.table_name = ""; },
             "table_name \"\" has 0 characters: 3 to 255 are allowed"},
            {[](in& i) { i.table_name = "ab"; },
             "table_name \"ab\" has 2 characters: 3 to 255 are allowed"},
            {[](in& i) { i.table_name = times(256); },
             "table_name \"" + times(64) + "…\" has 256 characters: 3 to 255 are allowed"},
            {[](in& i) { i.table_name = "a table"; }, "table_name \"a table\"" + characters + "1"},
            {[](in& i) { i.table_name = "täb\xff\n"; },
             "table_name \"täb\\xff\\x0a\"" + characters + "1"},
            {[](in& i) { i.table_name = "arn:" + times(1021); },
             "table_name \"arn:" + times(60) + "…\" has 1025 characters: an ARN has at most 1024"},
            {[](in& i) { i.table_name = "arn:a b"; },
             "table_name \"arn:a b\" is not an ARN: see position 5"},
        });
}

TEST_CASE("codec limits: every operation checks its table's name") {
    const std::string message = "table_name \"\" has 0 characters: 3 to 255 are allowed";
    CHECK(refusal(get_item_input{}) == message);
    CHECK(refusal(put_item_input{}) == message);
    CHECK(refusal(update_item_input{}) == message);
    CHECK(refusal(delete_item_input{}) == message);
    CHECK(refusal(query_input{}) == message);
    CHECK(refusal(scan_input{}) == message);
    CHECK(refusal(create_table_input{}) == message);
    CHECK(refusal(delete_table_input{}) == message);
    CHECK(refusal(update_time_to_live_input{}) == message);
    CHECK(refusal(describe_time_to_live_input{}) == message);
    CHECK(refusal(batch_get_item_input{{{"t", {{{{"id", 1}}}}}}}) ==
          "request_items.t \"t\" has 1 characters: 3 to 255 are allowed");
    CHECK(refusal(transact_get_items_input{{{"t", {{"id", 1}}}}}) ==
          "items[0].table_name \"t\" has 1 characters: 3 to 255 are allowed");
}

TEST_CASE("codec limits: keys") {
    using in = get_item_input;
    check_all<in>(
        sound_get,
        {
            {[](in& i) {
                 i.key = {{"id", 1}, {"at", binary{"x"}}};
             },
             ""},
            {[](in& i) { i.key["id"] = times(2048); }, ""},
            {[](in& i) { i.key.clear(); }, "key is empty: 1 or 2 attributes are needed"},
            {[](in& i) {
                 i.key = {{"a", 1}, {"b", 1}, {"c", 1}};
             },
             "key has 3 attributes: 1 or 2 are allowed"},
            {[](in& i) { i.key["id"] = ""; },
             "key.id is empty: a key attribute has 1 to 2048 bytes"},
            {[](in& i) { i.key["id"] = binary{}; },
             "key.id is empty: a key attribute has 1 to 2048 bytes"},
            {[](in& i) { i.key["id"] = times(2049); },
             "key.id has 2049 bytes: 1 to 2048 are allowed"},
            {[](in& i) { i.key["id"] = binary{times(2049)}; },
             "key.id has 2049 bytes: 1 to 2048 are allowed"},
            {[](in& i) { i.key["id"] = true; },
             "key.id is of type BOOL: a key attribute is S, N or B"},
            {[](in& i) { i.key["id"] = number("x"); }, "key.id \"x\" is not a decimal number"},
            {[](in& i) {
                 i.key = {{"", 1}};
             },
             "key.\"\" has 0 bytes in its name: 1 to 255 are allowed"},
        });
    CHECK(refusal(update_item_input{.table_name = "table"}) ==
          "key is empty: 1 or 2 attributes are needed");
    CHECK(refusal(delete_item_input{.table_name = "table"}) ==
          "key is empty: 1 or 2 attributes are needed");
}

TEST_CASE("codec limits: numbers") {
    using in = put_item_input;
    const auto with = [](std::string text) {
        return [text](in& i) { i.item["n"] = number(text); };
    };
    std::vector<limit_case<in>> cases;
    for (const char* text :
         {"0", "-0.0", "1", "+1", "-1.5e-3", ".5", "5.", "0E999", "9E125", "1E-130",
          "99999999999999999999999999999999999999", "0.00012345678901234567890123456789012345678",
          "1234567890123456789012345678901234567800000000", "1000E122"})
        cases.push_back({with(text), ""});
    for (const char* text : {"", " ", "NaN", "nan", "Infinity", "-inf", "abc", "1 ", " 1", "0x10",
                             "1E", "1,5", "--1", "1.2.3", "e5"})
        cases.push_back(
            {with(text), "item.n \"" + std::string(text) + "\" is not a decimal number"});
    cases.push_back({with("123456789012345678901234567890123456789"),
                     "item.n has 39 significant digits: at most 38 are allowed"});
    cases.push_back({with("10000000000000000000.0000000000000000001"),
                     "item.n has 39 significant digits: at most 38 are allowed"});
    cases.push_back(
        {with("1E126"), "item.n \"1E126\" is too large: magnitudes below 1E126 are allowed"});
    cases.push_back({with("-1E99999999999999999999"),
                     "item.n \"-1E99999999999999999999\" is too large: magnitudes below 1E126 are "
                     "allowed"});
    cases.push_back({with("9.9E-131"), "item.n \"9.9E-131\" is too small: 0 and magnitudes from "
                                       "1E-130 are allowed"});
    cases.push_back(
        {with(times(100, 'z')), "item.n \"" + times(64, 'z') + "…\" is not a decimal number"});
    check_all<in>(sound_put, cases);
}

attribute_value nested(std::size_t levels) {
    attribute_value out = "deep";
    for (std::size_t i = 0; i < levels; ++i) {
        if (i % 2 == 0)
            out = map{{"m", std::move(out)}};
        else
            out = list{std::move(out)};
    }
    return out;
}

TEST_CASE("codec limits: items") {
    using in = put_item_input;
    check_all<in>(
        sound_put,
        {
            {[](in& i) { i.item["e"] = ""; }, ""},
            {[](in& i) { i.item["s"] = string_set{{""}}; }, ""},
            {[](in& i) { i.item["v"] = times(409'600 - 4); }, ""},
            {[](in& i) { i.item["v"] = binary{times(409'600 - 4)}; }, ""},
            {[](in& i) { i.item["v"] = nested(32); }, ""},
            {[](in& i) { i.item.clear(); }, "item is empty: at least its key is needed"},
            {[](in& i) { i.item["v"] = times(409'600 - 3); },
             "item has 409601 bytes: at most 409600 are allowed"},
            {[](in& i) { i.item[""] = 1; },
             "item has an attribute without a name: 1 to 65535 bytes are allowed"},
            {[](in& i) { i.item[times(65'536)] = 1; },
             "item." + times(64) + "… has 65536 bytes in its name: at most 65535 are allowed"},
            {[](in& i) { i.item["s"] = string_set{}; },
             "item.s is an empty set: at least 1 element is needed"},
            {[](in& i) { i.item["s"] = list{number_set{}}; },
             "item.s[0] is an empty set: at least 1 element is needed"},
            {[](in& i) {
                 i.item["s"] = map{{"b\xff", binary_set{}}};
             },
             "item.s.b\\xff is an empty set: at least 1 element is needed"},
            {[](in& i) {
                 i.item["s"] = number_set{{number(1), number("x")}};
             },
             "item.s[1] \"x\" is not a decimal number"},
        });
    put_item_input deep = sound_put;
    for (const std::size_t levels : {33u, 34u, 2000u}) {
        deep.item["v"] = nested(levels);
        CHECK_THAT(refusal(deep), Catch::StartsWith("item.v") &&
                                      Catch::EndsWith("nested more than 32 levels deep: at most 32 "
                                                      "are allowed"));
    }
    CHECK_NOTHROW(validate_item_size({{"v", times(409'599)}}, "field"));
    CHECK_THROWS_WITH(validate_item_size({{"v", times(409'600)}}, "field"),
                      Catch::Contains("field has 409601 bytes: at most 409600 are allowed"));
}

TEST_CASE("codec limits: expressions and placeholders") {
    using in = update_item_input;
    check_all<in>(
        sound_update,
        {
            {[](in& i) { i.update_expression = times(4096); }, ""},
            {[](in& i) {
                 i.update_expression = "x", i.names = {{"#n", "n"}};
             },
             ""},
            {[](in& i) {
                 i.condition.expression = "x", i.values = {{":v", 1}};
             },
             ""},
            {[](in& i) { i.update_expression = times(4097); },
             "update_expression has 4097 bytes: at most 4096 are allowed"},
            {[](in& i) { i.condition.expression = times(4097); },
             "condition.expression has 4097 bytes: at most 4096 are allowed"},
            {[](in& i) {
                 i.names = {{"#n", "n"}};
             },
             "names are given without an expression"},
            {[](in& i) {
                 i.values = {{":v", 1}};
             },
             "values are given without an expression"},
            {[](in& i) {
                 i.update_expression = "x", i.names = {{"n", "n"}};
             },
             "names placeholder \"n\" has 1 bytes: 2 to 255 are allowed"},
            {[](in& i) {
                 i.update_expression = "x", i.names = {{":n", "n"}};
             },
             "names placeholder \":n\" must begin with '#'"},
            {[](in& i) {
                 i.update_expression = "x", i.names = {{"#n", ""}};
             },
             "names.#n has 0 bytes: 1 to 65535 are allowed"},
            {[](in& i) {
                 i.update_expression = "x", i.values = {{"#v", 1}};
             },
             "values placeholder \"#v\" must begin with ':'"},
            {[](in& i) {
                 i.update_expression = "x", i.values = {{":", 1}};
             },
             "values placeholder \":\" has 1 bytes: 2 to 255 are allowed"},
            {[](in& i) {
                 i.update_expression = "x", i.values = {{":" + times(255), 1}};
             },
             "values placeholder \":" + times(63) + "…\" has 256 bytes: 2 to 255 are allowed"},
            {[](in& i) {
                 i.update_expression = "x", i.values = {{":v", string_set{}}};
             },
             "values.:v is an empty set: at least 1 element is needed"},
            {[](in& i) {
                 i.update_expression = "x", i.values = {{":v", times(2'097'151)}};
             },
             "values has 2097153 bytes together with names: at most 2097152 are allowed"},
        });
    get_item_input get = sound_get;
    get.names = {{"#n", "n"}};
    CHECK(refusal(get) == "names are given without an expression");
    get.projection_expression = "#n";
    CHECK(refusal(get) == "");
    get.projection_expression = times(4097);
    CHECK(refusal(get) == "projection_expression has 4097 bytes: at most 4096 are allowed");
}

TEST_CASE("codec limits: return values of puts and deletes") {
    put_item_input put = sound_put;
    delete_item_input remove{.table_name = "table", .key = {{"id", "a"}}};
    for (const auto which : {return_values::none, return_values::all_old}) {
        put.return_values = remove.return_values = which;
        CHECK(refusal(put) == "");
        CHECK(refusal(remove) == "");
    }
    for (const auto which :
         {return_values::updated_old, return_values::all_new, return_values::updated_new}) {
        put.return_values = remove.return_values = which;
        const std::string message =
            "return_values is for updates only: none and all_old are allowed";
        CHECK(refusal(put) == message);
        CHECK(refusal(remove) == message);
    }
}

} // namespace
