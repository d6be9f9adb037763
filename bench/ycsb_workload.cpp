// SPDX-License-Identifier: BSL-1.0
#include "ycsb_workload.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace bench {
namespace {

/// Mixes a word into noise; splitmix64's end.
std::uint64_t noise(std::uint64_t word) noexcept {
    word = (word ^ (word >> 30U)) * 0xBF58476D1CE4E5B9U;
    word = (word ^ (word >> 27U)) * 0x94D049BB133111EBU;
    return word ^ (word >> 31U);
}

/// Calls use(word, at, count) for each eight bytes of noise that belong after `first_line`.
template <class Use>
bool each_word(std::string_view first_line, std::size_t size, Use use) {
    std::uint64_t seed = 0xCBF29CE484222325U;
    for (const char c : first_line)
        seed = (seed ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    for (std::size_t at = first_line.size(); at < size; at += sizeof seed) {
        seed += 0x9E3779B97F4A7C15U;
        if (!use(noise(seed), at, std::min(sizeof seed, size - at))) return false;
    }
    return true;
}

} // namespace

std::string_view name_of(ycsb_operation what) noexcept {
    switch (what) {
    case ycsb_operation::read:
        return "read";
    case ycsb_operation::update:
        return "update";
    case ycsb_operation::insert:
        return "insert";
    case ycsb_operation::read_modify_write:
        break;
    }
    return "read_modify_write";
}

std::optional<ycsb_workload> ycsb_workload::named(std::string_view letter) noexcept {
    if (letter == "a") return ycsb_workload{.update = 0.5};
    if (letter == "b") return ycsb_workload{.update = 0.05};
    if (letter == "c") return ycsb_workload{};
    if (letter == "d") return ycsb_workload{.insert = 0.05, .keys = key_distribution::latest};
    if (letter == "f") return ycsb_workload{.read_modify_write = 0.5};
    return std::nullopt;
}

ycsb_operation ycsb_workload::at(double uniform) const noexcept {
    if (uniform < update) return ycsb_operation::update;
    if (uniform < update + insert) return ycsb_operation::insert;
    if (uniform < update + insert + read_modify_write) return ycsb_operation::read_modify_write;
    return ycsb_operation::read;
}

std::string ycsb_key(std::uint64_t record) {
    return "user" + std::to_string(fnv64(record));
}

std::string ycsb_value(std::string_view key, std::uint64_t version, std::size_t size) {
    std::string value(key);
    value += ' ';
    value += std::to_string(version);
    value += '\n';
    const std::string first_line = value;
    value.resize(size);
    each_word(first_line, size, [&](std::uint64_t word, std::size_t at, std::size_t count) {
        std::memcpy(value.data() + at, &word, count);
        return true;
    });
    return value;
}

std::optional<std::uint64_t> ycsb_version(std::string_view value, std::string_view key,
                                          std::size_t size) {
    if (value.size() != size || !value.starts_with(key)) return std::nullopt;
    const auto line_end = value.find('\n');
    if (line_end == value.npos || line_end <= key.size() + 1 || value[key.size()] != ' ')
        return std::nullopt;
    std::uint64_t version = 0;
    const char* const last = value.data() + line_end;
    const auto [end, fault] = std::from_chars(value.data() + key.size() + 1, last, version);
    if (fault != std::errc() || end != last) return std::nullopt;
    const auto same = [&](std::uint64_t word, std::size_t at, std::size_t count) {
        return std::memcmp(value.data() + at, &word, count) == 0;
    };
    if (!each_word(value.substr(0, line_end + 1), size, same)) return std::nullopt;
    return version;
}

} // namespace bench
