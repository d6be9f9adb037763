// SPDX-License-Identifier: BSL-1.0
// Good answers with one thing wrong, for every operation: a value or errc::bad_response, nothing
// else.
#include "dynamodb/codec.hpp"
#include "support/catch.hpp"
#include "support/json_mutations.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

namespace {

using namespace codynamo::dynamodb;
using codynamo::testing::mutations_of;

struct tally {
    std::size_t values = 0;
    std::size_t refusals = 0;
};

template <class Output>
void decode_as(std::string_view body) {
    Output out;
    decode(body, out);
}

struct decoder {
    const char* name;
    void (*decode)(std::string_view body);
    const char* good;
};

constexpr decoder decoders[] = {
    {"GetItem", decode_as<get_item_output>,
     R"({"Item":{"key":{"S":"one"},"a":{"N":"1.5"},"b":{"B":"AAEC"},"c":{"BOOL":true},)"
     R"("d":{"NULL":true},"e":{"L":[{"S":"x"},{"M":{"y":{"N":"1"}}}]},"f":{"SS":["s"]},)"
     R"("g":{"NS":["1"]},"h":{"BS":["AA=="]}},)"
     R"("ConsumedCapacity":{"TableName":"t","CapacityUnits":0.5,"ReadCapacityUnits":1,)"
     R"("WriteCapacityUnits":2}})"},
    {"PutItem", decode_as<put_item_output>, R"({"Attributes":{"key":{"S":"one"}}})"},
    {"UpdateItem", decode_as<update_item_output>, R"({"Attributes":{"count":{"N":"1"}}})"},
    {"DeleteItem", decode_as<delete_item_output>, R"({"Attributes":{"count":{"NS":["1"]}}})"},
    {"BatchGetItem", decode_as<batch_get_item_output>,
     R"({"Responses":{"t":[{"key":{"S":"one"}}]},"UnprocessedKeys":{"t":{"Keys":[{"key":)"
     R"({"S":"two"}}],"ConsistentRead":true,"ProjectionExpression":"#a",)"
     R"("ExpressionAttributeNames":{"#a":"a"}}},"ConsumedCapacity":[{"TableName":"t",)"
     R"("CapacityUnits":1}]})"},
    {"BatchWriteItem", decode_as<batch_write_item_output>,
     R"({"UnprocessedItems":{"t":[{"PutRequest":{"Item":{"key":{"S":"one"}}}},)"
     R"({"DeleteRequest":{"Key":{"key":{"S":"two"}}}}]},"ConsumedCapacity":[{"TableName":"t"}]})"},
    {"Query", decode_as<query_output>,
     R"({"Items":[{"key":{"S":"one"}}],"Count":1,"ScannedCount":2,"LastEvaluatedKey":)"
     R"({"key":{"S":"one"}}})"},
    {"Scan", decode_as<scan_output>, R"({"Items":[{"key":{"N":"1"}}],"Count":1})"},
    {"TransactWriteItems", decode_as<transact_write_items_output>,
     R"({"ConsumedCapacity":[{"TableName":"t","CapacityUnits":2}]})"},
    {"TransactGetItems", decode_as<transact_get_items_output>,
     R"({"Responses":[{"Item":{"key":{"S":"one"}}},{}]})"},
    {"CreateTable", decode_as<create_table_output>,
     R"({"TableDescription":{"TableName":"t","TableStatus":"CREATING"}})"},
    {"DescribeTable", decode_as<describe_table_output>,
     R"({"Table":{"TableName":"t","TableArn":"arn","TableStatus":"ACTIVE","KeySchema":)"
     R"([{"AttributeName":"key","KeyType":"HASH"},{"AttributeName":"r","KeyType":"RANGE"}],)"
     R"("AttributeDefinitions":[{"AttributeName":"key","AttributeType":"S"},)"
     R"({"AttributeName":"r","AttributeType":"N"}],"BillingModeSummary":)"
     R"({"BillingMode":"PAY_PER_REQUEST"},"ProvisionedThroughput":{"ReadCapacityUnits":1,)"
     R"("WriteCapacityUnits":1},"CreationDateTime":1.7e9,"ItemCount":3,"TableSizeBytes":99}})"},
    {"DeleteTable", decode_as<delete_table_output>,
     R"({"TableDescription":{"TableName":"t","TableStatus":"DELETING"}})"},
    {"ListTables", decode_as<list_tables_output>,
     R"({"TableNames":["a","b"],"LastEvaluatedTableName":"b"})"},
    {"UpdateTimeToLive", decode_as<update_time_to_live_output>,
     R"({"TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}})"},
    {"DescribeTimeToLive", decode_as<describe_time_to_live_output>,
     R"({"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"ttl"}})"},
};

/// Empty when the decoder behaves.
std::string complaint_of(const decoder& one, std::string_view body, tally& counts) {
    try {
        one.decode(body);
        ++counts.values;
        return {};
    } catch (const codynamo::error& why) {
        ++counts.refusals;
        if (why.code() != codynamo::errc::bad_response) return why.code().message();
        return why.info().message.empty() ? "no words" : "";
    } catch (const std::exception& why) {
        return std::string("threw ") + why.what();
    }
}

void check(const decoder& one, const std::string& what, std::string_view body, tally& counts) {
    const std::string complaint = complaint_of(one, body, counts);
    if (!complaint.empty()) FAIL_CHECK(one.name << ' ' << what << ": " << complaint);
}

} // namespace

TEST_CASE("codec: the wrong type at every place of every answer is a value or bad_response") {
    tally counts;
    for (const decoder& one : decoders) {
        REQUIRE(complaint_of(one, one.good, counts).empty());
        REQUIRE(counts.refusals == 0);
        counts.values = 0;
    }
    for (const decoder& one : decoders)
        for (const auto& changed : mutations_of(one.good))
            check(one, changed.what, changed.text, counts);
    WARN("wrong types: " << counts.values + counts.refusals << " tried, " << counts.refusals
                         << " refused, " << counts.values << " read");
    CHECK(counts.refusals > 1000);
    CHECK(counts.values > 100);
}

TEST_CASE("codec: answers cut short are refused, ones with a byte changed are read or refused") {
    tally cut, changed;
    for (const decoder& one : decoders) {
        const std::string_view good = one.good;
        for (std::size_t size = 1; size < good.size(); ++size)
            check(one, "cut at " + std::to_string(size), good.substr(0, size), cut);
        std::string text(good);
        for (std::size_t at = 0; at < good.size(); ++at) {
            for (const char other : {'\0', '\xff', '{', '"', '9', ',', '\\', ']'}) {
                text[at] = other;
                check(one, "changed at " + std::to_string(at), text, changed);
            }
            text[at] = good[at];
        }
    }
    CHECK(cut.values == 0);
    CHECK(changed.refusals > changed.values);
}

TEST_CASE("codec: deep, wide and doubled documents are read or refused") {
    struct row {
        const char* name;
        std::string body;
        bool read;
    };
    const auto nested = [](std::size_t levels, std::string_view open, std::string_view close) {
        std::string text = R"({"Item":{"a":)";
        for (std::size_t i = 0; i < levels; ++i)
            text += open;
        text += R"({"S":"x"})";
        for (std::size_t i = 0; i < levels; ++i)
            text += close;
        return text + "}}";
    };
    const row rows[] = {
        {"32 levels of lists", nested(32, R"({"L":[)", "]}"), true},
        {"32 levels of maps", nested(32, R"({"M":{"a":)", "}}"), true},
        {"50 levels of lists", nested(50, R"({"L":[)", "]}"), false},
        {"100,000 levels of maps", nested(100'000, R"({"M":{"a":)", "}}"), false},
        {"100,000 levels unclosed", R"({"Item":)" + std::string(100'000, '['), false},
        {"100,000 elements",
         nested(
             1,
             R"({"L":[{"S":""},)" +
                 [] {
                     std::string many;
                     for (int i = 0; i < 100'000; ++i)
                         many += R"({"S":""},)";
                     return many;
                 }(),
             "]}"),
         true},
        {"the item twice, the last one right", R"({"Item":[],"Item":{"a":{"S":"x"}}})", true},
        {"the item twice, the last one wrong", R"({"Item":{"a":{"S":"x"}},"Item":[]})", false},
        {"an attribute twice", R"({"Item":{"a":{"S":"x"},"a":{"N":"1"}}})", true},
        {"a type twice", R"({"Item":{"a":{"S":"x","S":"y"}}})", true},
        {"two types", R"({"Item":{"a":{"S":"x","N":"1"}}})", false},
        {"gzip", std::string("\x1f\x8b\x08\x00", 4), false},
    };
    for (const row& r : rows) {
        INFO(r.name);
        get_item_output out;
        if (r.read)
            CHECK_NOTHROW(decode(r.body, out));
        else
            CHECK_THROWS_AS(decode(r.body, out), codynamo::error);
    }
}

TEST_CASE("codec: errors with wrong types everywhere are still errors with words") {
    const char* const good =
        R"({"__type":"x#TransactionCanceledException","code":"","message":"m","Message":"M",)"
        R"("CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed",)"
        R"("Message":"c","Item":{"key":{"S":"one"}}}],"Item":{"a":{"N":"1"}},)"
        R"("ThrottlingReasons":[{"reason":"r","resource":"arn"}],"throttlingReasons":[]})";
    std::size_t tried = 0;
    for (const auto& changed : mutations_of(good)) {
        INFO(changed.what);
        codynamo::failure why;
        REQUIRE_NOTHROW(why = decode_failure({400, {}, changed.text}));
        CHECK(why.code.failed());
        CHECK_FALSE(why.message().empty());
        ++tried;
    }
    CHECK(tried > 300);
}
