// SPDX-License-Identifier: BSL-1.0
// AWS Signature Version 4: (request, key, time) to headers. Pure: no clock, no I/O.
#pragma once

#include <codynamo/aws/credentials.hpp>
#include <codynamo/export.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::aws {

/// What a signature is valid for, besides its date.
struct signing_scope {
    std::string region{};
    std::string service{};
};

/// Any HTTP request, as far as a signature sees it.
struct signable_request {
    std::string method{};
    /// Path and query as they stand in the request line; bytes that a URL may not hold are taken
    /// as if they were percent-encoded.
    std::string target{};
    /// In the order of arrival; duplicates and folded lines allowed. Must hold Host.
    /// Authorization, X-Amz-Date, X-Amz-Security-Token and headers that belong to one hop
    /// (Connection, Transfer-Encoding, User-Agent, X-Amzn-Trace-Id …) are left out of the
    /// signature.
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};
};

struct signing_options {
    /// Resolve dot segments and double slashes in the path and encode its percent signs once more
    /// (every service but S3).
    bool normalize_path = true;
    /// Add the session token after signing instead of signing it.
    bool omit_session_token = false;
    /// Add and sign x-amz-content-sha256 (and content-length, as the public test suite has it).
    bool sign_body = false;
};

/// canonical_request and added_headers hold the session token, when there is one. They are the
/// caller's: whoever cares about freed memory overwrites them, as this library does with its own.
struct signed_request {
    std::string canonical_request{};
    std::string string_to_sign{};
    /// 64 lower-case hexadecimal digits.
    std::string signature{};
    /// Names joined by semicolons.
    std::string signed_headers{};
    /// Value of the Authorization header.
    std::string authorization{};
    /// Headers to set in the request, in place of any of the same name; Authorization among them.
    std::vector<std::pair<std::string, std::string>> added_headers{};
};

/// Signs any request. Source: IAM User Guide, "Create a signed AWS API request".
/// Throws errc::invalid_argument naming the field when there is no Host header, a header has a line
/// break that is no folding or another control character, the target has a control character, or
/// the credentials are empty or would break a header. A caller's x-amz-content-sha256 stands for
/// the hash of the body unless sign_body is set.
[[nodiscard]] CODYNAMO_API signed_request sign(const signable_request& request,
                                               const credentials& who, const signing_scope& scope,
                                               std::chrono::sys_seconds when,
                                               const signing_options& options = {});

/// HMAC chain over date, region, service and "aws4_request"; date is YYYYMMDD.
[[nodiscard]] CODYNAMO_API std::array<unsigned char, 32>
derive_signing_key(std::string_view secret, std::string_view date, const signing_scope& scope);

/// Signs the one kind of request that a JSON service gets: POST / with content-type, host,
/// x-amz-date, x-amz-target and, when there is one, x-amz-security-token, all signed. Caches the
/// signing key for the day and the credentials, and wipes it. Thread-safe.
class CODYNAMO_API json_request_signer {
public:
    /// `authority` as in net::origin::authority(). Throws errc::invalid_argument when an argument
    /// is empty or holds a blank or control character.
    json_request_signer(std::string authority, signing_scope scope);
    ~json_request_signer();
    json_request_signer(json_request_signer&&) noexcept;
    json_request_signer& operator=(json_request_signer&&) noexcept;

    /// Appends the whole head of an HTTP/1.1 request to `head`: request line, the signed headers,
    /// Authorization, Content-Length, User-Agent and the empty line. When `head` grows, what it had
    /// is overwritten before it is freed; the token in `head` itself is the caller's. Allocates
    /// nothing once `head` has its capacity and the second has been signed in before. `amz_target`
    /// is the full value, e.g. "DynamoDB_20120810.GetItem". Throws errc::invalid_argument, `head`
    /// untouched, when it, the access key id or the token is no word of visible ASCII, or there are
    /// no credentials.
    void write_head(std::string& head, std::string_view amz_target, std::string_view body,
                    const credentials_ptr& who, std::chrono::sys_seconds when);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace codynamo::aws
