// SPDX-License-Identifier: BSL-1.0
// CRC-32/IEEE (that of zlib), with which DynamoDB guards its responses.
#pragma once

#include <cstdint>
#include <string_view>

namespace codynamo::dynamodb {

/// As fast as the processor allows.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes) noexcept;

/// The same by look-up tables alone, on any processor.
[[nodiscard]] std::uint32_t crc32_by_tables(std::string_view bytes) noexcept;

/// Continues an inverted checksum over a multiple of 16 bytes, at least 64. Needs
/// has_crc32_by_folding().
[[nodiscard]] std::uint32_t crc32_by_folding(std::uint32_t crc, std::string_view bytes) noexcept;
[[nodiscard]] bool has_crc32_by_folding() noexcept;

} // namespace codynamo::dynamodb
