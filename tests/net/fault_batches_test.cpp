// SPDX-License-Identifier: BSL-1.0
// Batches of a store that leaves things unprocessed, in any amount, order and honesty.
#include "dynamodb/base64.hpp"
#include "support/harness.hpp"
#include "support/scripted_server.hpp"
#include "support/tap.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto call_timeout = 400ms;
constexpr auto slack = 1500ms;
using names = std::vector<std::string>;

std::string value_of(const std::string& key) {
    return "value of " + key;
}

json::object key_object(const std::string& key) {
    return {{"key", json::object{{"S", key}}}};
}

json::object item_object(const std::string& key) {
    std::string encoded;
    dynamodb::append_base64(encoded, value_of(key));
    json::object item = key_object(key);
    item["value"] = json::object{{"B", encoded}};
    item["expire"] = json::object{{"N", "0"}};
    item["update_ts"] = json::object{{"N", "1700000000"}};
    return item;
}

std::string name_in(const json::value& item) {
    return std::string(item.at("key").at("S").as_string());
}

json::object body_of(const std::string& request) {
    return json::parse(request.substr(request.find("\r\n\r\n") + 4)).as_object();
}

dynamodb_backend_config config_for(const scripted_server& server) {
    dynamodb_backend_config config;
    config.table_name = "cache";
    config.region = "us-east-1";
    config.endpoint = "http://127.0.0.1:" + std::to_string(server.port());
    config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
    config.call_timeout = call_timeout;
    config.attempt_timeout = call_timeout;
    config.retry.base = 1ms;
    config.create = false;
    config.env = testing_support::tapped();
    config.env.variable = [](const char*) { return std::nullopt; };
    return config;
}

/// The same outcome for each key.
struct expectation {
    bool answered;
    errc code = errc::unprocessed;
};

/// What the store makes of one round: `asked` in order; `round` from 0.
struct reading {
    names answered, unprocessed;
    std::function<void(json::object& answer)> twist{};
};

struct read_row {
    const char* name;
    std::function<reading(const names& asked, int round)> store;
    expectation expected;
    int rounds; // 0: any number
};

names first(const names& all, std::size_t count) {
    return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()))};
}
names behind(const names& all, std::size_t count) {
    return {all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size())), all.end()};
}
names reversed(names all) {
    std::reverse(all.begin(), all.end());
    return all;
}

std::vector<read_row> read_rows() {
    const auto all_but_twisted = [](std::function<void(json::object&)> twist) {
        return [twist = std::move(twist)](const names& asked, int) {
            return reading{asked, {}, twist};
        };
    };
    const auto rest_once = [](std::function<void(json::object&)> twist) {
        return [twist = std::move(twist)](const names& asked, int round) {
            if (round > 0) return reading{asked, {}};
            return reading{first(asked, 2), behind(asked, 2), twist};
        };
    };
    return {
        {"none",
         [](const names& asked, int) {
             return reading{asked, {}};
         },
         {true},
         1},
        {"all, once",
         [](const names& asked, int round) {
             return round == 0 ? reading{{}, asked} : reading{asked, {}};
         },
         {true},
         2},
        {"all but one, until the last",
         [](const names& asked, int) {
             return reading{first(asked, 1), behind(asked, 1)};
         },
         {true},
         5},
        {"half of them each time",
         [](const names& asked, int) {
             const auto half = (asked.size() + 1) / 2;
             return reading{first(asked, half), behind(asked, half)};
         },
         {true},
         3},
        {"all, for ever",
         [](const names& asked, int) {
             return reading{{}, asked};
         },
         {false},
         0},
        {"answers in another order",
         [](const names& asked, int) {
             return reading{reversed(asked), {}};
         },
         {true},
         1},
        {"the rest in another order",
         [](const names& asked, int round) {
             return round == 0 ? reading{{}, reversed(asked)} : reading{reversed(asked), {}};
         },
         {true},
         2},
        {"answers that nobody asked for",
         [](const names& asked, int) {
             names more = asked;
             more.insert(more.begin(), {"stranger", "other"});
             return reading{more, {}};
         },
         {true},
         1},
        {"every answer twice",
         [](const names& asked, int) {
             names twice = asked;
             twice.insert(twice.end(), asked.begin(), asked.end());
             return reading{twice, {}};
         },
         {true},
         1},
        {"keys left that nobody asked for",
         [](const names& asked, int) {
             return reading{asked, {"stranger", "other"}};
         },
         {true},
         1},
        {"keys left that have been answered",
         [](const names& asked, int) {
             return reading{asked, asked};
         },
         {true},
         1},
        {"keys left of another table",
         all_but_twisted([](json::object& answer) {
             answer["UnprocessedKeys"] =
                 json::object{{"other", json::object{{"Keys", json::array{key_object("one")}}}}};
         }),
         {true},
         1},
        {"no UnprocessedKeys at all",
         all_but_twisted([](json::object& answer) { answer.erase("UnprocessedKeys"); }),
         {true},
         1},
        {"UnprocessedKeys is null",
         all_but_twisted([](json::object& answer) { answer["UnprocessedKeys"] = nullptr; }),
         {true},
         1},
        {"the rest twice",
         rest_once([](json::object& answer) {
             auto& keys = answer["UnprocessedKeys"].at("cache").at("Keys").as_array();
             const json::array copy = keys;
             keys.insert(keys.end(), copy.begin(), copy.end());
         }),
         {true},
         2},
        {"the rest with more than the keys",
         rest_once([](json::object& answer) {
             for (auto& key : answer["UnprocessedKeys"].at("cache").at("Keys").as_array())
                 key.as_object()["more"] = json::object{{"S", "than the key"}};
         }),
         {true},
         2},
        {"keys left of the wrong type",
         all_but_twisted([](json::object& answer) { answer["UnprocessedKeys"] = json::array{1}; }),
         {false, errc::bad_response},
         1},
    };
}

/// A BatchGetItem as the row has it.
std::string answer_read(const read_row& row, const std::string& request, int round) {
    const json::object body = body_of(request);
    names asked;
    for (const json::value& key : body.at("RequestItems").at("cache").at("Keys").as_array())
        asked.push_back(name_in(key));
    const reading now = row.store(asked, round);
    json::array items, keys;
    for (const std::string& name : now.answered)
        items.push_back(item_object(name));
    for (const std::string& name : now.unprocessed)
        keys.push_back(key_object(name));
    json::object answer{{"Responses", json::object{{"cache", items}}},
                        {"UnprocessedKeys", json::object()}};
    if (!keys.empty())
        answer["UnprocessedKeys"] = json::object{{"cache", json::object{{"Keys", keys}}}};
    if (now.twist) now.twist(answer);
    return response(json::serialize(answer));
}

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
         {true},
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

const names keys{"five", "four", "one", "three", "two"};

class stopwatch {
public:
    [[nodiscard]] bool in_time() const {
        return std::chrono::steady_clock::now() - started_ < call_timeout + slack;
    }

private:
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

template <class T>
T run_to_end(asio::awaitable<T> what) {
    asio::io_context io;
    return testing::run(io, std::move(what));
}

} // namespace

TEST_CASE("a batch of reads gets every record or a clear error, whatever is left unprocessed") {
    for (const read_row& row : read_rows()) {
        INFO(row.name);
        int round = 0;
        scripted_server server(
            {.turns = {{{read_request(), answer_it()}}}, .answer = [&](const std::string& request) {
                 return answer_read(row, request, round++);
             }});
        const stopwatch time;
        const auto read = [&]() -> asio::awaitable<std::vector<result<std::optional<record>>>> {
            dynamodb_backend backend = co_await dynamodb_backend::open(config_for(server));
            auto outcomes = co_await backend.load_many(keys);
            co_return outcomes;
        };
        const auto outcomes = run_to_end(read());
        CHECK(time.in_time());
        REQUIRE(outcomes.size() == keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) {
            INFO(keys[i] << ": " << (outcomes[i] ? "" : outcomes[i].error().message()));
            REQUIRE(outcomes[i].has_value() == row.expected.answered);
            if (!outcomes[i]) {
                CHECK(outcomes[i].error().code == row.expected.code);
            } else {
                REQUIRE(*outcomes[i]);
                CHECK((*outcomes[i])->value == value_of(keys[i]));
            }
        }
        if (row.rounds != 0)
            CHECK(round == row.rounds);
        else
            CHECK(round > 1);
        CHECK(server.connections() == 1);
    }
}

TEST_CASE("a batch of writes is done or says what is not, whatever is left unprocessed") {
    const bool erasing = GENERATE(false, true);
    for (const write_row& row : write_rows()) {
        INFO(row.name << (erasing ? ", erasing" : ", storing"));
        written store;
        if (erasing)
            for (const std::string& key : keys)
                store.values[key] = "old";
        scripted_server server(
            {.turns = {{{read_request(), answer_it()}}}, .answer = [&](const std::string& request) {
                 return answer_write(row, request, store);
             }});
        const stopwatch time;
        const auto write = [&]() -> asio::awaitable<std::vector<result<void>>> {
            dynamodb_backend backend = co_await dynamodb_backend::open(config_for(server));
            std::vector<keyed_record> records;
            for (const std::string& key : keys)
                records.push_back({key, record{.value = value_of(key)}});
            std::vector<result<void>> outcomes;
            if (erasing)
                outcomes = co_await backend.erase_many(keys);
            else
                outcomes = co_await backend.store_many(std::move(records));
            co_return outcomes;
        };
        const auto outcomes = run_to_end(write());
        CHECK(time.in_time());
        REQUIRE(outcomes.size() == keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) {
            INFO(keys[i] << ": " << (outcomes[i] ? "" : outcomes[i].error().message()));
            CHECK(outcomes[i].has_value() == row.expected.answered);
            if (!outcomes[i]) CHECK(outcomes[i].error().code == row.expected.code);
            CHECK(store.values.contains(keys[i]) == (row.expected.answered != erasing));
        }
        if (row.rounds != 0)
            CHECK(store.rounds == row.rounds);
        else
            CHECK(store.rounds > 1);
    }
}

TEST_CASE("a record of another key is refused, and its connection is not used again") {
    const auto wrong = response(R"({"Item":)" + json::serialize(item_object("other")) + "}");
    const auto right = response(R"({"Item":)" + json::serialize(item_object("one")) + "}");
    scripted_server server(
        {.turns = {{{read_request(), say(wrong)}}, {{read_request(), say(right)}}}, .answer = {}});
    const auto read = [&]() -> asio::awaitable<void> {
        dynamodb_backend backend = co_await dynamodb_backend::open(config_for(server));
        bool refused = false;
        try {
            (void)co_await backend.load("one");
        } catch (const error& why) {
            refused = why.code() == errc::bad_response;
        }
        CHECK(refused);
        const auto found = co_await backend.load("one");
        REQUIRE(found);
        CHECK(found->value == value_of("one"));
    };
    run_to_end(read());
    CHECK(server.connections() == 2);
}
