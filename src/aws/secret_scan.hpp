// SPDX-License-Identifier: BSL-1.0
// Whether text from outside repeats a secret, in whatever escaping.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace codynamo::aws::detail {

/// So many characters of a secret in a row are too many to be shown. Source: none shorter is told
/// apart from an accident, and fewer leave far more than can be guessed.
inline constexpr std::size_t telling_length = 8;

/// Of a secret with fewer characters nothing is looked for: it is a word of every second message.
inline constexpr std::size_t shortest_secret = 4;

/// Looks for some secrets in any number of texts. The secrets must outlive it. Copies nothing that
/// it does not wipe.
class secret_scanner {
public:
    explicit secret_scanner(std::vector<std::string_view> secrets);
    secret_scanner(const secret_scanner&) = delete;
    secret_scanner& operator=(const secret_scanner&) = delete;
    ~secret_scanner();

    /// Whether the text holds telling_length characters in a row of one of the secrets (all of one
    /// that is shorter), as it stands or after percent-, JSON- and HTML-unescaping, up to three
    /// times over. Linear in the text.
    [[nodiscard]] bool finds_in(std::string_view text) const;

private:
    [[nodiscard]] bool is_in(std::string_view plain) const;
    [[nodiscard]] bool repeats_run(std::string_view run) const;

    std::vector<std::string_view> secrets_;
    /// Bits of the runs that secrets have: most runs of a text need no further look.
    std::array<std::uint64_t, 256> seen_{};
};

/// For one text.
[[nodiscard]] bool repeats_secret(std::string_view text,
                                  const std::vector<std::string_view>& secrets);

} // namespace codynamo::aws::detail
