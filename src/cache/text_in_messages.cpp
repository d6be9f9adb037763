// SPDX-License-Identifier: BSL-1.0
#include "cache/text_in_messages.hpp"

#include "cache/utf8.hpp"

#include <algorithm>

namespace codynamo::detail {

namespace {

constexpr std::size_t most = 80;

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

} // namespace

std::string shown(std::string_view text) {
    std::size_t length = std::min(text.size(), most);
    while (length < text.size() && length > 0 && is_continuation(text[length]))
        --length;
    std::string out(text.substr(0, length));
    const bool ascii_only = !is_utf8(out);
    std::ranges::replace_if(
        out,
        [ascii_only](char byte) {
            const auto code = static_cast<unsigned char>(byte);
            return code < 0x20 || code == 0x7F || (ascii_only && code > 0x7F);
        },
        '?');
    if (length < text.size()) out += "...";
    return out;
}

} // namespace codynamo::detail
