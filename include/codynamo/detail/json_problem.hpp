// SPDX-License-Identifier: BSL-1.0
// Why a type is refused by json_serializer, found at compile time wherever in the type it is.
#pragma once

#include <codynamo/detail/json_types.hpp>

namespace codynamo::detail {

enum class json_problem {
    none,
    view,
    c_array,
    number,
    single_overload,
    unsupported,
    described_container,
    not_constructible,
    undescribed_base,
    hidden_members,
    equal_names,
    not_assignable,
    nested_optional,
    variant
};

template <class T>
constexpr bool are_bases_described() {
    if constexpr (boost::describe::has_describe_members<T>::value) {
        using bases = boost::describe::describe_bases<T, boost::describe::mod_any_access>;
        return []<template <class...> class List, class... Base>(List<Base...>) {
            return (are_bases_described<typename Base::type>() && ...);
        }(bases());
    } else {
        return false;
    }
}

template <class T>
constexpr bool has_equal_names() {
    namespace describe = boost::describe;
    using all = describe::describe_members<T, describe::mod_public | describe::mod_inherited |
                                                  describe::mod_hidden>;
    constexpr auto names = names_of(boost::mp11::mp_rename<all, boost::mp11::mp_list>());
    for (std::size_t i = 0; i != names.size(); ++i) {
        for (std::size_t j = 0; j != i; ++j) {
            if (names[i] == names[j]) return true;
        }
    }
    return false;
}

template <class T>
constexpr bool are_members_assignable() {
    return std::is_default_constructible_v<T> &&
           []<template <class...> class List, class... Member>(List<Member...>) {
               return ((std::is_array_v<json_member_type<T, Member>> ||
                        std::is_move_assignable_v<json_member_type<T, Member>>)&&...);
           }(json_members<T>());
}

template <class T>
constexpr json_problem described_problem() {
    namespace describe = boost::describe;
    if constexpr (!are_bases_described<T>())
        return json_problem::undescribed_base;
    else if constexpr (!boost::mp11::mp_empty<describe::describe_members<
                           T, describe::mod_private | describe::mod_protected |
                                  describe::mod_inherited | describe::mod_hidden>>::value)
        return json_problem::hidden_members;
    else if constexpr (has_equal_names<T>())
        return json_problem::equal_names;
    else if constexpr (!are_members_assignable<T>())
        return json_problem::not_assignable;
    else
        return json_problem::none;
}

/// T is written as a container, a text or a tuple although its members are described, which would
/// be lost.
template <class T>
constexpr bool is_described_container() {
    constexpr json_form form = form_of<T>();
    return boost::describe::has_describe_members<T>::value &&
           (form == json_form::text || form == json_form::map || form == json_form::sequence ||
            form == json_form::tuple);
}

/// What is wrong with T apart from its parts.
template <class T>
constexpr json_problem own_problem() {
    constexpr json_form form = form_of<T>();
    if constexpr (std::is_array_v<T>)
        return json_problem::c_array;
    else if constexpr (std::is_arithmetic_v<T> && form == json_form::unsupported)
        return json_problem::number;
    else if constexpr (form == json_form::view)
        return json_problem::view;
    else if constexpr (has_json_writer<T> != has_json_reader<T>)
        return json_problem::single_overload;
    else if constexpr (form == json_form::unsupported)
        return json_problem::unsupported;
    else if constexpr (is_described_container<T>())
        return json_problem::described_container;
    else if constexpr (form == json_form::described)
        return described_problem<T>();
    else
        return json_problem::none;
}

/// B has a member that has to be there and that A does not have.
template <class A, class B>
constexpr bool lacks_a_member_of() {
    for (std::size_t i = 0; i != json_member_names<B>.size(); ++i) {
        bool shared = false;
        for (const std::string_view name : json_member_names<A>)
            shared = shared || name == json_member_names<B>[i];
        if (json_member_required<B>[i] && !shared) return true;
    }
    return false;
}

/// Whether no JSON text is that of an A and of a B.
template <class A, class B>
constexpr bool are_distinct() {
    if constexpr ((kinds_of<A> & kinds_of<B>) == 0)
        return true;
    else if constexpr (is_member_wise<A> && is_member_wise<B>)
        return lacks_a_member_of<A, B>() && lacks_a_member_of<B, A>();
    else
        return false;
}

template <class First, class... Rest>
constexpr bool are_all_distinct() {
    if constexpr (sizeof...(Rest) == 0)
        return true;
    else
        return (are_distinct<First, Rest>() && ...) && are_all_distinct<Rest...>();
}

/// Whether JSON cannot tell the values of T apart.
template <class T>
inline constexpr json_problem ambiguity = json_problem::none;
/// Of a json::value and of a type with tag_invoke overloads it is seen when they are written.
template <class T>
inline constexpr json_problem ambiguity<std::optional<T>> =
    (kinds_of<T> & json_null) != 0 && kinds_of<T> != json_any ? json_problem::nested_optional
                                                              : json_problem::none;
template <class... T>
inline constexpr json_problem ambiguity<std::variant<T...>> =
    are_all_distinct<T...>() ? json_problem::none : json_problem::variant;

/// What is wrong with T though its parts are well; not to be asked where one is not.
template <class T>
constexpr json_problem composition_problem() {
    if constexpr (!is_constructible_from_json<T>())
        return json_problem::not_constructible;
    else
        return ambiguity<T>;
}

/// The types that a T is made of.
template <class T>
struct json_parts {
    template <class... Member>
    static boost::mp11::mp_list<json_member_type<T, Member>...>
        of_members(boost::mp11::mp_list<Member...>);

    static auto find() {
        using boost::mp11::mp_list;
        constexpr json_form form = form_of<T>();
        if constexpr (form == json_form::map)
            return mp_list<std::remove_const_t<std::tuple_element_t<0, json_element<T>>>,
                           std::tuple_element_t<1, json_element<T>>>();
        else if constexpr (form == json_form::sequence)
            return mp_list<json_element<T>>();
        else if constexpr (form == json_form::tuple)
            return []<std::size_t... I>(std::index_sequence<I...>) {
                return mp_list<std::remove_cv_t<std::tuple_element_t<I, T>>...>();
            }(std::make_index_sequence<std::tuple_size_v<T>>());
        else if constexpr (form == json_form::described)
            return decltype(of_members(boost::mp11::mp_rename<json_members<T>, mp_list>()))();
        else
            return mp_list<>();
    }
    using type = decltype(find());
};
template <class T>
struct json_parts<std::optional<T>> {
    using type = boost::mp11::mp_list<T>;
};
template <class... T>
struct json_parts<std::variant<T...>> {
    using type = boost::mp11::mp_list<T...>;
};

/// The problem and the type that has it.
template <json_problem Problem, class T>
struct json_finding {
    static constexpr json_problem problem = Problem;
    using culprit = T;
};
template <class Found>
using is_finding = std::bool_constant<Found::problem != json_problem::none>;

template <class T, class Seen>
struct find_problem;

template <class Seen>
struct find_problem_with {
    template <class T>
    using in = typename find_problem<T, Seen>::type;
};

/// The first problem of T or of what it is made of; what was Seen is being looked at already.
template <class T, class Seen = boost::mp11::mp_list<>>
struct find_problem {
    static auto find() {
        using none = json_finding<json_problem::none, T>;
        if constexpr (boost::mp11::mp_contains<Seen, T>::value ||
                      (has_json_writer<T> && has_json_reader<T>)) {
            return none();
        } else if constexpr (constexpr json_problem own = own_problem<T>();
                             own != json_problem::none) {
            return json_finding<own, T>();
        } else {
            using deeper = find_problem_with<boost::mp11::mp_push_back<Seen, T>>;
            using faulty = boost::mp11::mp_copy_if<
                boost::mp11::mp_transform<deeper::template in, typename json_parts<T>::type>,
                is_finding>;
            if constexpr (boost::mp11::mp_empty<faulty>::value)
                return json_finding<composition_problem<T>(), T>();
            else
                return boost::mp11::mp_front<faulty>();
        }
    }
    using type = decltype(find());
};

/// Refuses a type with a problem in words; the compiler names the type, and what it is part of.
template <class Finding>
struct json_check;
template <json_problem Problem, class T>
struct json_check<json_finding<Problem, T>> {
    static_assert(Problem != json_problem::view,
                  "json_serializer cannot hold a view or a pointer: the bytes it is read from are "
                  "gone when a get returns; hold a std::string or a container instead");
    static_assert(Problem != json_problem::c_array,
                  "json_serializer cannot hold a C array; hold a std::array or a std::string "
                  "instead");
    static_assert(Problem != json_problem::number,
                  "json_serializer cannot hold a number that is wider than 64 bits: a JSON number "
                  "is a double or a 64-bit integer here");
    static_assert(Problem != json_problem::single_overload,
                  "json_serializer: this type has a tag_invoke overload for only one of "
                  "boost::json::value_from_tag and boost::json::value_to_tag<T> (a base's counts "
                  "for the first), so it would not come back as it was; add the other one");
    static_assert(Problem != json_problem::unsupported,
                  "json_serializer does not know this type: describe it with "
                  "BOOST_DESCRIBE_STRUCT(T, (bases...), (members...)) or BOOST_DESCRIBE_ENUM, or "
                  "give it tag_invoke overloads for boost::json::value_from_tag and "
                  "boost::json::value_to_tag<T>");
    static_assert(Problem != json_problem::described_container,
                  "json_serializer: this struct is described, but it is also a container, a text "
                  "or a tuple, and its described members would be lost; make the container a "
                  "member instead of a base, or give the struct tag_invoke overloads for "
                  "boost::json::value_from_tag and boost::json::value_to_tag<T>");
    static_assert(Problem != json_problem::not_constructible,
                  "json_serializer cannot build this type from what it reads: a container needs a "
                  "default constructor and push_back, insert, emplace (of a map) or a fixed size "
                  "with elements that are assigned, a text a constructor that takes a "
                  "std::string_view, a tuple one that takes its elements; hold another type (as "
                  "std::vector), or give this one tag_invoke overloads");
    static_assert(Problem != json_problem::undescribed_base,
                  "json_serializer: this struct is described, but one of its bases is not; "
                  "describe the base with BOOST_DESCRIBE_STRUCT too");
    static_assert(Problem != json_problem::hidden_members,
                  "json_serializer writes public members only, and this struct has private or "
                  "protected ones that are described; do not describe them, or give the struct "
                  "tag_invoke overloads");
    static_assert(Problem != json_problem::equal_names,
                  "json_serializer: two members of this struct and its bases have the same name, "
                  "and a JSON object can hold only one of them; rename one");
    static_assert(Problem != json_problem::not_assignable,
                  "json_serializer reads into a default constructed struct member by member: it "
                  "needs a default constructor and members that can be assigned, none of them "
                  "const");
    static_assert(Problem != json_problem::nested_optional,
                  "json_serializer: this std::optional holds a type that may be null itself, and "
                  "JSON has only one null for both; use one std::optional, a struct with a member, "
                  "or a serializer policy of your own");
    static_assert(Problem != json_problem::variant,
                  "json_serializer: JSON cannot tell the alternatives of this std::variant apart "
                  "(two numbers, two texts, two arrays, two objects neither of which has to have a "
                  "member that the other lacks, or types with tag_invoke overloads); put the "
                  "std::variant into a struct with tag_invoke overloads that say which alternative "
                  "it is, or use a serializer policy of your own that does");
    static constexpr bool passed = true; // or none of it compiles
};

template <class T>
using json_problem_in = typename find_problem<T>::type;

} // namespace codynamo::detail
