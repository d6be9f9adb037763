// SPDX-License-Identifier: BSL-1.0
// What can go wrong, in one enumeration, with the words of the server beside it.
#pragma once

#include <codynamo/export.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <memory>
#include <string>
#include <utility>

namespace codynamo {

namespace dynamodb {
struct failure_details;
}

/// Every failure codynamo itself reports. Cancellation is not among them: a cancelled operation
/// fails with `boost::asio::error::operation_aborted`, as everywhere in Asio.
enum class errc {
    /// A value given by the caller is out of bounds; the message names field, value and bound.
    /// Nothing was sent.
    invalid_argument = 1,
    /// The serializer policy threw on the way out. Nothing was sent.
    serialize_failed,
    /// The stored bytes are not what the serializer policy expects.
    deserialize_failed,
    /// No credentials provider had credentials; the message lists each one and its reason.
    no_credentials,
    /// The client, backend or cache was closed before or during the operation.
    closed,

    /// The host name has no address.
    resolve_failed,
    /// No address of the host accepted a connection, or the peer broke off the TLS handshake, and
    /// no other connection is open.
    connect_failed,
    /// TLS handshake refused: certificate (also one of the client, which the server demands), name,
    /// protocol version, ciphers or trust. Nothing was sent.
    tls_failed,
    /// The connection ended before the whole response was read.
    connection_lost,
    /// The deadline of the call or of its last attempt passed.
    timeout,
    /// The wait queue of the connection pool is full, or so long that the deadline of the attempt
    /// would pass in it. Nothing was sent.
    overloaded,
    /// The endpoint has been failing, and its circuit breaker lets nothing through for the moment.
    /// Nothing was sent.
    circuit_open,
    /// The response is not HTTP, not JSON, or not the JSON that the operation promises.
    bad_response,
    /// The response's head or body is larger than the configured bound.
    response_too_large,
    /// `x-amz-crc32` of the response does not match its body.
    checksum_mismatch,

    /// Table or index does not exist (ResourceNotFoundException).
    resource_not_found,
    /// The table exists already or is being changed (ResourceInUseException).
    resource_in_use,
    /// The condition of a write was false (ConditionalCheckFailedException).
    conditional_check_failed,
    /// A transaction was refused; the reasons are in failure_details.
    transaction_canceled,
    /// Another transaction holds the item (TransactionConflictException).
    transaction_conflict,
    /// The service asked to slow down, and the retries are used up.
    throttled,
    /// The caller may not do this (AccessDeniedException).
    access_denied,
    /// Signature, access key or token was refused.
    credentials_rejected,
    /// The session token has expired (ExpiredTokenException).
    token_expired,
    /// The request is malformed in the service's eyes (ValidationException,
    /// SerializationException).
    validation_failed,
    /// The server does not know the operation (UnknownOperationException): an old emulator,
    /// usually.
    unknown_operation,
    /// The service failed (5xx), and the retries are used up.
    service_failed,
    /// An error code of the service that has no enumerator here; see diagnostics::service_code.
    service_error,

    /// The table exists but its key schema is not the one that is needed.
    schema_mismatch,
    /// The service left this key of a batch unprocessed until the retries were used up.
    unprocessed,

    /// A user's backend threw what is no boost::system::system_error; the message has its words.
    backend_failed,
};

/// The category "codynamo".
[[nodiscard]] CODYNAMO_API const boost::system::error_category& codynamo_category() noexcept;

[[nodiscard]] CODYNAMO_API boost::system::error_code make_error_code(errc code) noexcept;

/// The words beside an error code. Never holds a secret.
struct diagnostics {
    /// What happened, in a sentence; for invalid input the field, the value and the bound.
    std::string message{};
    /// The service's own code without its namespace, e.g. "ConditionalCheckFailedException"; empty
    /// when it never answered.
    std::string service_code{};
    /// `x-amzn-RequestId` of the last response; empty when there was none.
    std::string request_id{};
    /// HTTP status of the last response; 0 when there was none.
    unsigned http_status = 0;
    /// Number of attempts made; 0 when nothing was sent.
    unsigned attempts = 0;
    /// Nobody knows whether the request took effect: an attempt was lost after it may have been
    /// executed. Always false for reads that changed nothing.
    bool outcome_unknown = false;
    /// Cancellation reasons, throttling reasons and the old item; null when the response had none.
    std::shared_ptr<const dynamodb::failure_details> details{};
};

/// A failed outcome as a value: the code and the words beside it. Cheap to copy.
struct CODYNAMO_API failure {
    boost::system::error_code code{};
    /// Never dereference without asking: null when there are no words.
    std::shared_ptr<const diagnostics> info{};

    /// The message of the diagnostics, or else of the code.
    [[nodiscard]] std::string message() const;
};

[[nodiscard]] CODYNAMO_API failure make_failure(boost::system::error_code code,
                                                std::string message);
[[nodiscard]] CODYNAMO_API failure make_failure(boost::system::error_code code, diagnostics words);

/// What codynamo's awaitables throw. `code()` is for programs, `what()` and `info()` are for
/// people.
class CODYNAMO_API error : public boost::system::system_error {
public:
    explicit error(failure why);
    error(errc code, std::string message);

    /// One line: the message; the service's code, HTTP status, request id and number of attempts
    /// where there are such; that the outcome is unknown where it is.
    [[nodiscard]] const char* what() const noexcept override;
    [[nodiscard]] const diagnostics& info() const noexcept;
    [[nodiscard]] const failure& as_failure() const noexcept { return failure_; }

private:
    failure failure_;
    std::shared_ptr<const std::string> what_;
};

/// Either a T or a failure; `value()` throws codynamo::error (or system_error for a cancellation).
template <class T>
using result = boost::system::result<T, failure>;

/// The hook by which boost::system::result::value() throws.
[[noreturn]] CODYNAMO_API void throw_exception_from_error(const failure& why,
                                                          const boost::source_location& where);

/// Throws what `why` stands for.
[[noreturn]] CODYNAMO_API void throw_failure(failure why);

/// The failure that stands for the exception now being handled; for use in a catch block only.
/// Whatever is not a system_error is rethrown.
[[nodiscard]] CODYNAMO_API failure current_failure();

} // namespace codynamo

template <>
struct boost::system::is_error_code_enum<codynamo::errc> : std::true_type {};
