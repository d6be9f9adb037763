// SPDX-License-Identifier: BSL-1.0
// Table-driven base64: twelve bits a look-up on the way out, one look-up a character on the way in.
// The processor's vectors do the long middle where it has them.
#include "dynamodb/base64.hpp"

#include "dynamodb/base64_avx2.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace codynamo::dynamodb {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto make_pairs() {
    std::array<std::array<char, 2>, 4096> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i)
        pairs[i] = {alphabet[i >> 6], alphabet[i & 63]};
    return pairs;
}
constexpr auto pairs = make_pairs();

/// Set in the table's entry of every character that is not in the alphabet.
constexpr std::uint32_t foreign = 0x80000000;

/// Where the six bits of a group's character go in a word whose lowest byte is the first_values
/// one.
constexpr std::uint32_t place(std::size_t position, std::uint32_t bits) {
    switch (position) {
    case 0:
        return bits << 2;
    case 1:
        return bits >> 4 | (bits & 15) << 12;
    case 2:
        return (bits >> 2) << 8 | (bits & 3) << 22;
    default:
        return bits << 16;
    }
}

constexpr auto make_values(std::size_t position) {
    std::array<std::uint32_t, 256> values{};
    values.fill(foreign);
    for (std::uint32_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = place(position, i);
    return values;
}
constexpr auto first_values = make_values(0);
constexpr auto second_values = make_values(1);
constexpr auto third_values = make_values(2);
constexpr auto fourth_values = make_values(3);

std::uint32_t group(const unsigned char* in) noexcept {
    return first_values[in[0]] | second_values[in[1]] | third_values[in[2]] | fourth_values[in[3]];
}

/// The last four characters, of which one or two may be padding.
bool decode_tail(const unsigned char* in, std::string& out, std::size_t at) {
    const std::size_t padding = in[3] != '=' ? 0 : in[2] != '=' ? 1 : 2;
    unsigned char copy[4] = {in[0], in[1], in[2], in[3]};
    for (std::size_t i = 4 - padding; i < 4; ++i)
        copy[i] = 'A';
    const std::uint32_t bits = group(copy);
    const std::uint32_t left_over = padding == 0 ? 0 : padding == 1 ? 0xff0000U : 0xffff00U;
    if ((bits & foreign) != 0 || (bits & left_over) != 0) return false;
    for (std::size_t i = 0; i < 3 - padding; ++i)
        out[at + i] = static_cast<char>(bits >> (8 * i));
    out.resize(at + 3 - padding);
    return true;
}

void encode(std::string& out, std::string_view bytes, bool vectors) {
    const std::size_t old = out.size();
    out.resize(old + (bytes.size() + 2) / 3 * 4);
    char* to = out.data() + old;
    if (vectors) {
        const std::size_t done = encode_by_avx2(bytes, to);
        bytes.remove_prefix(done);
        to += done / 3 * 4;
    }
    const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t left = bytes.size();
    for (; left >= 3; left -= 3, from += 3, to += 4) {
        const std::uint32_t bits = static_cast<std::uint32_t>(from[0]) << 16 |
                                   static_cast<std::uint32_t>(from[1]) << 8 | from[2];
        std::memcpy(to, pairs[bits >> 12].data(), 2);
        std::memcpy(to + 2, pairs[bits & 4095].data(), 2);
    }
    if (left == 0) return;
    const std::uint32_t bits = static_cast<std::uint32_t>(from[0]) << 16 |
                               (left == 2 ? static_cast<std::uint32_t>(from[1]) << 8 : 0U);
    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[(bits >> 12) & 63];
    to[2] = left == 2 ? alphabet[(bits >> 6) & 63] : '=';
    to[3] = '=';
}

bool decode(std::string_view text, std::string& out, bool vectors) {
    if (text.size() % 4 != 0) return false;
    if (text.empty()) {
        out.clear();
        return true;
    }
    out.resize(text.size() / 4 * 3);
    char* to = out.data();
    if (vectors) {
        const std::size_t done = decode_by_avx2(text, to);
        text.remove_prefix(done);
        to += done / 4 * 3;
    }
    const auto* from = reinterpret_cast<const unsigned char*>(text.data());
    const std::size_t groups = text.size() / 4 - 1;
    std::uint32_t seen = 0;
    for (std::size_t i = 0; i < groups; ++i, from += 4, to += 3) {
        const std::uint32_t bits = group(from);
        seen |= bits;
        // The fourth_values byte belongs to the next group; one store of four beats three of one.
        to[0] = static_cast<char>(bits);
        to[1] = static_cast<char>(bits >> 8);
        to[2] = static_cast<char>(bits >> 16);
        to[3] = static_cast<char>(bits >> 24);
    }
    return (seen & foreign) == 0 &&
           decode_tail(from, out, static_cast<std::size_t>(to - out.data()));
}

} // namespace

void append_base64(std::string& out, std::string_view bytes) {
    encode(out, bytes, has_base64_by_avx2());
}

void append_base64_by_tables(std::string& out, std::string_view bytes) {
    encode(out, bytes, false);
}

bool decode_base64(std::string_view text, std::string& out) {
    return decode(text, out, has_base64_by_avx2());
}

bool decode_base64_by_tables(std::string_view text, std::string& out) {
    return decode(text, out, false);
}

} // namespace codynamo::dynamodb
