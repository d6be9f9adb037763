// SPDX-License-Identifier: BSL-1.0
// Records in one DynamoDB table, in the layout that Python's pynamodb_mate cache reads and writes.
#pragma once

#include <codynamo/aws/credentials.hpp>
#include <codynamo/aws/endpoint.hpp>
#include <codynamo/aws/retry.hpp>
#include <codynamo/backend.hpp>
#include <codynamo/batching.hpp>
#include <codynamo/detail/backend_model.hpp>
#include <codynamo/dynamodb/resilience.hpp>
#include <codynamo/dynamodb/table_operations.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/export.hpp>
#include <codynamo/net/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo {

namespace dynamodb {
class client;
}

/// The attribute names of a record. The defaults are pynamodb_mate's.
struct record_attributes {
    std::string key = "key";             ///< S, hash key
    std::string value = "value";         ///< B, what the serializer made
    std::string expire = "expire";       ///< N, lifetime in seconds, 0 for ever
    std::string update_ts = "update_ts"; ///< N, epoch seconds with fraction
    /// N, epoch seconds: when the service may delete the item (its native TTL). Empty switches
    /// native TTL off.
    std::string ttl = "ttl";
};

/// Everything a table backend can be told. Only the table name has no default.
struct dynamodb_backend_config {
    /// 3 to 255 of a-z A-Z 0-9 _ - .
    std::string table_name{};
    /// As in dynamodb::client_config, like the fields of the same name below.
    std::string region{};
    dynamodb::billing_mode billing_mode = dynamodb::billing_mode::pay_per_request;
    /// For provisioned billing, where both are at least 1; for pay_per_request leave them 0.
    std::int64_t read_capacity_units = 0;
    std::int64_t write_capacity_units = 0;
    /// Whether open() creates the table when it is missing and switches native TTL on. False:
    /// open() sends nothing.
    bool create = true;

    std::string endpoint{};
    std::string profile{};
    aws::credentials_provider_ptr credentials{};
    /// Strongly consistent reads: a get sees every earlier set, at twice the price.
    bool consistent_read = false;
    record_attributes attributes{};
    std::chrono::milliseconds call_timeout{10'000};
    std::chrono::milliseconds attempt_timeout{5'000};
    /// How long open() waits for a new table to become ACTIVE. > 0.
    std::chrono::milliseconds create_timeout{120'000};
    /// Batches of one get_many, set_many, erase_many or clear segment under way at once; 1 to 64.
    unsigned batch_concurrency = 4;
    /// Whether every request asks what it cost, for consumed().
    bool count_capacity = false;
    /// Whether single operations that are under way at once share requests.
    batching_config batching{};
    std::optional<bool> use_fips{};
    std::optional<bool> use_dualstack{};
    std::optional<aws::account_id_endpoint_mode> account_id_endpoint_mode{};
    aws::retry_config retry{};
    /// When our clock is known to differ from the server's by more than 5 s, the times of records
    /// are the server's in the table and ours outside of it. So native TTL deletes when it should,
    /// and programs with other clocks agree on what is fresh. Nearer than that the times are left
    /// as they are: the server tells its time to the second only, and lifetimes may be shorter.
    std::optional<bool> clock_skew_correction{};
    dynamodb::circuit_breaker_config breaker{};
    dynamodb::hedging_config hedging{};
    net::pool_config pool{};
    net::tls_config tls{};
    net::network_config network{};
    environment env{};
    std::shared_ptr<net::transport> transport{};
};

/// Capacity units of one backend since it was opened, as the service told them; all zero unless
/// config().count_capacity. What an answer said that was lost, or that a refused condition cost, is
/// not among them: the service does not tell it.
struct consumed_units {
    double read = 0;
    double write = 0;
};

/// A handle: copies share one client. Thread-safe.
/// Completion, errors and cancellation as in dynamodb::client.
class CODYNAMO_API dynamodb_backend {
public:
    /// Empty, as is one that was moved from: operations and client() fail with errc::closed, in
    /// batches for each key; close() does nothing, config() has the defaults, figures are zero.
    dynamodb_backend() = default;
    /// Checks the configuration, and with `create` makes sure of the table.
    /// Throws errc::invalid_argument naming the field before anything is sent, or what
    /// ensure_table() throws.
    [[nodiscard]] static boost::asio::awaitable<dynamodb_backend>
    open(dynamodb_backend_config config);

    [[nodiscard]] boost::asio::awaitable<std::optional<record>> load(std::string key);
    [[nodiscard]] boost::asio::awaitable<void> store(std::string key, record r);
    /// True when there was a record. When the answer of an attempt was lost, a record that is gone
    /// afterwards counts as erased by that attempt.
    [[nodiscard]] boost::asio::awaitable<bool> erase(std::string key);
    /// Makes sure that there is no record. Cheaper than erase where several are under way at once,
    /// for it can share a request with others; see batching_config.
    [[nodiscard]] boost::asio::awaitable<void> discard(std::string key);

    /// The times of a record without its value.
    [[nodiscard]] boost::asio::awaitable<std::optional<record>> peek(std::string key);
    /// Restarts a record's life at `now`. False when there is no record or it is no longer fresh:
    /// nothing is revived or created.
    [[nodiscard]] boost::asio::awaitable<bool> touch(std::string key, timestamp now, ttl lifetime);
    /// Stores unless a record written later is there; whether it stored.
    [[nodiscard]] boost::asio::awaitable<bool> store_newer(std::string key, record r);

    /// Any number of distinct keys; results in the order of the keys, each with its own outcome.
    [[nodiscard]] boost::asio::awaitable<std::vector<result<std::optional<record>>>>
    load_many(std::vector<std::string> keys);
    [[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
    store_many(std::vector<keyed_record> records);
    [[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
    erase_many(std::vector<std::string> keys);

    /// Deletes everything in the table.
    [[nodiscard]] boost::asio::awaitable<clear_progress> clear_all(clear_options options);
    /// Deletes what is no longer fresh at `now`; an item rewritten since it was scanned survives.
    [[nodiscard]] boost::asio::awaitable<clear_progress> clear_expired(clear_options options,
                                                                       timestamp now);

    /// Creates the table if it is missing, waits until it is ACTIVE, checks its key, switches
    /// native TTL on. Safe to call from many processes at once. A server without TTL is tolerated
    /// with a warning in the log. Throws errc::schema_mismatch when the table's key is not the one
    /// of the configuration.
    [[nodiscard]] boost::asio::awaitable<void> ensure_table();
    /// Deletes the table with everything in it and waits until it is gone; false when there was
    /// none.
    [[nodiscard]] boost::asio::awaitable<bool> delete_table();

    /// The client below; its operations are in codynamo/dynamodb/client.hpp.
    [[nodiscard]] dynamodb::client client() const;
    [[nodiscard]] const dynamodb_backend_config& config() const noexcept;
    /// All zero when batching is off.
    [[nodiscard]] batching_stats batching() const noexcept;
    [[nodiscard]] consumed_units consumed() const noexcept;
    [[nodiscard]] boost::asio::awaitable<void> close();

    /// The shared insides; for the library's own use.
    class core;

private:
    explicit dynamodb_backend(std::shared_ptr<core> c) : core_(std::move(c)) {}
    std::shared_ptr<core> core_;
};

namespace detail {
template <>
inline constexpr bool throws_only_errors<dynamodb_backend> = true;
extern template CODYNAMO_API std::shared_ptr<backend_interface> erase_backend(dynamodb_backend);
} // namespace detail

} // namespace codynamo
