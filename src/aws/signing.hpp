// SPDX-License-Identifier: BSL-1.0
// What both signers share: date stamps and the credential scope.
#pragma once

#include <codynamo/aws/sigv4.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace codynamo::aws::detail {

inline constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

/// YYYYMMDDTHHMMSSZ and its first eight characters.
class date_stamp {
public:
    /// Throws errc::invalid_argument outside the years 0 to 9999.
    explicit date_stamp(std::chrono::sys_seconds when);
    [[nodiscard]] std::string_view full() const noexcept { return {text_.data(), text_.size()}; }
    [[nodiscard]] std::string_view date() const noexcept { return full().substr(0, 8); }

private:
    std::array<char, 16> text_;
};

/// "date/region/service/aws4_request"
[[nodiscard]] std::string credential_scope(std::string_view date, const signing_scope& scope);

/// Throws errc::invalid_argument when the credentials cannot sign or would break a header.
void require_usable(const credentials& who);

/// Throws errc::invalid_argument when region or service is empty or would break a header.
void require_usable(const signing_scope& scope);

} // namespace codynamo::aws::detail
