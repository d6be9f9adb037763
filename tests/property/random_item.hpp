// SPDX-License-Identifier: BSL-1.0
// Parts of an item, decided by a seed.
#pragma once

#include "property/dice.hpp"
#include "property/item_model.hpp"

#include <cstddef>
#include <string>

namespace codynamo::property {

/// The name of an attribute: 0 is none at all, `longest_name` one that is too long, and some in
/// between are odd.
[[nodiscard]] std::string name_of(unsigned number);
inline constexpr unsigned longest_name = 39;

/// Of any form and any magnitude; one in twenty is broken.
[[nodiscard]] number_parts number_of(dice& random, std::size_t size);
/// A text, number, binary, boolean or null.
[[nodiscard]] item_node scalar_of(item_node::kind type, dice& random, std::size_t size);
/// Sometimes an empty one.
[[nodiscard]] item_node set_of(item_node::kind type, item_node::kind element, dice& random,
                               std::size_t size);

/// Changes JSON in one place, often to what means something in JSON.
void spoil(std::string& text, dice& random);

} // namespace codynamo::property
