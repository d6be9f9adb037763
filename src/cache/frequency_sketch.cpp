// SPDX-License-Identifier: BSL-1.0
#include "cache/frequency_sketch.hpp"

#include <algorithm>
#include <bit>

namespace codynamo::detail {

namespace {

constexpr std::size_t line_words = 8;
/// 128 KiB, up to which an entry has four words rather than one: collisions cost hits.
constexpr std::size_t cheap_words = 16'384;

std::uint64_t spread(std::uint32_t hash) noexcept {
    std::uint64_t h = (hash + 0x9e3779b97f4a7c15U) * 0xbf58476d1ce4e5b9U;
    h = (h ^ (h >> 32)) * 0x94d049bb133111ebU;
    return h ^ (h >> 29);
}

/// Of each pair of counters the larger one.
std::uint64_t larger_counters(std::uint64_t a, std::uint64_t b) noexcept {
    constexpr std::uint64_t even = 0x0f0f0f0f0f0f0f0fU; // a counter a byte, so that there is room
    constexpr std::uint64_t high = 0x8080808080808080U;
    const auto larger = [](std::uint64_t x, std::uint64_t y) {
        const std::uint64_t not_less = (((x | high) - y) & high) >> 7; // a 1 in each byte of such x
        const std::uint64_t of_x = not_less * 0x0f;
        return (x & of_x) | (y & ~of_x);
    };
    return larger(a & even, b & even) | larger(a >> 4 & even, b >> 4 & even) << 4;
}

struct place {
    std::size_t word;
    unsigned shift;
};

/// The place of the i-th counter: a line by the upper bits, one of two words of it, one of 16.
place place_of(std::uint64_t spread_hash, unsigned i, std::size_t words) noexcept {
    const std::size_t line = (spread_hash >> 32) & (words - 1) & ~(line_words - 1);
    const auto bits = static_cast<unsigned>(spread_hash >> (8 * i)) & 0xff;
    return {line + 2 * i + (bits & 1), 4 * (bits >> 1 & 15)};
}

} // namespace

void frequency_sketch::reserve(std::size_t entries) {
    // Of powers of two the one from 2/3 on: on average one for each entry.
    const std::size_t wanted = std::bit_ceil(
        std::max({std::size_t{16}, std::min(4 * entries, cheap_words), entries / 3 * 2}));
    if (wanted > words_.size())
        widen(wanted);
    else if (4 * wanted <= words_.size())
        narrow(2 * wanted);
}

void frequency_sketch::widen(std::size_t words) {
    const std::size_t before = words_.size();
    std::vector<std::uint64_t> wider(words);
    // A key's line is found by more bits than before, so each of the lines that it can now be in
    // starts with what the old one had.
    for (std::size_t i = 0; before != 0 && i != words; ++i)
        wider[i] = words_[i & (before - 1)];
    words_.swap(wider);
}

/// Lines that become one keep the larger of their counters: too much for some keys, never too
/// little.
void frequency_sketch::narrow(std::size_t words) {
    std::vector<std::uint64_t> narrower(words);
    for (std::size_t i = 0; i != words_.size(); ++i) {
        std::uint64_t& to = narrower[i & (words - 1)];
        to = larger_counters(to, words_[i]);
    }
    words_.swap(narrower);
}

void frequency_sketch::count(std::uint32_t hash) noexcept {
    if (words_.empty()) return;
    const std::uint64_t h = spread(hash);
    bool counted = false;
    for (unsigned i = 0; i != 4; ++i) {
        const place at = place_of(h, i, words_.size());
        if ((words_[at.word] >> at.shift & most) == most) continue;
        words_[at.word] += std::uint64_t{1} << at.shift;
        counted = true;
    }
    if (counted && ++counted_ >= period_) age();
}

unsigned frequency_sketch::estimate(std::uint32_t hash) const noexcept {
    if (words_.empty()) return 0;
    const std::uint64_t h = spread(hash);
    unsigned least = most;
    for (unsigned i = 0; i != 4; ++i) {
        const place at = place_of(h, i, words_.size());
        least = std::min(least, static_cast<unsigned>(words_[at.word] >> at.shift & most));
    }
    return least;
}

void frequency_sketch::prefetch(std::uint32_t hash) const noexcept {
    if (!words_.empty()) __builtin_prefetch(&words_[place_of(spread(hash), 0, words_.size()).word]);
}

void frequency_sketch::age() noexcept {
    std::size_t odd = 0;
    for (std::uint64_t& word : words_) {
        odd += static_cast<std::size_t>(std::popcount(word & 0x1111111111111111U));
        word = word >> 1 & 0x7777777777777777U;
    }
    // Halving rounds odd counters down: a use in four counters is one use.
    counted_ = (counted_ - std::min(counted_, odd / 4)) / 2;
}

void frequency_sketch::clear() noexcept {
    std::vector<std::uint64_t>().swap(words_);
    counted_ = 0;
}

} // namespace codynamo::detail
