// SPDX-License-Identifier: BSL-1.0
// Base64 of RFC 4648 section 4, the form in which binary values cross the wire.
#pragma once

#include <string>
#include <string_view>

namespace codynamo::dynamodb {

/// Appends the base64 form of `bytes`, with padding.
void append_base64(std::string& out, std::string_view bytes);

/// Replaces `out` by the bytes that `text` stands for. False, with `out` unspecified, for what no
/// encoder writes: foreign characters, line breaks, missing or misplaced padding, bits left over.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);

/// Both again by look-ups alone, on any processor.
void append_base64_by_tables(std::string& out, std::string_view bytes);
[[nodiscard]] bool decode_base64_by_tables(std::string_view text, std::string& out);

} // namespace codynamo::dynamodb
