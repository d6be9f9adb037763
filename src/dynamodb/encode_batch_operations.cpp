// SPDX-License-Identifier: BSL-1.0
// Requests about many items: batches and transactions.
#include "dynamodb/codec.hpp"
#include "dynamodb/encode_common.hpp"

namespace codynamo::dynamodb {
namespace {

/// Escapes and base64 can swell data that is within every limit beyond what the service reads.
/// Source: DynamoDB API Reference, BatchWriteItem: a request payload has at most 16 MB.
void check_payload(std::size_t bytes) {
    constexpr std::size_t most = 16 * 1024 * 1024;
    if (bytes > most) reject_count(path("request"), bytes, "bytes as JSON", "at most 16777216");
}

/// Appends `{"<table>":<value>,…}`.
template <class Tables, class Write>
void append_tables(std::string& out, const Tables& tables, Write write) {
    const path where("RequestItems");
    out += '{';
    bool first = true;
    for (const auto& [table, requests] : tables) {
        if (!first) out += ',';
        first = false;
        const path here(where, table);
        append_json_string(out, table, here);
        out += ':';
        write(requests, here);
    }
    out += '}';
}

void append_keys(std::string& out, const keys_and_attributes& what, const path& where) {
    json_object to(out);
    json_array keys(to.member("Keys"));
    for (std::size_t i = 0; i < what.keys.size(); ++i)
        append_item(keys.element(), what.keys[i], path(where, i));
    keys.close();
    if (what.consistent_read) to.boolean("ConsistentRead", true);
    to.text_if("ProjectionExpression", what.projection_expression);
    encode_names(to, what.names);
    to.close();
}

std::string_view action_name(transact_write_item::kind action) {
    switch (action) {
    case transact_write_item::kind::put:
        return "Put";
    case transact_write_item::kind::update:
        return "Update";
    case transact_write_item::kind::remove:
        return "Delete";
    case transact_write_item::kind::condition_check:
        break;
    }
    return "ConditionCheck";
}

void append_action(std::string& out, const transact_write_item& what, const path& where) {
    const bool is_put = what.action == transact_write_item::kind::put;
    json_object to(out);
    json_object inner(to.member(action_name(what.action)));
    inner.text("TableName", what.table_name);
    append_item(inner.member(is_put ? "Item" : "Key"), what.item, where);
    inner.text_if("UpdateExpression", what.update_expression);
    encode_condition(inner, what.condition);
    encode_placeholders(inner, what.names, what.values);
    inner.close();
    to.close();
}

} // namespace

void append_write(std::string& out, const write_request& what, const path& where) {
    json_object to(out);
    json_object inner(to.member(what.is_put ? "PutRequest" : "DeleteRequest"));
    append_item(inner.member(what.is_put ? "Item" : "Key"), what.item, where);
    inner.close();
    to.close();
}

void encode(const batch_get_item_input& in, std::string& out) {
    json_object to(out);
    append_tables(
        to.member("RequestItems"), in.request_items,
        [&](const keys_and_attributes& keys, const path& where) { append_keys(out, keys, where); });
    encode_return_capacity(to, in.return_capacity);
    to.close();
}

void encode(const batch_write_item_input& in, std::string& out) {
    const std::size_t before = out.size();
    json_object to(out);
    append_tables(to.member("RequestItems"), in.request_items,
                  [&](const std::vector<write_request>& writes, const path& where) {
                      json_array elements(out);
                      for (std::size_t i = 0; i < writes.size(); ++i)
                          append_write(elements.element(), writes[i], path(where, i));
                      elements.close();
                  });
    encode_return_capacity(to, in.return_capacity);
    to.close();
    check_payload(out.size() - before);
}

void encode(const transact_write_items_input& in, std::string& out) {
    const std::size_t before = out.size();
    const path where("TransactItems");
    json_object to(out);
    json_array elements(to.member("TransactItems"));
    for (std::size_t i = 0; i < in.items.size(); ++i)
        append_action(elements.element(), in.items[i], path(where, i));
    elements.close();
    to.text_if("ClientRequestToken", in.client_request_token);
    encode_return_capacity(to, in.return_capacity);
    to.close();
    check_payload(out.size() - before);
}

void encode(const transact_get_items_input& in, std::string& out) {
    const path where("TransactItems");
    json_object to(out);
    json_array elements(to.member("TransactItems"));
    for (std::size_t i = 0; i < in.items.size(); ++i) {
        const transact_get_item& each = in.items[i];
        json_object element(elements.element());
        json_object get(element.member("Get"));
        get.text("TableName", each.table_name);
        append_item(get.member("Key"), each.key, path(where, i));
        get.text_if("ProjectionExpression", each.projection_expression);
        encode_names(get, each.names);
        get.close();
        element.close();
    }
    elements.close();
    encode_return_capacity(to, in.return_capacity);
    to.close();
}

} // namespace codynamo::dynamodb
