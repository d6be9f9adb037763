// SPDX-License-Identifier: BSL-1.0
// Responses about tables. Emulators leave much of a description out or null.
#include "dynamodb/codec.hpp"
#include "dynamodb/json_reader.hpp"

#include <algorithm>
#include <cmath>

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
        from.text("AttributeName", name);
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
timestamp read_timestamp(const json::value& v, const path& where) {
    constexpr double most_seconds = 9.2e12;
    const double seconds = as_double(v, where);
    if (!(std::abs(seconds) < most_seconds)) refuse_response(where, "is not a time");
    return timestamp(std::chrono::microseconds(std::llround(seconds * 1e6)));
}

void read_integer(const members& from, std::string_view name, std::optional<std::int64_t>& out) {
    from.with(name, [&](const json::value& v, const path& at) { out = as_integer(v, at); });
}

void read_throughput(const json::value& v, const path& where, provisioned_throughput& out) {
    const members from(v, where);
    const auto read = [&](std::string_view name, std::int64_t& to) {
        from.with(name,
                  [&](const json::value& units, const path& at) { to = as_integer(units, at); });
    };
    read("ReadCapacityUnits", out.read_capacity_units);
    read("WriteCapacityUnits", out.write_capacity_units);
}

void read_table(const json::value& v, const path& where, table_description& out) {
    const members from(v, where);
    from.text("TableName", out.table_name);
    from.text("TableArn", out.table_arn);
    from.text("TableStatus", out.table_status);
    read_key_schema(from, out.key_schema);
    from.with("BillingModeSummary", [&](const json::value& summary, const path& at) {
        std::string mode;
        members(summary, at).text("BillingMode", mode);
        if (mode == "PAY_PER_REQUEST") out.billing_mode = billing_mode::pay_per_request;
        if (mode == "PROVISIONED") out.billing_mode = billing_mode::provisioned;
    });
    from.with("ProvisionedThroughput", [&](const json::value& throughput, const path& at) {
        read_throughput(throughput, at, out.throughput.emplace());
    });
    from.with("CreationDateTime", [&](const json::value& time, const path& at) {
        out.created = read_timestamp(time, at);
    });
    read_integer(from, "ItemCount", out.item_count);
    read_integer(from, "TableSizeBytes", out.table_size_bytes);
}

void decode_table(std::string_view body, std::string_view member, table_output& out) {
    const response_document document(body);
    const path root("response");
    members(document.root(), root).with(member, [&](const json::value& v, const path& at) {
        read_table(v, at, out.table);
    });
}

} // namespace

void decode(std::string_view body, create_table_output& out) {
    out = {};
    decode_table(body, "TableDescription", out);
}

void decode(std::string_view body, describe_table_output& out) {
    out = {};
    decode_table(body, "Table", out);
}

void decode(std::string_view body, delete_table_output& out) {
    out = {};
    decode_table(body, "TableDescription", out);
}

void decode(std::string_view body, list_tables_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    response.each("TableNames", [&](const json::value& v, const path& at) {
        out.table_names.emplace_back(as_text(v, at));
    });
    response.text("LastEvaluatedTableName", out.last_evaluated_table_name);
}

void decode(std::string_view body, update_time_to_live_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    members(document.root(), root)
        .with("TimeToLiveSpecification", [&](const json::value& v, const path& at) {
            const members from(v, at);
            from.boolean("Enabled", out.enabled);
            from.text("AttributeName", out.attribute_name);
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
