// SPDX-License-Identifier: BSL-1.0
// JSON as pure appends to a string. The hot path of every request: no streams, no temporaries.
#pragma once

#include "dynamodb/words.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace codynamo::dynamodb {

/// Appends `utf8` in quotes. Throws errc::invalid_argument when it is not UTF-8; `out` then ends
/// somewhere within the string.
void append_json_string(std::string& out, std::string_view utf8);
/// The same; the message names `where`.
void append_json_string(std::string& out, std::string_view utf8, const path& where);

/// Appends as much of `utf8` as is UTF-8, escaped and without quotes; returns how many bytes that
/// were.
[[nodiscard]] std::size_t append_json_characters(std::string& out, std::string_view utf8);

void append_decimal(std::string& out, std::int64_t value);

/// Writes commas and names of one object. Names are trusted: they need no escaping.
class json_object {
public:
    explicit json_object(std::string& out) : out_(out) { out_ += '{'; }

    /// Begins a member; its value is to be appended to the string that is returned.
    std::string& member(std::string_view name) {
        out_ += first_ ? "\"" : ",\"";
        first_ = false;
        out_ += name;
        out_ += "\":";
        return out_;
    }
    void text(std::string_view name, std::string_view value) {
        append_json_string(member(name), value, path(name));
    }
    /// Leaves the member out when it is empty.
    void text_if(std::string_view name, std::string_view value) {
        if (!value.empty()) text(name, value);
    }
    void boolean(std::string_view name, bool value) { member(name) += value ? "true" : "false"; }
    void decimal(std::string_view name, std::int64_t value) { append_decimal(member(name), value); }
    void close() { out_ += '}'; }

private:
    std::string& out_;
    bool first_ = true;
};

/// Writes the commas of one array.
class json_array {
public:
    explicit json_array(std::string& out) : out_(out) { out_ += '['; }
    /// Begins an element, to be appended to the string that is returned.
    std::string& element() {
        if (!first_) out_ += ',';
        first_ = false;
        return out_;
    }
    void close() { out_ += ']'; }

private:
    std::string& out_;
    bool first_ = true;
};

} // namespace codynamo::dynamodb
