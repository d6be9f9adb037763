// SPDX-License-Identifier: BSL-1.0
#include "one_key.hpp"

#include "placeholder_credentials.hpp"

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace bench {
namespace asio = boost::asio;

codynamo::dynamodb_backend_config backend_config(const wire_options& options) {
    codynamo::dynamodb_backend_config config;
    config.table_name = options.table;
    config.endpoint = options.endpoint;
    config.tls.ca_file = options.tls_ca;
    // Every get has its connection: a queue would be measured as latency.
    config.pool.max_connections = options.concurrency;
    // A get is a request here; what merging them is worth is measured by `batching`.
    config.batching.mode = codynamo::batching_mode::off;
    config.region = options.region;
    use_placeholder_credentials(config);
    return config;
}

asio::awaitable<one_key> one_key::open(wire_options options, bool prepare) {
    codynamo::dynamodb_backend_config config = backend_config(options);
    config.create = prepare;
    byte_cache cache(co_await codynamo::dynamodb_backend::open(std::move(config)));
    if (prepare) co_await cache.set(options.key, std::string(1024, 'x'));
    std::optional<std::string> found = co_await cache.get(options.key);
    if (!found)
        throw std::runtime_error("no value under the key '" + options.key + "'; see --prepare");
    one_key made{cache, options.key, *std::move(found)};
    co_return made;
}

asio::awaitable<std::string> one_key::get() const {
    try {
        const std::optional<std::string> found = co_await cache.get(key);
        if (found && *found == expected) co_return std::string();
        co_return found ? "another value" : "no value under the key";
    } catch (const std::exception& why) {
        co_return why.what();
    }
}

} // namespace bench
