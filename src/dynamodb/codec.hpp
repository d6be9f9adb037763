// SPDX-License-Identifier: BSL-1.0
// Operations to JSON and back; pure. One set of overloads per operation: validate, encode, decode,
// is_replay_safe.
#pragma once

#include <codynamo/dynamodb/operations.hpp>
#include <codynamo/dynamodb/table_operations.hpp>
#include <codynamo/error.hpp>
#include <codynamo/net/transport.hpp>

#include <string>
#include <string_view>

namespace codynamo::dynamodb {

// clang-format off
#define CODYNAMO_FOR_EACH_OPERATION(X)                                                              \
    X(get_item) X(put_item) X(update_item) X(delete_item) X(batch_get_item) X(batch_write_item)     \
    X(query) X(scan) X(transact_write_items) X(transact_get_items) X(create_table)                  \
    X(describe_table) X(delete_table) X(list_tables) X(update_time_to_live) X(describe_time_to_live)
// clang-format on

#define CODYNAMO_DECLARE_CODEC(name)                                                               \
    /* Throws errc::invalid_argument naming field, value and bound. */                             \
    void validate(const name##_input& in);                                                         \
    /* Appends the JSON document. Throws errc::invalid_argument for text that is not UTF-8. */     \
    void encode(const name##_input& in, std::string& out);                                         \
    /* Throws errc::bad_response. Unknown members are skipped, missing ones keep their default. */ \
    void decode(std::string_view body, name##_output& out);                                        \
    /* Whether sending it twice leaves the same state and answer as sending it once. */            \
    [[nodiscard]] bool is_replay_safe(const name##_input& in) noexcept;
CODYNAMO_FOR_EACH_OPERATION(CODYNAMO_DECLARE_CODEC)
#undef CODYNAMO_DECLARE_CODEC

/// What a response with a status other than 2xx means. Never throws for what the server sent.
[[nodiscard]] failure decode_failure(const net::response_view& response);

/// The response's x-amzn-requestid, of at most 128 letters, digits, '-' and '_'; empty when it is
/// anything else.
[[nodiscard]] std::string request_id_of(const net::response_view& response);

/// errc for a service code (without namespace) and, for unknown codes, the HTTP status.
[[nodiscard]] errc errc_of(std::string_view service_code, unsigned http_status) noexcept;

/// Throws errc::checksum_mismatch when x-amz-crc32 is there and does not match the body.
void check_crc32(const net::response_view& response);

/// Throw errc::invalid_argument naming `field`.
void validate_table_name(std::string_view name, std::string_view field = "table_name");
void validate_item_size(const item& what, std::string_view field);

} // namespace codynamo::dynamodb
