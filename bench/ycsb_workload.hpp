// SPDX-License-Identifier: BSL-1.0
// YCSB's core workloads: which operation comes next, and what a record's bytes have to be.
#pragma once

#include "ycsb_keys.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace bench {

enum class ycsb_operation { read, update, insert, read_modify_write };
inline constexpr std::size_t ycsb_operations = 4;
[[nodiscard]] std::string_view name_of(ycsb_operation what) noexcept;

struct ycsb_workload {
    /// Shares; what is left of 1 are reads.
    double update = 0;
    double insert = 0;
    double read_modify_write = 0;
    key_distribution keys = key_distribution::zipfian;

    /// a, b, c, d or f; e scans, which a cache cannot.
    [[nodiscard]] static std::optional<ycsb_workload> named(std::string_view letter) noexcept;
    /// For a number that is uniform in [0, 1).
    [[nodiscard]] ycsb_operation at(double uniform) const noexcept;
};

/// "user" and the FNV of the record's number, as in YCSB: not in the order of insertion.
[[nodiscard]] std::string ycsb_key(std::uint64_t record);

/// Smallest value: its first line fits.
inline constexpr std::size_t min_ycsb_value = 64;
/// Key and version, and bytes that follow from them up to `size`.
[[nodiscard]] std::string ycsb_value(std::string_view key, std::uint64_t version, std::size_t size);
/// The version; nullopt unless every byte is as ycsb_value() makes it for that key and size.
[[nodiscard]] std::optional<std::uint64_t> ycsb_version(std::string_view value,
                                                        std::string_view key, std::size_t size);

} // namespace bench
