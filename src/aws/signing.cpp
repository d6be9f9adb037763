// SPDX-License-Identifier: BSL-1.0
// Date stamps, the credential scope and the key chain of SigV4.
#include "aws/signing.hpp"

#include "aws/sha256.hpp"
#include "aws/text.hpp"

#include <openssl/crypto.h>

namespace codynamo::aws {
namespace detail {

date_stamp::date_stamp(std::chrono::sys_seconds when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{when - day};
    const int year = static_cast<int>(date.year());
    if (year < 0 || year > 9999) {
        throw error(errc::invalid_argument,
                    "signing time: year " + std::to_string(year) + " is not within 0 to 9999");
    }
    char* out = text_.data();
    const auto put = [&out](unsigned value) {
        *out++ = static_cast<char>('0' + value / 10);
        *out++ = static_cast<char>('0' + value % 10);
    };
    put(static_cast<unsigned>(year) / 100);
    put(static_cast<unsigned>(year) % 100);
    put(static_cast<unsigned>(date.month()));
    put(static_cast<unsigned>(date.day()));
    *out++ = 'T';
    put(static_cast<unsigned>(time.hours().count()));
    put(static_cast<unsigned>(time.minutes().count()));
    put(static_cast<unsigned>(time.seconds().count()));
    *out = 'Z';
}

std::string credential_scope(std::string_view date, const signing_scope& scope) {
    std::string text(date);
    text.append("/").append(scope.region).append("/").append(scope.service);
    text.append("/aws4_request");
    return text;
}

void require_usable(const credentials& who) {
    require_word("credentials: access key id", who.access_key_id);
    require_no_control("credentials: secret access key", who.secret_access_key);
    if (!who.session_token.empty()) {
        require_word("credentials: session token", who.session_token);
    }
}

void require_usable(const signing_scope& scope) {
    require_word("signing region", scope.region);
    require_word("signing service", scope.service);
}

} // namespace detail

std::array<unsigned char, 32> derive_signing_key(std::string_view secret, std::string_view date,
                                                 const signing_scope& scope) {
    std::string seed;
    seed.reserve(4 + secret.size());
    seed.append("AWS4").append(secret);
    const auto* first = reinterpret_cast<const unsigned char*>(seed.data());
    detail::digest key = detail::hmac_of({first, seed.size()}, date);
    OPENSSL_cleanse(seed.data(), seed.size());
    key = detail::hmac_of(key, scope.region);
    key = detail::hmac_of(key, scope.service);
    return detail::hmac_of(key, "aws4_request");
}

} // namespace codynamo::aws
