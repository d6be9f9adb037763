// SPDX-License-Identifier: BSL-1.0
// The loops that count and do not time. `wire --ops` is the one over the wire, these are the
// others.
#include "gate/loop.hpp"

#include "batch_server.hpp"
#include "server_under_test.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/version.hpp>

#include <openssl/crypto.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <gnu/libc-version.h>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace bench {
namespace asio = boost::asio;

namespace {

constexpr unsigned keys = 1000;
constexpr unsigned lanes = 32;

std::string key_of(unsigned number) {
    return "key-" + std::to_string(100'000 + number);
}

void rethrow(std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
}

template <class Cache>
asio::awaitable<void> hits(Cache cache, std::uint64_t ops) {
    std::vector<std::string> names;
    for (unsigned i = 0; i != keys; ++i) {
        names.push_back(key_of(i));
        co_await cache.set(names.back(), std::string(1024, 'x'));
    }
    for (std::uint64_t i = 0; i != ops; ++i) {
        const auto found = co_await cache.get(names[i % keys]);
        if (!found || found->size() != 1024) throw std::runtime_error("another value");
    }
}

asio::awaitable<void> batched(codynamo::dynamodb_backend backend, unsigned number,
                              std::uint64_t ops, unsigned& running) {
    const std::string key = key_of(number);
    for (std::uint64_t i = 0; i != ops; ++i) {
        const auto found = co_await backend.load(key);
        if (!found || found->value.size() != 1024) throw std::runtime_error("another value");
    }
    if (--running == 0) co_await backend.close();
}

codynamo::dynamodb_backend_config batching_config(const std::string& endpoint) {
    codynamo::dynamodb_backend_config config;
    config.table_name = "codynamo-bench";
    config.endpoint = endpoint;
    config.region = "us-east-1";
    config.credentials = codynamo::aws::static_credentials({"bench", "bench"});
    config.create = false; // the server knows no tables
    config.batching.mode = codynamo::batching_mode::on;
    // callgrind is slow: nothing is to depend on how slow.
    config.batching.max_delay = std::chrono::seconds(1);
    return config;
}

asio::awaitable<void> all_batched(const gate_loop_options& options, unsigned& running) {
    auto backend = co_await codynamo::dynamodb_backend::open(batching_config(options.server));
    const auto executor = co_await asio::this_coro::executor;
    running = lanes;
    for (unsigned i = 0; i != lanes; ++i)
        asio::co_spawn(executor, batched(backend, i, options.ops / lanes, running), rethrow);
}

void print_versions() {
    char boost_version[32];
    std::snprintf(boost_version, sizeof boost_version, "%d.%d", BOOST_VERSION / 100'000,
                  BOOST_VERSION / 100 % 1000);
    const boost::json::object out{{"compiler", "g++ " __VERSION__},
                                  {"boost", boost_version},
                                  {"openssl", ::OpenSSL_version(OPENSSL_VERSION_STRING)},
                                  {"libc", ::gnu_get_libc_version()}};
    std::puts(boost::json::serialize(out).c_str());
}

/// Until nobody holds the other end of stdin any more.
void serve() {
    const batch_server server(-1);
    std::printf("http://127.0.0.1:%u\n", unsigned{server.port()});
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
}

} // namespace

void add_gate_loop_options(CLI::App& app, gate_loop_options& options) {
    app.add_option("what", options.what, "The loop")
        ->required()
        ->check(CLI::IsMember({"memory", "batch", "serve", "versions"}));
    app.add_option("--server", options.server, "URL of the server, for batch")
        ->check([](const std::string& value) { return server_fault(value, {}); });
    app.add_option("--ops", options.ops, "How many gets");
}

int run_gate_loop(const gate_loop_options& options) {
    asio::io_context context(1);
    unsigned running = 0;
    if (options.what == "versions") {
        print_versions();
    } else if (options.what == "serve") {
        serve();
    } else if (options.what == "batch") {
        asio::co_spawn(context, all_batched(options, running), rethrow);
    } else {
        using byte_cache = codynamo::cache<std::string, codynamo::bytes_serializer<>>;
        const byte_cache cache{codynamo::memory_backend{codynamo::memory_backend_config{}}};
        asio::co_spawn(context, hits(cache, options.ops), rethrow);
    }
    context.run();
    return 0;
}

} // namespace bench
