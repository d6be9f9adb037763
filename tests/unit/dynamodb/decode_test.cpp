// SPDX-License-Identifier: BSL-1.0
// Responses as the service and its emulators write them, and as nobody should.
#include "dynamodb/codec.hpp"
#include "support/catch.hpp"

namespace {

using namespace codynamo::dynamodb;

template <class Output>
Output decoded(std::string_view body) {
    Output out;
    decode(body, out);
    return out;
}

template <class Output>
std::string refusal(std::string_view body) {
    try {
        decoded<Output>(body);
    } catch (const codynamo::error& e) {
        CHECK(e.code() == codynamo::errc::bad_response);
        return e.info().message;
    }
    return "nothing was thrown";
}

TEST_CASE("codec: an answer that says nothing is an empty output where nothing may be to say") {
    const auto body = GENERATE("{}", " {}\r\n", "{\"Item\":null,\"Attributes\":null}");
    CHECK_FALSE(decoded<get_item_output>(body).item);
    CHECK(decoded<put_item_output>(body).attributes.empty());
    CHECK(decoded<update_item_output>(body).attributes.empty());
    CHECK(decoded<delete_item_output>(body).attributes.empty());
    CHECK(decoded<batch_write_item_output>(body).unprocessed_items.empty());
    CHECK(decoded<transact_write_items_output>(body).consumed_capacity.empty());
    CHECK(decoded<transact_get_items_output>(body).responses.empty());
    CHECK(decoded<update_time_to_live_output>(body).attribute_name.empty());
    CHECK(decoded<describe_time_to_live_output>(body).status.empty());
}

TEST_CASE("codec: an empty body, and one that is no object, is no answer of any operation") {
    const auto [body, why] = GENERATE(table<std::string_view, std::string_view>(
        {{"", "response has an empty body"},
         {"  \r\n\t", "response has an empty body"},
         {"[]", "response is an array where an object is expected"},
         {"null", "response is null where an object is expected"},
         {"\"{}\"", "response is a string where an object is expected"},
         {"0", "response is a number where an object is expected"},
         {"true", "response is a boolean where an object is expected"}}));
#define CODYNAMO_REFUSES(name) CHECK(refusal<name##_output>(body) == why);
    CODYNAMO_FOR_EACH_OPERATION(CODYNAMO_REFUSES)
#undef CODYNAMO_REFUSES
}

TEST_CASE("codec: the answer of a write is none to a question") {
    // What comes of a connection whose answers are one late.
    CHECK(refusal<batch_get_item_output>("{}") == "response.Responses is missing");
    CHECK(refusal<query_output>("{}") == "response.Count is missing");
    CHECK(refusal<scan_output>("{}") == "response.Count is missing");
    CHECK(refusal<describe_table_output>("{}") == "response.Table is missing");
    CHECK(refusal<create_table_output>("{}") == "response.TableDescription is missing");
    CHECK(refusal<delete_table_output>("{}") == "response.TableDescription is missing");
    CHECK(refusal<list_tables_output>("{}") == "response.TableNames is missing");
    CHECK(decoded<batch_get_item_output>(R"({"UnprocessedKeys":{}})").responses.empty());
    CHECK(decoded<query_output>(R"({"Count":5})").count == 5);
    CHECK(decoded<scan_output>(R"({"Items":[]})").items.empty());
}

TEST_CASE("codec: GetItem with all ten types, in any order, among unknown members") {
    const auto out = decoded<get_item_output>(
        R"({"New":{"x":[1,2]},"ConsumedCapacity":{"CapacityUnits":0.5,"Table":{"CapacityUnits":0.5},)"
        R"("TableName":"table"},"Item":{"j":{"BS":["Zg==",""]},"a":{"S":"\u00e4\ud83d\ude00"},)"
        R"("b":{"N":"1.50"},"c":{"B":"//4="},"d":{"BOOL":false},"e":{"NULL":true},)"
        R"("f":{"L":[{"S":"x"},{"L":[]}]},"g":{"M":{"y":{"M":{}}}},"h":{"SS":["s"]},)"
        R"("i":{"NS":["1","2"]}}})");
    CHECK(out.item == item{{"a", "ä😀"},
                           {"b", number("1.50")},
                           {"c", binary{"\xff\xfe"}},
                           {"d", false},
                           {"e", null{}},
                           {"f", list{"x", list{}}},
                           {"g", map{{"y", map{}}}},
                           {"h", string_set{{"s"}}},
                           {"i", number_set{{number(1), number(2)}}},
                           {"j", binary_set{{binary{"f"}, binary{}}}}});
    REQUIRE(out.consumed_capacity);
    CHECK(out.consumed_capacity->table_name == "table");
    CHECK(out.consumed_capacity->capacity_units == 0.5);
    CHECK(out.consumed_capacity->read_capacity_units == 0);
}

TEST_CASE("codec: decoding replaces what the output held before") {
    get_item_output out;
    out.item = item{{"old", 1}};
    decode("{}", out);
    CHECK_FALSE(out.item);
}

TEST_CASE("codec: an item that exists is not the same as one that has no attributes") {
    CHECK(decoded<get_item_output>(R"({"Item":{}})").item == item{});
}

TEST_CASE("codec: null members beside the type of a value are skipped") {
    CHECK(decoded<get_item_output>(R"({"Item":{"a":{"N":null,"S":"x","B":null}}})").item ==
          item{{"a", "x"}});
}

TEST_CASE("codec: duplicate members do no harm") {
    CHECK(decoded<get_item_output>(R"({"Item":{"a":{"S":"1"},"a":{"S":"2"}},"Item":{}})").item ==
          item{});
    CHECK(decoded<get_item_output>(R"({"Item":{"a":{"S":"1"},"a":{"S":"2"}}})").item ==
          item{{"a", "2"}});
}

TEST_CASE("codec: Put, Update and Delete answer attributes") {
    const std::string_view body =
        R"({"Attributes":{"a":{"N":"1"}},"ConsumedCapacity":{"WriteCapacityUnits":2}})";
    const auto check = [](const write_output& out) {
        CHECK(out.attributes == item{{"a", 1}});
        REQUIRE(out.consumed_capacity);
        CHECK(out.consumed_capacity->write_capacity_units == 2);
    };
    check(decoded<put_item_output>(body));
    check(decoded<update_item_output>(body));
    check(decoded<delete_item_output>(body));
}

TEST_CASE("codec: Query and Scan answer a page") {
    const std::string_view body =
        R"({"Count":2,"Items":[{"a":{"S":"1"}},{}],"ScannedCount":7.0,)"
        R"("LastEvaluatedKey":{"a":{"S":"1"}},"ConsumedCapacity":{"CapacityUnits":3}})";
    const auto check = [](const page_output& out) {
        CHECK(out.count == 2);
        CHECK(out.scanned_count == 7);
        CHECK(out.items == std::vector<item>{{{"a", "1"}}, {}});
        CHECK(out.last_evaluated_key == item{{"a", "1"}});
        CHECK(out.consumed_capacity->capacity_units == 3);
    };
    check(decoded<query_output>(body));
    check(decoded<scan_output>(body));
}

TEST_CASE("codec: BatchGetItem answers items and what is left") {
    const auto out = decoded<batch_get_item_output>(
        R"({"Responses":{"t":[{"a":{"S":"1"}},{"a":{"S":"2"}}],"u":[],"n":null},"UnprocessedKeys":)"
        R"({"t":{"Keys":[{"a":{"S":"3"}}],"ConsistentRead":true,"ProjectionExpression":"#a",)"
        R"("ExpressionAttributeNames":{"#a":"a"},"AttributesToGet":null}},)"
        R"("ConsumedCapacity":[{"TableName":"t","CapacityUnits":1},{"TableName":"u"}]})");
    CHECK(out.responses.size() == 2);
    CHECK(out.responses.at("t") == std::vector<item>{{{"a", "1"}}, {{"a", "2"}}});
    CHECK(out.responses.at("u").empty());
    const keys_and_attributes& left = out.unprocessed_keys.at("t");
    CHECK(left.keys == std::vector<item>{{{"a", "3"}}});
    CHECK(left.consistent_read);
    CHECK(left.projection_expression == "#a");
    CHECK(left.names == attribute_names{{"#a", "a"}});
    REQUIRE(out.consumed_capacity.size() == 2);
    CHECK(out.consumed_capacity[1].table_name == "u");
}

TEST_CASE("codec: BatchWriteItem answers what is left") {
    const auto out = decoded<batch_write_item_output>(
        R"({"UnprocessedItems":{"t":[{"PutRequest":{"Item":{"a":{"S":"1"}}}},)"
        R"({"DeleteRequest":{"Key":{"a":{"S":"2"}}},"PutRequest":null}]}})");
    const std::vector<write_request>& left = out.unprocessed_items.at("t");
    REQUIRE(left.size() == 2);
    CHECK(left[0].is_put);
    CHECK(left[0].item == item{{"a", "1"}});
    CHECK_FALSE(left[1].is_put);
    CHECK(left[1].item == item{{"a", "2"}});
}

TEST_CASE("codec: transactions answer in the order asked") {
    const auto out = decoded<transact_get_items_output>(
        R"({"Responses":[{"Item":{"a":{"S":"1"}}},{},null,{"Item":{}}],"ConsumedCapacity":[{}]})");
    REQUIRE(out.responses.size() == 4);
    CHECK(out.responses[0] == item{{"a", "1"}});
    CHECK_FALSE(out.responses[1]);
    CHECK_FALSE(out.responses[2]);
    CHECK(out.responses[3] == item{});
    CHECK(out.consumed_capacity.size() == 1);
    CHECK(decoded<transact_write_items_output>(R"({"ConsumedCapacity":[{"CapacityUnits":2}]})")
              .consumed_capacity.at(0)
              .capacity_units == 2);
}

TEST_CASE("codec: a table description is read, hash key first") {
    const std::string table =
        R"({"AttributeDefinitions":[{"AttributeName":"at","AttributeType":"N"},)"
        R"({"AttributeName":"of an index","AttributeType":"B"},)"
        R"({"AttributeName":"id","AttributeType":"B"}],"TableName":"table",)"
        R"("KeySchema":[{"AttributeName":"at","KeyType":"RANGE"},)"
        R"({"AttributeName":"id","KeyType":"HASH"}],"TableStatus":"ACTIVE",)"
        R"("CreationDateTime":1.421866952062E9,"ProvisionedThroughput":{"NumberOfDecreasesToday":0,)"
        R"("ReadCapacityUnits":5,"WriteCapacityUnits":6},"TableSizeBytes":12,"ItemCount":3,)"
        R"("TableArn":"arn:aws:dynamodb:eu-central-1:1:table/table",)"
        R"("BillingModeSummary":{"BillingMode":"PROVISIONED"}})";
    const auto check = [](const table_output& out) {
        const table_description& t = out.table;
        CHECK(t.table_name == "table");
        CHECK(t.table_arn == "arn:aws:dynamodb:eu-central-1:1:table/table");
        CHECK(t.table_status == "ACTIVE");
        CHECK(t.key_schema == std::vector<key_attribute>{{"id", key_type::hash, scalar_type::B},
                                                         {"at", key_type::range, scalar_type::N}});
        CHECK(t.billing_mode == billing_mode::provisioned);
        CHECK(t.throughput->read_capacity_units == 5);
        CHECK(t.throughput->write_capacity_units == 6);
        CHECK(t.created->time_since_epoch().count() == 1'421'866'952'062'000);
        CHECK(t.item_count == 3);
        CHECK(t.table_size_bytes == 12);
    };
    check(decoded<describe_table_output>("{\"Table\":" + table + "}"));
    check(decoded<create_table_output>("{\"TableDescription\":" + table + "}"));
    check(decoded<delete_table_output>("{\"TableDescription\":" + table + "}"));
}

TEST_CASE("codec: emulators leave out or null most of a table description") {
    const auto t = decoded<describe_table_output>(
                       R"({"Table":{"TableName":"t","BillingModeSummary":null,"KeySchema":null,)"
                       R"("CreationDateTime":null,"ProvisionedThroughput":{}}})")
                       .table;
    CHECK(t.table_name == "t");
    CHECK_FALSE(t.billing_mode);
    CHECK_FALSE(t.created);
    CHECK_FALSE(t.item_count);
    CHECK(t.key_schema.empty());
    CHECK(decoded<describe_table_output>(
              R"({"Table":{"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"}}})")
              .table.billing_mode == billing_mode::pay_per_request);
}

TEST_CASE("codec: table lists and TTL descriptions are read") {
    const auto tables =
        decoded<list_tables_output>(R"({"TableNames":["a","b"],"LastEvaluatedTableName":"b"})");
    CHECK(tables.table_names == std::vector<std::string>{"a", "b"});
    CHECK(tables.last_evaluated_table_name == "b");
    const auto updated = decoded<update_time_to_live_output>(
        R"({"TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}})");
    CHECK(updated.attribute_name == "ttl");
    CHECK(updated.enabled);
    const auto described = decoded<describe_time_to_live_output>(
        R"({"TimeToLiveDescription":{"AttributeName":"ttl","TimeToLiveStatus":"ENABLED"}})");
    CHECK(described.attribute_name == "ttl");
    CHECK(described.status == "ENABLED");
}

TEST_CASE("codec: a value of the wrong type is refused by its path") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {R"({"Item":1})", "response.Item is a number where an object is expected"},
        {R"({"Item":{"a":"x"}})", "response.Item.a is a string where an object is expected"},
        {R"({"Item":{"a":null}})", "response.Item.a is null where an object is expected"},
        {R"({"Item":{"a":{}}})", "response.Item.a has no type"},
        {R"({"Item":{"a":{"S":"x","N":"1"}}})", "response.Item.a has more than one type"},
        {R"({"Item":{"a":{"X":"x"}}})", "response.Item.a is of the unknown type \"X\""},
        {R"({"Item":{"a":{"N":1}}})", "response.Item.a is a number where a string is expected"},
        {R"({"Item":{"a":{"S":true}}})", "response.Item.a is a boolean where a string is expected"},
        {R"({"Item":{"a":{"BOOL":"true"}}})",
         "response.Item.a is a string where a boolean is expected"},
        {R"({"Item":{"a":{"NULL":"x"}}})",
         "response.Item.a is a string where a boolean is expected"},
        {R"({"Item":{"a":{"B":"Zg="}}})", "response.Item.a is not base64"},
        {R"({"Item":{"a":{"L":[{"S":""},{"M":{"b":{"BS":["","!"]}}}]}}})",
         "response.Item.a[1].b[1] is not base64"},
        {R"({"Item":{"a":{"SS":{}}}})", "response.Item.a is an object where an array is expected"},
    };
    for (const auto& [body, message] : cases)
        CHECK(refusal<get_item_output>(body) == message);
    CHECK(refusal<scan_output>(R"({"Count":-1})") == "response.Count is negative");
    CHECK(refusal<scan_output>(R"({"Count":1.5})") == "response.Count is not a 64-bit integer");
    CHECK(refusal<scan_output>(R"({"Count":1e300})") == "response.Count is not a 64-bit integer");
    CHECK(refusal<scan_output>(R"({"Items":[{},{"a":{"N":[]}}]})") ==
          "response.Items[1].a is an array where a string is expected");
    CHECK(refusal<batch_get_item_output>(R"({"Responses":{"t":[{"a":{"S":1}}]}})") ==
          "response.Responses.t[0].a is a number where a string is expected");
    CHECK(refusal<batch_write_item_output>(R"({"UnprocessedItems":{"t":[{}]}})") ==
          "response.UnprocessedItems.t[0] is neither a put nor a delete");
    CHECK(refusal<batch_write_item_output>(
              R"({"UnprocessedItems":{"t":[{"PutRequest":{},"DeleteRequest":{}}]}})") ==
          "response.UnprocessedItems.t[0] is both a put and a delete");
    CHECK(refusal<describe_table_output>(R"({"Table":{"KeySchema":[{"KeyType":"X"}]}})") ==
          "response.Table.KeySchema[0].KeyType is \"X\" where HASH or RANGE is expected");
}

TEST_CASE("codec: what is not JSON is refused without quoting the data") {
    const auto body = GENERATE("<html>secret</html>", "{\"Item\":{\"secret", "{} secret", "nul",
                               "{\"a\":\"\xff\"}", "\xef\xbb\xbf{}", "{\"a\":NaN}", "{\"a\":1,}");
    const std::string message = refusal<get_item_output>(body);
    CAPTURE(message);
    CHECK(message.starts_with("response of "));
    CHECK(message.find("secret") == std::string::npos);
}

/// The answer is read whatever of the wrong type is put where `pattern` is.
template <class Output>
void check_informative(std::string_view answer, std::string_view pattern) {
    const std::string_view odd[] = {
        "null",      "true", "\"text\"", "\"2024-05-01T10:00:00Z\"", "-1",
        "1e300",     "0.5",  "[]",       "[null,[],\"x\"]",          "{}",
        "{\"x\":[]}"};
    for (const std::string_view value : odd) {
        std::string body(answer);
        const std::size_t at = body.find(pattern);
        REQUIRE(at != std::string::npos);
        body.replace(at, pattern.size(), value);
        CAPTURE(body);
        CHECK_NOTHROW(decoded<Output>(body));
    }
}

TEST_CASE("codec: no field that is for information fails an answer") {
    // "@" is put where the odd values go.
    for (const std::string_view capacity :
         {R"("ConsumedCapacity":@)", R"("ConsumedCapacity":{"TableName":@})",
          R"("ConsumedCapacity":{"CapacityUnits":@})",
          R"("ConsumedCapacity":{"ReadCapacityUnits":@})",
          R"("ConsumedCapacity":{"WriteCapacityUnits":@})", R"("ConsumedCapacity":{"Table":@})",
          R"("ConsumedCapacity":{"Table":{"CapacityUnits":@}})",
          R"("ConsumedCapacity":{"LocalSecondaryIndexes":@})",
          R"("ConsumedCapacity":{"GlobalSecondaryIndexes":{"i":@}})",
          R"("ConsumedCapacity":{"GlobalSecondaryIndexes":{"i":{"CapacityUnits":@}}})",
          R"("ConsumedCapacity":[@])", R"("ConsumedCapacity":[{"CapacityUnits":@}])",
          R"("ItemCollectionMetrics":@)", R"("UnknownMember":@)"}) {
        const std::string one = "{" + std::string(capacity) + "}";
        const std::string page = R"({"Items":[],"Count":0,)" + std::string(capacity) + "}";
        const std::string batch = R"({"Responses":{},)" + std::string(capacity) + "}";
        check_informative<get_item_output>(one, "@");
        check_informative<put_item_output>(one, "@");
        check_informative<update_item_output>(one, "@");
        check_informative<delete_item_output>(one, "@");
        check_informative<batch_write_item_output>(one, "@");
        check_informative<transact_write_items_output>(one, "@");
        check_informative<transact_get_items_output>(one, "@");
        check_informative<batch_get_item_output>(batch, "@");
        check_informative<query_output>(page, "@");
        check_informative<scan_output>(page, "@");
    }
    check_informative<query_output>(R"({"Items":[],"ScannedCount":@})", "@");
    check_informative<scan_output>(R"({"Items":[],"ScannedCount":@})", "@");
    for (const std::string_view about :
         {R"("TableArn":@)", R"("BillingModeSummary":@)",
          R"("BillingModeSummary":{"BillingMode":@})", R"("ProvisionedThroughput":@)",
          R"("ProvisionedThroughput":{"ReadCapacityUnits":@})",
          R"("ProvisionedThroughput":{"WriteCapacityUnits":@})", R"("CreationDateTime":@)",
          R"("ItemCount":@)", R"("TableSizeBytes":@)",
          R"("AttributeDefinitions":[{"AttributeName":@}])", R"("GlobalSecondaryIndexes":@)",
          R"("StreamSpecification":@)"}) {
        const std::string members =
            R"({"TableName":"t","TableStatus":"ACTIVE",)" + std::string(about) + "}";
        check_informative<describe_table_output>(R"({"Table":)" + members + "}", "@");
        check_informative<create_table_output>(R"({"TableDescription":)" + members + "}", "@");
        check_informative<delete_table_output>(R"({"TableDescription":)" + members + "}", "@");
    }
    // What has been done has been done, however it is described.
    for (const std::string_view of_a_change :
         {R"("TableName":@)", R"("TableStatus":@)", R"("KeySchema":@)",
          R"("KeySchema":[{"AttributeName":@}])", R"("KeySchema":[{"KeyType":@}])",
          R"("AttributeDefinitions":@)"}) {
        const std::string body = R"({"TableDescription":{)" + std::string(of_a_change) + "}}";
        check_informative<create_table_output>(body, "@");
        check_informative<delete_table_output>(body, "@");
    }
    for (const std::string_view body :
         {R"({"TimeToLiveSpecification":@})", R"({"TimeToLiveSpecification":{"Enabled":@}})",
          R"({"TimeToLiveSpecification":{"AttributeName":@}})"})
        check_informative<update_time_to_live_output>(body, "@");
}

TEST_CASE("codec: a table whose age is told in words is described all the same") {
    const auto t = decoded<describe_table_output>(
                       R"({"Table":{"TableName":"t","TableStatus":"ACTIVE","ItemCount":"3",)"
                       R"("CreationDateTime":"2024-05-01T10:00:00Z","TableSizeBytes":7.0}})")
                       .table;
    CHECK(t.table_status == "ACTIVE");
    CHECK_FALSE(t.created);
    CHECK_FALSE(t.item_count);
    CHECK(t.table_size_bytes == 7);
}

TEST_CASE("codec: the figures of table and indexes are read in every operation that has them") {
    const std::string figures =
        R"({"TableName":"t","CapacityUnits":6,"Table":{"CapacityUnits":1,"ReadCapacityUnits":0.5},)"
        R"("LocalSecondaryIndexes":{"by_age":{"CapacityUnits":2}},"GlobalSecondaryIndexes":)"
        R"({"by_name":{"CapacityUnits":3,"WriteCapacityUnits":3},"by_town":{}}})";
    const auto check = [](const consumed_capacity& told) {
        CHECK(told.table_name == "t");
        CHECK(told.capacity_units == 6);
        CHECK(told.table == capacity_units{.total = 1, .read = 0.5});
        CHECK(told.local_secondary_indexes ==
              std::map<std::string, capacity_units, std::less<>>{{"by_age", {.total = 2}}});
        CHECK(told.global_secondary_indexes ==
              std::map<std::string, capacity_units, std::less<>>{
                  {"by_name", {.total = 3, .write = 3}}, {"by_town", {}}});
    };
    const std::string one = R"("ConsumedCapacity":)" + figures + "}";
    const std::string many = R"("ConsumedCapacity":[)" + figures + "]}";
    check(decoded<get_item_output>("{" + one).consumed_capacity.value());
    check(decoded<put_item_output>("{" + one).consumed_capacity.value());
    check(decoded<update_item_output>("{" + one).consumed_capacity.value());
    check(decoded<delete_item_output>("{" + one).consumed_capacity.value());
    check(decoded<query_output>(R"({"Count":0,)" + one).consumed_capacity.value());
    check(decoded<scan_output>(R"({"Count":0,)" + one).consumed_capacity.value());
    check(decoded<batch_get_item_output>(R"({"Responses":{},)" + many).consumed_capacity.at(0));
    check(decoded<batch_write_item_output>("{" + many).consumed_capacity.at(0));
    check(decoded<transact_get_items_output>("{" + many).consumed_capacity.at(0));
    check(decoded<transact_write_items_output>("{" + many).consumed_capacity.at(0));
    CHECK_FALSE(decoded<get_item_output>(R"({"ConsumedCapacity":{"CapacityUnits":1}})")
                    .consumed_capacity->table);
}

/// `levels` lists around a string.
std::string nested_json(std::size_t levels) {
    std::string out = R"({"S":"deep"})";
    for (std::size_t i = 0; i < levels; ++i)
        out = R"({"L":[)" + out + "]}";
    return R"({"Item":{"a":)" + out + "}}";
}

TEST_CASE("codec: an error document is no answer of any operation, whatever the status says") {
    const auto body = GENERATE(R"({"__type":"x#InternalServerError","message":"m"})",
                               R"({"Item":{},"__type":"ValidationException"})", R"({"__type":5})");
    const std::string why = "response is an error document with a status of success";
#define CODYNAMO_REFUSES(name) CHECK(refusal<name##_output>(body) == why);
    CODYNAMO_FOR_EACH_OPERATION(CODYNAMO_REFUSES)
#undef CODYNAMO_REFUSES
}

TEST_CASE("codec: the 32 levels of the service are read, an abyss is refused") {
    const auto out = decoded<get_item_output>(nested_json(32));
    const attribute_value* at = &out.item->at("a");
    for (int i = 0; i < 32; ++i)
        at = &at->as<list>().at(0);
    CHECK(at->as<std::string>() == "deep");
    CHECK_THAT(refusal<get_item_output>(nested_json(100)), Catch::Contains("is not JSON"));
    CHECK_THAT(refusal<get_item_output>(nested_json(20'000)), Catch::Contains("is not JSON"));
    CHECK_THAT(refusal<get_item_output>(std::string(1'000'000, '[')),
               Catch::Contains("is not JSON"));
}

TEST_CASE("codec: every truncation of a response is refused and none crashes") {
    const std::string body =
        R"({"Item":{"a":{"S":"x\u00e4ä"},"b":{"L":[{"N":"1"},{"M":{"c":{"BS":["Zg=="]}}}]},)"
        R"("d":{"NULL":true}},"ConsumedCapacity":{"CapacityUnits":0.5}})";
    CHECK_NOTHROW(decoded<get_item_output>(body));
    for (std::size_t length = 1; length < body.size(); ++length) {
        CAPTURE(length);
        const std::string exact(body, 0, length); // so that a sanitizer sees the end
        CHECK_THAT(refusal<get_item_output>(exact), Catch::Contains("is not JSON"));
    }
}

TEST_CASE("codec: a response with any one byte changed never crashes") {
    const std::string body = R"({"Item":{"a":{"B":"Zm9v"},"b":{"NS":["1"]}},"Count":1})";
    std::size_t refused = 0;
    for (std::size_t at = 0; at < body.size(); ++at)
        for (int c = 0; c < 256; ++c) {
            std::string changed = body;
            changed[at] = static_cast<char>(c);
            try {
                decoded<get_item_output>(changed);
            } catch (const codynamo::error& e) {
                REQUIRE(e.code() == codynamo::errc::bad_response);
                ++refused;
            }
        }
    CHECK(refused > body.size() * 100);
}

} // namespace
