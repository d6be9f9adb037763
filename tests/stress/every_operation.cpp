// SPDX-License-Identifier: BSL-1.0
#include "every_operation.hpp"

#include <utility>

namespace codynamo::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

fake_response answer_to(const fake_request& request) {
    const auto name = request.operation();
    if (name == "BatchGetItem") return answer(R"({"Responses":{},"UnprocessedKeys":{}})");
    if (name == "BatchWriteItem") return answer(R"({"UnprocessedItems":{}})");
    if (name == "Query" || name == "Scan")
        return answer(R"({"Count":0,"Items":[],"ScannedCount":0})");
    if (name == "TransactGetItems") return answer(R"({"Responses":[{}]})");
    if (name == "ListTables") return answer(R"({"TableNames":[]})");
    if (name == "DescribeTimeToLive")
        return answer(R"({"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}})");
    if (name == "DescribeTable")
        return answer(R"({"Table":{"TableName":"cache","TableStatus":"ACTIVE",)"
                      R"("AttributeDefinitions":[{"AttributeName":"key","AttributeType":"S"}],)"
                      R"("KeySchema":[{"AttributeName":"key","KeyType":"HASH"}]}})");
    if (name == "CreateTable") return answer(R"({"TableDescription":{}})");
    if (name == "DeleteTable") {
        // The backend waits until a table is gone, and its own is there for ever.
        if (request.body.find("\"cache\"") != std::string::npos)
            return service_error("ResourceNotFoundException");
        return answer(R"({"TableDescription":{}})");
    }
    return answer("{}");
}

dynamodb::item key_item(const std::string& key) {
    dynamodb::item made;
    made.emplace("key", key);
    return made;
}

record new_record() {
    record made;
    made.value = "1";
    made.written = environment().time->now();
    return made;
}

template <class T>
asio::awaitable<void> ignore(asio::awaitable<T> what) {
    static_cast<void>(co_await std::move(what));
}
template <class T>
asio::awaitable<void> all_good(asio::awaitable<std::vector<result<T>>> what) {
    for (const auto& one : co_await std::move(what))
        if (!one) throw_failure(one.error());
}
/// What is an aggregate has to have a name within a co_await expression; see cache.hpp.
template <class Input, class Output>
asio::awaitable<void>
call(served& of, asio::awaitable<Output> (dynamodb::client::*what)(Input, dynamodb::call_options),
     Input in) {
    static_cast<void>(co_await (of.client.*what)(std::move(in), dynamodb::call_options()));
}

asio::awaitable<void> attempt(served& of, std::string key) {
    dynamodb::get_item_input in{.table_name = "cache", .key = key_item(key)};
    if (const auto got = co_await of.client.attempt(std::move(in)); !got)
        throw_failure(got.error());
}

asio::awaitable<void> open(served& of) {
    dynamodb_backend_config config = of.table_config();
    config.create = true;
    static_cast<void>(co_await dynamodb_backend::open(std::move(config)));
}

} // namespace

served::served(batching_mode how, std::chrono::microseconds delay)
    : mode(how), max_delay(delay), world([this](const fake_request& request) {
          if (hold_first && !was_held.exchange(true)) hold_first();
          return answer_to(request);
      }),
      table(test_support::run(dynamodb_backend::open(table_config()))), values(any_backend(table)),
      client(world.client_config()) {}

dynamodb_backend_config served::table_config() const {
    dynamodb_backend_config config = world.backend_config();
    config.env.time = environment().time; // one that several threads may use
    config.batching = {.mode = mode, .crossover = 1, .max_delay = max_delay};
    return config;
}

std::vector<operation> cache_operations() {
    return {
        {"get", [](served& s, std::string k) { return ignore(s.values.get(std::move(k))); }},
        {"try_get",
         [](served& s, std::string k) { return ignore(s.values.try_get(std::move(k))); }},
        {"get_entry",
         [](served& s, std::string k) { return ignore(s.values.get_entry(std::move(k))); }},
        {"set", [](served& s, std::string k) { return s.values.set(std::move(k), 1); }},
        {"try_set",
         [](served& s, std::string k) { return ignore(s.values.try_set(std::move(k), 1)); }},
        {"erase", [](served& s, std::string k) { return ignore(s.values.erase(std::move(k))); }},
        {"discard", [](served& s, std::string k) { return s.values.discard(std::move(k)); }},
        {"contains",
         [](served& s, std::string k) { return ignore(s.values.contains(std::move(k))); }},
        {"touch",
         [](served& s, std::string k) { return ignore(s.values.touch(std::move(k), 5s)); }},
        {"get_many",
         [](served& s, std::string k) {
             return all_good(s.values.get_many({k, k + "-2"}));
         }},
        {"set_many",
         [](served& s, std::string k) {
             return all_good(s.values.set_many({{k, 1}, {k + "-2", 2}}));
         }},
        {"erase_many",
         [](served& s, std::string k) {
             return all_good(s.values.erase_many({k, k + "-2"}));
         }},
        {"clear_all", [](served& s, std::string) { return ignore(s.values.clear_all()); }},
        {"clear_expired", [](served& s, std::string) { return ignore(s.values.clear_expired()); }},
        {"close", [](served& s, std::string) { return s.values.close(); }},
    };
}

std::vector<operation> backend_operations() {
    return {
        {"open", [](served& s, std::string) { return open(s); }},
        {"load", [](served& s, std::string k) { return ignore(s.table.load(std::move(k))); }},
        {"store",
         [](served& s, std::string k) { return s.table.store(std::move(k), new_record()); }},
        {"erase", [](served& s, std::string k) { return ignore(s.table.erase(std::move(k))); }},
        {"discard", [](served& s, std::string k) { return s.table.discard(std::move(k)); }},
        {"peek", [](served& s, std::string k) { return ignore(s.table.peek(std::move(k))); }},
        {"touch",
         [](served& s, std::string k) {
             return ignore(s.table.touch(std::move(k), environment().time->now(), ttl(5s)));
         }},
        {"store_newer",
         [](served& s, std::string k) {
             return ignore(s.table.store_newer(std::move(k), new_record()));
         }},
        {"load_many",
         [](served& s, std::string k) {
             return all_good(s.table.load_many({k, k + "-2"}));
         }},
        {"store_many",
         [](served& s, std::string k) {
             return all_good(s.table.store_many({{k, new_record()}, {k + "-2", new_record()}}));
         }},
        {"erase_many",
         [](served& s, std::string k) {
             return all_good(s.table.erase_many({k, k + "-2"}));
         }},
        {"clear_all",
         [](served& s, std::string) { return ignore(s.table.clear_all(clear_options())); }},
        {"clear_expired",
         [](served& s, std::string) {
             return ignore(s.table.clear_expired(clear_options(), environment().time->now()));
         }},
        {"ensure_table", [](served& s, std::string) { return s.table.ensure_table(); }},
        {"delete_table", [](served& s, std::string) { return ignore(s.table.delete_table()); }},
        {"close", [](served& s, std::string) { return s.table.close(); }},
    };
}

namespace {

using namespace dynamodb;

batch_get_item_input batch_get(const std::string& key) {
    batch_get_item_input in;
    in.request_items["cache"].keys.push_back(key_item(key));
    return in;
}
batch_write_item_input batch_write(const std::string& key) {
    batch_write_item_input in;
    in.request_items["cache"].push_back({.is_put = true, .item = key_item(key)});
    return in;
}
query_input query_all() {
    query_input in{.table_name = "cache", .key_condition_expression = "k = :v"};
    in.values.emplace(":v", "x");
    return in;
}
transact_get_items_input transact_get(const std::string& key) {
    transact_get_items_input in;
    in.items.push_back({.table_name = "cache", .key = key_item(key)});
    return in;
}
transact_write_items_input transact_write(const std::string& key) {
    transact_write_items_input in;
    in.items.push_back({.table_name = "cache", .item = key_item(key)});
    return in;
}

std::vector<operation> item_operations() {
    return {
        {"attempt", [](served& s, std::string k) { return attempt(s, std::move(k)); }},
        {"get_item",
         [](served& s, std::string k) {
             return call(s, &client::get_item, {.table_name = "cache", .key = key_item(k)});
         }},
        {"put_item",
         [](served& s, std::string k) {
             return call(s, &client::put_item, {.table_name = "cache", .item = key_item(k)});
         }},
        {"update_item",
         [](served& s, std::string k) {
             return call(s, &client::update_item, {.table_name = "cache", .key = key_item(k)});
         }},
        {"delete_item",
         [](served& s, std::string k) {
             return call(s, &client::delete_item, {.table_name = "cache", .key = key_item(k)});
         }},
        {"batch_get_item",
         [](served& s, std::string k) { return call(s, &client::batch_get_item, batch_get(k)); }},
        {"batch_write_item",
         [](served& s, std::string k) {
             return call(s, &client::batch_write_item, batch_write(k));
         }},
        {"query", [](served& s, std::string) { return call(s, &client::query, query_all()); }},
        {"scan",
         [](served& s, std::string) { return call(s, &client::scan, {.table_name = "cache"}); }},
        {"transact_get_items",
         [](served& s, std::string k) {
             return call(s, &client::transact_get_items, transact_get(k));
         }},
        {"transact_write_items",
         [](served& s, std::string k) {
             return call(s, &client::transact_write_items, transact_write(k));
         }},
    };
}

std::vector<operation> table_operations() {
    return {
        {"create_table",
         [](served& s, std::string) {
             return call(s, &client::create_table,
                         {.table_name = "cache", .key_schema = {{"key"}}});
         }},
        {"describe_table",
         [](served& s, std::string) {
             return call(s, &client::describe_table, {.table_name = "cache"});
         }},
        {"delete_table",
         [](served& s, std::string) {
             return call(s, &client::delete_table, {.table_name = "another"});
         }},
        {"list_tables",
         [](served& s, std::string) { return call(s, &client::list_tables, list_tables_input()); }},
        {"update_time_to_live",
         [](served& s, std::string) {
             return call(s, &client::update_time_to_live,
                         {.table_name = "cache", .attribute_name = "ttl"});
         }},
        {"describe_time_to_live",
         [](served& s, std::string) {
             return call(s, &client::describe_time_to_live, {.table_name = "cache"});
         }},
        {"close", [](served& s, std::string) { return s.client.close(); }},
    };
}

} // namespace

std::vector<operation> client_operations() {
    std::vector<operation> all = item_operations();
    for (operation& one : table_operations())
        all.push_back(std::move(one));
    return all;
}

} // namespace codynamo::test
