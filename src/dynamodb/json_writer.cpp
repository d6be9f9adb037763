// SPDX-License-Identifier: BSL-1.0
// Escaping and UTF-8 validation in one pass; runs that need neither are appended whole.
#include "dynamodb/json_writer.hpp"

#include "dynamodb/utf8.hpp"

#include <charconv>
#include <cstring>

namespace codynamo::dynamodb {
namespace {

/// Whether none of eight bytes is a control character, '"', '\\' or beyond ASCII.
bool all_plain(const char* at) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t highs = 0x8080808080808080;
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const auto has_zero = [](std::uint64_t v) { return (v - ones) & ~v & highs; };
    const std::uint64_t control = (word - ones * 0x20) & ~word & highs;
    const std::uint64_t special = has_zero(word ^ (ones * '"')) | has_zero(word ^ (ones * '\\'));
    return ((word & highs) | control | special) == 0;
}

void append_escape(std::string& out, char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    switch (c) {
    case '"':
        out += "\\\"";
        return;
    case '\\':
        out += "\\\\";
        return;
    case '\b':
        out += "\\b";
        return;
    case '\f':
        out += "\\f";
        return;
    case '\n':
        out += "\\n";
        return;
    case '\r':
        out += "\\r";
        return;
    case '\t':
        out += "\\t";
        return;
    default:
        out += "\\u00";
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
}

} // namespace

std::size_t append_json_characters(std::string& out, std::string_view utf8) {
    const char* const begin = utf8.data();
    const std::size_t size = utf8.size();
    std::size_t run = 0;
    std::size_t at = 0;
    while (at < size) {
        const auto c = static_cast<unsigned char>(begin[at]);
        // Such characters come in runs, which the test of eight bytes would only slow down.
        if (c >= 0x80) {
            const std::size_t length = utf8_length(begin + at, size - at);
            if (length == 0) break;
            at += length;
        } else if (size - at >= 8 && all_plain(begin + at)) {
            at += 8;
        } else if (c >= 0x20 && c != '"' && c != '\\') {
            ++at;
        } else {
            out.append(begin + run, at - run);
            append_escape(out, static_cast<char>(c));
            run = ++at;
        }
    }
    out.append(begin + run, at - run);
    return at;
}

void append_json_string(std::string& out, std::string_view utf8) {
    append_json_string(out, utf8, path("text"));
}

void append_json_string(std::string& out, std::string_view utf8, const path& where) {
    out += '"';
    const std::size_t done = append_json_characters(out, utf8);
    if (done != utf8.size())
        reject(where, quote(utf8) + " is not UTF-8 at byte " + std::to_string(done));
    out += '"';
}

void append_decimal(std::string& out, std::int64_t value) {
    char digits[20];
    const auto written = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, written.ptr);
}

} // namespace codynamo::dynamodb
