// SPDX-License-Identifier: BSL-1.0
// An asynchronous DynamoDB client: one awaitable per operation. Usable without the cache.
#pragma once

#include <codynamo/aws/credentials.hpp>
#include <codynamo/aws/endpoint.hpp>
#include <codynamo/aws/retry.hpp>
#include <codynamo/dynamodb/failure_details.hpp>
#include <codynamo/dynamodb/operations.hpp>
#include <codynamo/dynamodb/resilience.hpp>
#include <codynamo/dynamodb/table_operations.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/error.hpp>
#include <codynamo/export.hpp>
#include <codynamo/net/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace codynamo::dynamodb {

/// Everything a client can be told. All of it has a working default.
struct client_config {
    /// E.g. "eu-central-1". Empty: AWS_REGION, AWS_DEFAULT_REGION, then the profile; none at all is
    /// an error. Instance metadata is not asked: see aws::instance_metadata_region.
    std::string region{};
    /// E.g. "http://127.0.0.1:8000". Empty: AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, the
    /// profile, then the region's endpoint.
    std::string endpoint{};
    /// Profile of the shared files. Empty: AWS_PROFILE, then "default".
    std::string profile{};
    /// Null: aws::default_credentials().
    aws::credentials_provider_ptr credentials{};
    /// A whole call, all attempts and waits included. > 0, at most 24 h.
    std::chrono::milliseconds call_timeout{10'000};
    /// One attempt: waiting for a connection, connecting, sending, receiving. > 0; at most
    /// call_timeout takes effect.
    std::chrono::milliseconds attempt_timeout{5'000};
    /// Endpoints of their own kinds; nullopt asks environment and profile. Where accounts have
    /// hosts of their own, the client keeps connections to those of up to 16 accounts.
    std::optional<bool> use_fips{};
    std::optional<bool> use_dualstack{};
    std::optional<aws::account_id_endpoint_mode> account_id_endpoint_mode{};
    aws::retry_config retry{};
    /// Whether requests are dated by the server's clock once it is known to differ by more than 2 s
    /// (from the Date header of its answers), and repeated once when they were refused for a date
    /// that was more than 4 min off. Only answers of the service itself count (with its request id,
    /// an error code of its, or a content that could be read). Table backends also store the times
    /// of records by it, from 5 s to 24 h, once a second answer has confirmed it. nullopt asks
    /// environment and profile; yes by default.
    std::optional<bool> clock_skew_correction{};
    circuit_breaker_config breaker{};
    hedging_config hedging{};
    net::pool_config pool{};
    /// An empty ca_file asks AWS_CA_BUNDLE and the profile's ca_bundle.
    net::tls_config tls{};
    net::network_config network{};
    /// Clock, random source, log and environment variables.
    environment env{};
    /// A transport of your own; null makes one for the endpoint. `pool`, `tls` and `network` are
    /// then not used, and everything goes through it, whatever the account.
    std::shared_ptr<net::transport> transport{};
};

/// Whether a request may be sent again when nobody knows whether the first one took effect.
enum class replay {
    automatic, ///< what is idempotent by its nature: reads, unconditional Put and Delete, a Put
               ///< with a version_attribute, transactions with a token
    safe,      ///< the caller declares that twice does no harm
    unsafe,    ///< never
};

/// What may differ from call to call.
struct call_options {
    /// Overrides client_config::call_timeout when positive.
    std::chrono::milliseconds timeout{0};
    dynamodb::replay replay = dynamodb::replay::automatic;
};

/// The input of one of the sixteen operations.
template <class Input>
concept operation_input = requires {
    typename Input::output;
    { Input::operation } -> std::convertible_to<std::string_view>;
};

/// A handle: copies share connections, retry quota and signing keys. Thread-safe.
///
/// Every operation takes its input by value and owns it until completion; the client may be
/// destroyed meanwhile. Completion: on the executor of the awaiting coroutine, whatever it is.
/// Errors: throws codynamo::error; its diagnostics hold the service's words, and whether a write
/// that failed may have taken effect nevertheless (outcome_unknown).
/// Cancellation: terminal, partial and total; throws system_error with operation_aborted. A write
/// on the wire may then have taken effect or not.
/// One that was moved from is empty: its operations fail with errc::closed, close() does nothing.
/// fork(2): parent and child may both go on with a client that no call was using; see the README.
/// Calls under way go on in the parent, and fail with errc::closed in the child.
class CODYNAMO_API client {
public:
    /// Reads environment variables and profile files; does no network I/O.
    /// Throws errc::invalid_argument naming the field.
    explicit client(client_config config = client_config());

    [[nodiscard]] boost::asio::awaitable<get_item_output> get_item(get_item_input in,
                                                                   call_options options = {});
    [[nodiscard]] boost::asio::awaitable<put_item_output> put_item(put_item_input in,
                                                                   call_options options = {});
    [[nodiscard]] boost::asio::awaitable<update_item_output> update_item(update_item_input in,
                                                                         call_options options = {});
    [[nodiscard]] boost::asio::awaitable<delete_item_output> delete_item(delete_item_input in,
                                                                         call_options options = {});
    [[nodiscard]] boost::asio::awaitable<batch_get_item_output>
    batch_get_item(batch_get_item_input in, call_options options = {});
    [[nodiscard]] boost::asio::awaitable<batch_write_item_output>
    batch_write_item(batch_write_item_input in, call_options options = {});
    [[nodiscard]] boost::asio::awaitable<query_output> query(query_input in,
                                                             call_options options = {});
    [[nodiscard]] boost::asio::awaitable<scan_output> scan(scan_input in,
                                                           call_options options = {});
    [[nodiscard]] boost::asio::awaitable<transact_write_items_output>
    transact_write_items(transact_write_items_input in, call_options options = {});
    [[nodiscard]] boost::asio::awaitable<transact_get_items_output>
    transact_get_items(transact_get_items_input in, call_options options = {});
    [[nodiscard]] boost::asio::awaitable<create_table_output>
    create_table(create_table_input in, call_options options = {});
    [[nodiscard]] boost::asio::awaitable<describe_table_output>
    describe_table(describe_table_input in, call_options options = {});
    [[nodiscard]] boost::asio::awaitable<delete_table_output>
    delete_table(delete_table_input in, call_options options = {});
    [[nodiscard]] boost::asio::awaitable<list_tables_output>
    list_tables(list_tables_input in = list_tables_input(), call_options options = {});
    [[nodiscard]] boost::asio::awaitable<update_time_to_live_output>
    update_time_to_live(update_time_to_live_input in, call_options options = {});
    [[nodiscard]] boost::asio::awaitable<describe_time_to_live_output>
    describe_time_to_live(describe_time_to_live_input in, call_options options = {});

    /// Any of the above without the throwing: failures, invalid input included, come as values.
    /// Cancellation still throws.
    template <operation_input Input>
    [[nodiscard]] boost::asio::awaitable<result<typename Input::output>>
    attempt(Input in, call_options options = {});

    /// Where requests go, unless they go to the host of an account. Not of an empty client.
    [[nodiscard]] const aws::endpoint& endpoint() const noexcept;
    [[nodiscard]] net::transport_stats stats() const;
    /// New calls fail with errc::closed, and so do those that wait for credentials; a renewal of
    /// credentials ends. Waits for the calls on the wire and closes the connections.
    [[nodiscard]] boost::asio::awaitable<void> close();

    /// The shared insides; for the library's own use.
    class core;
    [[nodiscard]] const std::shared_ptr<core>& shared_core() const noexcept { return core_; }

private:
    std::shared_ptr<core> core_;
};

} // namespace codynamo::dynamodb
