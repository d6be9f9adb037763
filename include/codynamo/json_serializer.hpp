// SPDX-License-Identifier: BSL-1.0
// Values as JSON text that Python reads and writes too, with every number exact.
#pragma once

#include <codynamo/detail/json_convert.hpp>
#include <codynamo/detail/json_problem.hpp>
#include <codynamo/export.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

namespace codynamo {

namespace detail {

[[nodiscard]] CODYNAMO_API std::string json_text(const boost::json::value& value);
[[nodiscard]] CODYNAMO_API std::string json_text(const boost::json::object& value);
[[nodiscard]] CODYNAMO_API std::string json_text(const boost::json::array& value);
[[nodiscard]] CODYNAMO_API boost::json::value json_value(std::string_view text);

template <class T>
concept json_document = std::same_as<T, boost::json::value> ||
                        std::same_as<T, boost::json::object> || std::same_as<T, boost::json::array>;

} // namespace detail

/// T comes back from JSON as it was, as far as that can be known from the type:
///
/// - bool, integers of up to 64 bits, float, double, std::string and other owning strings;
/// - boost::json::value, object, array and string;
/// - containers, std::pair, std::tuple and std::array of such types; a map whose keys are text is a
///   JSON object, any other map an array of pairs;
/// - structs and enumerations described with Boost.Describe, described public bases included: all
///   members that are described must be public, and no two may have one name;
/// - std::optional of a type that is never null itself;
/// - std::variant whose alternatives JSON can tell apart: they are of different kinds (null,
///   boolean, number, string, array, object), or described structs each of which has a member that
///   must be there and that the other lacks;
/// - types with tag_invoke overloads for boost::json::value_from_tag and boost::json::value_to_tag,
///   which are trusted (types with one of the two are refused).
///
/// Not among them, at whatever depth: views and pointers, which would outlive what they refer to;
/// C arrays; long double and other wide numbers; described structs that are containers, texts or
/// tuples as well, whose members would be lost.
template <class T>
concept json_representable = detail::json_problem_in<T>::problem == detail::json_problem::none;

/// JSON by Boost.JSON, for every T that is json_representable; another one is refused at compile
/// time with the reason.
///
/// The rule: *what C++ cannot hold exactly is refused, never silently changed.* Every finite double
/// and every 64-bit integer comes back bit for bit, whoever wrote it. Refused with
/// errc::deserialize_failed, naming what and at which byte: integers beyond 64 bits, NaN and
/// Infinity (which Python writes), numbers beyond the range of double (on either side), lone
/// surrogates, invalid UTF-8, nesting deeper than 512, and anything that is not one JSON text. Of
/// equal names in an object the last counts, as in Python.
///
/// Refused with errc::deserialize_failed, naming the member and T: a value of another kind; a
/// number that does not fit (300 as std::uint8_t, 1.5 as int, 1e300 or 1e-300 as float, an integer
/// with more digits than a float or double has; a fraction read as float is rounded to the
/// nearest); a name that is no enumerator; an array of another length than the std::array or
/// std::tuple; elements that a set or map takes for equal; a missing member that is no
/// std::optional.
///
/// Refused with errc::serialize_failed: NaN and infinities, strings that are not UTF-8, nesting
/// deeper than 512, a value of an enumeration that has no described name, a std::optional that
/// holds null, a std::variant that is valueless.
///
/// A program with another version of a described struct can read what this one wrote: a member that
/// is not in the stored object is empty when it is a std::optional, and members that the struct
/// does not have are ignored.
///
/// The text is compact UTF-8 and the same with every release of Boost. Thread-safe.
template <class T>
struct json_serializer {
    static_assert(detail::json_check<detail::json_problem_in<T>>::passed);

    /// Refuses objects that lack a member, even a std::optional, or have one that the struct has
    /// not.
    bool strict = false;

    [[nodiscard]] std::string serialize(const T& value) const {
        if constexpr (detail::json_document<T>)
            return detail::json_text(value);
        else
            return detail::json_text(detail::to_json(value, whole()));
    }

    [[nodiscard]] T deserialize(std::string_view text) const {
        return detail::from_json<T>(detail::json_value(text), whole());
    }

private:
    [[nodiscard]] detail::json_place whole() const noexcept {
        return {.type = &typeid(T), .strict = strict};
    }
};

} // namespace codynamo
