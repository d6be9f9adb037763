// SPDX-License-Identifier: BSL-1.0
#include "workloads.hpp"

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <string>
#include <utility>
#include <vector>

namespace codynamo::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::cache_promise;
using testing::simulated_client;
using testing::simulated_latency;

namespace {

asio::awaitable<any_backend> open_table(simulated_client client, bool consistent) {
    dynamodb_backend_config config = client.table_config();
    config.consistent_read = consistent;
    dynamodb_backend table = co_await dynamodb_backend::open(std::move(config));
    co_return any_backend(std::move(table));
}

asio::awaitable<any_backend> open_merged(simulated_client client, batching_config batching) {
    dynamodb_backend_config config = client.table_config();
    config.consistent_read = true;
    config.batching = batching;
    dynamodb_backend table = co_await dynamodb_backend::open(std::move(config));
    co_return any_backend(std::move(table));
}

asio::awaitable<any_backend> open_layered(simulated_client client, bool consistent) {
    std::vector<any_backend> layers;
    memory_backend_config memory;
    memory.env = client.env;
    memory.max_entries = 2; // so that evictions happen
    layers.emplace_back(memory_backend(std::move(memory)));
    any_backend table = co_await open_table(client, consistent);
    layers.push_back(std::move(table));
    layered_backend_config config;
    config.env = client.env;
    co_return any_backend(layered_backend(std::move(layers), std::move(config)));
}

/// What somebody writes who uses the client and nothing else.
class client_backend {
public:
    explicit client_backend(dynamodb::client client) : client_(std::move(client)) {}

    asio::awaitable<std::optional<record>> load(std::string key) {
        return load_from(client_, std::move(key));
    }
    asio::awaitable<void> store(std::string key, record r) {
        return store_in(client_, std::move(key), std::move(r));
    }
    asio::awaitable<bool> erase(std::string key) { return erase_from(client_, std::move(key)); }

private:
    static dynamodb::item key_of(std::string key) {
        dynamodb::item item;
        item.emplace("key", std::move(key));
        return item;
    }
    static asio::awaitable<std::optional<record>> load_from(dynamodb::client client,
                                                            std::string key) {
        dynamodb::get_item_input in;
        in.table_name = "cache";
        in.key = key_of(std::move(key));
        in.consistent_read = true;
        const auto got = co_await client.get_item(std::move(in));
        if (!got.item) co_return std::nullopt;
        record r;
        r.value = got.item->at("bytes").get_if<dynamodb::binary>()->bytes;
        r.written = timestamp(ttl(number(*got.item, "written")));
        r.lifetime = ttl(number(*got.item, "life"));
        co_return r;
    }
    static asio::awaitable<void> store_in(dynamodb::client client, std::string key, record r) {
        dynamodb::put_item_input in;
        in.table_name = "cache";
        in.item = key_of(std::move(key));
        in.item.emplace("bytes", dynamodb::binary{std::move(r.value)});
        in.item.emplace("written", dynamodb::number(r.written.time_since_epoch().count()));
        in.item.emplace("life", dynamodb::number(r.lifetime.count()));
        co_await client.put_item(std::move(in));
    }
    static asio::awaitable<bool> erase_from(dynamodb::client client, std::string key) {
        dynamodb::delete_item_input in;
        in.table_name = "cache";
        in.key = key_of(std::move(key));
        in.return_values = dynamodb::return_values::all_old;
        const auto done = co_await client.delete_item(std::move(in));
        co_return !done.attributes.empty();
    }
    static std::int64_t number(const dynamodb::item& item, std::string_view name) {
        return std::stoll(std::string(item.find(name)->second.get_if<dynamodb::number>()->text()));
    }

    dynamodb::client client_;
};

asio::awaitable<any_backend> open_client(simulated_client client) {
    co_return any_backend(client_backend(dynamodb::client(client_config_of(client))));
}

simulated_latency latency_of(testing::seeded_random& random) {
    using shape = simulated_latency::shape;
    constexpr shape shapes[] = {shape::constant, shape::uniform, shape::exponential,
                                shape::heavy_tail};
    simulated_latency latency;
    latency.how = shapes[random.below(4)];
    latency.low = std::chrono::microseconds(100 + random.below(1000));
    latency.high = latency.low + std::chrono::microseconds(random.below(6000));
    return latency;
}

} // namespace

dynamodb::client_config client_config_of(const simulated_client& client) {
    const dynamodb_backend_config table = client.table_config();
    dynamodb::client_config config;
    config.region = table.region;
    config.endpoint = table.endpoint;
    config.credentials = table.credentials;
    config.env = client.env;
    config.transport = client.transport;
    return config;
}

testing::cache_workload workload_of(stack which, std::uint64_t seed) {
    testing::seeded_random random(seed ^ 0xC0D7A30ULL);
    testing::cache_workload workload;
    batching_config batching;
    const bool consistent = which != stack::late_table && which != stack::late_layered;
    switch (which) {
    case stack::table:
    case stack::late_table:
        workload.open = [consistent](simulated_client c) { return open_table(c, consistent); };
        break;
    case stack::layered:
    case stack::late_layered:
        workload.open = [consistent](simulated_client c) { return open_layered(c, consistent); };
        break;
    case stack::client:
        workload.open = open_client;
        workload.touches = workload.clears = false; // three functions have neither
        break;
    case stack::merged:
        batching.mode = random.chance(0.5) ? batching_mode::on : batching_mode::automatic;
        batching.crossover = static_cast<unsigned>(1 + random.below(3));
        batching.max_delay = std::chrono::microseconds(random.below(5'000));
        workload.open = [batching](simulated_client c) { return open_merged(c, batching); };
        workload.lanes = static_cast<unsigned>(2 + random.below(6));
        break;
    }
    workload.promise = !consistent               ? cache_promise::sound
                       : which == stack::layered ? cache_promise::sessions
                                                 : cache_promise::linearizable;
    workload.clients = static_cast<unsigned>(2 + random.below(3));
    workload.operations = static_cast<unsigned>(6 + random.below(10));
    workload.keys = static_cast<unsigned>(1 + random.below(4));
    if (workload.lanes > 1) {
        workload.keys += workload.lanes;
        workload.operations *= 4;
    }
    workload.pause = std::chrono::microseconds(random.below(workload.lanes > 1 ? 600 : 6000));
    workload.order = random.chance(0.8) ? testing::virtual_world::order::random
                                        : testing::virtual_world::order::fifo;
    if (random.chance(0.5)) workload.skew = 3s;
    if (random.chance(0.3)) workload.longest_life = 20ms; // much expires in the middle of things
    if (random.chance(0.5)) workload.crashes = 0.4;
    workload.server.request = latency_of(random);
    workload.server.answer = latency_of(random);
    if (random.chance(0.7))
        workload.server.faults = testing::simulated_faults::some(0.3 * random.uniform());
    if (random.chance(0.5)) workload.server.unprocessed_keys = 0.3;
    if (random.chance(0.7)) workload.server.staleness = std::chrono::microseconds(20'000);
    workload.server.page_items = random.below(3);
    return workload;
}

testing::cache_workload crowded_workload(std::uint64_t seed) {
    testing::cache_workload workload = workload_of(stack::merged, seed);
    workload.shared_keys = true;
    workload.keys = 2;
    workload.clients = 2;
    workload.operations = 24;
    workload.server.faults = {};
    workload.server.unprocessed_keys = seed % 2 == 0 ? 0.3 : 0; // does not repeat what was done
    workload.crashes = 0;
    for (simulated_latency* each : {&workload.server.request, &workload.server.answer})
        if (each->how == simulated_latency::shape::heavy_tail)
            each->how = simulated_latency::shape::exponential; // no attempt is given up
    return workload;
}

testing::simulation_report run_workload(std::uint64_t seed,
                                        const testing::cache_workload& workload) {
    return testing::run_cache_workload(seed, workload);
}

testing::simulation_report run_on(stack which, std::uint64_t seed) {
    return run_workload(seed, workload_of(which, seed));
}

testing::simulation_report run_any(std::uint64_t seed) {
    return run_on(static_cast<stack>(seed % 5), seed);
}

} // namespace codynamo::test
