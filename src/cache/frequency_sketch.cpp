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
    const std::size_t wanted =
        std::bit_ceil(std::max({std::size_t{16}, std::min(4 * entries, cheap_words), entries}));
    if (wanted <= words_.size()) return;
    const std::size_t before = words_.size();
    std::vector<std::uint64_t> wider(wanted);
    // A key's line is found by more bits than before, so each of the lines that it can now be in
    // starts with what the old one had.
    for (std::size_t i = 0; before != 0 && i != wanted; ++i)
        wider[i] = words_[i & (before - 1)];
    words_.swap(wider);
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
    std::fill(words_.begin(), words_.end(), 0);
    counted_ = 0;
}

} // namespace codynamo::detail
