// SPDX-License-Identifier: BSL-1.0
// Base64 of RFC 4648 section 4, the form in which binary values cross the wire.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace codynamo::dynamodb {

/// Appends the base64 form of `bytes`, with padding.
void append_base64(std::string& out, std::string_view bytes);

/// Replaces `out` by the bytes that `text` stands for. False, with `out` unspecified, for what no
/// encoder writes: foreign characters, line breaks, missing or misplaced padding, bits left over.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);

/// The same by look-ups of single characters, on any processor.
[[nodiscard]] bool decode_base64_by_tables(std::string_view text, std::string& out);

/// Fewer groups of four characters than that are left to the tables.
inline constexpr std::size_t wide_groups_needed = 10;

/// Decodes from the beginning until wide_groups_needed are not left, or a foreign character is
/// near; how many groups. `to` has room for three bytes a group and three more. Needs
/// has_decode_base64_wide().
[[nodiscard]] std::size_t decode_base64_wide(const unsigned char* from, std::size_t groups,
                                             char* to) noexcept;
[[nodiscard]] bool has_decode_base64_wide() noexcept;

} // namespace codynamo::dynamodb
