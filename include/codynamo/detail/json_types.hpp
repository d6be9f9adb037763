// SPDX-License-Identifier: BSL-1.0
// What JSON makes of each C++ type, and which types would not come back from it as they were.
#pragma once

#include <boost/describe/bases.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/conversion.hpp>
#include <boost/json/string_view.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <array>
#include <concepts>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <ranges>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace codynamo::detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
inline constexpr bool is_initializer_list = false;
template <class T>
inline constexpr bool is_initializer_list<std::initializer_list<T>> = true;

/// The user says how T is written. Optionals and variants are always the library's.
template <class T>
concept has_json_writer =
    !is_optional<T> && !is_variant<T> && requires(boost::json::value& out, const T& in) {
        tag_invoke(boost::json::value_from_tag(), out, in);
    };
template <class T>
concept has_throwing_json_reader =
    requires(const boost::json::value& in) { tag_invoke(boost::json::value_to_tag<T>(), in); };
template <class T>
concept has_result_json_reader =
    requires(const boost::json::value& in) { tag_invoke(boost::json::try_value_to_tag<T>(), in); };
/// The user says how T is read.
template <class T>
concept has_json_reader =
    !is_optional<T> && !is_variant<T> && (has_throwing_json_reader<T> || has_result_json_reader<T>);

/// How a type without tag_invoke overloads is written and read.
enum class json_form {
    unsupported,
    view,
    value,
    object,
    array,
    boolean,
    integer,
    floating,
    null,
    text,
    map,
    sequence,
    tuple,
    described,
    enumeration,
    optional,
    variant
};

/// T refers to memory that it does not own. A small trivially copyable type that converts to text
/// is taken for a string_view of another library.
template <class T>
constexpr bool is_view() {
    if constexpr (std::is_array_v<T> || is_optional<T>)
        return false;
    else
        return std::is_reference_v<T> || std::is_pointer_v<T> || std::is_member_pointer_v<T> ||
               std::ranges::enable_view<T> || std::ranges::enable_borrowed_range<T> ||
               is_initializer_list<T> ||
               (boost::json::is_string_like<T>::value && std::is_trivially_copyable_v<T> &&
                sizeof(T) <= 2 * sizeof(void*));
}

template <class T>
using json_element =
    typename std::iterator_traits<decltype(std::begin(std::declval<T&>()))>::value_type;

template <class T>
constexpr json_form range_form() {
    if constexpr (std::same_as<json_element<T>, T>) // as std::filesystem::path
        return json_form::unsupported;
    else if constexpr (boost::json::is_map_like<T>::value)
        return json_form::map;
    else
        return json_form::sequence;
}

/// As a std::array, also one of no elements.
template <class T>
concept has_fixed_size = requires { std::tuple_size<T>::value; };

template <class T>
constexpr json_form class_form() {
    if constexpr (boost::json::is_string_like<T>::value)
        return json_form::text;
    else if constexpr (boost::json::is_sequence_like<T>::value)
        return range_form<T>();
    else if constexpr (boost::json::is_tuple_like<T>::value)
        return json_form::tuple;
    else if constexpr (boost::describe::has_describe_members<T>::value && !std::is_union_v<T>)
        return json_form::described;
    else if constexpr (boost::describe::has_describe_enumerators<T>::value)
        return json_form::enumeration;
    else
        return json_form::unsupported;
}

template <class T>
constexpr json_form form_of() {
    if constexpr (is_optional<T>)
        return json_form::optional;
    else if constexpr (is_variant<T>)
        return json_form::variant;
    else if constexpr (std::same_as<T, boost::json::value>)
        return json_form::value;
    else if constexpr (std::same_as<T, boost::json::object>)
        return json_form::object;
    else if constexpr (std::same_as<T, boost::json::array>)
        return json_form::array;
    else if constexpr (std::same_as<T, bool>)
        return json_form::boolean;
    else if constexpr (std::is_integral_v<T> && sizeof(T) <= sizeof(std::uint64_t))
        return json_form::integer;
    else if constexpr (std::same_as<T, float> || std::same_as<T, double>)
        return json_form::floating;
    else if constexpr (std::is_arithmetic_v<T> || std::is_array_v<T>)
        return json_form::unsupported;
    else if constexpr (boost::json::is_null_like<T>::value)
        return json_form::null;
    else if constexpr (is_view<T>())
        return json_form::view;
    else
        return class_form<T>();
}

/// Kinds of JSON value that a type may become, as bits.
using json_kinds = unsigned;
inline constexpr json_kinds json_null = 1;
inline constexpr json_kinds json_boolean = 2;
inline constexpr json_kinds json_number = 4;
inline constexpr json_kinds json_string = 8;
inline constexpr json_kinds json_array = 16;
inline constexpr json_kinds json_object = 32;
inline constexpr json_kinds json_any = 63;

template <class T>
inline constexpr json_kinds kinds_of = json_any;

template <class T>
    requires(!has_json_writer<T> && !has_json_reader<T>)
inline constexpr json_kinds kinds_of<T> = [] {
    switch (form_of<T>()) {
    case json_form::null:
        return json_null;
    case json_form::boolean:
        return json_boolean;
    case json_form::integer:
    case json_form::floating:
        return json_number;
    case json_form::text:
    case json_form::enumeration:
        return json_string;
    case json_form::array:
    case json_form::sequence:
    case json_form::tuple:
        return json_array;
    case json_form::object:
    case json_form::map:
    case json_form::described:
        return json_object;
    default:
        return json_any;
    }
}();
template <class T>
inline constexpr json_kinds kinds_of<std::optional<T>> = json_null | kinds_of<T>;
template <class... T>
inline constexpr json_kinds kinds_of<std::variant<T...>> = (kinds_of<T> | ...);

/// The members that are written and read: public ones, those of described public bases included.
template <class T>
using json_members = boost::describe::describe_members<T, boost::describe::mod_public |
                                                              boost::describe::mod_inherited>;
template <class T, class Member>
using json_member_type = std::remove_reference_t<decltype(std::declval<T&>().*Member::pointer)>;

template <class... Member>
constexpr auto names_of(boost::mp11::mp_list<Member...>) {
    return std::array<std::string_view, sizeof...(Member)>{Member::name...};
}
/// Their names in the JSON object, in the order of description.
template <class T>
inline constexpr auto json_member_names =
    names_of(boost::mp11::mp_rename<json_members<T>, boost::mp11::mp_list>());

template <class T, class... Member>
constexpr auto required_of(boost::mp11::mp_list<Member...>) {
    return std::array<bool, sizeof...(Member)>{!is_optional<json_member_type<T, Member>>...};
}
/// Which of them have to be there: all that are no std::optional.
template <class T>
inline constexpr auto json_member_required =
    required_of<T>(boost::mp11::mp_rename<json_members<T>, boost::mp11::mp_list>());

/// A described struct without tag_invoke overloads.
template <class T>
inline constexpr bool is_member_wise =
    form_of<T>() == json_form::described && !has_json_writer<T> && !has_json_reader<T>;

template <class T>
concept is_fillable_map =
    requires(T& map, std::remove_const_t<std::tuple_element_t<0, json_element<T>>> key,
             std::tuple_element_t<1, json_element<T>> mapped) {
        { map.emplace(std::move(key), std::move(mapped)).second } -> std::convertible_to<bool>;
    };
template <class T>
concept is_fillable_sequence = requires(T& sequence, json_element<T> element) {
    sequence.push_back(std::move(element));
} || requires(T& sequence, json_element<T> element) {
    sequence.insert(sequence.end(), std::move(element));
};

/// Whether a text, a container or a tuple can be made from what is read.
template <class T>
constexpr bool is_constructible_from_json() {
    constexpr json_form form = form_of<T>();
    if constexpr (form == json_form::text)
        return std::constructible_from<T, std::string_view> ||
               std::constructible_from<T, boost::json::string_view>;
    else if constexpr (form == json_form::map)
        return std::is_default_constructible_v<T> && is_fillable_map<T>;
    else if constexpr (form == json_form::sequence && has_fixed_size<T>)
        return std::is_default_constructible_v<T> && std::is_move_assignable_v<json_element<T>>;
    else if constexpr (form == json_form::sequence)
        return std::is_default_constructible_v<T> && is_fillable_sequence<T>;
    else if constexpr (form == json_form::tuple)
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return std::is_constructible_v<T, std::remove_cv_t<std::tuple_element_t<I, T>>...>;
        }(std::make_index_sequence<std::tuple_size_v<T>>());
    else
        return true;
}

} // namespace codynamo::detail
