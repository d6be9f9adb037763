// SPDX-License-Identifier: BSL-1.0
// What clients with caches do on a simulated DynamoDB, what befalls them, and what they are
// promised.
#pragma once

#include <codynamo/any_backend.hpp>
#include <codynamo/aws/credentials.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/testing/simulated_dynamodb.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace codynamo::testing {

/// What a client of a simulation has. The process and what it shares outlive the client's backend.
struct simulated_client {
    virtual_process* process = nullptr;
    /// The client's own clock and randomness, no log, no environment variables.
    environment env{};
    std::shared_ptr<net::transport> transport{};

    /// For dynamodb_backend::open: the table that a workload makes, on this client's connection.
    [[nodiscard]] dynamodb_backend_config table_config() const {
        dynamodb_backend_config config;
        config.table_name = "cache";
        config.region = "us-east-1";
        config.endpoint = "http://simulated";
        config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
        config.env = env;
        config.transport = transport;
        config.create = false;
        return config;
    }
};

/// What is promised to the clients, each including the ones before.
enum class cache_promise {
    sound,        ///< only what was written under this key, whole and not expired
    sessions,     ///< read your writes, monotonic reads
    linearizable, ///< per key; a write whose attempt was repeated counts as often as it was done
};

/// Clients, what they do, and what befalls them.
struct cache_workload {
    unsigned clients = 3;
    unsigned operations = 12; ///< of each client
    unsigned keys = 2;
    /// What each client does at once. With more than one, single operations only, and unless
    /// `shared_keys`, each on a key that is no sibling's at the time.
    unsigned lanes = 1;
    /// Siblings use the same keys at once. Which of them caused a change is then not known: to be
    /// used without faults, and the sessions are not checked.
    bool shared_keys = false;
    /// Longest pause of a client between two operations.
    std::chrono::microseconds pause{3'000};
    /// Lifetimes are drawn up to this, or for ever.
    std::chrono::microseconds longest_life{5'000'000};
    /// Clients' wall clocks are off by up to this, either way.
    std::chrono::microseconds skew{0};
    /// Probability that a client crashes, once; it comes back at once, with nothing in memory.
    double crashes = 0;
    bool touches = true; ///< touch among the operations
    bool clears = true;  ///< clear_all, clear_expired among the operations
    cache_promise promise = cache_promise::linearizable;
    virtual_world::order order = virtual_world::order::random;
    simulated_dynamodb_config server{};
    std::function<boost::asio::awaitable<any_backend>(simulated_client)> open{};
};

} // namespace codynamo::testing
