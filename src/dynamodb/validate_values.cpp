// SPDX-License-Identifier: BSL-1.0
// Limits of keys, items and attribute values.
#include "dynamodb/codec.hpp"
#include "dynamodb/decimal.hpp"
#include "dynamodb/validate_common.hpp"

namespace codynamo::dynamodb {
namespace {

constexpr std::size_t most_key_bytes = 2048;
constexpr std::size_t most_item_bytes = 409'600;
constexpr std::size_t most_name_bytes = 65'535;
constexpr std::size_t most_levels = 32;

void validate_number(const number& n, const path& where) {
    constexpr std::size_t most_digits = 38;
    constexpr std::int64_t lowest_power = -130;
    constexpr std::int64_t highest_power = 125;
    const auto parsed = parse_decimal(n.text());
    if (!parsed) reject(where, quote(n.text()) + " is not a decimal number");
    if (parsed->digits > most_digits)
        reject_count(where, parsed->digits, "significant digits", "at most 38");
    if (parsed->digits == 0) return;
    if (parsed->first_power > highest_power)
        reject(where, quote(n.text()) + " is too large: magnitudes below 1E126 are allowed");
    if (parsed->first_power < lowest_power)
        reject(where, quote(n.text()) + " is too small: 0 and magnitudes from 1E-130 are allowed");
}

void validate_each(const map& what, const path& where, std::size_t level);

struct value_check {
    const path& where;
    /// How many lists and maps the value is in.
    std::size_t level;

    void operator()(const std::string&) const {}
    void operator()(const binary&) const {}
    void operator()(bool) const {}
    void operator()(null) const {}
    void operator()(const number& n) const { validate_number(n, where); }
    void operator()(const list& values) const {
        enter();
        for (std::size_t i = 0; i < values.size(); ++i) {
            const path here(where, i);
            std::visit(value_check{here, level + 1}, values[i].value());
        }
    }
    void operator()(const map& values) const {
        enter();
        validate_each(values, where, level + 1);
    }
    void operator()(const string_set& set) const { validate_set(set.values.size()); }
    void operator()(const binary_set& set) const { validate_set(set.values.size()); }
    void operator()(const number_set& set) const {
        validate_set(set.values.size());
        for (std::size_t i = 0; i < set.values.size(); ++i)
            validate_number(set.values[i], path(where, i));
    }
    void validate_set(std::size_t size) const {
        if (size == 0) reject(where, "is an empty set: at least 1 element is needed");
    }
    void enter() const {
        if (level == most_levels)
            reject(where, "is nested more than 32 levels deep: at most 32 are allowed");
    }
};

void validate_each(const map& what, const path& where, std::size_t level) {
    for (const auto& [name, value] : what) {
        const path here(where, name);
        if (name.size() > most_name_bytes)
            reject_count(here, name.size(), "bytes in its name", "at most 65535");
        std::visit(value_check{here, level}, value.value());
    }
}

void validate_key_bytes(std::size_t size, const path& where) {
    if (size == 0) reject(where, "is empty: a key attribute has 1 to 2048 bytes");
    if (size > most_key_bytes) reject_count(where, size, "bytes", "1 to 2048");
}

void validate_key_attributes(const item& key, const path& where) {
    for (const auto& [name, value] : key) {
        const path here(where, name);
        validate_attribute_name(name, here);
        if (const auto* text = value.get_if<std::string>())
            validate_key_bytes(text->size(), here);
        else if (const auto* raw = value.get_if<binary>())
            validate_key_bytes(raw->bytes.size(), here);
        else if (const auto* n = value.get_if<number>())
            validate_number(*n, here);
        else
            reject(here, "is of type " + std::string(value.type_name()) +
                             ": a key attribute is S, N or B");
    }
}

void validate_item_bytes(const item& what, const path& where) {
    const std::size_t size = item_size(what);
    if (size > most_item_bytes) reject_count(where, size, "bytes", "at most 409600");
}

} // namespace

void validate_attribute_name(std::string_view name, const path& where) {
    constexpr std::size_t most = 255;
    if (name.empty() || name.size() > most)
        reject_count(where, name.size(), "bytes in its name", "1 to 255");
}

void validate_key(const item& key, const path& where) {
    if (key.empty()) reject(where, "is empty: 1 or 2 attributes are needed");
    if (key.size() > 2) reject_count(where, key.size(), "attributes", "1 or 2");
    validate_key_attributes(key, where);
}

void validate_start_key(const item& key, const path& where) {
    validate_key_attributes(key, where);
}

void validate_values(const map& what, const path& where) {
    validate_each(what, where, 0);
}

void validate_item(const item& what, const path& where) {
    if (what.empty()) reject(where, "is empty: at least its key is needed");
    for (const auto& [name, value] : what)
        if (name.empty())
            reject(where, "has an attribute without a name: 1 to 65535 bytes are "
                          "allowed");
    validate_values(what, where); // first: it bounds the recursion of the next
    validate_item_bytes(what, where);
}

void validate_item_size(const item& what, std::string_view field) {
    validate_item_bytes(what, path(field));
}

} // namespace codynamo::dynamodb
