// SPDX-License-Identifier: BSL-1.0
// Slicing-by-8: eight look-ups for eight bytes, in tables made by the compiler.
#include "dynamodb/crc32.hpp"

#include <array>
#include <cstddef>

namespace codynamo::dynamodb {
namespace {

constexpr std::size_t slices = 8;

constexpr auto make_tables() {
    std::array<std::array<std::uint32_t, 256>, slices> result{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
        result[0][i] = crc;
    }
    for (std::size_t slice = 1; slice < slices; ++slice)
        for (std::size_t i = 0; i < 256; ++i) {
            const std::uint32_t before = result[slice - 1][i];
            result[slice][i] = (before >> 8) ^ result[0][before & 255];
        }
    return result;
}
constexpr auto crc_tables = make_tables();

/// Little-endian on every machine; compilers make one load of it.
std::uint32_t load(const unsigned char* at) noexcept {
    return static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
           static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
}

std::uint32_t continue_by_tables(std::uint32_t crc, std::string_view bytes) noexcept {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t left = bytes.size();
    for (; left >= slices; left -= slices, at += slices) {
        const std::uint32_t low = crc ^ load(at);
        const std::uint32_t high = load(at + 4);
        crc = crc_tables[7][low & 255] ^ crc_tables[6][(low >> 8) & 255] ^
              crc_tables[5][(low >> 16) & 255] ^ crc_tables[4][low >> 24] ^
              crc_tables[3][high & 255] ^ crc_tables[2][(high >> 8) & 255] ^
              crc_tables[1][(high >> 16) & 255] ^ crc_tables[0][high >> 24];
    }
    for (; left > 0; --left, ++at)
        crc = (crc >> 8) ^ crc_tables[0][(crc ^ *at) & 255];
    return crc;
}

} // namespace

std::uint32_t crc32(std::string_view bytes) noexcept {
    constexpr std::size_t shortest_to_fold = 64;
    std::uint32_t crc = 0xFFFFFFFF;
    if (bytes.size() >= shortest_to_fold && has_crc32_by_folding()) {
        const std::size_t folded = bytes.size() / 16 * 16;
        crc = crc32_by_folding(crc, bytes.substr(0, folded));
        bytes.remove_prefix(folded);
    }
    return ~continue_by_tables(crc, bytes);
}

std::uint32_t crc32_by_tables(std::string_view bytes) noexcept {
    return ~continue_by_tables(0xFFFFFFFF, bytes);
}

} // namespace codynamo::dynamodb
