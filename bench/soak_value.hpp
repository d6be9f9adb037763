// SPDX-License-Identifier: BSL-1.0
// What the soak stores under a key, and whether what is read back can be right.
#pragma once

#include <codynamo/dynamodb/attribute_value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// Smallest value: its first line and its checksum fit.
inline constexpr std::size_t min_soak_value = 96;

/// Which write a value belongs to.
struct soak_identity {
    /// 16 hexadecimal digits, different for each run.
    std::string run;
    std::uint32_t key = 0;
    /// 1, 2, 3 …
    std::uint64_t version = 0;
    friend bool operator==(const soak_identity&, const soak_identity&) = default;
};

[[nodiscard]] std::uint32_t crc32_of(std::string_view bytes) noexcept;

[[nodiscard]] std::string soak_key(std::string_view prefix, std::string_view run,
                                   std::uint32_t key);
/// A line that says who wrote it, bytes that follow from that line, and the CRC-32 of both.
[[nodiscard]] std::string soak_value(const soak_identity& who, std::size_t size);
/// Who wrote these bytes; nullopt unless every one of them is as soak_value() made it.
[[nodiscard]] std::optional<soak_identity> read_soak_value(std::string_view bytes);

/// "key" is S, "version" N, "value" B.
[[nodiscard]] codynamo::dynamodb::item soak_item(std::string_view prefix, const soak_identity& who,
                                                 std::size_t size);
/// The version that an item of this run and key holds; nullopt when the item is not one of ours or
/// is damaged in any of its attributes.
[[nodiscard]] std::optional<std::uint64_t> soak_version(const codynamo::dynamodb::item& found,
                                                        std::string_view prefix,
                                                        const soak_identity& who);

} // namespace bench
