// SPDX-License-Identifier: BSL-1.0
#include "property/item_model.hpp"

#include "dynamodb/words.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cctype>
#include <utility>

namespace codynamo::property {

namespace json = boost::json;
using kind = item_node::kind;

namespace {

constexpr const char* type_names[] = {"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"};

std::string base64_of(const std::string& bytes) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t three = 0;
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t k = 0; k != 3; ++k)
            three = three << 8U | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k != 4; ++k)
            text += k <= count ? digits[three >> (18 - 6 * k) & 63U] : '=';
    }
    return text;
}

std::size_t size_of_value(const item_node& node);

std::size_t size_of_children(const item_node& node) {
    std::size_t size = 0;
    for (const item_node& each : node.children)
        size += each.name.size() + size_of_value(each);
    return size;
}

/// The developer guide's "DynamoDB item sizes and formats".
std::size_t size_of_value(const item_node& node) {
    switch (node.type) {
    case kind::s:
    case kind::b:
        return node.bytes.size();
    case kind::n:
        if (node.number.broken) return node.number.broken->size();
        return (node.number.significant().size() + 1) / 2 + 1 + (node.number.sign == "-" ? 1 : 0);
    case kind::boolean:
    case kind::null:
        return 1;
    case kind::l:
    case kind::m:
        return 3 + node.children.size() + size_of_children(node);
    default:
        return size_of_children(node);
    }
}

json::value json_of_value(const item_node& node) {
    json::object tagged;
    json::value& content = tagged[type_names[static_cast<int>(node.type)]];
    const auto plain = [](const item_node& scalar) -> json::string {
        if (scalar.type == kind::s) return json::string(scalar.bytes);
        return json::string(scalar.type == kind::n ? scalar.number.text()
                                                   : base64_of(scalar.bytes));
    };
    switch (node.type) {
    case kind::s:
    case kind::n:
    case kind::b:
        content = plain(node);
        break;
    case kind::boolean:
        content = node.flag;
        break;
    case kind::null:
        content = true;
        break;
    case kind::m:
        content = json_of(node);
        break;
    default:
        json::array& elements = content.emplace_array();
        for (const item_node& each : node.children)
            elements.push_back(node.type == kind::l ? json_of_value(each)
                                                    : json::value(plain(each)));
    }
    return tagged;
}

bool is_utf8(const std::string& text) {
    return text.find('\xff') == std::string::npos; // the only byte by which it is broken here
}

std::optional<std::string> problem_of_number(const number_parts& number) {
    if (number.broken) return "is not a decimal number";
    const std::string digits = number.significant();
    if (digits.size() > 38) return "significant digits: at most 38 are allowed";
    if (digits.empty()) return std::nullopt;
    if (number.first_power() > 125) return "is too large";
    if (number.first_power() < -130) return "is too small";
    return std::nullopt;
}

using problem = std::optional<item_problem>;

problem problem_of_children(const item_node& node, const std::string& place, std::size_t level);

problem problem_of_value(const item_node& node, const std::string& place, std::size_t level) {
    switch (node.type) {
    case kind::n:
        if (const auto words = problem_of_number(node.number)) return item_problem{place, *words};
        return std::nullopt;
    case kind::l:
    case kind::m:
        if (level == 32) return item_problem{place, "is nested more than 32 levels deep"};
        return problem_of_children(node, place, level + 1);
    case kind::ss:
    case kind::ns:
    case kind::bs:
        if (node.children.empty()) return item_problem{place, "is an empty set"};
        return problem_of_children(node, place, level);
    default:
        return std::nullopt;
    }
}

std::string place_of_child(const item_node& node, std::size_t index, const std::string& place) {
    if (node.type != kind::m) return place + '[' + std::to_string(index) + ']';
    const std::string& name = node.children[index].name;
    return place + '.' + (name.empty() ? "\"\"" : dynamodb::printable(name));
}

problem problem_of_children(const item_node& node, const std::string& place, std::size_t level) {
    for (std::size_t i = 0; i != node.children.size(); ++i) {
        const item_node& each = node.children[i];
        const std::string here = place_of_child(node, i, place);
        if (each.name.size() > 65'535) return item_problem{here, "bytes in its name"};
        if (problem first = problem_of_value(each, here, level)) return first;
    }
    return std::nullopt;
}

/// Texts are looked at when they are written.
problem encoding_problem(const item_node& node, const std::string& place) {
    if (node.type == kind::s && !is_utf8(node.bytes))
        return item_problem{place, "is not UTF-8", true};
    for (std::size_t i = 0; i != node.children.size(); ++i) {
        const std::string here = place_of_child(node, i, place);
        if (!is_utf8(node.children[i].name)) return item_problem{here, "is not UTF-8", true};
        if (problem first = encoding_problem(node.children[i], here)) return first;
    }
    return std::nullopt;
}

} // namespace

std::string number_parts::text() const {
    if (broken) return *broken;
    std::string text = sign + digits.substr(0, before);
    if (has_point) text += '.';
    text += digits.substr(before);
    if (!exponent_sign.empty()) text += exponent_sign + std::to_string(exponent);
    return text;
}

std::string number_parts::significant() const {
    const auto first = digits.find_first_not_of('0');
    if (first == std::string::npos) return {};
    return digits.substr(first, digits.find_last_not_of('0') - first + 1);
}

std::int64_t number_parts::first_power() const {
    const auto first = static_cast<std::int64_t>(digits.find_first_not_of('0'));
    const auto shift = exponent_sign.ends_with('-') ? -std::int64_t{exponent} : exponent;
    const std::int64_t own = exponent_sign.empty() ? 0 : shift;
    return own + static_cast<std::int64_t>(before) - 1 - first;
}

number_parts number_parts::in_another_form() const {
    const std::string kept = significant();
    number_parts other = *this;
    if (broken || kept.empty()) return other;
    const std::int64_t last = first_power() + 1 - static_cast<std::int64_t>(kept.size());
    other.sign = sign == "-" ? "-" : sign.empty() ? "+" : "";
    other.digits = "0" + kept;
    other.before = other.digits.size();
    other.has_point = exponent % 2 == 0;
    other.exponent_sign = last < 0 ? "E-" : "E+";
    other.exponent = static_cast<unsigned>(last < 0 ? -last : last);
    return other;
}

std::size_t item_node::add(item_node child) {
    auto at = children.end();
    if (type == kind::m) {
        at = std::lower_bound(
            children.begin(), children.end(), child,
            [](const item_node& a, const item_node& b) { return a.name < b.name; });
        if (at != children.end() && at->name == child.name) at = children.erase(at);
    } else {
        child.name.clear();
    }
    at = children.insert(at, std::move(child));
    return static_cast<std::size_t>(at - children.begin());
}

dynamodb::attribute_value value_of(const item_node& node) {
    using namespace dynamodb;
    list elements;
    switch (node.type) {
    case kind::s:
        return node.bytes;
    case kind::n:
        return number(node.number.text());
    case kind::b:
        return binary{node.bytes};
    case kind::boolean:
        return node.flag;
    case kind::null:
        return nullptr;
    case kind::m:
        return item_of(node);
    case kind::l:
        for (const item_node& each : node.children)
            elements.push_back(value_of(each));
        return elements;
    default:
        break;
    }
    string_set texts;
    number_set numbers;
    binary_set binaries;
    for (const item_node& each : node.children) {
        if (node.type == kind::ss) texts.values.push_back(each.bytes);
        if (node.type == kind::ns) numbers.values.emplace_back(each.number.text());
        if (node.type == kind::bs) binaries.values.push_back({each.bytes});
    }
    if (node.type == kind::ss) return texts;
    return node.type == kind::ns ? attribute_value(numbers) : attribute_value(binaries);
}

dynamodb::item item_of(const item_node& root) {
    dynamodb::item item;
    for (const item_node& each : root.children)
        item.emplace(each.name, value_of(each));
    return item;
}

json::object json_of(const item_node& root) {
    json::object object;
    for (const item_node& each : root.children)
        object[each.name] = json_of_value(each);
    return object;
}

std::size_t size_of(const item_node& root) {
    return size_of_children(root);
}

item_node disguised(item_node root) {
    if (root.type == kind::n) root.number = root.number.in_another_form();
    for (item_node& each : root.children)
        each = disguised(std::move(each));
    if (root.type != kind::l && root.type != kind::m)
        std::reverse(root.children.begin(), root.children.end());
    return root;
}

std::optional<item_problem> problem_of(const item_node& root) {
    if (root.children.empty()) return item_problem{"item", "is empty"};
    if (root.children.front().name.empty())
        return item_problem{"item", "has an attribute without a name"};
    if (problem first = problem_of_children(root, "item", 0)) return first;
    if (size_of(root) > 409'600) return item_problem{"item", "at most 409600 are allowed"};
    return encoding_problem(root, "Item");
}

} // namespace codynamo::property
