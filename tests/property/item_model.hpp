// SPDX-License-Identifier: BSL-1.0
// An item as a tree of its parts, and what follows from them: its attribute values, its JSON, its
// size and the first error of its validation. Shares no code with the library but the quoting of
// names in messages.
#pragma once

#include <codynamo/dynamodb/attribute_value.hpp>

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::property {

/// A number in the parts of its text, so that nothing has to be parsed.
struct number_parts {
    std::string sign{};       ///< "", "+" or "-"
    std::string digits = "0"; ///< those before the point, and those after
    std::size_t before = 1;   ///< how many stand before the point
    bool has_point = false;
    std::string exponent_sign{};         ///< "E", "e+", …; empty without an exponent
    unsigned exponent = 0;               ///< its magnitude
    std::optional<std::string> broken{}; ///< text that is no number, instead of all this

    [[nodiscard]] std::string text() const;
    /// Digits from the first to the last one that is not zero.
    [[nodiscard]] std::string significant() const;
    /// Power of ten of the first of them.
    [[nodiscard]] std::int64_t first_power() const;
    /// The same value in another form, "1.5" as "15E-1".
    [[nodiscard]] number_parts in_another_form() const;
};

struct item_node {
    enum class kind { s, n, b, boolean, null, l, m, ss, ns, bs };
    kind type = kind::null;
    std::string name{};  ///< in a map
    std::string bytes{}; ///< of a text or a binary
    number_parts number{};
    bool flag = false;
    std::vector<item_node> children{}; ///< of a list or set; of a map, in the order of their names

    [[nodiscard]] bool is_container() const noexcept { return type == kind::l || type == kind::m; }
    /// Adds to a list or map, where it replaces the child of that name; the index of the child.
    std::size_t add(item_node child);
};

/// The value of anything but an item's root.
[[nodiscard]] dynamodb::attribute_value value_of(const item_node& node);
/// Of the root, which is a map.
[[nodiscard]] dynamodb::item item_of(const item_node& root);
/// The JSON on the wire.
[[nodiscard]] boost::json::object json_of(const item_node& root);
[[nodiscard]] std::size_t size_of(const item_node& root);
/// Equal to the service: numbers in another form, sets in another order.
[[nodiscard]] item_node disguised(item_node root);

/// An error of validation or encoding.
struct item_problem {
    std::string place; ///< e.g. item.tags[3]
    std::string words; ///< of the message
    bool is_found_on_encoding = false;
};
/// The first one in the order in which an item is checked.
[[nodiscard]] std::optional<item_problem> problem_of(const item_node& root);

} // namespace codynamo::property
