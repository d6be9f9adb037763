// SPDX-License-Identifier: BSL-1.0
// Golden requests: every operation with every field, and with none but the required ones.
#include "dynamodb/codec.hpp"
#include "support/catch.hpp"

#include <boost/json/parse.hpp>

namespace {

using namespace codynamo::dynamodb;

template <class Input>
std::string json_of(const Input& in) {
    CHECK_NOTHROW(validate(in));
    std::string out = "before";
    encode(in, out);
    REQUIRE(out.starts_with("before"));
    out.erase(0, 6);
    CHECK_NOTHROW(boost::json::parse(out));
    return out;
}

const item key = {{"id", "a"}};
const condition all_old_condition = {"#n = :v", return_values_on_condition_check_failure::all_old};
const attribute_names names = {{"#n", "name"}};
const attribute_values values = {{":v", 1}};
constexpr auto total = return_consumed_capacity::total;
constexpr auto indexes = return_consumed_capacity::indexes;

TEST_CASE("codec: a minimal GetItem is the document whose signature is known") {
    CHECK(json_of(get_item_input{.table_name = "cache", .key = {{"k", "hello"}}}) ==
          R"({"TableName":"cache","Key":{"k":{"S":"hello"}}})");
}

TEST_CASE("codec: GetItem with all fields") {
    CHECK(json_of(get_item_input{.table_name = "table",
                                 .key = {{"id", "a"}, {"sort", 2}},
                                 .consistent_read = true,
                                 .projection_expression = "#n, b",
                                 .names = names,
                                 .return_capacity = total}) ==
          R"({"TableName":"table","Key":{"id":{"S":"a"},"sort":{"N":"2"}},"ConsistentRead":true,)"
          R"("ProjectionExpression":"#n, b","ExpressionAttributeNames":{"#n":"name"},)"
          R"("ReturnConsumedCapacity":"TOTAL"})");
}

TEST_CASE("codec: PutItem with all ten types") {
    const item everything = {
        {"a", "\"quoted\""},
        {"b", number("-1.5E3")},
        {"c", binary{"\xff\xfe"}},
        {"d", true},
        {"e", false},
        {"f", null{}},
        {"g", list{"x", list{}, 1}},
        {"h", map{{"in\n", map{}}}},
        {"i", string_set{{"s", "t"}}},
        {"j", number_set{{number(1), number(2.5)}}},
        {"k", binary_set{{binary{"f"}, binary{""}}}},
    };
    CHECK(json_of(put_item_input{.table_name = "table", .item = everything}) ==
          R"({"TableName":"table","Item":{"a":{"S":"\"quoted\""},"b":{"N":"-1.5E3"},)"
          R"("c":{"B":"//4="},"d":{"BOOL":true},"e":{"BOOL":false},"f":{"NULL":true},)"
          R"("g":{"L":[{"S":"x"},{"L":[]},{"N":"1"}]},"h":{"M":{"in\n":{"M":{}}}},)"
          R"("i":{"SS":["s","t"]},"j":{"NS":["1","2.5"]},"k":{"BS":["Zg==",""]}}})");
}

TEST_CASE("codec: PutItem, DeleteItem and UpdateItem with all fields") {
    const std::string tail =
        R"("ConditionExpression":"#n = :v","ReturnValuesOnConditionCheckFailure":"ALL_OLD",)"
        R"("ExpressionAttributeNames":{"#n":"name"},"ExpressionAttributeValues":{":v":{"N":"1"}},)";
    CHECK(json_of(put_item_input{"table", key, all_old_condition, names, values,
                                 return_values::all_old, total}) ==
          R"({"TableName":"table","Item":{"id":{"S":"a"}},)" + tail +
              R"("ReturnValues":"ALL_OLD","ReturnConsumedCapacity":"TOTAL"})");
    CHECK(json_of(delete_item_input{"table", key, all_old_condition, names, values,
                                    return_values::all_old, indexes}) ==
          R"({"TableName":"table","Key":{"id":{"S":"a"}},)" + tail +
              R"("ReturnValues":"ALL_OLD","ReturnConsumedCapacity":"INDEXES"})");
    CHECK(json_of(update_item_input{"table", key, "SET #n = :v", all_old_condition, names, values,
                                    return_values::updated_new, total}) ==
          R"({"TableName":"table","Key":{"id":{"S":"a"}},"UpdateExpression":"SET #n = :v",)" +
              tail + R"("ReturnValues":"UPDATED_NEW","ReturnConsumedCapacity":"TOTAL"})");
}

TEST_CASE("codec: each ReturnValues has its name") {
    update_item_input in{.table_name = "table", .key = key};
    const std::string start = R"({"TableName":"table","Key":{"id":{"S":"a"}})";
    CHECK(json_of(in) == start + "}");
    const std::pair<return_values, std::string> cases[] = {
        {return_values::all_old, "ALL_OLD"},
        {return_values::updated_old, "UPDATED_OLD"},
        {return_values::all_new, "ALL_NEW"},
        {return_values::updated_new, "UPDATED_NEW"},
    };
    for (const auto& [which, text] : cases) {
        in.return_values = which;
        CHECK(json_of(in) == start + R"(,"ReturnValues":")" + text + "\"}");
    }
}

TEST_CASE("codec: Query with all fields, and with none") {
    CHECK(
        json_of(query_input{.table_name = "table",
                            .index_name = "index",
                            .key_condition_expression = "id = :v",
                            .filter_expression = "#n > :v",
                            .projection_expression = "id",
                            .names = names,
                            .values = values,
                            .consistent_read = true,
                            .scan_index_forward = false,
                            .limit = 10,
                            .exclusive_start_key = key,
                            .return_capacity = total}) ==
        R"({"TableName":"table","IndexName":"index","KeyConditionExpression":"id = :v",)"
        R"("FilterExpression":"#n > :v","ProjectionExpression":"id",)"
        R"("ExpressionAttributeNames":{"#n":"name"},"ExpressionAttributeValues":{":v":{"N":"1"}},)"
        R"("ConsistentRead":true,"ScanIndexForward":false,"Limit":10,)"
        R"("ExclusiveStartKey":{"id":{"S":"a"}},"ReturnConsumedCapacity":"TOTAL"})");
    CHECK(json_of(query_input{.table_name = "table",
                              .key_condition_expression = "id = :v",
                              .values = values,
                              .select_count = true}) ==
          R"({"TableName":"table","KeyConditionExpression":"id = :v",)"
          R"("ExpressionAttributeValues":{":v":{"N":"1"}},"Select":"COUNT"})");
}

TEST_CASE("codec: Scan with all fields, and with none") {
    CHECK(json_of(scan_input{.table_name = "table",
                             .index_name = "index",
                             .filter_expression = "#n > :v",
                             .projection_expression = "id",
                             .names = names,
                             .values = values,
                             .consistent_read = true,
                             .limit = 4'000,
                             .total_segments = 4,
                             .segment = 0,
                             .exclusive_start_key = key,
                             .return_capacity = total}) ==
          R"({"TableName":"table","IndexName":"index","FilterExpression":"#n > :v",)"
          R"("ProjectionExpression":"id","ExpressionAttributeNames":{"#n":"name"},)"
          R"("ExpressionAttributeValues":{":v":{"N":"1"}},"ConsistentRead":true,"Segment":0,)"
          R"("TotalSegments":4,"Limit":4000,"ExclusiveStartKey":{"id":{"S":"a"}},)"
          R"("ReturnConsumedCapacity":"TOTAL"})");
    CHECK(json_of(scan_input{.table_name = "table", .select_count = true}) ==
          R"({"TableName":"table","Select":"COUNT"})");
}

TEST_CASE("codec: BatchGetItem and BatchWriteItem group by table") {
    CHECK(json_of(
              batch_get_item_input{{{"first", {{{{"id", "a"}}, {{"id", "b"}}}, true, "#n", names}},
                                    {"second", {{{{"id", 1}}}, false, "", {}}}},
                                   total}) ==
          R"({"RequestItems":{"first":{"Keys":[{"id":{"S":"a"}},{"id":{"S":"b"}}],)"
          R"("ConsistentRead":true,"ProjectionExpression":"#n",)"
          R"("ExpressionAttributeNames":{"#n":"name"}},"second":{"Keys":[{"id":{"N":"1"}}]}},)"
          R"("ReturnConsumedCapacity":"TOTAL"})");
    CHECK(json_of(batch_write_item_input{
              {{"first", {{true, {{"id", "a"}, {"v", 1}}}, {false, {{"id", "b"}}}}},
               {"second", {{true, {{"id", 1}}}}}},
              indexes}) ==
          R"({"RequestItems":{"first":[{"PutRequest":{"Item":{"id":{"S":"a"},"v":{"N":"1"}}}},)"
          R"({"DeleteRequest":{"Key":{"id":{"S":"b"}}}}],)"
          R"("second":[{"PutRequest":{"Item":{"id":{"N":"1"}}}}]},)"
          R"("ReturnConsumedCapacity":"INDEXES"})");
}

TEST_CASE("codec: TransactWriteItems has all four actions") {
    using enum transact_write_item::kind;
    const transact_write_items_input in{
        .items = {{put, "table", {{"id", "a"}}, "", all_old_condition, names, values},
                  {update, "table", {{"id", "b"}}, "SET x = :v", {}, {}, values},
                  {remove, "table", {{"id", "c"}}, "", {}, {}, {}},
                  {condition_check, "table", {{"id", "d"}}, "", {"attribute_exists(id)"}, {}, {}}},
        .client_request_token = "token",
        .return_capacity = total};
    CHECK(
        json_of(in) ==
        R"({"TransactItems":[{"Put":{"TableName":"table","Item":{"id":{"S":"a"}},)"
        R"("ConditionExpression":"#n = :v","ReturnValuesOnConditionCheckFailure":"ALL_OLD",)"
        R"("ExpressionAttributeNames":{"#n":"name"},)"
        R"("ExpressionAttributeValues":{":v":{"N":"1"}}}},)"
        R"({"Update":{"TableName":"table","Key":{"id":{"S":"b"}},"UpdateExpression":"SET x = :v",)"
        R"("ExpressionAttributeValues":{":v":{"N":"1"}}}},)"
        R"({"Delete":{"TableName":"table","Key":{"id":{"S":"c"}}}},)"
        R"({"ConditionCheck":{"TableName":"table","Key":{"id":{"S":"d"}},)"
        R"-("ConditionExpression":"attribute_exists(id)"}}],)-"
        R"("ClientRequestToken":"token","ReturnConsumedCapacity":"TOTAL"})");
}

TEST_CASE("codec: TransactGetItems keeps the order") {
    CHECK(json_of(transact_get_items_input{
              {{"table", {{"id", "b"}}, "#n", names}, {"other", {{"id", "a"}}, "", {}}}, total}) ==
          R"({"TransactItems":[{"Get":{"TableName":"table","Key":{"id":{"S":"b"}},)"
          R"("ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"name"}}},)"
          R"({"Get":{"TableName":"other","Key":{"id":{"S":"a"}}}}],)"
          R"("ReturnConsumedCapacity":"TOTAL"})");
}

TEST_CASE("codec: CreateTable on demand, and provisioned") {
    CHECK(json_of(create_table_input{.table_name = "table", .key_schema = {{"id"}}}) ==
          R"({"TableName":"table","AttributeDefinitions":[{"AttributeName":"id",)"
          R"("AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],)"
          R"("BillingMode":"PAY_PER_REQUEST"})");
    CHECK(json_of(create_table_input{
              "table",
              {{"id", key_type::hash, scalar_type::B}, {"at", key_type::range, scalar_type::N}},
              billing_mode::provisioned,
              provisioned_throughput{5, 6}}) ==
          R"({"TableName":"table","AttributeDefinitions":[{"AttributeName":"id",)"
          R"("AttributeType":"B"},{"AttributeName":"at","AttributeType":"N"}],)"
          R"("KeySchema":[{"AttributeName":"id","KeyType":"HASH"},)"
          R"({"AttributeName":"at","KeyType":"RANGE"}],"BillingMode":"PROVISIONED",)"
          R"("ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":6}})");
}

TEST_CASE("codec: the other table operations") {
    CHECK(json_of(describe_table_input{"table"}) == R"({"TableName":"table"})");
    CHECK(json_of(delete_table_input{"table"}) == R"({"TableName":"table"})");
    CHECK(json_of(describe_time_to_live_input{"table"}) == R"({"TableName":"table"})");
    CHECK(json_of(list_tables_input{}) == "{}");
    CHECK(json_of(list_tables_input{"last", 7}) ==
          R"({"ExclusiveStartTableName":"last","Limit":7})");
    CHECK(
        json_of(update_time_to_live_input{"table", "ttl", true}) ==
        R"({"TableName":"table","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}})");
    CHECK(
        json_of(update_time_to_live_input{"table", "ttl", false}) ==
        R"({"TableName":"table","TimeToLiveSpecification":{"Enabled":false,"AttributeName":"ttl"}})");
}

TEST_CASE("codec: text that is not UTF-8 is refused by its place") {
    const auto message_of = [](const auto& in) {
        std::string out;
        try {
            encode(in, out);
        } catch (const codynamo::error& e) {
            CHECK(e.code() == codynamo::errc::invalid_argument);
            return e.info().message;
        }
        return std::string("nothing was thrown");
    };
    CHECK(message_of(get_item_input{.table_name = "t", .key = {{"id", "\xff"}}}) ==
          "Key.id \"\\xff\" is not UTF-8 at byte 0");
    CHECK(message_of(put_item_input{
              .table_name = "t", .item = {{"a", list{map{{"b", string_set{{"x", "y\x80"}}}}}}}}) ==
          "Item.a[0].b[1] \"y\\x80\" is not UTF-8 at byte 1");
    CHECK(message_of(put_item_input{.table_name = "t", .item = {{"n\xc3", 1}}}) ==
          "Item.n\\xc3 \"n\\xc3\" is not UTF-8 at byte 1");
    CHECK(message_of(scan_input{.table_name = "t", .names = {{"#n", "\xff"}}}) ==
          "ExpressionAttributeNames.#n \"\\xff\" is not UTF-8 at byte 0");
    CHECK(message_of(describe_table_input{"\xff"}) == "TableName \"\\xff\" is not UTF-8 at byte 0");
}

TEST_CASE("codec: data that swells beyond 16 MB as JSON is refused") {
    batch_write_item_input in;
    const std::string control(400'000, '\x01'); // six bytes each as JSON
    for (int i = 0; i < 7; ++i)
        in.request_items["table"].push_back({true, {{"id", i}, {"v", control}}});
    CHECK_NOTHROW(validate(in));
    std::string out;
    CHECK_THROWS_WITH(encode(in, out), Catch::StartsWith("request has 168") &&
                                           Catch::Contains("at most 16777216 are allowed"));
}

} // namespace
