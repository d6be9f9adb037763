// SPDX-License-Identifier: BSL-1.0
// The C++ side of the interop tests: reads commands on stdin, one JSON object a line, and answers
// each with one on stdout. Values travel as JSON text inside a string, so that nothing on the way
// changes them.
#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

std::string text_of(const json::object& command, std::string_view name) {
    return std::string(command.at(name).as_string());
}

template <class T>
json::object answer_of(const codynamo::result<std::optional<T>>& found) {
    if (!found) {
        return {{"error", found.error().code.message()}, {"words", found.error().message()}};
    }
    if (!*found) return {{"hit", false}};
    return {{"hit", true}, {"text", codynamo::json_serializer<T>().serialize(**found)}};
}

template <class T>
asio::awaitable<json::object> get(codynamo::dynamodb_backend backend, json::object command) {
    codynamo::cache<T> cache(backend);
    const auto found = co_await cache.try_get(text_of(command, "key"));
    co_return answer_of(found);
}

template <class T>
asio::awaitable<json::object> set(codynamo::dynamodb_backend backend, json::object command) {
    codynamo::cache<T> cache(backend);
    T value = codynamo::json_serializer<T>().deserialize(text_of(command, "text"));
    const std::chrono::duration<double> lifetime(command.at("ttl").to_number<double>());
    co_await cache.set(text_of(command, "key"), std::move(value), lifetime);
    co_return json::object{};
}

json::object counts(const codynamo::clear_progress& done) {
    return {{"scanned", done.scanned}, {"deleted", done.deleted}, {"kept", done.kept}};
}

asio::awaitable<json::object> obey(codynamo::dynamodb_backend backend, json::object command) {
    const std::string verb = text_of(command, "verb");
    if (verb == "get_dict") co_return co_await get<json::object>(backend, std::move(command));
    if (verb == "get_list") co_return co_await get<json::array>(backend, std::move(command));
    if (verb == "get_any") co_return co_await get<json::value>(backend, std::move(command));
    if (verb == "set_any") co_return co_await set<json::value>(backend, std::move(command));
    codynamo::json_dict_cache cache(backend);
    if (verb == "touch") {
        const std::chrono::duration<double> lifetime(command.at("ttl").to_number<double>());
        const bool done = co_await cache.touch(text_of(command, "key"), lifetime);
        co_return json::object{{"done", done}};
    }
    if (verb == "clear_all") {
        const auto done = co_await cache.clear_all();
        co_return counts(done);
    }
    if (verb == "clear_expired") {
        const auto done = co_await cache.clear_expired();
        co_return counts(done);
    }
    throw std::runtime_error("what is " + verb + "?");
}

asio::awaitable<void> serve(std::string table, bool create) {
    codynamo::dynamodb_backend_config config;
    config.table_name = std::move(table);
    config.create = create;
    auto backend = co_await codynamo::dynamodb_backend::open(std::move(config));
    std::cout << "{}" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        json::object command = json::parse(line).as_object();
        const json::object answer = co_await obey(backend, std::move(command));
        std::cout << json::serialize(answer) << std::endl;
    }
    co_await backend.close();
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: interop_peer TABLE create|use\n";
        return 2;
    }
    asio::io_context context(1);
    std::exception_ptr failure;
    asio::co_spawn(context, serve(argv[1], argv[2] == std::string("create")),
                   [&](std::exception_ptr thrown) {
                       failure = thrown;
                       context.stop();
                   });
    context.run();
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& why) {
        std::cerr << "interop_peer: " << why.what() << '\n';
        return 3;
    }
    return 0;
}
