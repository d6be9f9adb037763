// SPDX-License-Identifier: BSL-1.0
// Which errc a service code is, and whether a body arrived as it was sent.
#include "dynamodb/codec.hpp"
#include "dynamodb/crc32.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

namespace codynamo::dynamodb {
namespace {

struct known_code {
    std::string_view text;
    errc code;
};

/// The first fourteen of `throttled` are the list that botocore and the Rust SDK share.
constexpr known_code known_codes[] = {
    {"Throttling", errc::throttled},
    {"ThrottlingException", errc::throttled},
    {"ThrottledException", errc::throttled},
    {"RequestThrottledException", errc::throttled},
    {"TooManyRequestsException", errc::throttled},
    {"ProvisionedThroughputExceededException", errc::throttled},
    {"TransactionInProgressException", errc::throttled},
    {"RequestLimitExceeded", errc::throttled},
    {"BandwidthLimitExceeded", errc::throttled},
    {"LimitExceededException", errc::throttled},
    {"RequestThrottled", errc::throttled},
    {"SlowDown", errc::throttled},
    {"PriorRequestNotComplete", errc::throttled},
    {"EC2ThrottledException", errc::throttled},

    {"ResourceNotFoundException", errc::resource_not_found},
    {"TableNotFoundException", errc::resource_not_found},
    {"IndexNotFoundException", errc::resource_not_found},
    {"ResourceInUseException", errc::resource_in_use},
    {"TableInUseException", errc::resource_in_use},
    {"TableAlreadyExistsException", errc::resource_in_use},
    {"ConditionalCheckFailedException", errc::conditional_check_failed},
    {"TransactionCanceledException", errc::transaction_canceled},
    {"TransactionConflictException", errc::transaction_conflict},

    {"AccessDeniedException", errc::access_denied},
    {"AccessDenied", errc::access_denied},
    {"UnrecognizedClientException", errc::credentials_rejected},
    {"InvalidClientTokenId", errc::credentials_rejected},
    {"InvalidSignatureException", errc::credentials_rejected},
    {"SignatureDoesNotMatch", errc::credentials_rejected},
    {"IncompleteSignatureException", errc::credentials_rejected},
    {"IncompleteSignature", errc::credentials_rejected},
    {"MissingAuthenticationTokenException", errc::credentials_rejected},
    {"MissingAuthenticationToken", errc::credentials_rejected},
    {"RequestTimeTooSkewed", errc::credentials_rejected},
    {"ExpiredTokenException", errc::token_expired},
    {"ExpiredToken", errc::token_expired},
    {"RequestExpired", errc::token_expired},

    {"ValidationException", errc::validation_failed},
    {"ValidationError", errc::validation_failed},
    {"SerializationException", errc::validation_failed},
    {"UnknownOperationException", errc::unknown_operation},

    {"InternalServerError", errc::service_failed},
    {"InternalServerErrorException", errc::service_failed},
    {"InternalFailure", errc::service_failed},
    {"ServiceUnavailable", errc::service_failed},
    {"ServiceUnavailableException", errc::service_failed},
    {"RequestTimeout", errc::service_failed},
    {"RequestTimeoutException", errc::service_failed},
};

/// Nothing for what is not a decimal uint32: some servers put other things there.
std::optional<std::uint32_t> parse_crc(std::string_view text) {
    std::uint32_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
        return std::nullopt;
    return value;
}

} // namespace

errc errc_of(std::string_view service_code, unsigned http_status) noexcept {
    for (const known_code& known : known_codes)
        if (known.text == service_code) return known.code;
    constexpr unsigned unauthorized = 401, forbidden = 403, payload_too_large = 413,
                       too_many_requests = 429;
    if (http_status == too_many_requests) return errc::throttled;
    if (http_status >= 500) return errc::service_failed;
    if (!service_code.empty()) return errc::service_error;
    if (http_status == unauthorized || http_status == forbidden) return errc::access_denied;
    if (http_status == payload_too_large) return errc::validation_failed;
    return errc::bad_response;
}

void check_crc32(const net::response_view& response) {
    const auto promised = parse_crc(response.header("x-amz-crc32"));
    if (!promised) return;
    const std::uint32_t actual = crc32(response.body);
    if (actual == *promised) return;
    throw error(errc::checksum_mismatch,
                "response body of " + std::to_string(response.body.size()) + " bytes has CRC-32 " +
                    std::to_string(actual) + " where x-amz-crc32 says " +
                    std::to_string(*promised));
}

} // namespace codynamo::dynamodb
