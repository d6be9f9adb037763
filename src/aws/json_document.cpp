// SPDX-License-Identifier: BSL-1.0
// Reading members, and writing the whole.
#include "aws/json_document.hpp"

#include "aws/text.hpp"

#include <boost/json/parser.hpp>
#include <boost/json/serializer.hpp>

#include <algorithm>
#include <utility>

namespace json = boost::json;

namespace codynamo::aws::detail {

json_document::json_document(std::string_view text, std::string_view what)
    : what_(what), value_(json::storage_ptr(&memory_)) {
    json::parser parser{json::storage_ptr(&memory_)};
    parser.reset(json::storage_ptr(&memory_));
    boost::system::error_code failed;
    parser.write(text.data(), text.size(), failed);
    if (failed) refuse(" is not JSON");
    value_ = parser.release();
    if (!value_.is_object()) refuse(" is not a JSON object");
}

void json_document::refuse(std::string_view why) const {
    throw error(errc::no_credentials, what_ + std::string(why));
}

std::string json_document::text(const json::object& in, std::string_view name) const {
    const auto* found = in.if_contains(name);
    if (!found || found->is_null()) return {};
    if (!found->is_string()) refuse(": " + std::string(name) + " is not a string");
    const std::string_view value = found->get_string();
    if (std::any_of(value.begin(), value.end(), is_control))
        refuse(": " + std::string(name) + " holds a control character");
    return std::string(value);
}

std::string json_document::required(const json::object& in, std::string_view name) const {
    std::string value = text(in, name);
    if (value.empty()) refuse(": " + std::string(name) + " is missing");
    return value;
}

std::string json_document::words(const json::object& in, std::string_view name) const {
    const auto* found = in.if_contains(name);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

long long json_document::number(const json::object& in, std::string_view name,
                                long long most) const {
    const auto* found = in.if_contains(name);
    if (!found || !found->is_int64() || found->get_int64() < 1 || found->get_int64() > most)
        refuse(": " + std::string(name) + " is no number in its bounds");
    return found->get_int64();
}

secret_string json_document::written() const {
    secret_string text;
    json::serializer writer;
    writer.reset(&value_);
    secret_string block{std::string(1024, ' ')};
    while (!writer.done()) {
        const std::string_view part = writer.read(block.text().data(), block.text().size());
        // Into a longer string of its own: one that grows leaves what it held behind.
        secret_string longer;
        longer.text().reserve(text.text().size() + part.size());
        longer.text().append(text.text()).append(part);
        text = std::move(longer);
    }
    return text;
}

} // namespace codynamo::aws::detail
