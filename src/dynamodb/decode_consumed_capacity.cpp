// SPDX-License-Identifier: BSL-1.0
// What a request consumed. All of it is for information: nothing here fails an answer.
#include "dynamodb/decode_common.hpp"

#include <functional>
#include <map>
#include <string>

namespace codynamo::dynamodb {
namespace json = boost::json;
namespace {

void read_units(const members& from, capacity_units& out) {
    from.tell_real("CapacityUnits", out.total);
    from.tell_real("ReadCapacityUnits", out.read);
    from.tell_real("WriteCapacityUnits", out.write);
}

void read_indexes(const json::object& from, std::string_view name,
                  std::map<std::string, capacity_units, std::less<>>& out) {
    const json::value* const found = from.if_contains(name);
    const json::object* const indexes = found == nullptr ? nullptr : found->if_object();
    if (indexes == nullptr) return;
    for (const auto& [index, units] : *indexes)
        if (const json::object* const figures = units.if_object())
            read_units(members(*figures, path()), out[std::string(index)]);
}

void read_capacity(const json::object& v, consumed_capacity& out) {
    const path where;
    const members from(v, where);
    capacity_units all;
    read_units(from, all);
    out.capacity_units = all.total;
    out.read_capacity_units = all.read;
    out.write_capacity_units = all.write;
    from.tell_text("TableName", out.table_name);
    from.tell_object("Table",
                     [&](const members& table) { read_units(table, out.table.emplace()); });
    read_indexes(v, "LocalSecondaryIndexes", out.local_secondary_indexes);
    read_indexes(v, "GlobalSecondaryIndexes", out.global_secondary_indexes);
}

} // namespace

void read_consumed_capacity(const json::object& response, std::optional<consumed_capacity>& out) {
    const json::value* const found = response.if_contains("ConsumedCapacity");
    if (found != nullptr && found->is_object()) read_capacity(found->get_object(), out.emplace());
}

void read_consumed_capacity(const json::object& response, std::vector<consumed_capacity>& out) {
    const json::value* const found = response.if_contains("ConsumedCapacity");
    if (found == nullptr || !found->is_array()) return;
    for (const json::value& one : found->get_array())
        if (one.is_object()) read_capacity(one.get_object(), out.emplace_back());
}

} // namespace codynamo::dynamodb
