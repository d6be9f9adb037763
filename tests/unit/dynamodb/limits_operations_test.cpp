// SPDX-License-Identifier: BSL-1.0
// What is refused before it is sent: pages, batches, transactions, tables; and what may be sent
// twice.
#include "limits.hpp"

namespace {

using namespace codynamo::dynamodb;
using namespace codynamo::dynamodb::limits;

const get_item_input sound_get{.table_name = "table", .key = {{"id", "a"}}};
const put_item_input sound_put{.table_name = "table", .item = {{"id", "a"}}};
const update_item_input sound_update{.table_name = "table", .key = {{"id", "a"}}};
const query_input sound_query{.table_name = "table", .key_condition_expression = "id = :v"};
const scan_input sound_scan{.table_name = "table"};
const transact_write_items_input sound_transaction{
    .items = {{.table_name = "table", .item = {{"id", "a"}}}}};
const create_table_input sound_table{.table_name = "table", .key_schema = {{"id"}}};

TEST_CASE("codec limits: queries") {
    using in = query_input;
    check_all<in>(
        sound_query,
        {
            {[](in& i) { i.limit = 2'147'483'647; }, ""},
            {[](in& i) {
                 i.exclusive_start_key = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};
             },
             ""},
            {[](in& i) { i.key_condition_expression = ""; },
             "key_condition_expression is empty: a query needs one"},
            {[](in& i) { i.key_condition_expression = times(4097); },
             "key_condition_expression has 4097 bytes: at most 4096 are allowed"},
            {[](in& i) { i.filter_expression = times(4097); },
             "filter_expression has 4097 bytes: at most 4096 are allowed"},
            {[](in& i) { i.index_name = "ab"; },
             "index_name \"ab\" has 2 characters: 3 to 255 are allowed"},
            {[](in& i) { i.limit = 2'147'483'648; },
             "limit 2147483648 is too large: 0 to 2147483647 are allowed"},
            {[](in& i) { i.select_count = true, i.projection_expression = "a"; },
             "projection_expression is given with select_count: a count has no attributes"},
            {[](in& i) {
                 i.exclusive_start_key = {{"a", ""}};
             },
             "exclusive_start_key.a is empty: a key attribute has 1 to 2048 bytes"},
        });
}

TEST_CASE("codec limits: scans") {
    using in = scan_input;
    check_all<in>(
        sound_scan,
        {
            {[](in& i) { i.total_segments = 1'000'000, i.segment = 999'999; }, ""},
            {[](in& i) {
                 i.filter_expression = "#n", i.names = {{"#n", "n"}};
             },
             ""},
            {[](in& i) { i.total_segments = 0; }, "total_segments is 0: 1 to 1000000 are allowed"},
            {[](in& i) { i.total_segments = 1'000'001; },
             "total_segments is 1000001: 1 to 1000000 are allowed"},
            {[](in& i) { i.segment = 1; }, "segment is 1: 0 to 0 are allowed"},
            {[](in& i) { i.total_segments = 4, i.segment = 4; },
             "segment is 4: 0 to 3 are allowed"},
            {[](in& i) {
                 i.values = {{":v", 1}};
             },
             "values are given without an expression"},
        });
}

batch_get_item_input gets(int count) {
    batch_get_item_input in;
    for (int i = 0; i < count; ++i)
        in.request_items[i % 2 == 0 ? "first" : "second"].keys.push_back({{"id", i}});
    return in;
}

TEST_CASE("codec limits: batches of gets") {
    using in = batch_get_item_input;
    check_all<in>(
        gets(100),
        {
            {[](in& i) { i = gets(1); }, ""},
            {[](in& i) { i.request_items.clear(); },
             "request_items has 0 requests: 1 to 100 are allowed"},
            {[](in& i) { i = gets(101); }, "request_items has 101 requests: 1 to 100 are allowed"},
            {[](in& i) { i.request_items["first"].keys.clear(); },
             "request_items.first is empty: at least 1 request is needed"},
            {[](in& i) {
                 i.request_items["first"].keys[7] = {{"id", 4}};
             },
             "request_items.first.keys[7] is the same item as request_items.first.keys[2]: each "
             "may "
             "occur once"},
            {[](in& i) {
                 i.request_items["second"].keys[1] = {{"id", 0}};
             },
             ""}, // other table
            {[](in& i) { i.request_items["second"].keys[1] = {}; },
             "request_items.second.keys[1] is empty: 1 or 2 attributes are needed"},
            {[](in& i) {
                 i.request_items["first"].names = {{"#n", "n"}};
             },
             "request_items.first.names are given without an expression"},
        });
}

batch_write_item_input writes(int count) {
    batch_write_item_input in;
    for (int i = 0; i < count; ++i)
        in.request_items["table"].push_back({true, {{"id", i}, {"v", "same"}}});
    return in;
}

TEST_CASE("codec limits: batches of writes") {
    using in = batch_write_item_input;
    const std::string same = "request_items.table[3] is the same item as request_items.table[1]: "
                             "each may occur once";
    check_all<in>(
        writes(25),
        {
            {[](in& i) { i = {}; }, "request_items has 0 requests: 1 to 25 are allowed"},
            {[](in& i) { i = writes(26); }, "request_items has 26 requests: 1 to 25 are allowed"},
            {[](in& i) { i.request_items["table"][2].item.clear(); },
             "request_items.table[2] is empty: at least its key is needed"},
            {[](in& i) {
                 i.request_items["table"][2] = {false, {}};
             },
             "request_items.table[2] is empty: 1 or 2 attributes are needed"},
            {[](in& i) { i.request_items["table"][2].item["v"] = times(409'600); },
             "request_items.table[2] has 409605 bytes: at most 409600 are allowed"},
            // Two equal puts; two deletes; a put and a delete; two puts once a delete has told the
            // key.
            {[](in& i) { i.request_items["table"][3].item["id"] = 1; }, same},
            {[](in& i) {
                 i.request_items["table"][1] = i.request_items["table"][3] = {false, {{"id", 99}}};
             },
             same},
            {[](in& i) {
                 i.request_items["table"][3] = {false, {{"id", 1}}};
             },
             same},
            {[](in& i) {
                 i.request_items["table"][0] = {false, {{"id", 99}}};
                 i.request_items["table"][3].item = {{"id", 1}, {"v", "other"}};
             },
             same},
            // Two puts that lack the key cannot be told apart, nor be called the same.
            {[](in& i) {
                 i.request_items["table"][0] = {false, {{"id", 99}}};
                 i.request_items["table"][1].item = i.request_items["table"][3].item = {{"v", 1}};
             },
             ""},
        });
}

TEST_CASE("codec limits: transactions of writes") {
    using in = transact_write_items_input;
    using enum transact_write_item::kind;
    const auto fill = [](in& i, int count, std::size_t bytes) {
        i.items.clear();
        for (int n = 0; n < count; ++n)
            i.items.push_back({.table_name = "table", .item = {{"id", n}, {"v", times(bytes)}}});
    };
    check_all<in>(
        sound_transaction,
        {
            {[&](in& i) { fill(i, 100, 10); }, ""},
            {[&](in& i) { fill(i, 101, 10); }, "items has 101 actions: 1 to 100 are allowed"},
            {[&](in& i) { fill(i, 0, 0); }, "items has 0 actions: 1 to 100 are allowed"},
            {[&](in& i) { fill(i, 11, 400'000); },
             "items has 4400054 bytes: at most 4194304 are allowed"},
            {[](in& i) { i.client_request_token = times(36); }, ""},
            {[](in& i) { i.client_request_token = times(37); },
             "client_request_token \"" + times(37) +
                 "\" has 37 characters: at most 36 are allowed"},
            {[](in& i) { i.items[0].table_name = "ab"; },
             "items[0].table_name \"ab\" has 2 characters: 3 to 255 are allowed"},
            {[](in& i) { i.items[0].item.clear(); },
             "items[0].item is empty: at least its key is needed"},
            {[](in& i) { i.items[0].action = remove, i.items[0].item.clear(); },
             "items[0].item is empty: 1 or 2 attributes are needed"},
            {[](in& i) { i.items[0].action = update; },
             "items[0].update_expression is empty: an update in a transaction needs one"},
            {[](in& i) { i.items[0].update_expression = "x"; },
             "items[0].update_expression is for updates only"},
            {[](in& i) { i.items[0].action = condition_check; },
             "items[0].condition.expression is empty: a condition check needs one"},
            {[](in& i) { i.items[0].condition.expression = times(4097); },
             "items[0].condition.expression has 4097 bytes: at most 4096 are allowed"},
            {[](in& i) {
                 i.items[0].values = {{":v", 1}};
             },
             "items[0].values are given without an expression"},
            {[](in& i) { i.items.push_back(i.items[0]); },
             "items[1] is the same item as items[0]: each may occur once"},
            {[](in& i) { i.items.push_back(i.items[0]), i.items[1].table_name = "other"; }, ""},
            {[](in& i) {
                 i.items.push_back({.table_name = "other", .item = {{"id", "a"}}});
                 i.items.push_back(
                     {.action = remove, .table_name = "table", .item = {{"id", "a"}}});
             },
             "items[2] is the same item as items[0]: each may occur once"},
        });
}

TEST_CASE("codec limits: transactions of gets") {
    using in = transact_get_items_input;
    check_all<in>(
        in{.items = {{.table_name = "table", .key = {{"id", "a"}}}}},
        {
            {[](in& i) { i.items.resize(100, i.items[0]); }, ""},
            {[](in& i) { i.items.clear(); }, "items has 0 actions: 1 to 100 are allowed"},
            {[](in& i) { i.items.resize(101); }, "items has 101 actions: 1 to 100 are allowed"},
            {[](in& i) { i.items[0].key.clear(); },
             "items[0].key is empty: 1 or 2 attributes are needed"},
            {[](in& i) {
                 i.items[0].names = {{"#n", "n"}};
             },
             "items[0].names are given without an expression"},
        });
}

TEST_CASE("codec limits: tables") {
    using in = create_table_input;
    const std::string role = " has the wrong role: the first attribute is the hash key, the second "
                             "the range key";
    const auto provision = [](in& i, std::int64_t read, std::int64_t write) {
        i.billing_mode = billing_mode::provisioned;
        i.throughput = provisioned_throughput{read, write};
    };
    check_all<in>(
        sound_table,
        {
            {[](in& i) {
                 i.key_schema.push_back({"at", key_type::range});
             },
             ""},
            {[&](in& i) { provision(i, 1, 1); }, ""},
            {[](in& i) { i.key_schema.clear(); },
             "key_schema has 0 attributes: 1 or 2 are allowed"},
            {[](in& i) { i.key_schema.resize(3); },
             "key_schema has 3 attributes: 1 or 2 are allowed"},
            {[](in& i) { i.key_schema[0].name = ""; },
             "key_schema[0] has 0 bytes in its name: 1 to 255 are allowed"},
            {[](in& i) { i.key_schema[0].name = times(256); },
             "key_schema[0] has 256 bytes in its name: 1 to 255 are allowed"},
            {[](in& i) { i.key_schema[0].role = key_type::range; }, "key_schema[0] \"id\"" + role},
            {[](in& i) { i.key_schema.push_back({"at"}); }, "key_schema[1] \"at\"" + role},
            {[](in& i) {
                 i.key_schema.push_back({"id", key_type::range});
             },
             "key_schema has \"id\" twice: hash and range key must differ"},
            {[](in& i) { i.billing_mode = billing_mode::provisioned; },
             "throughput is missing: the billing mode provisioned needs it"},
            {[](in& i) { i.throughput.emplace(); },
             "throughput is given with pay_per_request: it is for provisioned"},
            {[&](in& i) { provision(i, 0, 1); },
             "throughput.read_capacity_units is 0: at least 1 is needed"},
            {[&](in& i) { provision(i, 1, -5); },
             "throughput.write_capacity_units is -5: at least 1 is needed"},
        });
    CHECK(refusal(list_tables_input{}) == "");
    CHECK(refusal(list_tables_input{"", 100}) == "");
    CHECK(refusal(list_tables_input{"", 101}) == "limit 101 is too large: 0 to 100 are allowed");
    CHECK(refusal(list_tables_input{"a", 0}) ==
          "exclusive_start_table_name \"a\" has 1 characters: 3 to 255 are allowed");
    CHECK(refusal(update_time_to_live_input{"table", "ttl"}) == "");
    CHECK(refusal(update_time_to_live_input{"table", ""}) ==
          "attribute_name has 0 bytes in its name: 1 to 255 are allowed");
}

TEST_CASE("codec: what may be replayed") {
    CHECK(is_replay_safe(sound_get));
    CHECK(is_replay_safe(batch_get_item_input{}));
    CHECK(is_replay_safe(sound_query));
    CHECK(is_replay_safe(sound_scan));
    CHECK(is_replay_safe(transact_get_items_input{}));
    CHECK(is_replay_safe(describe_table_input{}));
    CHECK(is_replay_safe(list_tables_input{}));
    CHECK(is_replay_safe(describe_time_to_live_input{}));
    CHECK(is_replay_safe(batch_write_item_input{}));
    CHECK_FALSE(is_replay_safe(sound_update));
    CHECK_FALSE(is_replay_safe(create_table_input{}));
    CHECK_FALSE(is_replay_safe(delete_table_input{}));
    CHECK_FALSE(is_replay_safe(update_time_to_live_input{}));

    transact_write_items_input transaction = sound_transaction;
    CHECK_FALSE(is_replay_safe(transaction));
    transaction.client_request_token = "token";
    CHECK(is_replay_safe(transaction));

    put_item_input put = sound_put;
    CHECK(is_replay_safe(put));
    put.return_values = return_values::all_old;
    CHECK_FALSE(is_replay_safe(put));
    put = sound_put;
    put.condition.expression = "attribute_not_exists(id)";
    CHECK_FALSE(is_replay_safe(put));

    delete_item_input remove{.table_name = "table", .key = {{"id", 1}}};
    CHECK(is_replay_safe(remove));
    remove.return_values = return_values::all_old;
    CHECK_FALSE(is_replay_safe(remove));
    remove.return_values = return_values::none;
    remove.condition.expression = "a = b";
    CHECK_FALSE(is_replay_safe(remove));
}

} // namespace
