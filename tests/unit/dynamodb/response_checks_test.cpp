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

} // namespace
