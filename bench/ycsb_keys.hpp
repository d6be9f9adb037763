// SPDX-License-Identifier: BSL-1.0
// Which record is used next, as YCSB chooses it: uniform, zipfian and scattered, or the latest.
#pragma once

#include <cstdint>
#include <random>

namespace bench {

/// FNV-1a of the eight bytes of a number, the lowest first.
[[nodiscard]] std::uint64_t fnv64(std::uint64_t number) noexcept;

/// Sum of 1 / i^theta over first < i <= last.
[[nodiscard]] double zeta(std::uint64_t first, std::uint64_t last, double theta);

/// Ranks from 0, the most popular one, by Gray et al., "Quickly Generating Billion-Record Synthetic
/// Databases" (SIGMOD 1994): rank i about as often as 1 / (i + 1)^theta.
class zipfian {
public:
    static constexpr double usual_theta = 0.99;

    explicit zipfian(std::uint64_t items, double theta = usual_theta);
    /// With the zeta of (0, items) known.
    zipfian(std::uint64_t items, double theta, double known_zeta);

    /// There are more now; what is known of the others is kept.
    void grow(std::uint64_t items);
    /// For a number that is uniform in [0, 1).
    [[nodiscard]] std::uint64_t at(double uniform) const noexcept;
    [[nodiscard]] std::uint64_t items() const noexcept { return items_; }

private:
    void derive();

    std::uint64_t items_;
    double theta_;
    double zeta_;
    double second_;   ///< what two ranks have
    double exponent_; ///< Gray's alpha
    double eta_ = 0;
};

enum class key_distribution { uniform, zipfian, latest };

/// Chooses among records 0, 1, … of which more may come.
class key_chooser {
public:
    key_chooser(key_distribution which, std::uint64_t records);

    /// One of those that are there. zipfian: of the first ones, that were there at the start, for
    /// who is popular shall not change. latest: the newest is the most popular.
    [[nodiscard]] std::uint64_t next(std::mt19937_64& random) const;
    /// Record `records()` is there now, too.
    void added();
    [[nodiscard]] std::uint64_t records() const noexcept { return records_; }

private:
    key_distribution which_;
    std::uint64_t first_records_;
    std::uint64_t records_;
    zipfian ranks_;
};

/// Uniform in [0, 1), by the generator's own bits, so that a seed means the same everywhere.
[[nodiscard]] double uniform_of(std::mt19937_64& random) noexcept;

} // namespace bench
