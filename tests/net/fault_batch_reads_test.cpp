// SPDX-License-Identifier: BSL-1.0
// Batches of reads from a store that leaves things unprocessed, in any amount, order and honesty.
#include "fault_batches.hpp"
#include "support/catch.hpp"

#include <functional>
#include <optional>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace codynamo;
using namespace codynamo::testing;
using namespace codynamo::test;

namespace {

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
         {false, errc::bad_response},
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
         {false, errc::bad_response},
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
         {false, errc::bad_response},
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
            auto outcomes = co_await backend.load_many(batch_keys);
            co_return outcomes;
        };
        const auto outcomes = run_to_end(read());
        CHECK(time.in_time());
        REQUIRE(outcomes.size() == batch_keys.size());
        for (std::size_t i = 0; i < batch_keys.size(); ++i) {
            INFO(batch_keys[i] << ": " << (outcomes[i] ? "" : outcomes[i].error().message()));
            REQUIRE(outcomes[i].has_value() == row.expected.answered);
            if (!outcomes[i]) {
                CHECK(outcomes[i].error().code == row.expected.code);
            } else {
                REQUIRE(*outcomes[i]);
                CHECK((*outcomes[i])->value == value_of(batch_keys[i]));
            }
        }
        if (row.rounds != 0)
            CHECK(round == row.rounds);
        else
            CHECK(round > 1);
        CHECK(server.connections() == 1);
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
