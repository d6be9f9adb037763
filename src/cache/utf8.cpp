// SPDX-License-Identifier: BSL-1.0
#include "cache/utf8.hpp"

#include "dynamodb/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace codynamo::detail {

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        std::uint64_t eight = 0;
        while (text.size() >= sizeof eight) {
            std::memcpy(&eight, text.data(), sizeof eight);
            if ((eight & 0x8080808080808080ULL) != 0) break;
            text.remove_prefix(sizeof eight);
        }
        if (text.empty()) break;
        const std::size_t length = dynamodb::utf8_length(text.data(), text.size());
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

} // namespace codynamo::detail
