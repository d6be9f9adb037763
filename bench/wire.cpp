// SPDX-License-Identifier: BSL-1.0
// Each lane gets the same key over and over, by the public cache, and compares what it gets.
#include "wire.hpp"

#include "local_server.hpp"
#include "measure.hpp"
#include "ticker.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace bench {
namespace asio = boost::asio;
using byte_cache = codynamo::cache<std::string, codynamo::bytes_serializer<>>;

namespace {

struct wire_run {
    wire_run(const wire_options& given, byte_cache of, std::string wanted, ticker& looks)
        : options(given), cache(std::move(of)), expected(std::move(wanted)),
          measured(given, "wire"), looking(looks), lanes(given.concurrency) {}

    const wire_options& options;
    byte_cache cache;
    std::string expected;
    measurement measured;
    ticker& looking;
    unsigned lanes;
};

asio::awaitable<bool> get_once(wire_run& run) {
    try {
        const std::optional<std::string> found = co_await run.cache.get(run.options.key);
        if (found && *found == run.expected) co_return true;
        run.measured.note_failure(found ? "another value" : "no value under the key");
    } catch (const std::exception& why) {
        run.measured.note_failure(why.what());
    }
    co_return false;
}

asio::awaitable<void> lane(wire_run& run) {
    for (;;) {
        const auto begin = steady::now();
        const bool good = co_await get_once(run);
        if (!run.measured.record(begin, steady::now(), good)) break;
    }
    if (--run.lanes != 0) co_return;
    run.looking.stop();
    co_await run.cache.close();
}

codynamo::dynamodb_backend_config backend_config(const wire_options& options, bool prepare) {
    codynamo::dynamodb_backend_config config;
    config.table_name = options.table;
    config.endpoint = options.endpoint;
    config.tls.ca_file = options.tls_ca;
    config.create = prepare;
    // Every get has its connection: a queue would be measured as latency.
    config.pool.max_connections = options.concurrency;
    // A get is a request here; what merging them is worth is measured by `batching`.
    config.batching.mode = codynamo::batching_mode::off;
    config.region = options.region;
    stand_in_if_local(config);
    return config;
}

/// The value that every get has to return: what the first one returned.
asio::awaitable<std::string> first_value(byte_cache cache, std::string key, bool prepare) {
    if (prepare) co_await cache.set(key, std::string(1024, 'x'));
    const auto found = co_await cache.get(key);
    if (!found) throw std::runtime_error("no value under the key '" + key + "'; see --prepare");
    co_return *found;
}

asio::awaitable<void> set_up(const wire_options& options, bool prepare, ticker& looking,
                             std::optional<wire_run>& run) {
    auto backend = co_await codynamo::dynamodb_backend::open(backend_config(options, prepare));
    byte_cache cache(std::move(backend));
    std::string expected = co_await first_value(cache, options.key, prepare);
    run.emplace(options, cache, std::move(expected), looking);
    const auto executor = co_await asio::this_coro::executor;
    for (unsigned i = 0; i < options.concurrency; ++i) {
        asio::co_spawn(executor, lane(*run), asio::detached);
    }
}

} // namespace

int run_wire(const wire_options& options, bool prepare) {
    asio::io_context context(1);
    std::optional<wire_run> run;
    ticker looking(context, [&run] { return !run || run->measured.look(); });
    std::exception_ptr failure;
    asio::co_spawn(context, set_up(options, prepare, looking, run), [&](std::exception_ptr thrown) {
        failure = thrown;
        if (failure) looking.stop();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    const std::string title = "codynamo: get of " + std::to_string(run->expected.size()) + " bytes";
    return run->measured.report(title, options);
}

} // namespace bench
