// SPDX-License-Identifier: BSL-1.0
// Values as JSON text that Python reads and writes too, with every number exact.
#pragma once

#include <codynamo/export.hpp>

#include <boost/describe/class.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace codynamo {

namespace detail {

[[nodiscard]] CODYNAMO_API std::string json_text(const boost::json::value& value);
[[nodiscard]] CODYNAMO_API std::string json_text(const boost::json::object& value);
[[nodiscard]] CODYNAMO_API std::string json_text(const boost::json::array& value);
[[nodiscard]] CODYNAMO_API boost::json::value json_value(std::string_view text);
[[noreturn]] CODYNAMO_API void refuse_json_kind(const boost::json::value& found,
                                                std::string_view wanted);

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
[[nodiscard]] T from_json(boost::json::value&& value);
template <class T>
[[nodiscard]] boost::json::value to_json(const T& value);

} // namespace detail

/// JSON by Boost.JSON: T is whatever `boost::json::value_from` and `value_to` know (numbers,
/// strings, containers, std::optional, structs described with BOOST_DESCRIBE_STRUCT, types with
/// tag_invoke overloads), or boost::json::value, object or array itself.
///
/// The rule: *what C++ cannot hold exactly is refused, never silently changed.* Every finite double
/// and every 64-bit integer comes back bit for bit, whoever wrote it. Refused with
/// errc::deserialize_failed, naming what and at which byte: integers beyond 64 bits, NaN and
/// Infinity (which Python writes), numbers beyond the range of double (on either side), lone
/// surrogates, invalid UTF-8, nesting deeper than 512, and anything that is not one JSON text. Of
/// equal names in an object the last counts, as in Python. Refused with errc::serialize_failed:
/// NaN and infinities, strings that are not UTF-8, nesting deeper than 512.
/// What `value_to` then makes of the JSON value is its affair: it refuses 300 as std::uint8_t, but
/// reads an integer as a double by rounding it.
///
/// The text is compact UTF-8. Thread-safe.
template <class T>
struct json_serializer {
    [[nodiscard]] std::string serialize(const T& value) const {
        if constexpr (std::is_same_v<T, boost::json::value> ||
                      std::is_same_v<T, boost::json::object> ||
                      std::is_same_v<T, boost::json::array>)
            return detail::json_text(value);
        else
            return detail::json_text(detail::to_json(value));
    }

    [[nodiscard]] T deserialize(std::string_view text) const {
        return detail::from_json<T>(detail::json_value(text));
    }
};

namespace detail {

template <class T>
boost::json::value to_json(const T& value) {
    if constexpr (is_optional<T>) {
        if (!value) return nullptr;
        return to_json(*value);
    } else {
        static_assert(boost::json::has_value_from<T>::value,
                      "json_serializer<T> cannot turn this T into JSON: describe it with "
                      "BOOST_DESCRIBE_STRUCT(T, (), (members...)), or give it a "
                      "tag_invoke(boost::json::value_from_tag, ...)");
        return boost::json::value_from(value);
    }
}

template <class T>
T from_json(boost::json::value&& value) {
    if constexpr (std::is_same_v<T, boost::json::value>) {
        return std::move(value);
    } else if constexpr (std::is_same_v<T, boost::json::object>) {
        if (!value.is_object()) refuse_json_kind(value, "an object");
        return std::move(value.get_object());
    } else if constexpr (std::is_same_v<T, boost::json::array>) {
        if (!value.is_array()) refuse_json_kind(value, "an array");
        return std::move(value.get_array());
    } else if constexpr (is_optional<T>) {
        if (value.is_null()) return std::nullopt;
        return T(std::in_place, from_json<typename T::value_type>(std::move(value)));
    } else {
        static_assert(boost::json::has_value_to<T>::value,
                      "json_serializer<T> cannot make this T from JSON: describe it with "
                      "BOOST_DESCRIBE_STRUCT(T, (), (members...)), or give it a "
                      "tag_invoke(boost::json::value_to_tag<T>, ...)");
        return boost::json::value_to<T>(value);
    }
}

} // namespace detail

} // namespace codynamo
