// SPDX-License-Identifier: BSL-1.0
// Parsing with bounds, and the words for values of the wrong type.
#include "dynamodb/json_reader.hpp"

#include <codynamo/error.hpp>

#include <boost/json/parser.hpp>

#include <cmath>
#include <utility>

namespace codynamo::dynamodb {
namespace json = boost::json;
namespace {

std::string_view kind_name(const json::value& v) {
    switch (v.kind()) {
    case json::kind::null:
        return "null";
    case json::kind::bool_:
        return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
        return "a number";
    case json::kind::string:
        return "a string";
    case json::kind::array:
        return "an array";
    case json::kind::object:
        break;
    }
    return "an object";
}

[[noreturn]] void refuse_kind(const json::value& v, const path& where, std::string_view wanted) {
    std::string what = "is ";
    what += kind_name(v);
    what += " where ";
    what += wanted;
    what += " is expected";
    refuse_response(where, what);
}

constexpr std::string_view gzip_magic = "\x1F\x8B";

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

} // namespace

json::value parse_json(std::string_view body, json::storage_ptr memory,
                       boost::system::error_code& code) {
    std::array<unsigned char, 2048> scratch;
    json::parse_options options;
    options.max_depth = most_json_levels;
    json::parser parser(json::storage_ptr(), options, scratch.data(), scratch.size());
    parser.reset(std::move(memory));
    parser.write(body.data(), body.size(), code);
    return code.failed() ? json::value() : parser.release();
}

response_document::response_document(std::string_view body)
    : memory_(buffer_.data(), buffer_.size()), root_(&memory_) {
    boost::system::error_code code;
    if (is_blank(body)) refuse_response(path("response"), "has an empty body");
    root_ = parse_json(body, &memory_, code);
    if (code.failed() && body.starts_with(gzip_magic))
        throw error(errc::bad_response, "response of " + std::to_string(body.size()) +
                                            " bytes is gzip, which was not asked for");
    if (code.failed())
        throw error(errc::bad_response, "response of " + std::to_string(body.size()) +
                                            " bytes is not JSON: " + code.message());
    if (!root_.is_object()) refuse_kind(root_, path("response"), "an object");
    // What means nothing to an operation is skipped, and a write would have succeeded.
    if (root_.get_object().contains("__type"))
        refuse_response(path("response"), "is an error document with a status of success");
}

const json::object& as_object(const json::value& v, const path& where) {
    if (!v.is_object()) refuse_kind(v, where, "an object");
    return v.get_object();
}

const json::array& as_array(const json::value& v, const path& where) {
    if (!v.is_array()) refuse_kind(v, where, "an array");
    return v.get_array();
}

std::string_view as_text(const json::value& v, const path& where) {
    if (!v.is_string()) refuse_kind(v, where, "a string");
    return v.get_string();
}

bool as_boolean(const json::value& v, const path& where) {
    if (!v.is_bool()) refuse_kind(v, where, "a boolean");
    return v.get_bool();
}

double as_double(const json::value& v, const path& where) {
    if (!v.is_number()) refuse_kind(v, where, "a number");
    if (v.is_double()) return v.get_double();
    return v.is_int64() ? static_cast<double>(v.get_int64()) : static_cast<double>(v.get_uint64());
}

std::int64_t as_integer(const json::value& v, const path& where) {
    if (v.is_int64()) return v.get_int64();
    const double value = as_double(v, where);
    if (!(std::abs(value) < 0x1p63) || value != std::trunc(value))
        refuse_response(where, "is not a 64-bit integer");
    return static_cast<std::int64_t>(value);
}

const json::value& members::require(std::string_view name) const {
    const json::value* const found = object_.if_contains(name);
    if (found == nullptr || found->is_null()) refuse_response(path(where_, name), "is missing");
    return *found;
}

void members::tell_integer(std::string_view name, std::int64_t& out) const {
    const json::value* const found = object_.if_contains(name);
    if (found == nullptr) return;
    double value = 0;
    if (found->is_int64()) out = found->get_int64();
    if (found->is_double()) value = found->get_double();
    if (found->is_double() && std::abs(value) < 0x1p63 && value == std::trunc(value))
        out = static_cast<std::int64_t>(value);
}

void members::count(std::string_view name, std::uint64_t& out) const {
    with(name, [&](const json::value& v, const path& at) {
        const std::int64_t value = as_integer(v, at);
        if (value < 0) refuse_response(at, "is negative");
        out = static_cast<std::uint64_t>(value);
    });
}

} // namespace codynamo::dynamodb
