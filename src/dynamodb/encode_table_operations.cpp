// SPDX-License-Identifier: BSL-1.0
// Requests about tables.
#include "dynamodb/codec.hpp"
#include "dynamodb/json_writer.hpp"

namespace codynamo::dynamodb {
namespace {

std::string_view text_of(scalar_type type) {
    switch (type) {
    case scalar_type::S:
        return "S";
    case scalar_type::N:
        return "N";
    case scalar_type::B:
        break;
    }
    return "B";
}

void encode_key_schema(json_object& to, const std::vector<key_attribute>& schema) {
    json_array definitions(to.member("AttributeDefinitions"));
    for (const key_attribute& each : schema) {
        json_object definition(definitions.element());
        definition.text("AttributeName", each.name);
        definition.text("AttributeType", text_of(each.type));
        definition.close();
    }
    definitions.close();
    json_array roles(to.member("KeySchema"));
    for (const key_attribute& each : schema) {
        json_object role(roles.element());
        role.text("AttributeName", each.name);
        role.text("KeyType", each.role == key_type::hash ? "HASH" : "RANGE");
        role.close();
    }
    roles.close();
}

void encode_table_name(const std::string& table_name, std::string& out) {
    json_object to(out);
    to.text("TableName", table_name);
    to.close();
}

} // namespace

void encode(const create_table_input& in, std::string& out) {
    const bool on_demand = in.billing_mode == billing_mode::pay_per_request;
    json_object to(out);
    to.text("TableName", in.table_name);
    encode_key_schema(to, in.key_schema);
    to.text("BillingMode", on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
    if (in.throughput) {
        json_object throughput(to.member("ProvisionedThroughput"));
        throughput.decimal("ReadCapacityUnits", in.throughput->read_capacity_units);
        throughput.decimal("WriteCapacityUnits", in.throughput->write_capacity_units);
        throughput.close();
    }
    to.close();
}

void encode(const describe_table_input& in, std::string& out) {
    encode_table_name(in.table_name, out);
}

void encode(const delete_table_input& in, std::string& out) {
    encode_table_name(in.table_name, out);
}

void encode(const list_tables_input& in, std::string& out) {
    json_object to(out);
    to.text_if("ExclusiveStartTableName", in.exclusive_start_table_name);
    if (in.limit != 0) to.decimal("Limit", in.limit);
    to.close();
}

void encode(const update_time_to_live_input& in, std::string& out) {
    json_object to(out);
    to.text("TableName", in.table_name);
    json_object specification(to.member("TimeToLiveSpecification"));
    specification.boolean("Enabled", in.enabled);
    specification.text("AttributeName", in.attribute_name);
    specification.close();
    to.close();
}

void encode(const describe_time_to_live_input& in, std::string& out) {
    encode_table_name(in.table_name, out);
}

} // namespace codynamo::dynamodb
