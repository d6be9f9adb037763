// SPDX-License-Identifier: BSL-1.0
// Base64 by AVX2, for the long middle of a text; what it leaves is for the tables.
#pragma once

#include <cstddef>
#include <string_view>

namespace codynamo::dynamodb {

/// Whether the processor can do what is below.
[[nodiscard]] bool has_base64_by_avx2() noexcept;

/// Encodes groups of 24 bytes to 32 characters each; how many bytes that were.
[[nodiscard]] std::size_t encode_by_avx2(std::string_view bytes, char* to) noexcept;

/// Decodes groups of 32 characters to 24 bytes each and stops before a group with a character that
/// is not in the alphabet; how many characters that were. Writes up to 8 bytes beyond those, never
/// more than 3/4 of `text`.
[[nodiscard]] std::size_t decode_by_avx2(std::string_view text, char* to) noexcept;

} // namespace codynamo::dynamodb
