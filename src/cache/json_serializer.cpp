// SPDX-License-Identifier: BSL-1.0
// Refuses to write what another JSON reader could not give back.
#include "cache/json_limits.hpp"
#include "cache/utf8.hpp"

#include <codynamo/error.hpp>
#include <codynamo/json_serializer.hpp>

#include <boost/json/serialize.hpp>

#include <cmath>

namespace codynamo::detail {

namespace json = boost::json;

namespace {

[[noreturn]] void refuse(const char* what) {
    throw error(errc::serialize_failed, std::string("JSON cannot hold ") + what);
}

void check_text(std::string_view text) {
    if (!is_utf8(text)) refuse("a string that is not valid UTF-8");
}

void check(const json::value& value, std::size_t depth);

void check(const json::object& object, std::size_t depth) {
    if (depth == 0) refuse("more than 512 levels here");
    for (const auto& member : object) {
        check_text({member.key().data(), member.key().size()});
        check(member.value(), depth - 1);
    }
}

void check(const json::array& array, std::size_t depth) {
    if (depth == 0) refuse("more than 512 levels here");
    for (const auto& element : array)
        check(element, depth - 1);
}

void check(const json::value& value, std::size_t depth) {
    switch (value.kind()) {
    case json::kind::double_:
        if (!std::isfinite(value.get_double())) refuse("NaN or an infinity");
        break;
    case json::kind::string:
        check_text({value.get_string().data(), value.get_string().size()});
        break;
    case json::kind::object:
        check(value.get_object(), depth);
        break;
    case json::kind::array:
        check(value.get_array(), depth);
        break;
    default:
        break;
    }
}

} // namespace

std::string json_text(const json::value& value) {
    check(value, max_json_depth);
    return json::serialize(value);
}

std::string json_text(const json::object& value) {
    check(value, max_json_depth);
    return json::serialize(value);
}

std::string json_text(const json::array& value) {
    check(value, max_json_depth);
    return json::serialize(value);
}

} // namespace codynamo::detail
