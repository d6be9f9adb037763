// SPDX-License-Identifier: BSL-1.0
// How places and values look in error messages.
#include "dynamodb/words.hpp"

#include "dynamodb/utf8.hpp"

#include <codynamo/error.hpp>

namespace codynamo::dynamodb {

std::string path::text() const {
    std::string out = up_ != nullptr ? up_->text() : std::string();
    if (what_ == kind::root) return out;
    if (what_ == kind::index) return out += '[' + std::to_string(index_) + ']';
    if (!out.empty()) out += '.';
    return out += name_.empty() ? "\"\"" : printable(name_);
}

std::string printable(std::string_view text, std::size_t max_bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = utf8_length(text.data() + at, text.size() - at);
        if (at + (length == 0 ? 1 : length) > max_bytes) break;
        const std::size_t taken = length == 0 ? 1 : length;
        if (length == 0 || is_control(text.data() + at, length)) {
            for (const char c : text.substr(at, taken)) {
                const auto byte = static_cast<unsigned char>(c);
                out += "\\x";
                out += digits[byte >> 4];
                out += digits[byte & 15];
            }
        } else {
            out.append(text, at, length);
        }
        at += taken;
    }
    if (at < text.size()) out += "…";
    return out;
}

std::string quote(std::string_view text) {
    return '"' + printable(text) + '"';
}

void reject(const path& where, std::string_view what) {
    reject(where.text(), what);
}

void reject(std::string_view field, std::string_view what) {
    std::string message(field);
    message += ' ';
    message += what;
    throw error(errc::invalid_argument, std::move(message));
}

void reject_count(const path& where, std::size_t count, std::string_view unit,
                  std::string_view bound) {
    std::string what = "has " + std::to_string(count) + ' ';
    what += unit;
    what += ": ";
    what += bound;
    what += " are allowed";
    reject(where, what);
}

void refuse_response(const path& where, std::string_view what) {
    std::string message = where.text();
    message += ' ';
    message += what;
    throw error(errc::bad_response, std::move(message));
}

} // namespace codynamo::dynamodb
