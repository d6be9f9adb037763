// SPDX-License-Identifier: BSL-1.0
// Each allocation of what makes and reads DynamoDB's messages fails once: std::bad_alloc comes out,
// nothing leaks, and the next try succeeds.
#include "allocation_checks.hpp"
#include "cache/key_list.hpp"
#include "cache/record_item.hpp"
#include "dynamodb/codec.hpp"
#include "dynamodb/request_fsm.hpp"
#include "support/catch.hpp"

#include <codynamo/testing/seeded_random.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace codynamo;
using namespace codynamo::test;
using namespace std::chrono_literals;

namespace {

dynamodb::item big_item() {
    dynamodb::item made;
    made.emplace("key", long_text('k'));
    made.emplace("number", dynamodb::number(42));
    made.emplace("bytes", dynamodb::binary{long_text('b')});
    dynamodb::list list;
    list.emplace_back(long_text('l'));
    dynamodb::map map;
    map.emplace(long_text('n'), dynamodb::attribute_value(std::move(list)));
    made.emplace("map", dynamodb::attribute_value(std::move(map)));
    return made;
}

constexpr std::string_view get_item_answer =
    R"({"Item":{"key":{"S":"a key that is too long for the small string of any library"},)"
    R"("value":{"B":"YSB2YWx1ZSB0aGF0IGlzIHRvbyBsb25nIGZvciB0aGUgc21hbGwgc3RyaW5n"},)"
    R"("expire":{"N":"12.5"},"update_ts":{"N":"1700000000.25"},)"
    R"("more":{"M":{"list":{"L":[{"S":"\u00e4 and so on and so on and so on"},{"N":"1"}]}}}}})";

} // namespace

TEST_CASE("encoding requests survives every failing allocation") {
    dynamodb::get_item_input get;
    get.table_name = "table";
    get.key.emplace("key", long_text('k'));
    get.names.emplace("#n", long_text('n'));
    get.projection_expression = "#n";
    dynamodb::batch_write_item_input batch;
    for (int i = 0; i != 5; ++i)
        batch.request_items["table"].push_back({.is_put = true, .item = big_item()});
    dynamodb::update_item_input update;
    update.table_name = "table";
    update.key = get.key;
    update.update_expression = "SET a = :a";
    update.values.emplace(":a", dynamodb::attribute_value(big_item()));
    const auto encoded = [](const auto& in) {
        std::string out;
        dynamodb::encode(in, out);
        return out;
    };
    check(
        "encode GetItem", 1, [&] { return encoded(get); }, nothing_to_keep);
    check(
        "encode BatchWriteItem", 1, [&] { return encoded(batch); }, nothing_to_keep);
    check(
        "encode UpdateItem", 1, [&] { return encoded(update); }, nothing_to_keep);
    check(
        "validate UpdateItem", 0,
        [&] {
            dynamodb::validate(update);
            return 0;
        },
        nothing_to_keep);
}

TEST_CASE("the keys and answers of batches survive every failing allocation") {
    detail::key_list kept;
    static_cast<void>(kept.add(long_text('a')));
    check(
        "key_list", 1,
        [] {
            detail::key_list made;
            for (const char c : {'a', 'b', 'a', 'c'})
                static_cast<void>(made.add(long_text(c)));
            return made;
        },
        nothing_to_keep);
    char next = 'b';
    check(
        "key_list::add", 0,
        [&] {
            std::string key = long_text(next);
            return kept.add(key);
        },
        [&] { return kept.size() <= 2 && kept[0] == long_text('a') && kept.find(long_text('a')); });
    struct answers final : detail::batch_answers {
        [[nodiscard]] bool is_table(std::string_view name) const override {
            return name == "table";
        }
        void found(std::string_view, result<record> what) override { all.push_back(what); }
        void left(std::string_view key) override { keys.emplace_back(key); }
        std::vector<result<record>> all;
        std::vector<std::string> keys;
    };
    const std::string batch =
        R"({"Responses":{"table":[)" +
        std::string(get_item_answer.substr(8, get_item_answer.size() - 9)) +
        R"(,{"key":{"S":"no record at all, for want of a value"}}]},)" +
        R"("UnprocessedKeys":{"table":{"Keys":[{"key":{"S":"left for later, for much later"}}]}}})";
    const record_attributes names;
    check(
        "read BatchGetItem", 5,
        [&] {
            answers seen;
            detail::decode_batch(names, batch, seen);
            return seen.all.size();
        },
        nothing_to_keep);
}

TEST_CASE("decoding responses and errors survives every failing allocation") {
    check(
        "decode GetItem", 5,
        [] {
            dynamodb::get_item_output out;
            dynamodb::decode(get_item_answer, out);
            return out;
        },
        nothing_to_keep);
    const std::string batch =
        R"({"Responses":{"table":[)" +
        std::string(get_item_answer.substr(8, get_item_answer.size() - 9)) + R"(]},)" +
        R"("UnprocessedKeys":{"table":{"Keys":[{"key":{"S":"left for later, for much later"}}]}}})";
    check(
        "decode BatchGetItem", 5,
        [&] {
            dynamodb::batch_get_item_output out;
            dynamodb::decode(batch, out);
            return out;
        },
        nothing_to_keep);
    const std::string failure =
        R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",)"
        R"("message":"The conditional request failed, as conditional requests do now and then",)" +
        std::string(get_item_answer.substr(1));
    check(
        "decode an error", 3,
        [&] {
            net::response_view view;
            view.status = 400;
            view.body = failure;
            return dynamodb::decode_failure(view);
        },
        nothing_to_keep);
}

TEST_CASE("reading and writing records survives every failing allocation") {
    const record_attributes names;
    check(
        "decode a record", 1,
        [&] { return codynamo::detail::decode_record(names, get_item_answer); }, nothing_to_keep);
    check(
        "a record to an item and back", 3,
        [&] {
            record r;
            r.value = long_text('v');
            r.lifetime = 1500ms;
            const dynamodb::item item =
                codynamo::detail::to_item(names, long_text('k'), std::move(r));
            return codynamo::detail::to_record(names, item);
        },
        nothing_to_keep);
}

TEST_CASE("the request machine survives every failing allocation, and the circuit stays usable") {
    using namespace codynamo::dynamodb;
    const aws::retry_config retry;
    aws::retry_quota quota(1'000'000);
    testing::seeded_random random(1);
    circuit_breaker breaker(circuit_breaker_config(), "http://a-host-with-a-long-name.example");
    const request_fsm::time_point now{1h};
    const auto call = [&] {
        request_fsm machine({retry, quota, nullptr, random},
                            {now + 60s, std::chrono::milliseconds(5000), true, true});
        (void)machine.start();
        request_action next = machine.on_credentials(now, breaker);
        for (int i = 0; next.what != request_action::kind::done && i != 10; ++i) {
            if (next.what == request_action::kind::send) {
                attempt_outcome failed;
                failed.why = make_failure(errc::throttled, long_text('w'));
                next = machine.on_attempt(now, std::move(failed));
            } else if (next.what == request_action::kind::sleep) {
                next = machine.on_slept();
            } else {
                next = machine.on_credentials(now, breaker);
            }
        }
        return machine.result();
    };
    check("run the request machine", 3, call, [&] {
        const auto permission = breaker.ask(now);
        breaker.give_back(permission);
        return permission.granted && !permission.is_probe;
    });
}
