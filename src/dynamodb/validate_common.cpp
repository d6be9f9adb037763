// SPDX-License-Identifier: BSL-1.0
// Limits of names, expressions and placeholders.
#include "dynamodb/validate_common.hpp"

#include "dynamodb/codec.hpp"

#include <algorithm>

namespace codynamo::dynamodb {
namespace {

constexpr std::size_t shortest_name = 3;
constexpr std::size_t longest_name = 255;

bool is_letter_or_digit(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name_character(char c) noexcept {
    return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
}

void validate_name(std::string_view name, const path& where) {
    const auto bad = std::find_if_not(name.begin(), name.end(), is_name_character);
    if (bad != name.end())
        reject(where, quote(name) + " has a character other than a-z, A-Z, 0-9, '_', '-' and '.'" +
                          " at position " + std::to_string(bad - name.begin()));
    if (name.size() < shortest_name || name.size() > longest_name)
        reject(where, quote(name) + " has " + std::to_string(name.size()) +
                          " characters: 3 to 255 are allowed");
}

void validate_arn(std::string_view arn, const path& where) {
    constexpr std::size_t longest_arn = 1024;
    if (arn.size() > longest_arn)
        reject(where, quote(arn) + " has " + std::to_string(arn.size()) +
                          " characters: an ARN has at most 1024");
    const auto bad = std::find_if_not(arn.begin(), arn.end(), [](char c) {
        return is_name_character(c) || c == ':' || c == '/';
    });
    if (bad != arn.end())
        reject(where,
               quote(arn) + " is not an ARN: see position " + std::to_string(bad - arn.begin()));
}

void validate_placeholder(std::string_view placeholder, char mark, const path& where) {
    if (placeholder.size() < 2 || placeholder.size() > longest_name)
        reject(where, "placeholder " + quote(placeholder) + " has " +
                          std::to_string(placeholder.size()) + " bytes: 2 to 255 are allowed");
    if (placeholder.front() != mark)
        reject(where, "placeholder " + quote(placeholder) + " must begin with '" + mark + '\'');
}

} // namespace

void validate_table_name(std::string_view name, const path& where) {
    if (name.starts_with("arn:")) return validate_arn(name, where);
    validate_name(name, where);
}

void validate_table_name(std::string_view name, std::string_view field) {
    validate_table_name(name, path(field));
}

void validate_index_name(std::string_view name, const path& where) {
    if (!name.empty()) validate_name(name, where);
}

void validate_limit(std::uint32_t limit, std::uint32_t most, const path& where) {
    if (limit > most)
        reject(where, std::to_string(limit) + " is too large: 0 to " + std::to_string(most) +
                          " are allowed");
}

void validate_expression(std::string_view expression, const path& where) {
    constexpr std::size_t longest = 4096;
    if (expression.size() > longest)
        reject_count(where, expression.size(), "bytes", "at most 4096");
}

void validate_placeholders(const attribute_names& names, const attribute_values& values,
                           bool has_expression, const path& where) {
    constexpr std::size_t most_bytes = 2 * 1024 * 1024;
    constexpr std::size_t longest_attribute_name = 65'535;
    const path names_path(where, "names");
    const path values_path(where, "values");
    if (!has_expression && !names.empty()) reject(names_path, "are given without an expression");
    if (!has_expression && !values.empty()) reject(values_path, "are given without an expression");

    std::size_t bytes = 0;
    for (const auto& [placeholder, name] : names) {
        validate_placeholder(placeholder, '#', names_path);
        if (name.empty() || name.size() > longest_attribute_name)
            reject_count(path(names_path, placeholder), name.size(), "bytes", "1 to 65535");
        bytes += placeholder.size() + name.size();
    }
    for (const auto& [placeholder, value] : values)
        validate_placeholder(placeholder, ':', values_path);
    validate_values(values, values_path);
    bytes += item_size(values);
    if (bytes > most_bytes)
        reject_count(values_path, bytes, "bytes together with names", "at most 2097152");
}

} // namespace codynamo::dynamodb
