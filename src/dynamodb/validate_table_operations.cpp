// SPDX-License-Identifier: BSL-1.0
// Limits of the table operations.
#include "dynamodb/codec.hpp"
#include "dynamodb/validate_common.hpp"

namespace codynamo::dynamodb {
namespace {

void validate_key_schema(const std::vector<key_attribute>& schema) {
    const path where("key_schema");
    if (schema.empty() || schema.size() > 2)
        reject_count(where, schema.size(), "attributes", "1 or 2");
    for (std::size_t i = 0; i < schema.size(); ++i) {
        const path here(where, i);
        validate_attribute_name(schema[i].name, here);
        const key_type wanted = i == 0 ? key_type::hash : key_type::range;
        if (schema[i].role != wanted)
            reject(here, quote(schema[i].name) + " has the wrong role: the first attribute is the "
                                                 "hash key, the second the range key");
    }
    if (schema.size() == 2 && schema[0].name == schema[1].name)
        reject(where, "has " + quote(schema[0].name) + " twice: hash and range key must differ");
}

void validate_units(std::int64_t units, const path& where) {
    if (units < 1) reject(where, "is " + std::to_string(units) + ": at least 1 is needed");
}

void validate_throughput(const create_table_input& in) {
    const path where("throughput");
    if (in.billing_mode == billing_mode::pay_per_request) {
        if (in.throughput) reject(where, "is given with pay_per_request: it is for provisioned");
        return;
    }
    if (!in.throughput) reject(where, "is missing: the billing mode provisioned needs it");
    validate_units(in.throughput->read_capacity_units, path(where, "read_capacity_units"));
    validate_units(in.throughput->write_capacity_units, path(where, "write_capacity_units"));
}

} // namespace

void validate(const create_table_input& in) {
    validate_table_name(in.table_name);
    validate_key_schema(in.key_schema);
    validate_throughput(in);
}

void validate(const describe_table_input& in) {
    validate_table_name(in.table_name);
}

void validate(const delete_table_input& in) {
    validate_table_name(in.table_name);
}

void validate(const list_tables_input& in) {
    constexpr std::uint32_t most_tables = 100;
    if (!in.exclusive_start_table_name.empty())
        validate_table_name(in.exclusive_start_table_name, "exclusive_start_table_name");
    validate_limit(in.limit, most_tables, path("limit"));
}

void validate(const update_time_to_live_input& in) {
    validate_table_name(in.table_name);
    validate_attribute_name(in.attribute_name, path("attribute_name"));
}

void validate(const describe_time_to_live_input& in) {
    validate_table_name(in.table_name);
}

} // namespace codynamo::dynamodb
