// SPDX-License-Identifier: BSL-1.0
// A JSON object with secrets: kept in memory that is wiped, and never quoted.
#pragma once

#include "aws/secret_memory.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace codynamo::aws::detail {

/// Everything throws errc::no_credentials beginning with `what`.
class json_document {
public:
    json_document(std::string_view text, std::string_view what);
    json_document(const json_document&) = delete;
    json_document& operator=(const json_document&) = delete;

    [[nodiscard]] const boost::json::object& top() const { return value_.get_object(); }
    [[nodiscard]] boost::json::object& top() { return value_.get_object(); }
    /// The member's text; empty when it is absent or null.
    [[nodiscard]] std::string text(const boost::json::object& in, std::string_view name) const;
    [[nodiscard]] std::string required(const boost::json::object& in, std::string_view name) const;
    /// The same for what is quoted and not used: anything goes, and what is no string is empty.
    [[nodiscard]] std::string words(const boost::json::object& in, std::string_view name) const;
    /// A whole number from 1 to `most`.
    [[nodiscard]] long long number(const boost::json::object& in, std::string_view name,
                                   long long most) const;
    /// The object as text.
    [[nodiscard]] secret_string written() const;
    [[noreturn]] void refuse(std::string_view why) const;

private:
    const std::string what_;
    wiping_resource memory_;
    boost::json::value value_;
};

} // namespace codynamo::aws::detail
