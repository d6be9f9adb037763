// SPDX-License-Identifier: BSL-1.0
// Batches of writes to a store that leaves things unprocessed, in any amount, order and honesty.
#include "fault_batches.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace codynamo;
using namespace codynamo::testing;
using namespace codynamo::test;

namespace {

/// What the store leaves of one round of writes; the others are done.
struct write_row {
    const char* name;
    std::function<names(const names& asked, int round)> left;
    expectation expected;
    int rounds;
};

std::vector<write_row> write_rows() {
    return {
        {"none", [](const names&, int) { return names(); }, {true}, 1},
        {"all, once",
         [](const names& asked, int round) { return round == 0 ? asked : names(); },
         {true},
         2},
        {"all but one, until the last",
         [](const names& asked, int) { return behind(asked, 1); },
         {true},
         5},
        {"the first ones, in another order",
         [](const names& asked, int round) {
             return round == 0 ? reversed(first(asked, 3)) : names();
         },
         {true},
         2},
        {"all, for ever", [](const names& asked, int) { return asked; }, {false}, 0},
        {"strangers only",
         [](const names&, int) {
             return names{"stranger", "other"};
         },
         {false, errc::bad_response},
         1},
        {"each of the rest twice",
         [](const names& asked, int round) {
             if (round > 0) return names();
             names twice = behind(asked, 2);
             const names copy = twice;
             twice.insert(twice.end(), copy.begin(), copy.end());
             return twice;
         },
         {true},
         2},
    };
}

/// The store behind a write row.
struct written {
    std::map<std::string, std::string> values; // base64
    int rounds = 0;
};

std::string answer_write(const write_row& row, const std::string& request, written& store) {
    const json::object body = body_of(request);
    const json::array& writes = body.at("RequestItems").at("cache").as_array();
    const auto name_of = [](const json::value& write) {
        const json::object& one = write.as_object();
        return one.contains("PutRequest") ? name_in(one.at("PutRequest").at("Item"))
                                          : name_in(one.at("DeleteRequest").at("Key"));
    };
    names asked;
    for (const json::value& write : writes)
        asked.push_back(name_of(write));
    json::array left;
    const names unprocessed = row.left(asked, store.rounds++);
    for (const std::string& name : unprocessed) {
        const auto at = std::find(asked.begin(), asked.end(), name);
        if (at != asked.end())
            left.push_back(writes[static_cast<std::size_t>(at - asked.begin())]);
        else
            left.push_back(json::object{{"PutRequest", json::object{{"Item", item_object(name)}}}});
    }
    for (const json::value& write : writes) {
        const std::string name = name_of(write);
        if (std::find(unprocessed.begin(), unprocessed.end(), name) != unprocessed.end()) continue;
        if (write.as_object().contains("PutRequest"))
            store.values[name] =
                write.at("PutRequest").at("Item").at("value").at("B").as_string().c_str();
        else
            store.values.erase(name);
    }
    json::object answer{{"UnprocessedItems", json::object()}};
    if (!left.empty()) answer["UnprocessedItems"] = json::object{{"cache", left}};
    return response(json::serialize(answer));
}

} // namespace

TEST_CASE("a batch of writes is done or says what is not, whatever is left unprocessed") {
    const bool erasing = GENERATE(false, true);
    for (const write_row& row : write_rows()) {
        INFO(row.name << (erasing ? ", erasing" : ", storing"));
        written store;
        if (erasing)
            for (const std::string& key : batch_keys)
                store.values[key] = "old";
        scripted_server server(
            {.turns = {{{read_request(), answer_it()}}}, .answer = [&](const std::string& request) {
                 return answer_write(row, request, store);
             }});
        const stopwatch time;
        const auto write = [&]() -> asio::awaitable<std::vector<result<void>>> {
            dynamodb_backend backend = co_await dynamodb_backend::open(config_for(server));
            std::vector<keyed_record> records;
            for (const std::string& key : batch_keys)
                records.push_back({key, record{.value = value_of(key)}});
            std::vector<result<void>> outcomes;
            if (erasing)
                outcomes = co_await backend.erase_many(batch_keys);
            else
                outcomes = co_await backend.store_many(std::move(records));
            co_return outcomes;
        };
        const auto outcomes = run_to_end(write());
        CHECK(time.in_time());
        REQUIRE(outcomes.size() == batch_keys.size());
        for (std::size_t i = 0; i < batch_keys.size(); ++i) {
            INFO(batch_keys[i] << ": " << (outcomes[i] ? "" : outcomes[i].error().message()));
            CHECK(outcomes[i].has_value() == row.expected.answered);
            if (!outcomes[i]) CHECK(outcomes[i].error().code == row.expected.code);
            // A write whose answer is refused has been done.
            const bool done = row.expected.answered || row.expected.code == errc::bad_response;
            CHECK(store.values.contains(batch_keys[i]) == (done != erasing));
        }
        if (row.rounds != 0)
            CHECK(store.rounds == row.rounds);
        else
            CHECK(store.rounds > 1);
    }
}
