// SPDX-License-Identifier: BSL-1.0
#include "property/random_item.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace codynamo::property {

namespace {

std::string text_of(dice& random, std::size_t size) {
    constexpr std::array<std::string_view, 12> pieces = {
        "a",    "plain text", "\"", "\\", "\n", std::string_view("\0", 1),
        "\x1f", "\x7f",       "é",  "€",  "😀", "/"};
    std::string text;
    while (text.size() < size)
        text += pieces[random.below(pieces.size())];
    return text;
}

std::string bytes_of(dice& random, std::size_t size) {
    std::string bytes(size, '\0');
    for (char& each : bytes)
        each = static_cast<char>(random.below(256));
    return bytes;
}

} // namespace

std::string name_of(unsigned number) {
    constexpr std::array<std::string_view, 8> odd = {"",    "é😀", "\"", "a.b",
                                                     "a\n", "[0]", " ",  "S"};
    if (number < odd.size()) return std::string(odd[number]);
    if (number == longest_name) return std::string(65'536, 'n');
    return "n" + std::to_string(number);
}

number_parts number_of(dice& random, std::size_t size) {
    constexpr std::array<const char*, 12> broken = {
        "", " 1", "1 ", "1,5", "--1", "0x10", "NaN", "1E", "1E1.5", ".", "Infinity", "1.2.3"};
    constexpr std::array<const char*, 6> exponents = {"", "E", "e", "E+", "E-", "e-"};
    number_parts parts;
    if (random.chance(20)) {
        parts.broken = broken[random.below(broken.size())];
        return parts;
    }
    parts.sign = random.chance(3) ? "-" : random.chance(8) ? "+" : "";
    parts.digits.assign(1 + size % 42, '0');
    for (char& each : parts.digits)
        if (!random.chance(3)) each = static_cast<char>('0' + random.below(10));
    parts.before = random.below(parts.digits.size() + 1);
    parts.has_point = parts.before != parts.digits.size() || random.chance(8);
    parts.exponent_sign = exponents[random.below(exponents.size())];
    parts.exponent = random.chance(4) ? random.below(200) : random.below(20);
    return parts;
}

item_node scalar_of(item_node::kind type, dice& random, std::size_t size) {
    item_node node;
    node.type = type;
    if (type == item_node::kind::s) node.bytes = text_of(random, size);
    if (type == item_node::kind::b) node.bytes = bytes_of(random, size);
    if (type == item_node::kind::n) node.number = number_of(random, size);
    node.flag = random.chance(2);
    return node;
}

item_node set_of(item_node::kind type, item_node::kind element, dice& random, std::size_t size) {
    item_node node;
    node.type = type;
    for (std::uint32_t left = random.below(6); left != 0; --left)
        node.children.push_back(scalar_of(element, random, size));
    return node;
}

void spoil(std::string& text, dice& random) {
    constexpr std::string_view likely = "\"\\{}[]:,0123456789SNBLM=+ truefalsn";
    const std::size_t at = random.below(text.size() + 1);
    const std::size_t other = random.below(text.size() + 1);
    const char c = random.chance(4) ? static_cast<char>(random.below(256))
                                    : likely[random.below(likely.size())];
    switch (random.below(5)) {
    case 0:
        text.insert(at, 1, c);
        break;
    case 1:
        text.erase(at, 1);
        break;
    case 2:
        text.insert(at, text.substr(other, 1 + random.below(20)));
        break;
    case 3:
        if (random.chance(4)) text.resize(at);
        break;
    default:
        if (at != text.size()) text[at] = c;
    }
}

} // namespace codynamo::property
