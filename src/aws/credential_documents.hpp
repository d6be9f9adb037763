// SPDX-License-Identifier: BSL-1.0
// Credentials as servers and programs write them down: JSON of containers, instance metadata,
// processes and SSO; XML of STS. Pure. What they throw is errc::no_credentials and quotes nothing
// of the document but the service's own code and message.
#pragma once

#include <codynamo/aws/credentials.hpp>
#include <codynamo/environment.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace codynamo::aws::detail {

/// {"Version":1,"AccessKeyId":…,"SecretAccessKey":…,"SessionToken":…,"Expiration":…,"AccountId":…}
[[nodiscard]] credentials parse_process_document(std::string_view json);
/// {"AccessKeyId":…,"SecretAccessKey":…,"Token":…,"Expiration":…,"AccountId":…}, or code and
/// message; with `Code` other than "Success" (instance metadata) a failure too.
[[nodiscard]] credentials parse_metadata_document(std::string_view json);
/// The same for an answer to a request that held `sent`: words that repeat one of these secrets are
/// not quoted.
[[nodiscard]] credentials parse_metadata_answer(std::string_view json,
                                                std::vector<std::string_view> sent);
/// {"roleCredentials":{…,"expiration":milliseconds}}
[[nodiscard]] credentials parse_sso_document(std::string_view json);
/// AssumeRoleResponse or AssumeRoleWithWebIdentityResponse; the account is that of the assumed
/// role's ARN. The library's own copy of the text is not wiped, only the tree made from it.
[[nodiscard]] credentials parse_sts_document(std::string_view xml);

/// ErrorResponse of STS.
struct sts_refusal {
    std::string code{};
    std::string message{};
};
/// Empty when the text is something else.
[[nodiscard]] sts_refusal parse_sts_refusal(std::string_view xml);

/// RFC 3339 with "Z" or an offset, fractions allowed; throws errc::invalid_argument.
[[nodiscard]] timestamp parse_rfc3339(std::string_view text);

/// "2023-11-14T22:13:20Z"; fractions of a second are cut off.
[[nodiscard]] std::string format_rfc3339(timestamp when);

} // namespace codynamo::aws::detail
