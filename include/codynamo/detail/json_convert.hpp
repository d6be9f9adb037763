// SPDX-License-Identifier: BSL-1.0
// Values to JSON and back by their own walk: Boost.JSON's differs from release to release, in what
// it takes for a described struct and in what it does with members that are missing.
#pragma once

#include <codynamo/detail/json_place.hpp>
#include <codynamo/detail/json_types.hpp>

#include <concepts>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace codynamo::detail {

template <class T>
boost::json::value to_json(const T& value, const json_place& at);
template <class T>
T from_json(boost::json::value&& value, const json_place& at);

template <class T>
boost::json::value map_to_json(const T& value, const json_place& at) {
    boost::json::object object;
    object.reserve(value.size());
    for (const auto& [key, mapped] : value) {
        const auto name = static_cast<boost::json::string_view>(key);
        const json_place inner = at.member({name.data(), name.size()});
        if (!object.emplace(name, to_json(mapped, inner)).second)
            refuse_json(errc::serialize_failed, inner, "two keys of the map are this text");
    }
    return object;
}

template <class T>
boost::json::value sequence_to_json(const T& value, const json_place& at) {
    using element = json_element<T>;
    boost::json::array array;
    if constexpr (requires { value.size(); }) array.reserve(value.size());
    for (const auto& one : value)
        array.push_back(
            to_json<element>(static_cast<const element&>(one), at.element(array.size())));
    return array;
}

template <class T>
boost::json::value tuple_to_json(const T& value, const json_place& at) {
    boost::json::array array;
    array.reserve(std::tuple_size_v<T>);
    boost::mp11::mp_for_each<boost::mp11::mp_iota_c<std::tuple_size_v<T>>>([&](auto index) {
        using std::get;
        array.push_back(to_json(get<index>(value), at.element(index)));
    });
    return array;
}

template <class T>
boost::json::value members_to_json(const T& value, const json_place& at) {
    boost::json::object object;
    object.reserve(json_member_names<T>.size());
    boost::mp11::mp_for_each<json_members<T>>([&](auto member) {
        using Member = decltype(member);
        object.emplace(Member::name, to_json(value.*Member::pointer, at.member(Member::name)));
    });
    return object;
}

template <class T>
boost::json::value enumerator_to_json(T value, const json_place& at) {
    const char* name = nullptr;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
        if (name == nullptr && enumerator.value == value) name = enumerator.name;
    });
    if (name == nullptr) refuse_enumerator(at, static_cast<long long>(value), typeid(T));
    return boost::json::value(name);
}

template <class T>
boost::json::value optional_to_json(const std::optional<T>& value, const json_place& at) {
    if (!value) return nullptr;
    boost::json::value json = to_json(*value, at);
    if (json.is_null())
        refuse_json(errc::serialize_failed, at,
                    "a std::optional that holds null would come back empty");
    return json;
}

template <class... T>
boost::json::value variant_to_json(const std::variant<T...>& value, const json_place& at) {
    if (value.valueless_by_exception())
        refuse_json(errc::serialize_failed, at, "a std::variant that holds no value");
    return std::visit([&](const auto& held) { return to_json(held, at); }, value);
}

template <class T>
boost::json::value user_to_json(const T& value, const json_place& at) {
    try {
        return boost::json::value_from(value);
    } catch (...) {
        refuse_thrown(errc::serialize_failed, at);
    }
}

template <class T>
boost::json::value to_json(const T& value, const json_place& at) {
    constexpr json_form form = form_of<T>();
    if constexpr (has_json_writer<T>) {
        return user_to_json(value, at);
    } else if constexpr (form == json_form::optional) {
        return optional_to_json(value, at);
    } else if constexpr (form == json_form::variant) {
        return variant_to_json(value, at);
    } else if constexpr (form == json_form::integer) {
        if constexpr (std::is_signed_v<T>)
            return static_cast<std::int64_t>(value);
        else
            return static_cast<std::uint64_t>(value);
    } else if constexpr (form == json_form::floating) {
        return static_cast<double>(value);
    } else if constexpr (form == json_form::null) {
        return nullptr;
    } else if constexpr (form == json_form::text) {
        return boost::json::value(static_cast<boost::json::string_view>(value));
    } else if constexpr (form == json_form::enumeration) {
        return enumerator_to_json(value, at);
    } else if constexpr (form == json_form::boolean || form == json_form::value ||
                         form == json_form::object || form == json_form::array) {
        return boost::json::value(value);
    } else {
        check_depth(at);
        if constexpr (form == json_form::map)
            return map_to_json(value, at);
        else if constexpr (form == json_form::sequence)
            return sequence_to_json(value, at);
        else if constexpr (form == json_form::tuple)
            return tuple_to_json(value, at);
        else
            return members_to_json(value, at);
    }
}

template <class T>
T text_from_json(std::string_view text) {
    if constexpr (std::constructible_from<T, std::string_view>)
        return T(text);
    else
        return T(boost::json::string_view(text.data(), text.size()));
}

template <class T>
T map_from_json(boost::json::object& object, const json_place& at) {
    using key = std::remove_const_t<std::tuple_element_t<0, json_element<T>>>;
    using mapped = std::tuple_element_t<1, json_element<T>>;
    T map{};
    for (auto& member : object) {
        const std::string_view name(member.key().data(), member.key().size());
        const json_place inner = at.member(name);
        if (!map.emplace(text_from_json<key>(name),
                         from_json<mapped>(std::move(member.value()), inner))
                 .second)
            refuse_json(errc::deserialize_failed, inner, "the map has an equal key already");
    }
    return map;
}

template <class T>
T fixed_from_json(boost::json::value& value, const json_place& at) {
    boost::json::array& array = read_array(value, std::tuple_size_v<T>, at);
    T sequence{};
    std::size_t index = 0;
    for (auto& element : sequence) {
        element = from_json<json_element<T>>(std::move(array[index]), at.element(index));
        ++index;
    }
    return sequence;
}

template <class T>
T sequence_from_json(boost::json::array& array, const json_place& at) {
    T sequence{};
    if constexpr (requires { sequence.reserve(array.size()); }) sequence.reserve(array.size());
    std::size_t index = 0;
    for (boost::json::value& stored : array) {
        auto element = from_json<json_element<T>>(std::move(stored), at.element(index++));
        if constexpr (requires { sequence.push_back(std::move(element)); })
            sequence.push_back(std::move(element));
        else
            sequence.insert(sequence.end(), std::move(element));
    }
    if constexpr (requires { sequence.size(); }) {
        if (sequence.size() != array.size())
            refuse_json(errc::deserialize_failed, at,
                        "the stored array has equal elements, and the container cannot");
    }
    return sequence;
}

template <class T>
T tuple_from_json(boost::json::value& value, const json_place& at) {
    boost::json::array& array = read_array(value, std::tuple_size_v<T>, at);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return T(from_json<std::remove_cv_t<std::tuple_element_t<I, T>>>(std::move(array[I]),
                                                                         at.element(I))...);
    }(std::make_index_sequence<std::tuple_size_v<T>>());
}

template <class T, class Member>
bool member_from_json(T& out, boost::json::object& object, const json_place& at) {
    using type = json_member_type<T, Member>;
    const json_place inner = at.member(Member::name);
    if (auto* stored = object.if_contains(Member::name)) {
        out.*Member::pointer = from_json<type>(std::move(*stored), inner);
        return true;
    }
    if constexpr (is_optional<type>) {
        if (!at.strict) {
            out.*Member::pointer = std::nullopt;
            return false;
        }
    }
    refuse_json(errc::deserialize_failed, inner, "missing in the stored object");
}

template <class T>
T members_from_json(boost::json::object& object, const json_place& at) {
    T out{};
    std::size_t found = 0;
    boost::mp11::mp_for_each<json_members<T>>([&](auto member) {
        if (member_from_json<T, decltype(member)>(out, object, at)) ++found;
    });
    if (at.strict && found != object.size()) check_names(object, json_member_names<T>, at);
    return out;
}

template <class T>
T enumerator_from_json(std::string_view name, const json_place& at) {
    T out{};
    bool found = false;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
        if (found || name != enumerator.name) return;
        out = enumerator.value;
        found = true;
    });
    if (!found)
        refuse_json(errc::deserialize_failed, at,
                    "the stored text is the name of no described enumerator");
    return out;
}

/// The value may be an A; only where another alternative takes objects too, its members decide.
template <class A>
bool may_be(const boost::json::value& value, bool look_at_members) {
    constexpr json_kinds bits[] = {json_null,   json_boolean, json_number, json_number,
                                   json_number, json_string,  json_array,  json_object};
    static_assert(static_cast<int>(boost::json::kind::object) == 7);
    if ((kinds_of<A> & bits[static_cast<std::size_t>(value.kind())]) == 0) return false;
    if constexpr (is_member_wise<A>) {
        if (!look_at_members) return true;
        for (std::size_t i = 0; i != json_member_names<A>.size(); ++i) {
            if (json_member_required<A>[i] && !value.get_object().contains(json_member_names<A>[i]))
                return false;
        }
    }
    return true;
}

template <class Variant>
struct variant_reader;
template <class... T>
struct variant_reader<std::variant<T...>> {
    static std::variant<T...> read(boost::json::value&& value, const json_place& at) {
        const int of_kind = (may_be<T>(value, false) + ... + 0);
        const int fitting = (may_be<T>(value, of_kind > 1) + ... + 0);
        if (fitting != 1)
            refuse_json(errc::deserialize_failed, at,
                        fitting == 0 ? "the stored JSON is none of the alternatives"
                                     : "the stored object fits more than one alternative");
        std::optional<std::variant<T...>> out;
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<sizeof...(T)>>([&](auto index) {
            using alternative = boost::mp11::mp_at<boost::mp11::mp_list<T...>, decltype(index)>;
            if (out || !may_be<alternative>(value, of_kind > 1)) return;
            out.emplace(std::in_place_index<index>, from_json<alternative>(std::move(value), at));
        });
        return std::move(*out);
    }
};

template <class T>
T user_from_json(const boost::json::value& value, const json_place& at) {
    try {
        return boost::json::value_to<T>(value);
    } catch (...) {
        refuse_thrown(errc::deserialize_failed, at);
    }
}

template <class T>
T number_from_json(const boost::json::value& value, const json_place& at) {
    using limits = std::numeric_limits<T>;
    if constexpr (std::same_as<T, double>)
        return read_double(value, at);
    else if constexpr (std::same_as<T, float>)
        return read_float(value, at);
    else if constexpr (std::is_signed_v<T>)
        return static_cast<T>(read_signed(value, limits::min(), limits::max(), at));
    else
        return static_cast<T>(read_unsigned(value, limits::max(), at));
}

template <class T>
T from_json(boost::json::value&& value, const json_place& at) {
    constexpr json_form form = form_of<T>();
    if constexpr (has_json_reader<T>) {
        return user_from_json<T>(value, at);
    } else if constexpr (form == json_form::optional) {
        if (value.is_null()) return std::nullopt;
        return T(std::in_place, from_json<typename T::value_type>(std::move(value), at));
    } else if constexpr (form == json_form::variant) {
        return variant_reader<T>::read(std::move(value), at);
    } else if constexpr (form == json_form::value) {
        return std::move(value);
    } else if constexpr (form == json_form::object) {
        return std::move(read_object(value, at));
    } else if constexpr (form == json_form::array) {
        return std::move(read_array(value, at));
    } else if constexpr (form == json_form::boolean) {
        return read_bool(value, at);
    } else if constexpr (form == json_form::integer || form == json_form::floating) {
        return number_from_json<T>(value, at);
    } else if constexpr (form == json_form::null) {
        read_null(value, at);
        return T{};
    } else if constexpr (form == json_form::text) {
        return text_from_json<T>(read_text(value, at));
    } else if constexpr (form == json_form::map) {
        return map_from_json<T>(read_object(value, at), at);
    } else if constexpr (form == json_form::sequence && has_fixed_size<T>) {
        return fixed_from_json<T>(value, at);
    } else if constexpr (form == json_form::sequence) {
        return sequence_from_json<T>(read_array(value, at), at);
    } else if constexpr (form == json_form::tuple) {
        return tuple_from_json<T>(value, at);
    } else if constexpr (form == json_form::enumeration) {
        return enumerator_from_json<T>(read_text(value, at), at);
    } else {
        return members_from_json<T>(read_object(value, at), at);
    }
}

} // namespace codynamo::detail
