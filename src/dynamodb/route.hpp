// SPDX-License-Identifier: BSL-1.0
// Where a request goes: the region's host, or that of the account which the table belongs to.
#pragma once

#include "dynamodb/circuit_breaker.hpp"
#include "dynamodb/client_settings.hpp"
#include "net/turn.hpp"

#include <codynamo/aws/endpoint.hpp>
#include <codynamo/aws/sigv4.hpp>
#include <codynamo/net/transport.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::dynamodb {

struct route {
    route(aws::endpoint to, std::shared_ptr<net::transport> by,
          const circuit_breaker_config& breaking);

    aws::endpoint endpoint;
    std::shared_ptr<net::transport> transport;
    /// The same; null when it has no queue that one could join beforehand.
    net::queueing_transport* queue;
    aws::json_request_signer signer;
    circuit_breaker breaker;
};

/// The routes of a client. They live as long as the table does: a route once found stays valid.
/// Thread-safe; a route that is known is found without a lock.
class route_table {
public:
    /// Hosts of accounts that one client keeps connections to. Requests for further accounts go to
    /// the region's host, which serves all of them; where the mode is `required` they fail.
    static constexpr std::size_t most_accounts = 16;
    /// Pairs of an account and a table's ARN whose route is remembered. Requests for further ones
    /// have their endpoint resolved each time.
    static constexpr std::size_t most_known = 32;

    /// `settings` must outlive the table. Throws what aws::resolve_endpoint and net::make_transport
    /// throw, and errc::invalid_argument when the region is missing.
    explicit route_table(const client_settings& settings);

    /// By the endpoint rules: the account of the credentials (may be empty) and the table's ARN
    /// (empty: the table was named otherwise). Throws errc::invalid_argument when the rules refuse
    /// it, and what net::make_transport throws.
    [[nodiscard]] route& find(std::string_view account_id, std::string_view table_arn);
    /// The custom endpoint's or the region's.
    [[nodiscard]] route& standard() noexcept { return standard_; }
    [[nodiscard]] const route& standard() const noexcept { return standard_; }

    /// Whether somebody waits for a connection. An estimate; takes no lock.
    [[nodiscard]] bool crowded() const noexcept;
    [[nodiscard]] net::transport_stats stats() const;
    /// All transports there are; no account gets a new one from now on.
    [[nodiscard]] std::vector<std::shared_ptr<net::transport>> close();

private:
    struct entry {
        std::string account_id;
        std::string table_arn;
        route* to = nullptr;
    };
    [[nodiscard]] route* known_route(std::string_view account_id,
                                     std::string_view table_arn) const noexcept;
    [[nodiscard]] route& resolve(std::string_view account_id, std::string_view table_arn);
    /// With the lock held.
    [[nodiscard]] route& route_to(const aws::endpoint& to);

    const client_settings& settings_;
    route standard_;
    /// One endpoint for whatever account.
    const bool only_standard_;
    mutable std::mutex mutex_;
    bool closed_ = false;
    std::vector<std::unique_ptr<route>> others_;
    /// The first `known_` of them never change again.
    std::array<entry, most_known> entries_;
    std::atomic<std::size_t> known_{0};
};

} // namespace codynamo::dynamodb
