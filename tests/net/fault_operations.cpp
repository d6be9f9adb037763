// SPDX-License-Identifier: BSL-1.0
// Answers become text, so that all operations can be compared alike.
#include "fault_operations.hpp"

#include "dynamodb/codec.hpp"
#include "support/server_script.hpp"

#include <stdexcept>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::test {

using namespace codynamo::dynamodb;

namespace {

std::string text_of(const attribute_value& v) {
    if (const auto* s = v.get_if<std::string>()) return '"' + *s + '"';
    if (const auto* n = v.get_if<number>()) return n->text();
    if (const auto* b = v.get_if<binary>()) return '<' + b->bytes + '>';
    return std::string(v.type_name());
}

std::string text_of(const item& what) {
    std::string out = "{";
    for (const auto& [name, value] : what)
        out += name + '=' + text_of(value) + ' ';
    return out + '}';
}

std::string text_of(const std::vector<item>& items) {
    std::string out;
    for (const item& one : items)
        out += text_of(one);
    return '[' + out + ']';
}

std::string text_of(const get_item_output& out) {
    return out.item ? text_of(*out.item) : "none";
}
std::string text_of(const write_output& out) {
    return text_of(out.attributes);
}
std::string text_of(const page_output& out) {
    return text_of(out.items) + std::to_string(out.count) + '/' +
           std::to_string(out.scanned_count) + text_of(out.last_evaluated_key);
}
std::string text_of(const batch_get_item_output& out) {
    std::string text;
    for (const auto& [table, items] : out.responses)
        text += table + text_of(items);
    for (const auto& [table, rest] : out.unprocessed_keys)
        text += '-' + table + text_of(rest.keys);
    return text;
}
std::string text_of(const batch_write_item_output& out) {
    std::string text;
    for (const auto& [table, rest] : out.unprocessed_items)
        for (const write_request& one : rest)
            text += '-' + table + (one.is_put ? "+" : "-") + text_of(one.item);
    return text;
}

item key(const char* name) {
    return {{"key", name}};
}

get_item_input make(get_item_input*) {
    return {.table_name = "table", .key = key("one"), .consistent_read = true};
}
put_item_input make(put_item_input*) {
    return {.table_name = "table", .item = {{"key", "one"}, {"value", binary{"bytes"}}}};
}
delete_item_input make(delete_item_input*) {
    return {.table_name = "table", .key = key("one")};
}
update_item_input make(update_item_input*) {
    update_item_input in;
    in.table_name = "table";
    in.key = key("one");
    in.update_expression = "ADD #c :one";
    in.names = {{"#c", "count"}};
    in.values = {{":one", 1}};
    in.return_values = return_values::updated_new;
    return in;
}
batch_get_item_input make(batch_get_item_input*) {
    batch_get_item_input in;
    in.request_items["table"].keys = {key("one"), key("two")};
    return in;
}
batch_write_item_input make(batch_write_item_input*) {
    batch_write_item_input in;
    in.request_items["table"] = {{.is_put = true, .item = key("one")},
                                 {.is_put = false, .item = key("two")}};
    return in;
}
query_input make(query_input*) {
    query_input in;
    in.table_name = "table";
    in.key_condition_expression = "#k = :k";
    in.names = {{"#k", "group"}}; // an attribute that the page leaves out
    in.values = {{":k", "one"}};
    return in;
}
scan_input make(scan_input*) {
    scan_input in;
    in.table_name = "table";
    return in;
}

template <class Input>
asio::awaitable<call_result> attempt(client on, Input in) {
    const auto answer = co_await on.attempt(std::move(in));
    call_result out;
    if (answer)
        out.text = text_of(*answer);
    else
        out.why = answer.error();
    co_return out;
}

template <class Input>
asio::awaitable<call_result> call(client on) {
    return attempt(std::move(on), make(static_cast<Input*>(nullptr)));
}

asio::awaitable<call_result> call_conditional_put(client on) {
    put_item_input in = make(static_cast<put_item_input*>(nullptr));
    in.condition.expression = "attribute_not_exists(#k)";
    in.names = {{"#k", "key"}};
    return attempt(std::move(on), std::move(in));
}

template <class Input>
std::string decode_to_text(std::string_view body) {
    typename Input::output out;
    decode(body, out);
    return text_of(out);
}

constexpr const char* item_one =
    R"({"count":{"N":"7"},"key":{"S":"one"},"value":{"B":"Ynl0ZXM="}})";
constexpr const char* text_one = R"({count=7 key="one" value=<bytes> })";

std::string page_body() {
    return std::string(R"({"Items":[)") + item_one +
           R"(,{"key":{"S":"two"}}],"Count":2,"ScannedCount":5,)"
           R"("LastEvaluatedKey":{"key":{"S":"two"}},)"
           R"("ConsumedCapacity":{"TableName":"table","CapacityUnits":1.5}})";
}

std::string page_text() {
    return std::string("[") + text_one + R"({key="two" }]2/5{key="two" })";
}

std::vector<fault_operation> make_operations() {
    const std::string got = std::string(R"({"Item":)") + item_one + '}';
    const std::string both = std::string(R"({"Responses":{"table":[{"key":{"S":"two"}},)") +
                             item_one + R"(]},"UnprocessedKeys":{}})";
    return {
        {"GetItem", true, got, text_one, call<get_item_input>},
        {"PutItem", true, "{}", "{}", call<put_item_input>},
        {"PutItem if", false, "{}", "{}", call_conditional_put},
        {"DeleteItem", true, "{}", "{}", call<delete_item_input>},
        {"UpdateItem", false, R"({"Attributes":{"count":{"N":"8"}}})", "{count=8 }",
         call<update_item_input>},
        {"BatchGetItem", true, both, std::string(R"(table[{key="two" })") + text_one + "]",
         call<batch_get_item_input>},
        {"BatchWriteItem", true, R"({"UnprocessedItems":{}})", "", call<batch_write_item_input>},
        {"Query", true, page_body(), page_text(), call<query_input>},
        {"Scan", true, page_body(), page_text(), call<scan_input>},
    };
}

} // namespace

const std::vector<fault_operation>& fault_operations() {
    static const std::vector<fault_operation> all = make_operations();
    return all;
}

std::string good_answer(const std::string& request) {
    constexpr std::string_view target = "DynamoDB_20120810.";
    const auto at = request.find(target);
    if (at == std::string::npos) return testing::response("{}", 400);
    const auto begin = at + target.size();
    const auto name = std::string_view(request).substr(begin, request.find('\r', begin) - begin);
    for (const fault_operation& one : fault_operations())
        if (one.name == name) return testing::response(one.good_body);
    return testing::response("{}", 400);
}

std::string decoded_text(const fault_operation& one, std::string_view body) {
    const std::string_view name = one.name;
    if (name == "GetItem") return decode_to_text<get_item_input>(body);
    if (name.starts_with("PutItem")) return decode_to_text<put_item_input>(body);
    if (name == "DeleteItem") return decode_to_text<delete_item_input>(body);
    if (name == "UpdateItem") return decode_to_text<update_item_input>(body);
    if (name == "BatchGetItem") return decode_to_text<batch_get_item_input>(body);
    if (name == "BatchWriteItem") return decode_to_text<batch_write_item_input>(body);
    if (name == "Query") return decode_to_text<query_input>(body);
    if (name == "Scan") return decode_to_text<scan_input>(body);
    throw std::invalid_argument("no such operation: " + std::string(name));
}

} // namespace codynamo::test
