// SPDX-License-Identifier: BSL-1.0
// All bytes of a value follow from run, key, version and size, so that any other byte is noticed.
#include "soak_value.hpp"

#include <boost/crc.hpp>

#include <charconv>

namespace bench {

namespace db = codynamo::dynamodb;

namespace {

constexpr std::string_view magic = "codynamo-soak";
constexpr std::size_t checksum_size = 8;

std::string hex(std::uint32_t value) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(checksum_size, '0');
    for (auto at = text.rbegin(); at != text.rend(); ++at, value >>= 4U)
        *at = digits[value & 15U];
    return text;
}

/// splitmix64: every bit pattern occurs, and none of it compresses.
void append_filler(std::string& out, std::size_t until) {
    std::uint64_t state = crc32_of(out);
    while (out.size() < until) {
        state += 0x9E3779B97F4A7C15U;
        std::uint64_t word = state;
        word = (word ^ (word >> 30U)) * 0xBF58476D1CE4E5B9U;
        word = (word ^ (word >> 27U)) * 0x94D049BB133111EBU;
        for (word ^= word >> 31U; word != 0 && out.size() < until; word >>= 8U) {
            out += static_cast<char>(word & 0xFFU);
        }
    }
}

/// Takes the next word off the front; empty when there is none.
std::string_view take_word(std::string_view& line) {
    const auto end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    return word;
}

template <class Number>
bool parse(std::string_view text, Number& out) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failed == std::errc() && end == text.data() + text.size();
}

} // namespace

std::uint32_t crc32_of(std::string_view bytes) noexcept {
    boost::crc_32_type sum;
    sum.process_bytes(bytes.data(), bytes.size());
    return sum.checksum();
}

std::string soak_key(std::string_view prefix, std::string_view run, std::uint32_t key) {
    return std::string(prefix).append(run).append("/").append(std::to_string(key));
}

std::string soak_value(const soak_identity& who, std::size_t size) {
    std::string out(magic);
    out.append(" ").append(who.run);
    for (const std::uint64_t number : {std::uint64_t{who.key}, who.version, std::uint64_t{size}}) {
        out.append(" ").append(std::to_string(number));
    }
    out += '\n';
    append_filler(out, size - checksum_size);
    return out.append(hex(crc32_of(out)));
}

std::optional<soak_identity> read_soak_value(std::string_view bytes) {
    const auto end = bytes.find('\n');
    if (end == std::string_view::npos || bytes.size() < min_soak_value) return std::nullopt;
    std::string_view line = bytes.substr(0, end);
    if (take_word(line) != magic) return std::nullopt;
    soak_identity who;
    std::size_t size = 0;
    who.run = take_word(line);
    if (!parse(take_word(line), who.key) || !parse(take_word(line), who.version) ||
        !parse(take_word(line), size) || !line.empty() || size != bytes.size()) {
        return std::nullopt;
    }
    const std::string_view checked = bytes.substr(0, size - checksum_size);
    if (hex(crc32_of(checked)) != bytes.substr(checked.size())) return std::nullopt;
    if (soak_value(who, size) != bytes) return std::nullopt;
    return who;
}

db::item soak_item(std::string_view prefix, const soak_identity& who, std::size_t size) {
    db::item made;
    made.emplace("key", soak_key(prefix, who.run, who.key));
    made.emplace("version", who.version);
    made.emplace("value", db::binary{soak_value(who, size)});
    return made;
}

std::optional<std::uint64_t> soak_version(const db::item& found, std::string_view prefix,
                                          const soak_identity& who) {
    const auto key = found.find("key");
    const auto version = found.find("version");
    const auto value = found.find("value");
    if (found.size() != 3 || key == found.end() || version == found.end() || value == found.end()) {
        return std::nullopt;
    }
    const auto* bytes = value->second.get_if<db::binary>();
    const auto read = bytes ? read_soak_value(bytes->bytes) : std::nullopt;
    if (!read || read->run != who.run || read->key != who.key) return std::nullopt;
    if (key->second != db::attribute_value(soak_key(prefix, who.run, who.key)) ||
        version->second != db::attribute_value(read->version)) {
        return std::nullopt;
    }
    return read->version;
}

} // namespace bench
