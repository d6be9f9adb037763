// SPDX-License-Identifier: BSL-1.0
// What live tests need: the server's address, a table of one's own, and a way to run a coroutine.
#pragma once

#include "support/run.hpp"
#include "support/secrets.hpp"
#include "support/server_identity.hpp"
#include "support/tap.hpp"

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <random>
#include <string>
#include <utility>

namespace codynamo::test {

using test_support::run;

/// Names the URL of a local server, which tools/test.sh starts.
inline constexpr const char* main_endpoint = "CODYNAMO_TEST_ENDPOINT";

inline aws::credentials_provider_ptr dummy_credentials() {
    return aws::static_credentials({"dummy", std::string(testing_support::secrets::key)});
}

inline std::string unique_table(const std::string& stem) {
    std::random_device seed;
    return "test-" + stem + "-" + std::to_string(seed()) + std::to_string(seed());
}

inline dynamodb_backend_config live_config(const std::string& stem,
                                           const char* endpoint_variable = main_endpoint) {
    dynamodb_backend_config config;
    config.table_name = unique_table(stem);
    config.region = "us-east-1";
    config.endpoint = endpoint_from(endpoint_variable);
    config.credentials = dummy_credentials();
    config.env = testing_support::tapped();
    return config;
}

inline dynamodb::client_config live_client_config() {
    dynamodb::client_config config;
    config.region = "us-east-1";
    config.endpoint = endpoint_from(main_endpoint);
    config.credentials = dummy_credentials();
    config.env = testing_support::tapped();
    return config;
}

/// Opens a backend on a table of its own, runs `body`, and deletes the table.
template <class Body>
void with_backend(dynamodb_backend_config config, Body body) {
    run([](dynamodb_backend_config c, Body b) -> boost::asio::awaitable<void> {
        dynamodb_backend backend = co_await dynamodb_backend::open(std::move(c));
        std::exception_ptr why;
        try {
            co_await b(backend);
        } catch (...) {
            why = std::current_exception();
        }
        co_await backend.delete_table();
        co_await backend.close();
        if (why) std::rethrow_exception(why);
    }(std::move(config), std::move(body)));
}

} // namespace codynamo::test
