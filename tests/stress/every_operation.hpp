// SPDX-License-Identifier: BSL-1.0
// Every public operation of a cache, a table backend and a client, by name, on a server that
// answers each of them. tests/rules/check_operations.py compares the names with the public headers.
#pragma once

#include "unit/client/fake_client.hpp"

#include <codynamo/batching.hpp>
#include <codynamo/cache.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace codynamo::test {

/// A cache and a client whose first request is not answered before hold_first() says so: what
/// comes meanwhile waits for company where batching is on.
struct served {
    explicit served(batching_mode mode,
                    std::chrono::microseconds max_delay = std::chrono::milliseconds(500));

    [[nodiscard]] dynamodb_backend_config table_config() const;

    const batching_mode mode;
    const std::chrono::microseconds max_delay;
    std::function<void()> hold_first{}; ///< set before anything runs
    std::atomic<bool> was_held = false;
    fake_world world;
    dynamodb_backend table;
    cache<int> values;
    dynamodb::client client;
};

struct operation {
    const char* name;
    std::function<boost::asio::awaitable<void>(served&, std::string key)> call;
};

[[nodiscard]] std::vector<operation> cache_operations();
[[nodiscard]] std::vector<operation> backend_operations();
[[nodiscard]] std::vector<operation> client_operations();

} // namespace codynamo::test
