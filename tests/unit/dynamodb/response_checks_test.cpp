// SPDX-License-Identifier: BSL-1.0
// Whether an answer belongs to its request.
#include "dynamodb/response_checks.hpp"
#include "support/catch.hpp"

#include <codynamo/error.hpp>

namespace {

using namespace codynamo::dynamodb;

TEST_CASE("codec: the item of another key is refused") {
    struct row {
        const char* name;
        item asked, found;
        bool same;
    };
    const row rows[] = {
        {"the same text", {{"k", "one"}}, {{"k", "one"}, {"v", 1}}, true},
        {"another text", {{"k", "one"}}, {{"k", "two"}, {"v", 1}}, false},
        {"another case", {{"k", "one"}}, {{"k", "One"}}, false},
        {"another type", {{"k", "1"}}, {{"k", 1}}, false},
        {"without its key, as a projection has it", {{"k", "one"}}, {{"v", 1}}, true},
        {"an empty item", {{"k", "one"}}, {}, true},
        {"the same bytes", {{"k", binary{"\x01"}}}, {{"k", binary{"\x01"}}}, true},
        {"other bytes", {{"k", binary{"\x01"}}}, {{"k", binary{"\x02"}}}, false},
        {"two attributes", {{"k", "one"}, {"r", 1}}, {{"k", "one"}, {"r", 1}}, true},
        {"another second one", {{"k", "one"}, {"r", 1}}, {{"k", "one"}, {"r", 2}}, false},
        {"half of the key", {{"k", "one"}, {"r", 1}}, {{"k", "one"}}, true},
        {"1.0 is 1", {{"k", number("1.0")}}, {{"k", number("1")}}, true},
        {"12.5E3 is 12500", {{"k", number("12.5E3")}}, {{"k", number("12500")}}, true},
        {"-0 is 0", {{"k", number("-0")}}, {{"k", number("0.00")}}, true},
        {"0.001 is 1e-3", {{"k", number("0.001")}}, {{"k", number("1e-3")}}, true},
        {"1 is not -1", {{"k", number("1")}}, {{"k", number("-1")}}, false},
        {"1 is not 10", {{"k", number("1")}}, {{"k", number("10")}}, false},
        {"1.5 is not 1.6", {{"k", number("1.5")}}, {{"k", number("1.6")}}, false},
        {"1.5 is not 15", {{"k", number("1.5")}}, {{"k", number("15")}}, false},
        {"1 is not no number", {{"k", number("1")}}, {{"k", number("one")}}, false},
    };
    for (const row& r : rows) {
        INFO(r.name);
        const get_item_input one{.table_name = "t", .key = r.asked};
        transact_get_items_input two;
        two.items = {{.table_name = "t", .key = {{"k", "other"}}},
                     {.table_name = "t", .key = r.asked}};
        const get_item_output answer{.item = r.found, .consumed_capacity = {}};
        const transact_get_items_output answers{.responses = {std::nullopt, r.found},
                                                .consumed_capacity = {}};
        if (r.same) {
            CHECK_NOTHROW(check_answer(one, answer));
            CHECK_NOTHROW(check_answer(two, answers));
        } else {
            CHECK_THROWS_WITH(check_answer(one, answer),
                              Catch::Contains("response.Item is the item of another key"));
            CHECK_THROWS_WITH(check_answer(two, answers),
                              Catch::Contains("response.Responses[1] is the item of another key"));
        }
    }
}

TEST_CASE("codec: no item, and an answer to everything that was asked, belong to the request") {
    const get_item_input one{.table_name = "t", .key = {{"k", "one"}}};
    CHECK_NOTHROW(check_answer(one, get_item_output()));
    CHECK_NOTHROW(check_answer(put_item_input(), put_item_output()));
    transact_get_items_input two;
    two.items = {{.table_name = "t", .key = {{"k", "one"}}}};
    CHECK_THROWS_WITH(check_answer(two, transact_get_items_output()),
                      Catch::Contains("has 0 elements where 1 were asked for"));
}

/// Empty when the answer belongs to the request.
template <class Input>
std::string objection(const Input& asked, const typename Input::output& answer) {
    try {
        check_answer(asked, answer);
    } catch (const codynamo::error& why) {
        CHECK(why.code() == codynamo::errc::bad_response);
        return why.info().message;
    }
    return {};
}

batch_get_item_input two_keys_of(std::string table = "t") {
    batch_get_item_input asked;
    asked.request_items[std::move(table)].keys = {{{"k", "b"}, {"r", number("1.0")}},
                                                  {{"k", "a"}, {"r", 2}}};
    return asked;
}

batch_get_item_output found_items(std::vector<item> items, std::string table = "t") {
    batch_get_item_output answer;
    answer.responses[std::move(table)] = std::move(items);
    return answer;
}

TEST_CASE("codec: BatchGetItem: items and keys that nobody asked for are refused") {
    const auto asked = two_keys_of();
    const item one{{"k", "a"}, {"r", 2}, {"v", "x"}};
    const item other{{"k", "b"}, {"r", 1}, {"v", "y"}}; // 1 for 1.0
    CHECK(objection(asked, batch_get_item_output()).empty());
    CHECK(objection(asked, found_items({})).empty());
    CHECK(objection(asked, found_items({one})).empty());
    CHECK(objection(asked, found_items({other, one})).empty());
    CHECK(objection(asked, found_items({one, other})).empty());
    CHECK(objection(asked, found_items({{{"v", "without its key"}}})).empty());
    CHECK(objection(asked, found_items({one, {{"k", "a"}, {"r", 1}}})) ==
          "response.Responses.t[1] has a key that was not asked for");
    CHECK(objection(asked, found_items({{{"k", "c"}, {"r", 2}}})) ==
          "response.Responses.t[0] has a key that was not asked for");
    CHECK(objection(asked, found_items({one, other, one})) ==
          "response.Responses.t has 3 elements where 2 were asked for");
    CHECK(objection(asked, found_items({one}, "u")) ==
          "response.Responses.u is of a table that was not asked for");
    const auto by_arn = two_keys_of("arn:aws:dynamodb:us-east-1:1:table/t");
    CHECK(objection(by_arn, found_items({one})).empty());
    CHECK(objection(by_arn, found_items({one}, "arn:aws:dynamodb:us-east-1:1:table/t")).empty());
    CHECK_FALSE(objection(by_arn, found_items({one}, "u")).empty());

    batch_get_item_output left;
    left.unprocessed_keys["t"].keys = {{{"k", "b"}, {"r", 1}}};
    CHECK(objection(asked, left).empty());
    left.unprocessed_keys["t"].keys = {{{"k", "z"}, {"r", 1}}};
    CHECK(objection(asked, left) ==
          "response.UnprocessedKeys.t[0] has a key that was not asked for");
    left.unprocessed_keys.clear();
    left.unprocessed_keys["u"] = {};
    CHECK(objection(asked, left) ==
          "response.UnprocessedKeys.u is of a table that was not asked for");
}

TEST_CASE("codec: BatchGetItem: a hundred keys in any order, of any kind, are all known") {
    batch_get_item_input asked;
    batch_get_item_output answer;
    for (int i = 0; i < 100; ++i) {
        const int j = i * 37 % 100;
        auto& keys = asked.request_items["t"].keys;
        auto& items = answer.responses["t"];
        if (i % 2 == 0)
            keys.push_back({{"k", binary{std::string(1, static_cast<char>(i))}}, {"r", i}});
        else
            keys.push_back({{"k", std::to_string(i)}, {"r", number(std::to_string(i) + ".0")}});
        if (j % 2 == 0)
            items.push_back({{"k", binary{std::string(1, static_cast<char>(j))}}, {"r", j}});
        else
            items.push_back({{"k", std::to_string(j)}, {"r", j}});
    }
    CHECK(objection(asked, answer).empty());
    answer.responses["t"][50]["r"] = 1000;
    CHECK(objection(asked, answer) == "response.Responses.t[50] has a key that was not asked for");
}

TEST_CASE("codec: BatchWriteItem: what is said to be left was asked for") {
    batch_write_item_input asked;
    asked.request_items["t"] = {{.is_put = true, .item = {{"k", "a"}, {"n", number("1.50")}}},
                                {.is_put = false, .item = {{"k", "b"}}}};
    const auto left = [](write_request what, std::string table = "t") {
        batch_write_item_output answer;
        answer.unprocessed_items[std::move(table)] = {std::move(what)};
        return answer;
    };
    CHECK(objection(asked, batch_write_item_output()).empty());
    CHECK(objection(asked, left({true, {{"k", "a"}, {"n", number("1.5")}}})).empty());
    CHECK(objection(asked, left({false, {{"k", "b"}}})).empty());
    const std::string refused = "response.UnprocessedItems.t[0] is a write that was not asked for";
    CHECK(objection(asked, left({true, {{"k", "b"}}})) == refused);
    CHECK(objection(asked, left({false, {{"k", "a"}}})) == refused);
    CHECK(objection(asked, left({true, {{"k", "a"}, {"n", 2}}})) == refused);
    CHECK(objection(asked, left({false, {{"k", "b"}}}, "u")) ==
          "response.UnprocessedItems.u is of a table that was not asked for");
}

TEST_CASE("codec: Query: items of another key, and more than the limit, are refused") {
    struct row {
        const char* condition;
        item found;
        bool belongs;
    };
    const row rows[] = {
        {"#k = :k", {{"key", "a"}}, true},
        {"#k = :k", {{"key", "b"}}, false},
        {"#k=:k", {{"key", "b"}}, false},
        {"#k = :k", {{"other", "b"}}, true}, // a projection
        {"key = :k", {{"key", "b"}}, false},
        {"(#k = :k)", {{"key", "b"}}, false},
        {"((#k)=(:k))", {{"key", "a"}}, true},
        {"#k = :k AND r = :n", {{"key", "a"}, {"r", number("5.0")}}, true},
        {"#k = :k AND r = :n", {{"key", "a"}, {"r", 6}}, false},
        {"#k = :k AND r <= :n", {{"key", "a"}, {"r", 4}}, true},
        {"#k = :k AND r >= :n", {{"key", "b"}, {"r", 6}}, false},
        {"#k = :k AND r BETWEEN :n AND :m", {{"key", "a"}, {"r", 6}}, true},
        {"r BETWEEN :n AND :m AND #k = :k", {{"key", "b"}, {"r", 6}}, false},
        {"#k = :k and begins_with(r, :k)", {{"key", "a"}, {"r", "ab"}}, true},
        {"#k = :unknown", {{"key", "b"}}, true},
        {"", {{"key", "b"}}, true},
        {"= :k = = :k :k", {{"key", "b"}}, true},
    };
    for (const row& r : rows) {
        CAPTURE(r.condition);
        query_input asked;
        asked.key_condition_expression = r.condition;
        asked.names = {{"#k", "key"}};
        asked.values = {{":k", "a"}, {":n", 5}, {":m", 9}};
        query_output answer;
        answer.items = {{{"key", "a"}}, r.found};
        if (r.belongs)
            CHECK(objection(asked, answer).empty());
        else
            CHECK(objection(asked, answer) == "response.Items[1] has a key that was not asked for");
        asked.limit = 2;
        CHECK(objection(asked, answer).empty() == r.belongs);
        asked.limit = 1;
        CHECK(objection(asked, answer) ==
              "response.Items has 2 elements where at most 1 were asked for");
    }
    scan_output page;
    page.items = {{{"key", "a"}}, {{"key", "b"}}};
    CHECK(objection(scan_input{.limit = 2}, page).empty());
    CHECK_FALSE(objection(scan_input{.limit = 1}, page).empty());
}

TEST_CASE("codec: old and new attributes are those of the key that was asked") {
    update_item_input update{.table_name = "t", .key = {{"k", "a"}}};
    update_item_output updated;
    updated.attributes = {{"k", "a"}, {"n", 1}};
    CHECK(objection(update, updated).empty());
    updated.attributes = {{"n", 1}};
    CHECK(objection(update, updated).empty());
    updated.attributes = {{"k", "b"}};
    CHECK(objection(update, updated) == "response.Attributes is the item of another key");
    const delete_item_input remove{.table_name = "t", .key = {{"k", "a"}}};
    delete_item_output removed;
    removed.attributes = {{"k", "b"}};
    CHECK(objection(remove, removed) == "response.Attributes is the item of another key");
}

TEST_CASE("codec: the description of another table is refused") {
    const auto described = [](std::string name) {
        describe_table_output answer;
        answer.table.table_name = std::move(name);
        return answer;
    };
    const describe_table_input asked{.table_name = "t"};
    CHECK(objection(asked, described("t")).empty());
    CHECK(objection(asked, described("")).empty());
    CHECK(objection(asked, described("u")) ==
          "response.Table describes the table \"u\" where \"t\" was asked for");
    CHECK(objection(describe_table_input{.table_name = "arn:aws:dynamodb:us-east-1:1:table/t"},
                    described("t"))
              .empty());
    create_table_output created;
    created.table.table_name = "u";
    CHECK_FALSE(objection(create_table_input{.table_name = "t"}, created).empty());
    delete_table_output deleted;
    deleted.table.table_name = "u";
    CHECK_FALSE(objection(delete_table_input{.table_name = "t"}, deleted).empty());
    update_time_to_live_output switched{.attribute_name = "ttl"};
    CHECK(objection(update_time_to_live_input{.table_name = "t", .attribute_name = "ttl"}, switched)
              .empty());
    CHECK_FALSE(
        objection(update_time_to_live_input{.table_name = "t", .attribute_name = "end"}, switched)
            .empty());
}

} // namespace
