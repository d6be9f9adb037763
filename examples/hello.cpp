// SPDX-License-Identifier: BSL-1.0
// The shortest whole program.
// [program]
#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/class.hpp>

#include <exception>
#include <iostream>

namespace asio = boost::asio;
using namespace std::chrono_literals;

struct profile {
    std::string name;
    int age = 0;
};
BOOST_DESCRIBE_STRUCT(profile, (), (name, age))

asio::awaitable<void> hello() {
    codynamo::dynamodb_backend_config config{.table_name = "profiles", .consistent_read = true};
    auto backend = co_await codynamo::dynamodb_backend::open(config);
    codynamo::cache<profile> cache(backend);
    co_await cache.set("alice", {"Alice", 41}, 10min);
    std::optional<profile> found = co_await cache.get("alice");
    if (found) std::cout << found->name << " is " << found->age << "\n";
    co_await cache.close();
}

int main() {
    asio::io_context context(1);
    std::exception_ptr failure;
    asio::co_spawn(context, hello(), [&](std::exception_ptr why) { failure = why; });
    context.run();
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& why) {
        std::cerr << why.what() << "\n";
        return 1;
    }
}
// [/program]
