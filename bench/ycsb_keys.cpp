// SPDX-License-Identifier: BSL-1.0
#include "ycsb_keys.hpp"

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

/// YCSB draws ranks of that many and scatters them over the records there are, so that the choice
/// is the same however many those are. Its zeta was computed once and for all.
constexpr std::uint64_t scattered_ranks = 10'000'000'000;
constexpr double zeta_of_scattered = 26.46902820178302;

} // namespace

std::uint64_t fnv64(std::uint64_t number) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (int i = 0; i != 8; ++i, number >>= 8U) {
        hash ^= number & 0xFFU;
        hash *= 1'099'511'628'211U;
    }
    return hash;
}

double zeta(std::uint64_t first, std::uint64_t last, double theta) {
    double sum = 0;
    for (std::uint64_t i = first + 1; i <= last; ++i)
        sum += 1 / std::pow(static_cast<double>(i), theta);
    return sum;
}

zipfian::zipfian(std::uint64_t items, double theta)
    : zipfian(items, theta, zeta(0, items, theta)) {}

zipfian::zipfian(std::uint64_t items, double theta, double known_zeta)
    : items_(items), theta_(theta), zeta_(known_zeta), second_(1 + std::pow(0.5, theta)),
      exponent_(1 / (1 - theta)) {
    derive();
}

void zipfian::grow(std::uint64_t items) {
    if (items <= items_) return;
    zeta_ += zeta(items_, items, theta_);
    items_ = items;
    derive();
}

void zipfian::derive() {
    eta_ = (1 - std::pow(2 / static_cast<double>(items_), 1 - theta_)) / (1 - second_ / zeta_);
}

std::uint64_t zipfian::at(double uniform) const noexcept {
    const double share = uniform * zeta_;
    if (share < 1 || items_ == 1) return 0;
    if (share < second_ || items_ == 2) return 1;
    const double rank =
        static_cast<double>(items_) * std::pow(eta_ * uniform - eta_ + 1, exponent_);
    return std::min(static_cast<std::uint64_t>(rank), items_ - 1);
}

key_chooser::key_chooser(key_distribution which, std::uint64_t records)
    : which_(which), first_records_(records), records_(records),
      ranks_(which == key_distribution::zipfian
                 ? zipfian(scattered_ranks, zipfian::usual_theta, zeta_of_scattered)
                 : zipfian(which == key_distribution::latest ? records : 1)) {}

std::uint64_t key_chooser::next(std::mt19937_64& random) const {
    const double uniform = uniform_of(random);
    switch (which_) {
    case key_distribution::uniform:
        return std::min(static_cast<std::uint64_t>(uniform * static_cast<double>(records_)),
                        records_ - 1);
    case key_distribution::zipfian:
        return fnv64(ranks_.at(uniform)) % first_records_;
    case key_distribution::latest:
        break;
    }
    return records_ - 1 - ranks_.at(uniform);
}

void key_chooser::added() {
    ++records_;
    if (which_ == key_distribution::latest) ranks_.grow(records_);
}

double uniform_of(std::mt19937_64& random) noexcept {
    return static_cast<double>(random() >> 11U) * 0x1p-53;
}

} // namespace bench
