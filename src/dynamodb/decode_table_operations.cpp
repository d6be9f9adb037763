// SPDX-License-Identifier: BSL-1.0
// Responses about tables. Emulators leave much of a description out or null.
#include "dynamodb/codec.hpp"
#include "dynamodb/json_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace codynamo::dynamodb {
namespace json = boost::json;
namespace {

scalar_type read_scalar_type(const json::value& v, const path& where) {
    const std::string_view text = as_text(v, where);
    if (text == "S") return scalar_type::S;
    if (text == "N") return scalar_type::N;
    if (text == "B") return scalar_type::B;
    refuse_response(where, "is " + quote(text) + " where S, N or B is expected");
}

key_type read_key_type(const json::value& v, const path& where) {
    const std::string_view text = as_text(v, where);
    if (text == "HASH") return key_type::hash;
    if (text == "RANGE") return key_type::range;
    refuse_response(where, "is " + quote(text) + " where HASH or RANGE is expected");
}

void read_key_schema(const members& table, std::vector<key_attribute>& out) {
    table.each("KeySchema", [&](const json::value& v, const path& at) {
        const members from(v, at);
        key_attribute& key = out.emplace_back();
        from.text("AttributeName", key.name);
        from.with("KeyType", [&](const json::value& type, const path& there) {
            key.role = read_key_type(type, there);
        });
    });
    // Definitions list the attributes of indexes too.
    table.each("AttributeDefinitions", [&](const json::value& v, const path& at) {
        const members from(v, at);
        std::string name;
        from.tell_text("AttributeName", name);
        const auto key = std::find_if(out.begin(), out.end(),
                                      [&](const key_attribute& k) { return k.name == name; });
        if (key == out.end()) return;
        from.with("AttributeType", [&](const json::value& type, const path& there) {
            key->type = read_scalar_type(type, there);
        });
    });
    std::stable_partition(out.begin(), out.end(),
                          [](const key_attribute& k) { return k.role == key_type::hash; });
}

/// Epoch seconds with a fraction.
void tell_time(const members& from, std::string_view name, std::optional<timestamp>& out) {
    constexpr double most_seconds = 9.2e12;
    double seconds = std::numeric_limits<double>::quiet_NaN();
    from.tell_real(name, seconds);
    if (std::abs(seconds) < most_seconds)
        out.emplace(std::chrono::microseconds(std::llround(seconds * 1e6)));
}

void tell_figure(const members& from, std::string_view name, std::optional<std::int64_t>& out) {
    constexpr std::int64_t missing = std::numeric_limits<std::int64_t>::min();
    std::int64_t value = missing;
    from.tell_integer(name, value);
    if (value != missing) out = value;
}

/// What nothing depends on.
void tell_about(const members& from, table_description& out) {
    from.tell_text("TableArn", out.table_arn);
    from.tell_object("BillingModeSummary", [&](const members& summary) {
        std::string mode;
        summary.tell_text("BillingMode", mode);
        if (mode == "PAY_PER_REQUEST") out.billing_mode = billing_mode::pay_per_request;
        if (mode == "PROVISIONED") out.billing_mode = billing_mode::provisioned;
    });
    from.tell_object("ProvisionedThroughput", [&](const members& throughput) {
        provisioned_throughput& units = out.throughput.emplace();
        throughput.tell_integer("ReadCapacityUnits", units.read_capacity_units);
        throughput.tell_integer("WriteCapacityUnits", units.write_capacity_units);
    });
    tell_time(from, "CreationDateTime", out.created);
    tell_figure(from, "ItemCount", out.item_count);
    tell_figure(from, "TableSizeBytes", out.table_size_bytes);
}

/// What one asks about a table for.
void decode_description(std::string_view body, table_output& out) {
    const response_document document(body);
    const path root("response");
    const path where(root, "Table");
    const members from(members(document.root(), root).require("Table"), where);
    from.text("TableName", out.table.table_name);
    from.text("TableStatus", out.table.table_status);
    read_key_schema(from, out.table.key_schema);
    tell_about(from, out.table);
}

/// A table that has been created or deleted, however oddly that is told: all is for information.
void decode_change(std::string_view body, table_output& out) {
    const response_document document(body);
    const path root("response");
    const path where(root, "TableDescription");
    const members from(members(document.root(), root).require("TableDescription"), where);
    from.tell_text("TableName", out.table.table_name);
    from.tell_text("TableStatus", out.table.table_status);
    try {
        read_key_schema(from, out.table.key_schema);
    } catch (const error&) {
        out.table.key_schema.clear();
    }
    tell_about(from, out.table);
}

} // namespace

void decode(std::string_view body, create_table_output& out) {
    out = {};
    decode_change(body, out);
}

void decode(std::string_view body, describe_table_output& out) {
    out = {};
    decode_description(body, out);
}

void decode(std::string_view body, delete_table_output& out) {
    out = {};
    decode_change(body, out);
}

void decode(std::string_view body, list_tables_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    static_cast<void>(response.require("TableNames"));
    response.each("TableNames", [&](const json::value& v, const path& at) {
        out.table_names.emplace_back(as_text(v, at));
    });
    response.text("LastEvaluatedTableName", out.last_evaluated_table_name);
}

void decode(std::string_view body, update_time_to_live_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    members(document.root(), root).tell_object("TimeToLiveSpecification", [&](const members& from) {
        from.tell_boolean("Enabled", out.enabled);
        from.tell_text("AttributeName", out.attribute_name);
    });
}

void decode(std::string_view body, describe_time_to_live_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    members(document.root(), root)
        .with("TimeToLiveDescription", [&](const json::value& v, const path& at) {
            const members from(v, at);
            from.text("TimeToLiveStatus", out.status);
            from.text("AttributeName", out.attribute_name);
        });
}

} // namespace codynamo::dynamodb
