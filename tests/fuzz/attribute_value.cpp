// SPDX-License-Identifier: BSL-1.0
// Attribute values: what can be read and sent comes back as it was.
#include "dynamodb/codec.hpp"
#include "fuzz/targets.hpp"

#include <string>

namespace codynamo::fuzz {

void attribute_value(std::string_view input) {
    dynamodb::get_item_output first;
    const std::string answer = R"({"Item":)" + std::string(input) + "}";
    if (!succeeds([&] { dynamodb::decode(answer, first); }, errc::bad_response)) return;
    if (!first.item) return;

    dynamodb::put_item_input put;
    put.table_name = "table";
    put.item = *first.item;
    std::string text;
    if (!succeeds([&] { dynamodb::validate(put); }, errc::invalid_argument)) return;
    dynamodb::encode(put, text);
    dynamodb::get_item_output second;
    dynamodb::decode(text, second);
    require(second.item.has_value() && *second.item == *first.item, "an item comes back whole");
    require(dynamodb::item_size(*second.item) == dynamodb::item_size(*first.item),
            "of the same size");
}

} // namespace codynamo::fuzz
