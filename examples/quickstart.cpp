// SPDX-License-Identifier: BSL-1.0
// The main job, step by step, on whatever DynamoDB the environment or --endpoint names.
#include "run_main.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

// [struct]
struct profile {
    std::string name;
    int age = 0;
};
BOOST_DESCRIBE_STRUCT(profile, (), (name, age))
// [/struct]

namespace {

// An example that does not do what it says should fail.
void expect(bool fact, std::string_view what) {
    if (!fact) throw std::runtime_error("expected: " + std::string(what));
}

asio::awaitable<codynamo::dynamodb_backend> open(std::string endpoint) {
    codynamo::dynamodb_backend_config config;
    config.table_name = "codynamo-quickstart";
    config.endpoint = std::move(endpoint);
    auto backend = co_await codynamo::dynamodb_backend::open(std::move(config));
    std::cout << "1. The table 'codynamo-quickstart' is ready at "
              << backend.client().endpoint().url() << ".\n";
    co_return backend;
}

// [values]
asio::awaitable<void> values(codynamo::dynamodb_backend backend) {
    codynamo::cache<profile> profiles(backend);
    co_await profiles.set("alice", {"Alice", 41}, 10min);
    std::optional<profile> found = co_await profiles.get("alice");
    expect(found && found->age == 41, "Alice as she was stored");
    std::cout << "2. A struct: stored for ten minutes and read back: " << found->name << ", "
              << found->age << ".\n";

    codynamo::json_dict_cache dicts(backend);
    json::object dark{{"theme", "dark"}, {"columns", 3}};
    co_await dicts.set("settings", dark);
    auto settings = co_await dicts.get("settings");
    expect(settings && settings->at("columns") == 3, "the dict as it was stored");
    std::cout << "3. A dict, for ever: " << json::serialize(*settings) << ".\n";

    codynamo::json_list_cache lists(backend);
    json::array four{3, 1, "four", nullptr};
    co_await lists.set("scores", four);
    auto scores = co_await lists.get("scores");
    expect(scores && scores->size() == 4, "the list as it was stored");
    std::cout << "4. A list: " << json::serialize(*scores) << ".\n";
}
// [/values]

asio::awaitable<void> wait(std::chrono::milliseconds duration) {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
}

// [expiry]
asio::awaitable<void> expiry(codynamo::dynamodb_backend backend) {
    codynamo::cache<int> numbers(backend);
    co_await numbers.set("fleeting", 7, 300ms);
    auto entry = co_await numbers.get_entry("fleeting");
    expect(entry && entry->remaining, "a value that will expire");
    co_await wait(400ms);
    bool gone = !co_await numbers.get("fleeting");
    expect(gone, "a miss after its lifetime");
    std::cout << "5. Expiry: a value that lives 300 ms was there, and 400 ms later it is a miss.\n";
}
// [/expiry]

// [layers]
asio::awaitable<void> layers(codynamo::dynamodb_backend table) {
    codynamo::memory_backend memory({.max_bytes = 16 << 20});
    codynamo::cache<profile> fast(codynamo::layered_backend(memory, table));
    auto first = co_await fast.get_entry("alice");  // from the table, and copied into memory
    auto second = co_await fast.get_entry("alice"); // without leaving this process
    expect(first && second && second->source == "memory", "the second answer from memory");
    std::cout << "6. Two layers: the first get came from " << first->source << ", the second from "
              << second->source << ", still with the lifetime it had.\n";
}
// [/layers]

// [many]
asio::awaitable<void> many(codynamo::dynamodb_backend backend) {
    codynamo::cache<int> numbers(backend);
    std::vector<std::pair<std::string, int>> entries;
    std::vector<std::string> keys;
    for (int i = 0; i < 1000; ++i) {
        keys.push_back("number-" + std::to_string(i));
        entries.emplace_back(keys.back(), i);
    }
    for (const auto& stored : co_await numbers.set_many(entries, 5s))
        stored.value();

    int hits = 0;
    auto found = co_await numbers.get_many(keys);
    for (int i = 0; i < 1000; ++i) {
        if (found[static_cast<std::size_t>(i)].value() == i) ++hits;
    }
    std::cout << "7. Many: set_many wrote 1,000 values, get_many of 1,000 keys found " << hits
              << " of them, in order.\n";
    expect(hits == 1000, "a thousand hits");
}
// [/many]

// [clear]
asio::awaitable<void> clear(codynamo::dynamodb_backend backend) {
    codynamo::json_dict_cache cache(backend);
    co_await wait(5100ms);
    auto expired = co_await cache.clear_expired();
    std::cout << "8. clear_expired looked at " << expired.scanned << " items, deleted "
              << expired.deleted << " and kept " << expired.kept << ".\n";
    auto all = co_await cache.clear_all();
    bool empty = !co_await cache.get("settings");
    std::cout << "9. clear_all deleted the other " << all.deleted << ".\n";
    // The server's own expiry may have been quicker than ours.
    expect(expired.kept == 3 && expired.deleted <= 1001, "the three that live on");
    expect(all.deleted == 3 && empty, "an empty table");
}
// [/clear]

// [load]
asio::awaitable<void> get_until(codynamo::cache<std::string> texts, std::string key,
                                std::chrono::steady_clock::time_point end, std::uint64_t& gets) {
    co_await texts.set(key, std::string(1024, 'x'));
    while (std::chrono::steady_clock::now() < end) {
        auto found = co_await texts.get(key);
        expect(found && found->size() == 1024, "the text as it was stored");
        ++gets;
    }
}

asio::awaitable<void> load(codynamo::dynamodb_backend backend, std::chrono::seconds duration) {
    codynamo::cache<std::string> texts(backend);
    auto executor = co_await asio::this_coro::executor;
    auto end = std::chrono::steady_clock::now() + duration;
    asio::steady_timer all_done(executor, std::chrono::steady_clock::time_point::max());
    std::exception_ptr failure;
    std::uint64_t gets = 0;
    int running = 32;
    std::clock_t cpu = std::clock();
    for (int i = running; i != 0; --i) {
        std::string key = "text-" + std::to_string(i);
        asio::co_spawn(executor, get_until(texts, key, end, gets), [&](std::exception_ptr thrown) {
            if (thrown) failure = thrown;
            if (--running == 0) all_done.cancel();
        });
    }
    co_await all_done.async_wait(asio::as_tuple(asio::use_awaitable));
    if (failure) std::rethrow_exception(failure);
    double cpu_us = 1e6 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    std::cout << "10. " << gets / static_cast<std::uint64_t>(duration.count())
              << " gets a second of 1 KiB, 32 in flight on one thread, "
              << cpu_us / static_cast<double>(gets) << " us of this process's CPU each.\n";
}
// [/load]

asio::awaitable<void> quickstart(std::string endpoint, std::chrono::seconds measured) {
    codynamo::dynamodb_backend backend = co_await open(std::move(endpoint));
    codynamo::json_dict_cache cache(backend);
    co_await cache.clear_all(); // what an earlier run may have left
    co_await values(backend);
    co_await expiry(backend);
    co_await layers(backend);
    co_await many(backend);
    co_await clear(backend);
    if (measured > 0s) co_await load(backend, measured);
    co_await backend.close();
    std::cout << "Every step did what it should.\n";
}

/// 0 when it is no number.
std::chrono::seconds to_seconds(std::string_view text) {
    int seconds = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    return std::chrono::seconds(ec == std::errc() && end == text.data() + text.size() ? seconds
                                                                                      : 0);
}

} // namespace

int main(int argc, char** argv) {
    std::string endpoint;
    std::chrono::seconds measured{0};
    for (int i = 1; i < argc; i += 2) {
        const std::string_view option = argv[i];
        const bool has_value = i + 1 < argc;
        if (has_value && option == "--endpoint") {
            endpoint = argv[i + 1];
        } else if (has_value && option == "--measure" && to_seconds(argv[i + 1]).count() > 0) {
            measured = to_seconds(argv[i + 1]);
        } else {
            std::cerr << "usage: quickstart [--endpoint URL] [--measure SECONDS]\n";
            return 2;
        }
    }
    return run_main(quickstart(std::move(endpoint), measured));
}
