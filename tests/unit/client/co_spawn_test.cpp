// SPDX-License-Identifier: BSL-1.0
// What a public awaitable answers can be had by every completion token: Asio default-constructs a
// result where the coroutine threw.
#include "fake_backend.hpp"
#include "support/catch.hpp"

#include <codynamo/any_backend.hpp>
#include <codynamo/aws/credentials.hpp>
#include <codynamo/cache.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <type_traits>

namespace codynamo {

namespace asio = boost::asio;
using namespace test;

namespace {

template <class F>
struct answer_of;
template <class C, class T, class... Arguments>
struct answer_of<asio::awaitable<T> (C::*)(Arguments...)> : std::type_identity<T> {};
template <class C, class T, class... Arguments>
struct answer_of<asio::awaitable<T> (C::*)(Arguments...) const> : std::type_identity<T> {};
template <class T, class... Arguments>
struct answer_of<asio::awaitable<T> (*)(Arguments...)> : std::type_identity<T> {};

template <class T>
asio::awaitable<T> refuse() {
    throw error(errc::overloaded, "this one refuses");
    if constexpr (!std::is_void_v<T>) co_return T();
}

bool is_refusal(const std::exception_ptr& thrown) {
    try {
        if (thrown) std::rethrow_exception(thrown);
    } catch (const error& why) {
        return why.code() == errc::overloaded;
    }
    return false;
}

template <class T>
bool is_refused(std::future<T> by) {
    try {
        by.get();
    } catch (...) {
        return is_refusal(std::current_exception());
    }
    return false;
}

/// How many of the four tokens tell that the coroutine failed.
template <class T>
int tokens_that_tell() {
    asio::io_context io;
    int told = 0;
    const auto tell = [&told](std::exception_ptr why, const auto&...) {
        told += is_refusal(why) ? 1 : 0;
    };
    asio::co_spawn(io, refuse<T>(), tell);
    asio::co_spawn(io, refuse<T>(), asio::deferred)(tell);
    asio::co_spawn(io, asio::co_spawn(io, refuse<T>(), asio::use_awaitable), tell);
    std::future<T> future = asio::co_spawn(io, refuse<T>(), asio::use_future);
    io.run();
    return told + (is_refused(std::move(future)) ? 1 : 0);
}

/// Each type once.
template <class... T>
struct types {};
template <class T, class... Known>
auto operator+(types<Known...>, std::type_identity<T>) {
    if constexpr ((std::is_same_v<T, Known> || ...))
        return types<Known...>();
    else
        return types<Known..., T>();
}

template <auto... Functions>
using answers = decltype((types<>() + ... +
                          std::type_identity<typename answer_of<decltype(Functions)>::type>()));

template <class... T>
void check_all(types<T...>) {
    const int told[] = {tokens_that_tell<T>()...};
    for (std::size_t i = 0; i != sizeof...(T); ++i) {
        CAPTURE(i);
        CHECK(told[i] == 4);
    }
}

using db = dynamodb::client;
using table = dynamodb_backend;
using texts = cache<std::string>;

} // namespace

TEST_CASE("co_spawn: every operation of a client has an answer for every token") {
    check_all(
        answers<&db::get_item, &db::put_item, &db::update_item, &db::delete_item,
                &db::batch_get_item, &db::batch_write_item, &db::query, &db::scan,
                &db::transact_write_items, &db::transact_get_items, &db::create_table,
                &db::describe_table, &db::delete_table, &db::list_tables, &db::update_time_to_live,
                &db::describe_time_to_live, &db::attempt<dynamodb::get_item_input>, &db::close>());
}

TEST_CASE("co_spawn: backends, caches, credentials and transports have one as well") {
    check_all(
        answers<&table::open, &table::load, &table::store, &table::erase, &table::load_many,
                &table::store_many, &table::clear_all, &any_backend::load, &texts::get,
                &texts::try_get, &texts::get_entry, &texts::contains, &texts::close,
                &aws::credentials_provider::resolve, &net::transport::send, &clock::sleep_until>());
    CHECK(tokens_that_tell<any_backend>() == 4);
    CHECK(tokens_that_tell<aws::chain_report>() == 4);
    CHECK(tokens_that_tell<result<void>>() == 4);
    CHECK(tokens_that_tell<std::vector<result<std::optional<std::string>>>>() == 4);
    CHECK(tokens_that_tell<std::vector<std::string>>() == 4);
    CHECK(tokens_that_tell<std::string>() == 4);
}

TEST_CASE("co_spawn: a backend is opened into a future") {
    fake_world world(script({answer("{}")}));
    asio::io_context io;
    std::future<dynamodb_backend> opened =
        asio::co_spawn(io, dynamodb_backend::open(world.backend_config()), asio::use_future);
    io.run();
    dynamodb_backend backend = opened.get();
    CHECK_FALSE(test_support::run(backend.load("k")));
}

} // namespace codynamo
