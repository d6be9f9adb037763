// SPDX-License-Identifier: BSL-1.0
// The distinct keys of one batch, found by binary search; their text lies in one piece of memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::detail {

class key_list {
public:
    /// As many as a BatchGetItem may have.
    static constexpr std::size_t most = 100;

    /// The place of the key, new or old. At most `most` keys may be added.
    [[nodiscard]] std::size_t add(std::string_view key);
    [[nodiscard]] std::optional<std::size_t> find(std::string_view key) const noexcept;
    /// Valid until the next add().
    [[nodiscard]] std::string_view operator[](std::size_t at) const noexcept {
        const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
        return std::string_view(text_).substr(begin, ends_[at] - begin);
    }
    [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
    [[nodiscard]] bool empty() const noexcept { return ends_.empty(); }

private:
    /// Where the key is in the order, or would be.
    [[nodiscard]] std::size_t rank_of(std::string_view key) const noexcept;
    [[nodiscard]] bool is_at(std::size_t rank, std::string_view key) const noexcept;

    std::string text_;
    std::vector<std::uint32_t> ends_;
    std::array<std::uint8_t, most> order_{}; ///< places, by their keys
};

} // namespace codynamo::detail
