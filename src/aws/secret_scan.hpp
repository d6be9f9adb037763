// SPDX-License-Identifier: BSL-1.0
// Whether text from outside repeats a secret, in whatever escaping.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace codynamo::aws::detail {

/// So many characters of a secret in a row are too many to be shown. Source: none shorter is told
/// apart from an accident, and fewer leave far more than can be guessed.
inline constexpr std::size_t telling_length = 8;

/// Whether the text holds telling_length characters in a row of one of the secrets (all of one that
/// has 4 to 7; shorter ones are ignored), as it stands or after percent-, JSON- and
/// HTML-unescaping, up to three times over. Copies nothing that it does not wipe.
[[nodiscard]] bool repeats_secret(std::string_view text,
                                  const std::vector<std::string_view>& secrets);

} // namespace codynamo::aws::detail
