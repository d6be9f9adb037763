// SPDX-License-Identifier: BSL-1.0
// Every operation of the client against a real server.
#include "live.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>

namespace codynamo::dynamodb {

namespace asio = boost::asio;
using test::live_client_config;
using test::unique_table;
using test_support::run;

namespace {

item every_type() {
    return {{"pk", "p"},
            {"sk", number(1)},
            {"s", "grüße \"\\\n"},
            {"n", number("-12345678901234567890.12345")},
            {"b", binary{std::string("\0\xff\x7f", 3)}},
            {"yes", true},
            {"nothing", null{}},
            {"l", list{"a", number(2), list{}}},
            {"m", map{{"inner", map{}}}},
            {"ss", string_set{{"a", "b"}}},
            {"ns", number_set{{number(1), number(2)}}},
            {"bs", binary_set{{binary{"x"}}}}};
}

item key_of(std::string pk, int sk) {
    return {{"pk", std::move(pk)}, {"sk", number(sk)}};
}

// g++ 12 cannot keep an initializer list in a coroutine's frame ("array used as initializer").
attribute_names counter_name() {
    return {{"#c", "counter"}};
}
attribute_values counter_value() {
    return {{":c", number(5)}};
}

create_table_input table_request(const std::string& name) {
    return {.table_name = name,
            .key_schema = {{"pk", key_type::hash, scalar_type::S},
                           {"sk", key_type::range, scalar_type::N}}};
}

asio::awaitable<void> items(client db, std::string table) {
    const put_item_input put{.table_name = table, .item = every_type()};
    co_await db.put_item(put);
    get_item_input get{.table_name = table, .key = key_of("p", 1), .consistent_read = true};
    get.return_capacity = return_consumed_capacity::total;
    const auto got = co_await db.get_item(get);
    REQUIRE(got.item);
    CHECK(*got.item == every_type());
    REQUIRE(got.consumed_capacity);
    CHECK(got.consumed_capacity->capacity_units == 1.0);

    get.projection_expression = "#s, m.#i";
    get.names.emplace("#s", "s");
    get.names.emplace("#i", "inner");
    const auto projected = co_await db.get_item(get);
    REQUIRE(projected.item);
    CHECK(projected.item->size() == 2);

    update_item_input update{.table_name = table,
                             .key = key_of("p", 1),
                             .update_expression = "SET #c = :c REMOVE s",
                             .names = counter_name(),
                             .values = counter_value(),
                             .return_values = return_values::updated_new};
    const auto updated = co_await db.update_item(update);
    CHECK(updated.attributes.at("counter") == attribute_value(number(5)));

    put_item_input conditional{.table_name = table, .item = every_type()};
    conditional.condition.expression = "attribute_not_exists(pk)";
    conditional.condition.return_item = return_values_on_condition_check_failure::all_old;
    const auto refused = co_await db.attempt(conditional);
    REQUIRE(!refused);
    CHECK(refused.error().code == errc::conditional_check_failed);
    REQUIRE(refused.error().info->details);
    CHECK(refused.error().info->details->old_item.at("counter") == attribute_value(number(5)));
    CHECK(refused.error().info->service_code == "ConditionalCheckFailedException");
    CHECK(refused.error().info->http_status == 400);
    CHECK_FALSE(refused.error().info->request_id.empty());

    const delete_item_input doomed{
        .table_name = table, .key = key_of("p", 1), .return_values = return_values::all_old};
    const auto gone = co_await db.delete_item(doomed);
    CHECK(gone.attributes.contains("counter"));
    get.projection_expression.clear();
    get.names.clear();
    const auto miss = co_await db.get_item(get);
    CHECK_FALSE(miss.item);
}

asio::awaitable<void> pages(client db, std::string table) {
    batch_write_item_input batch;
    for (int i = 0; i < 25; ++i) {
        batch.request_items[table].push_back({.is_put = true, .item = key_of("q", i)});
    }
    const auto written = co_await db.batch_write_item(batch);
    CHECK(written.unprocessed_items.empty());

    batch_get_item_input wanted;
    for (int i = 20; i < 30; ++i)
        wanted.request_items[table].keys.push_back(key_of("q", i));
    const auto found = co_await db.batch_get_item(wanted);
    CHECK(found.responses.at(table).size() == 5);

    query_input query{.table_name = table,
                      .key_condition_expression = "pk = :p AND sk >= :low",
                      .scan_index_forward = false,
                      .limit = 10};
    query.values.emplace(":p", "q");
    query.values.emplace(":low", number(10));
    const auto first = co_await db.query(query);
    CHECK(first.count == 10);
    CHECK(first.items.front().at("sk") == attribute_value(number(24)));
    query.exclusive_start_key = first.last_evaluated_key;
    const auto second = co_await db.query(query);
    CHECK(second.count == 5);
    CHECK(second.last_evaluated_key.empty());

    std::size_t scanned = 0;
    for (std::uint32_t segment = 0; segment < 3; ++segment) {
        scan_input scan{.table_name = table, .total_segments = 3, .segment = segment};
        const auto page = co_await db.scan(scan);
        scanned += page.items.size();
    }
    CHECK(scanned == 25);
}

asio::awaitable<void> transactions(client db, std::string table) {
    transact_write_items_input both;
    both.items.push_back(
        {.action = transact_write_item::kind::put, .table_name = table, .item = key_of("t", 1)});
    both.items.push_back({.action = transact_write_item::kind::update,
                          .table_name = table,
                          .item = key_of("t", 2),
                          .update_expression = "SET x = :x"});
    both.items.back().values.emplace(":x", "y");
    co_await db.transact_write_items(both);

    transact_get_items_input read;
    for (int i = 1; i <= 3; ++i)
        read.items.push_back({.table_name = table, .key = key_of("t", i)});
    const auto got = co_await db.transact_get_items(read);
    REQUIRE(got.responses.size() == 3);
    CHECK(got.responses[0]);
    CHECK(got.responses[1]->at("x") == attribute_value("y"));
    CHECK_FALSE(got.responses[2]);

    transact_write_items_input refused;
    refused.items.push_back({.action = transact_write_item::kind::condition_check,
                             .table_name = table,
                             .item = key_of("t", 3),
                             .condition = {.expression = "attribute_exists(pk)"}});
    refused.items.push_back(
        {.action = transact_write_item::kind::remove, .table_name = table, .item = key_of("t", 1)});
    const auto outcome = co_await db.attempt(refused);
    REQUIRE(!outcome);
    CHECK(outcome.error().code == errc::transaction_canceled);
    REQUIRE(outcome.error().info->details);
    REQUIRE(outcome.error().info->details->cancellation_reasons.size() == 2);
    CHECK(outcome.error().info->details->cancellation_reasons[0].code == "ConditionalCheckFailed");
    CHECK(outcome.error().info->details->cancellation_reasons[1].code == "None");
}

} // namespace

TEST_CASE("the sixteen operations do what they say") {
    run([]() -> asio::awaitable<void> {
        client db(live_client_config());
        const std::string table = unique_table("client");
        const auto created = co_await db.create_table(table_request(table));
        CHECK(created.table.table_name == table);
        const auto again = co_await db.attempt(table_request(table));
        CHECK((!again && again.error().code == errc::resource_in_use));
        const describe_table_input describe{table};
        const auto described = co_await db.describe_table(describe);
        CHECK(described.table.table_status == "ACTIVE");
        CHECK(described.table.key_schema == table_request(table).key_schema);
        CHECK(described.table.billing_mode == billing_mode::pay_per_request);

        std::set<std::string> tables;
        list_tables_input one{.limit = 1};
        do {
            const auto page = co_await db.list_tables(one);
            tables.insert(page.table_names.begin(), page.table_names.end());
            one.exclusive_start_table_name = page.last_evaluated_table_name;
        } while (!one.exclusive_start_table_name.empty());
        CHECK(tables.contains(table));

        co_await items(db, table);
        co_await pages(db, table);
        co_await transactions(db, table);

        const describe_time_to_live_input ttl_of_table{table};
        const auto off = co_await db.describe_time_to_live(ttl_of_table);
        CHECK(off.status == "DISABLED");
        const update_time_to_live_input switch_on{table, "ttl"};
        const auto on = co_await db.update_time_to_live(switch_on);
        CHECK(on.enabled);
        const auto now = co_await db.describe_time_to_live(ttl_of_table);
        CHECK(now.attribute_name == "ttl");

        const delete_table_input doomed{table};
        co_await db.delete_table(doomed);
        const auto gone = co_await db.attempt(describe);
        CHECK((!gone && gone.error().code == errc::resource_not_found));
        co_await db.close();
        const auto closed = co_await db.attempt(one);
        CHECK((!closed && closed.error().code == errc::closed));
    }());
}

} // namespace codynamo::dynamodb
