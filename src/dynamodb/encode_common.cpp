// SPDX-License-Identifier: BSL-1.0
// How attribute values, placeholders and common options look on the wire.
#include "dynamodb/encode_common.hpp"

#include "dynamodb/base64.hpp"

#include <array>

namespace codynamo::dynamodb {
namespace {

void append_value(std::string& out, const attribute_value& value, const path& where);

void append_scalar(std::string& out, const std::string& text, const path& where) {
    append_json_string(out, text, where);
}
void append_scalar(std::string& out, const number& n, const path& where) {
    append_json_string(out, n.text(), where);
}
void append_scalar(std::string& out, const binary& b, const path&) {
    out += '"';
    append_base64(out, b.bytes);
    out += '"';
}

/// Appends what follows the type tag.
struct value_writer {
    std::string& out;
    const path& where;

    void operator()(const std::string& text) const { append_scalar(out, text, where); }
    void operator()(const number& n) const { append_scalar(out, n, where); }
    void operator()(const binary& b) const { append_scalar(out, b, where); }
    void operator()(bool b) const { out += b ? "true" : "false"; }
    void operator()(null) const { out += "true"; }
    void operator()(const list& values) const {
        json_array to(out);
        for (std::size_t i = 0; i < values.size(); ++i)
            append_value(to.element(), values[i], path(where, i));
        to.close();
    }
    void operator()(const map& values) const { append_item(out, values, where); }
    template <class Set>
    void operator()(const Set& set) const {
        json_array to(out);
        for (std::size_t i = 0; i < set.values.size(); ++i)
            append_scalar(to.element(), set.values[i], path(where, i));
        to.close();
    }
};

void append_value(std::string& out, const attribute_value& value, const path& where) {
    out += "{\"";
    out += value.type_name();
    out += "\":";
    std::visit(value_writer{out, where}, value.value());
    out += '}';
}

} // namespace

void append_item(std::string& out, const item& what, const path& where) {
    out += '{';
    bool first = true;
    for (const auto& [name, value] : what) {
        if (!first) out += ',';
        first = false;
        const path here(where, name);
        append_json_string(out, name, here);
        out += ':';
        append_value(out, value, here);
    }
    out += '}';
}

void encode_item(json_object& to, std::string_view name, const item& what) {
    append_item(to.member(name), what, path(name));
}

void encode_item_if(json_object& to, std::string_view name, const item& what) {
    if (!what.empty()) encode_item(to, name, what);
}

void encode_names(json_object& to, const attribute_names& names) {
    if (names.empty()) return;
    std::string& out = to.member("ExpressionAttributeNames");
    const path where("ExpressionAttributeNames");
    bool first = true;
    for (const auto& [placeholder, name] : names) {
        out += first ? '{' : ',';
        first = false;
        const path here(where, placeholder);
        append_json_string(out, placeholder, here);
        out += ':';
        append_json_string(out, name, here);
    }
    out += '}';
}

void encode_condition(json_object& to, const condition& what) {
    to.text_if("ConditionExpression", what.expression);
    if (what.return_item == return_values_on_condition_check_failure::all_old)
        to.text("ReturnValuesOnConditionCheckFailure", "ALL_OLD");
}

void encode_placeholders(json_object& to, const attribute_names& names,
                         const attribute_values& values) {
    encode_names(to, names);
    encode_item_if(to, "ExpressionAttributeValues", values);
}

void encode_return_values(json_object& to, return_values which) {
    constexpr std::array<std::string_view, 5> texts = {"NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW",
                                                       "UPDATED_NEW"};
    if (which != return_values::none)
        to.text("ReturnValues", texts.at(static_cast<std::size_t>(which)));
}

void encode_return_capacity(json_object& to, return_consumed_capacity which) {
    if (which == return_consumed_capacity::none) return;
    const bool indexes = which == return_consumed_capacity::indexes;
    to.text("ReturnConsumedCapacity", indexes ? "INDEXES" : "TOTAL");
}

} // namespace codynamo::dynamodb
