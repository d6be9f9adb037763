// SPDX-License-Identifier: BSL-1.0
// Reads JSON values as what C++ can hold exactly, and words what it refuses.
#include "cache/failures.hpp"
#include "cache/json_limits.hpp"
#include "cache/text_in_messages.hpp"

#include <codynamo/detail/json_place.hpp>

#include <boost/core/demangle.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <string>

namespace codynamo::detail {

namespace json = boost::json;

namespace {

constexpr double two_to_63 = 9223372036854775808.0;
constexpr double two_to_64 = 18446744073709551616.0;
/// Numbers below this are nearer to the largest float than to what would come after it.
constexpr double float_limit = 0x1.ffffffp127;

void append_path(std::string& path, const json_place& at) {
    if (at.outer == nullptr) return;
    append_path(path, *at.outer);
    if (at.name.empty()) {
        path += '[' + std::to_string(at.index) + ']';
    } else {
        if (!path.empty()) path += '.';
        path += shown(at.name);
    }
}

[[noreturn]] void refuse(const json_place& at, std::string_view problem) {
    refuse_json(errc::deserialize_failed, at, problem);
}

[[noreturn]] void refuse_kind(const json_place& at, const json::value& found,
                              std::string_view wanted) {
    const auto kind = json::to_string(found.kind());
    refuse(at, std::string(wanted) + " is expected, but the stored JSON is of kind " +
                   std::string(kind.data(), kind.size()));
}

[[noreturn]] void refuse_range(const json_place& at, const std::string& min,
                               const std::string& max) {
    refuse(at, "an integer from " + min + " to " + max +
                   " is expected, but the stored number is another one");
}

/// The value as an integer of that type; false when it is a number that the type cannot hold.
template <class Integer>
bool to_integer(const json::value& value, Integer& out) {
    const auto in_range = [&](auto number) {
        out = static_cast<Integer>(number);
        return std::in_range<Integer>(number);
    };
    if (const auto* number = value.if_int64()) return in_range(*number);
    if (const auto* number = value.if_uint64()) return in_range(*number);
    const double number = value.get_double();
    if (std::trunc(number) != number) return false;
    if (number >= -two_to_63 && number < two_to_63)
        return in_range(static_cast<std::int64_t>(number));
    if (number >= two_to_63 && number < two_to_64)
        return in_range(static_cast<std::uint64_t>(number));
    return false;
}

template <class Integer>
bool is_exact_double(Integer number) {
    const auto wide = static_cast<double>(number);
    const double limit = std::is_signed_v<Integer> ? two_to_63 : two_to_64;
    return wide < limit && static_cast<Integer>(wide) == number;
}

} // namespace

void refuse_json(errc code, const json_place& at, std::string_view problem) {
    std::string path;
    append_path(path, at);
    std::string words = boost::core::demangle(at.type->name());
    if (!path.empty()) words += ": member '" + path + "'";
    throw error(code, words.append(": ").append(problem));
}

void refuse_thrown(errc code, const json_place& at) {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        refuse_json(code, at, words_of_current_exception());
    }
}

void refuse_enumerator(const json_place& at, long long value, const std::type_info& type) {
    refuse_json(errc::serialize_failed, at,
                std::to_string(value) + " is the value of no described enumerator of " +
                    boost::core::demangle(type.name()));
}

void check_depth(const json_place& at) {
    if (at.depth >= max_json_depth)
        throw error(errc::serialize_failed, "JSON cannot hold more than " +
                                                std::to_string(max_json_depth) + " levels here");
}

std::int64_t read_signed(const json::value& value, std::int64_t min, std::int64_t max,
                         const json_place& at) {
    if (!value.is_number()) refuse_kind(at, value, "an integer");
    std::int64_t number = 0;
    if (!to_integer(value, number) || number < min || number > max)
        refuse_range(at, std::to_string(min), std::to_string(max));
    return number;
}

std::uint64_t read_unsigned(const json::value& value, std::uint64_t max, const json_place& at) {
    if (!value.is_number()) refuse_kind(at, value, "an integer");
    std::uint64_t number = 0;
    if (!to_integer(value, number) || number > max) refuse_range(at, "0", std::to_string(max));
    return number;
}

double read_double(const json::value& value, const json_place& at) {
    if (!value.is_number()) refuse_kind(at, value, "a number");
    if (const auto* number = value.if_double()) return *number;
    const bool exact =
        value.is_int64() ? is_exact_double(value.get_int64()) : is_exact_double(value.get_uint64());
    if (!exact) refuse(at, "the stored integer has more digits than a double can hold");
    return value.is_int64() ? static_cast<double>(value.get_int64())
                            : static_cast<double>(value.get_uint64());
}

float read_float(const json::value& value, const json_place& at) {
    const double number = read_double(value, at);
    if (std::abs(number) >= float_limit)
        refuse(at, "the stored number is beyond the range of float");
    constexpr auto max = static_cast<double>(std::numeric_limits<float>::max());
    const auto narrow = static_cast<float>(std::clamp(number, -max, max));
    if (narrow == 0 && number != 0) refuse(at, "the stored number is too small for a float");
    if (!value.is_double() && static_cast<double>(narrow) != number)
        refuse(at, "the stored integer has more digits than a float can hold");
    return narrow;
}

bool read_bool(const json::value& value, const json_place& at) {
    if (!value.is_bool()) refuse_kind(at, value, "true or false");
    return value.get_bool();
}

void read_null(const json::value& value, const json_place& at) {
    if (!value.is_null()) refuse_kind(at, value, "null");
}

std::string_view read_text(const json::value& value, const json_place& at) {
    if (!value.is_string()) refuse_kind(at, value, "a string");
    const json::string& text = value.get_string();
    return {text.data(), text.size()};
}

json::object& read_object(json::value& value, const json_place& at) {
    if (!value.is_object()) refuse_kind(at, value, "an object");
    return value.get_object();
}

json::array& read_array(json::value& value, const json_place& at) {
    if (!value.is_array()) refuse_kind(at, value, "an array");
    return value.get_array();
}

json::array& read_array(json::value& value, std::size_t size, const json_place& at) {
    json::array& array = read_array(value, at);
    if (array.size() != size)
        refuse(at, "an array of " + std::to_string(size) +
                       " elements is expected, but the stored one has " +
                       std::to_string(array.size()));
    return array;
}

void check_names(const json::object& object, std::span<const std::string_view> names,
                 const json_place& at) {
    for (const auto& member : object) {
        const std::string_view name(member.key().data(), member.key().size());
        if (std::ranges::find(names, name) == names.end())
            refuse(at.member(name), "unknown, and the serializer is strict");
    }
}

} // namespace codynamo::detail
