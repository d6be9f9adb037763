// SPDX-License-Identifier: BSL-1.0
// The DynamoDB client alone: a table of accounts, a conditional update, a query by page.
#include "run_main.hpp"

#include <codynamo/dynamodb/client.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace dynamodb = codynamo::dynamodb;

namespace {

asio::awaitable<void> make_table(dynamodb::client client) {
    dynamodb::create_table_input wanted;
    wanted.table_name = "codynamo-accounts";
    wanted.key_schema = {{"owner", dynamodb::key_type::hash, dynamodb::scalar_type::S}};
    auto made = co_await client.attempt(std::move(wanted));
    if (!made && made.error().code != codynamo::errc::resource_in_use) made.value();
}

// [put_get]
asio::awaitable<void> put_and_get(dynamodb::client client) {
    dynamodb::put_item_input put;
    put.table_name = "codynamo-accounts";
    put.item = {{"owner", "alice"}, {"balance", 100}};
    co_await client.put_item(std::move(put));

    dynamodb::get_item_input get;
    get.table_name = "codynamo-accounts";
    get.key = {{"owner", "alice"}};
    get.consistent_read = true;
    auto answer = co_await client.get_item(std::move(get));
    const auto& balance = answer.item.value().at("balance").as<dynamodb::number>();
    std::cout << "Alice has " << balance.to_int64() << ".\n";
}
// [/put_get]

// [condition]
asio::awaitable<bool> withdraw(dynamodb::client client, std::string owner, int amount) {
    dynamodb::update_item_input update;
    update.table_name = "codynamo-accounts";
    update.key = {{"owner", owner}};
    update.update_expression = "SET #b = #b - :a";
    update.condition.expression = "#b >= :a";
    update.names = {{"#b", "balance"}};
    update.values = {{":a", amount}};
    auto outcome = co_await client.attempt(std::move(update)); // a value instead of an exception
    if (outcome) co_return true;
    if (outcome.error().code == codynamo::errc::conditional_check_failed) co_return false;
    codynamo::throw_failure(outcome.error());
}
// [/condition]

asio::awaitable<void> example() {
    dynamodb::client client; // region, endpoint and credentials from the environment
    co_await make_table(client);
    co_await put_and_get(client);
    const bool first = co_await withdraw(client, "alice", 70);
    const bool second = co_await withdraw(client, "alice", 70);
    std::cout << "Withdrawing 70 twice: " << (first ? "done" : "refused") << ", then "
              << (second ? "done" : "refused") << ".\n";
    if (!first || second) throw std::runtime_error("only the first one was covered");

    dynamodb::delete_table_input remove;
    remove.table_name = "codynamo-accounts";
    co_await client.delete_table(std::move(remove));
    co_await client.close();
}

} // namespace

int main() {
    return run_main(example());
}
