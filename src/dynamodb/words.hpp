// SPDX-License-Identifier: BSL-1.0
// The words of error messages: where in a document something is, and values made fit to print.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace codynamo::dynamodb {

/// A place in a request or response, e.g. `item.tags[3]`. A chain on the stack that costs nothing
/// until it is printed; each link must outlive the ones built on it.
class path {
public:
    /// The input or response itself.
    path() = default;
    explicit path(std::string_view name) noexcept : name_(name), what_(kind::name) {}
    path(const path& up, std::string_view name) noexcept
        : up_(&up), name_(name), what_(kind::name) {}
    path(const path& up, std::size_t index) noexcept
        : up_(&up), index_(index), what_(kind::index) {}

    [[nodiscard]] std::string text() const;

private:
    enum class kind { root, name, index };
    const path* up_ = nullptr;
    std::string_view name_;
    std::size_t index_ = 0;
    kind what_ = kind::root;
};

/// At most `max_bytes` of `text`, "…" after what was cut; bytes that are not printable UTF-8 as
/// \xNN.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_bytes = 64);

/// The same in quotes.
[[nodiscard]] std::string quote(std::string_view text);

/// Throws errc::invalid_argument: `where`, a space, `what`.
[[noreturn]] void reject(const path& where, std::string_view what);
[[noreturn]] void reject(std::string_view field, std::string_view what);

/// `field` has `count` `unit`: `bound` are allowed.
[[noreturn]] void reject_count(const path& where, std::size_t count, std::string_view unit,
                               std::string_view bound);

/// Throws errc::bad_response: `where`, a space, `what`.
[[noreturn]] void refuse_response(const path& where, std::string_view what);

} // namespace codynamo::dynamodb
