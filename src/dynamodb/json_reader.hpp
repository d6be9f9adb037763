// SPDX-License-Identifier: BSL-1.0
// Reads responses: a bounded DOM, and typed looks at its members that name what is wrong.
#pragma once

#include "dynamodb/words.hpp"

#include <codynamo/dynamodb/attribute_value.hpp>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::dynamodb {

/// Each of the 32 levels of an attribute value costs two of JSON, the envelope of a batch six and a
/// set at the bottom two more; the rest is to spare.
inline constexpr std::size_t most_json_levels = 96;

/// Parses `body` with room for the service's 32 levels of attribute values and no more.
[[nodiscard]] boost::json::value parse_json(std::string_view body, boost::json::storage_ptr memory,
                                            boost::system::error_code& code);

/// A parsed response body. Small ones need no heap.
class response_document {
public:
    /// Throws errc::bad_response for what is not a JSON object: the service's emptiest answer is
    /// `{}`.
    explicit response_document(std::string_view body);
    response_document(const response_document&) = delete;
    response_document& operator=(const response_document&) = delete;

    [[nodiscard]] const boost::json::object& root() const noexcept { return root_.get_object(); }

private:
    std::array<unsigned char, 8192> buffer_;
    boost::json::monotonic_resource memory_;
    boost::json::value root_;
};

/// Throw errc::bad_response naming `where` when the value is of another type.
[[nodiscard]] const boost::json::object& as_object(const boost::json::value& v, const path& where);
[[nodiscard]] const boost::json::array& as_array(const boost::json::value& v, const path& where);
[[nodiscard]] std::string_view as_text(const boost::json::value& v, const path& where);
[[nodiscard]] bool as_boolean(const boost::json::value& v, const path& where);
[[nodiscard]] double as_double(const boost::json::value& v, const path& where);
/// Accepts integral doubles too.
[[nodiscard]] std::int64_t as_integer(const boost::json::value& v, const path& where);

/// An attribute map of the wire.
void read_item(const boost::json::value& v, const path& where, item& out);

/// The members of an object; missing and null ones leave what they would set as it is. Those read
/// by tell_… are for information: what is of another type counts as missing, because an answer
/// is valid without it.
class members {
public:
    members(const boost::json::value& v, const path& where)
        : object_(as_object(v, where)), where_(where) {}
    members(const boost::json::object& object, const path& where)
        : object_(object), where_(where) {}

    /// Calls read(value, path) when the member is there and not null.
    template <class Read>
    void with(std::string_view name, Read read) const {
        const boost::json::value* found = object_.if_contains(name);
        if (found != nullptr && !found->is_null()) read(*found, path(where_, name));
    }
    void text(std::string_view name, std::string& out) const {
        with(name, [&](const auto& v, const path& at) { out = as_text(v, at); });
    }
    void boolean(std::string_view name, bool& out) const {
        with(name, [&](const auto& v, const path& at) { out = as_boolean(v, at); });
    }
    void count(std::string_view name, std::uint64_t& out) const;
    /// Throws errc::bad_response for a missing or null one.
    [[nodiscard]] const boost::json::value& require(std::string_view name) const;

    void tell_text(std::string_view name, std::string& out) const {
        const boost::json::value* const found = object_.if_contains(name);
        if (found != nullptr && found->is_string()) out = std::string_view(found->get_string());
    }
    void tell_real(std::string_view name, double& out) const {
        const boost::json::value* const found = object_.if_contains(name);
        if (found != nullptr && found->is_number()) out = found->to_number<double>();
    }
    /// Integral doubles too.
    void tell_integer(std::string_view name, std::int64_t& out) const;
    void tell_boolean(std::string_view name, bool& out) const {
        const boost::json::value* const found = object_.if_contains(name);
        if (found != nullptr && found->is_bool()) out = found->get_bool();
    }
    /// Calls read(members) when the member is an object.
    template <class Read>
    void tell_object(std::string_view name, Read read) const {
        const boost::json::value* const found = object_.if_contains(name);
        if (found != nullptr && found->is_object())
            read(members(found->get_object(), path(where_, name)));
    }
    void attributes(std::string_view name, item& out) const {
        with(name, [&](const auto& v, const path& at) { read_item(v, at, out); });
    }
    /// Calls read(value, path) for each element of an array.
    template <class Read>
    void each(std::string_view name, Read read) const {
        with(name, [&](const boost::json::value& v, const path& at) {
            std::size_t index = 0;
            for (const boost::json::value& element : as_array(v, at))
                read(element, path(at, index++));
        });
    }
    /// Calls read(name, value, path) for each member of an object that is not null.
    template <class Read>
    void each_member(std::string_view name, Read read) const {
        with(name, [&](const boost::json::value& v, const path& at) {
            for (const auto& [key, value] : as_object(v, at))
                if (!value.is_null()) read(std::string_view(key), value, path(at, key));
        });
    }
    void items(std::string_view name, std::vector<item>& out) const {
        each(name, [&](const auto& v, const path& at) { read_item(v, at, out.emplace_back()); });
    }

private:
    const boost::json::object& object_;
    const path& where_;
};

} // namespace codynamo::dynamodb
