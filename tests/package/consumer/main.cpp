// SPDX-License-Identifier: BSL-1.0
// Somebody else's program: uses what is public, down to what needs the library's own dependencies.
#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/class.hpp>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace asio = boost::asio;

struct profile {
    std::string name;
    int age = 0;
};
BOOST_DESCRIBE_STRUCT(profile, (), (name, age))

namespace {

asio::awaitable<bool> use_cache() {
    codynamo::memory_backend upper;
    codynamo::memory_backend lower;
    codynamo::cache<profile> cache(codynamo::layered_backend(upper, lower));
    co_await cache.set("alice", {"Alice", 41}, std::chrono::minutes(1));
    const std::optional<profile> found = co_await cache.get("alice");
    co_return found && found->name == "Alice" && found->age == 41;
}

// Nothing listens there: the words of the library's exception have to come through.
asio::awaitable<bool> fail_to_connect() {
    codynamo::dynamodb_backend_config config;
    config.table_name = "consumer";
    config.region = "us-east-1";
    config.endpoint = "https://127.0.0.1:9";
    config.credentials = codynamo::aws::static_credentials({"id", "secret"});
    config.retry.max_attempts = 1;
    try {
        co_await codynamo::dynamodb_backend::open(std::move(config));
    } catch (const codynamo::error& why) {
        co_return why.code() == codynamo::errc::connect_failed;
    }
    co_return false;
}

asio::awaitable<bool> use_everything() {
    const bool cached = co_await use_cache();
    const bool failed = co_await fail_to_connect();
    co_return cached&& failed;
}

} // namespace

int main() {
    asio::io_context context(1);
    bool good = false;
    asio::co_spawn(context, use_everything(), [&](std::exception_ptr thrown, bool done) {
        good = !thrown && done;
        context.stop();
    });
    context.run();
    std::puts(good ? "the consumer is content" : "the consumer is not content");
    return good ? 0 : 1;
}
