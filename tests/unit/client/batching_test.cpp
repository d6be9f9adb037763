// SPDX-License-Identifier: BSL-1.0
// Who waits and who does not, who gets which answer, and whose trouble is whose.
#include "cache/batch_core.hpp"
#include "held_world.hpp"
#include "support/catch.hpp"

#include <functional>
#include <string>
#include <vector>

namespace codynamo {

using namespace std::chrono_literals;
using test::got;
using test::held_world;
using test::wrote;

namespace {

batching_config merging(batching_mode mode = batching_mode::on) {
    batching_config config;
    config.mode = mode;
    config.max_delay = 2ms;
    return config;
}

std::string one_item(const std::string& key) {
    std::string value;
    dynamodb::append_base64(value, key);
    return R"({"Item":{"key":{"S":")" + key + R"("},"value":{"B":")" + value + R"("}}})";
}

bool has(const std::shared_ptr<got>& one, const std::string& value) {
    return one->code() == 0 && *one->value && (*one->value)->value == value;
}

/// One get on the wire, request 0, and so many more that wait for it.
struct crowd {
    explicit crowd(std::size_t count, batching_config config = merging()) : world(config) {
        first = world.get("first");
        others = world.gets("k", count);
    }
    held_world world;
    std::shared_ptr<got> first;
    std::vector<std::shared_ptr<got>> others;
};

} // namespace

TEST_CASE("batch_core: what goes alone, what waits, and when what waits goes") {
    using core = detail::batch_core;
    using arrival = core::arrival;
    const core::time_point start{1h};
    struct step {
        char what; ///< a: arrival, e: end of a request, t: tick, d: departure, l: one leaves
        int at_ms;
        int expected; ///< arrival as a number; 1 or 0 for yes or no
    };
    const int alone = static_cast<int>(arrival::alone), wait = static_cast<int>(arrival::wait),
              flush = static_cast<int>(arrival::flush);
    struct row {
        const char* name;
        unsigned crossover;
        std::size_t most;
        std::vector<step> steps;
    };
    const row rows[] = {
        {"nothing waits while nothing is under way",
         1,
         3,
         {{'a', 0, alone}, {'e', 0, 0}, {'a', 0, alone}}},
        {"the second one waits for the end of the first",
         1,
         3,
         {{'a', 0, alone},
          {'a', 1, wait},
          {'t', 1, 0},
          {'e', 1, 1},
          {'d', 1, 0},
          {'e', 2, 0},
          {'a', 2, alone}}},
        {"up to the crossover nobody waits",
         3,
         3,
         {{'a', 0, alone}, {'a', 0, alone}, {'a', 0, alone}, {'a', 0, wait}, {'e', 0, 1}}},
        {"a full batch goes at once",
         1,
         3,
         {{'a', 0, alone},
          {'a', 0, wait},
          {'a', 0, wait},
          {'a', 0, flush},
          {'d', 0, 0},
          {'a', 0, wait}}},
        {"the oldest one waits no longer than the delay",
         1,
         9,
         {{'a', 0, alone},
          {'a', 1, wait},
          {'a', 5, wait},
          {'t', 5, 0},
          {'t', 6, 1},
          {'d', 6, 0},
          {'t', 60, 0}}},
        {"the delay begins anew with each batch",
         1,
         9,
         {{'a', 0, alone}, {'a', 1, wait}, {'d', 4, 0}, {'a', 5, wait}, {'t', 9, 0}, {'t', 10, 1}}},
        {"nothing departs when all have left",
         1,
         3,
         {{'a', 0, alone}, {'a', 0, wait}, {'l', 0, 0}, {'t', 9, 0}, {'e', 9, 0}, {'a', 9, alone}}},
        {"nobody overtakes those who wait",
         2,
         9,
         {{'a', 0, alone},
          {'a', 0, alone},
          {'a', 0, wait},
          {'d', 0, 0},
          {'a', 0, wait},
          {'e', 0, 1},
          {'a', 0, wait}}},
    };
    for (const row& one : rows) {
        core machine({one.crossover, one.most, 0, 5ms});
        std::size_t n = 0;
        for (const step& s : one.steps) {
            INFO(one.name << ", step " << n++);
            const auto now = start + std::chrono::milliseconds(s.at_ms);
            if (s.what == 'a') CHECK(static_cast<int>(machine.arrive(now)) == s.expected);
            if (s.what == 'e') CHECK(machine.ended() == (s.expected != 0));
            if (s.what == 't') CHECK(machine.tick(now) == (s.expected != 0));
            if (s.what == 'd') machine.depart();
            if (s.what == 'l') machine.left();
        }
    }
}

TEST_CASE("batch_core: bytes are bounded, and batches shrink when told to") {
    detail::batch_core machine({1, 100, 1000, 5ms});
    static_cast<void>(machine.goes_alone());
    CHECK(machine.has_room(5000)); // alone it fits everywhere
    static_cast<void>(machine.gather({}, 600));
    CHECK(machine.has_room(400));
    CHECK_FALSE(machine.has_room(401));
    CHECK(machine.can_grow(400));
    machine.grow(300);
    CHECK(machine.has_room(100));
    CHECK_FALSE(machine.can_grow(101));
    machine.depart();
    CHECK(machine.has_room(401));
    machine.shrink(10);
    CHECK(machine.most_items() == 5);
    machine.shrink(1);
    CHECK(machine.most_items() == 1);
    CHECK(machine.gather({}) == detail::batch_core::arrival::flush);
}

TEST_CASE("batch_core: a batch that everybody has left has no bytes") {
    detail::batch_core machine({1, 100, 1000, 5ms});
    CHECK(machine.goes_alone());
    CHECK(machine.gather({}, 600) == detail::batch_core::arrival::wait);
    machine.left();
    CHECK(machine.gather({}, 600) == detail::batch_core::arrival::wait);
    CHECK(machine.has_room(400));
    CHECK_FALSE(machine.has_room(401));
}

TEST_CASE("a get goes at once while nothing is under way, those that come meanwhile share one") {
    crowd c(5);
    CHECK(c.world.wire->count() == 1);
    CHECK(c.world.wire->operation(0) == "GetItem");
    c.world.answer(0, one_item("first"));
    CHECK(has(c.first, "first"));
    REQUIRE(c.world.wire->count() == 2);
    CHECK(c.world.wire->operation(1) == "BatchGetItem");
    CHECK(c.world.size_of(1) == 5);
    CHECK_FALSE(c.others[0]->ended);
    c.world.answer_batch(1);
    for (std::size_t i = 0; i != 5; ++i)
        CHECK(has(c.others[i], "k" + std::to_string(i)));
    const batching_stats stats = c.world.backend->batching();
    CHECK(stats.get_batches == 1);
    CHECK(stats.get_items == 5);
    CHECK(stats.gets_merged == 5);
    // All quiet again: the next one goes alone, and at once.
    const auto last = c.world.get("last");
    CHECK(c.world.wire->operation(2) == "GetItem");
    c.world.answer(2);
    CHECK((last->code() == 0 && !*last->value));
}

TEST_CASE("off, everybody goes alone, automatic, they do up to the crossover") {
    crowd off(5, merging(batching_mode::off));
    CHECK(off.world.wire->count() == 6);
    batching_config config = merging(batching_mode::automatic);
    config.crossover = 4;
    crowd some(5, config);
    CHECK(some.world.wire->count() == 4);
    some.world.answer(2, one_item("k1"));
    REQUIRE(some.world.wire->count() == 5);
    CHECK(some.world.size_of(4) == 2);
}

TEST_CASE("one that waited alone is sent as a plain get") {
    crowd c(1);
    c.world.answer(0, one_item("first"));
    REQUIRE(c.world.wire->count() == 2);
    CHECK(c.world.wire->operation(1) == "GetItem");
    c.world.answer(1, one_item("k0"));
    CHECK(has(c.others[0], "k0"));
    CHECK(c.world.backend->batching().get_batches == 0);
}

TEST_CASE("a hundred that wait go without waiting any longer") {
    crowd c(250);
    REQUIRE(c.world.wire->count() == 3);
    CHECK(c.world.size_of(1) == 100);
    CHECK(c.world.size_of(2) == 100);
    c.world.answer_batch(1);
    REQUIRE(c.world.wire->count() == 4); // something ended
    CHECK(c.world.size_of(3) == 50);
    c.world.answer_batch(2);
    c.world.answer_batch(3);
    for (std::size_t i = 0; i != 250; ++i)
        CHECK(has(c.others[i], "k" + std::to_string(i)));
}

TEST_CASE("a request that stalls holds nobody up for longer than max_delay") {
    crowd c(3);
    c.world.pass(1ms);
    CHECK(c.world.wire->count() == 1);
    c.world.pass(1100us);
    REQUIRE(c.world.wire->count() == 2);
    CHECK(c.world.size_of(1) == 3);
    c.world.answer_batch(1);
    CHECK(has(c.others[2], "k2"));
    CHECK_FALSE(c.first->ended);
}

TEST_CASE("those who are answered together ask for what they want next together") {
    held_world world(merging());
    int rounds = 0;
    const auto first = world.get("first");
    std::vector<std::shared_ptr<wrote>> all;
    for (int i = 0; i != 40; ++i)
        all.push_back(world.spawn_in<bool>(
            [](dynamodb_backend b, std::string key, int& n) -> boost::asio::awaitable<bool> {
                for (int j = 0; j != 3; ++j) {
                    std::string asked = key;
                    const auto found = co_await b.load(std::move(asked));
                    if (found && found->value == key) ++n;
                }
                co_return true;
            }(*world.backend, "k" + std::to_string(i), rounds)));
    world.settle();
    world.answer(0, one_item("first"));
    for (std::size_t n = 1; n != 4; ++n) {
        REQUIRE(world.wire->count() == n + 1);
        CHECK(world.size_of(n) == 40);
        world.answer_batch(n);
    }
    CHECK(rounds == 120);
    CHECK(std::all_of(all.begin(), all.end(), [](const auto& one) { return one->code() == 0; }));
}

TEST_CASE("gets of one key share its place in the batch, and each has the value") {
    crowd c(2);
    const auto again = c.world.get("k0");
    const auto more = c.world.get("k0");
    c.world.answer(0);
    REQUIRE(c.world.wire->count() == 2);
    CHECK(c.world.size_of(1) == 2);
    c.world.answer_batch(1);
    for (const auto& one : {c.others[0], again, more})
        CHECK(has(one, "k0"));
    CHECK(has(c.others[1], "k1"));
    CHECK(c.world.backend->batching().get_items == 2);
    CHECK(c.world.backend->batching().gets_merged == 4);
}

TEST_CASE("consistent reads stay consistent in a batch, and odd keys are escaped") {
    held_world world(merging(), true);
    const auto first = world.get("first");
    const auto quoted = world.get("a\"b\\\n");
    const auto other = world.get("\xc3\xa4");
    world.answer(0);
    CHECK(world.wire->request(1).body ==
          "{\"RequestItems\":{\"cache\":{\"Keys\":[{\"key\":{\"S\":\"a\\\"b\\\\\\n\"}},"
          "{\"key\":{\"S\":\"\xc3\xa4\"}}],\"ConsistentRead\":true}}}");
    world.answer_batch(1);
    CHECK(has(quoted, "a\"b\\\n"));
    CHECK(has(other, "\xc3\xa4"));
}

TEST_CASE("who is cancelled while he waits is not asked for, and nobody else notices") {
    crowd c(3);
    c.others[1]->signal.emit(boost::asio::cancellation_type::terminal);
    c.world.settle();
    CHECK(c.others[1]->code() == -1);
    c.world.answer(0);
    REQUIRE(c.world.wire->count() == 2);
    CHECK(c.world.size_of(1) == 2);
    c.world.answer_batch(1);
    CHECK(has(c.others[0], "k0"));
    CHECK(has(c.others[2], "k2"));
}

TEST_CASE("who is cancelled while his batch flies leaves alone, the last one stops it") {
    crowd c(3);
    c.world.answer(0);
    for (std::size_t i = 0; i != 3; ++i) {
        CHECK_FALSE(c.world.wire->has_ended(1));
        c.others[i]->signal.emit(boost::asio::cancellation_type::total);
        c.world.settle();
        CHECK(c.others[i]->code() == -1);
    }
    CHECK(c.world.wire->has_ended(1));
    const auto next = c.world.get("next"); // nothing counts as under way any more
    CHECK(c.world.wire->operation(2) == "GetItem");
    c.world.answer(2, one_item("next"));
    CHECK(has(next, "next"));
}

TEST_CASE("all who wait may be cancelled, and the next one is as if they had never been") {
    crowd c(3);
    for (const auto& one : c.others)
        one->signal.emit(boost::asio::cancellation_type::partial);
    c.world.settle();
    c.world.pass(5ms);
    CHECK(c.world.wire->count() == 1);
    const auto again = c.world.get("k1");
    c.world.answer(0);
    REQUIRE(c.world.wire->count() == 2);
    CHECK(c.world.wire->operation(1) == "GetItem");
    c.world.answer(1, one_item("k1"));
    CHECK(has(again, "k1"));
}

TEST_CASE("each has his own deadline, and the batch has the latest") {
    batching_config config = merging();
    config.max_delay = 1s;
    crowd c(2, config);
    c.world.pass(500ms);
    const auto late = c.world.get("late");
    c.world.answer(0);
    REQUIRE(c.world.wire->count() == 2);
    c.world.pass(9520ms); // 10.02 s since the first two came
    CHECK(c.others[0]->is(errc::timeout));
    CHECK(c.others[1]->is(errc::timeout));
    CHECK_FALSE(late->ended);
    c.world.answer_batch(1);
    CHECK(has(late, "late"));
}

TEST_CASE("a batch that is never answered is a time-out for all") {
    crowd c(2);
    c.world.answer(0);
    c.world.pass(11s);
    CHECK(c.others[0]->is(errc::timeout));
    CHECK(c.others[1]->is(errc::timeout));
}

TEST_CASE("unprocessed keys are asked for again, for those who want them") {
    crowd c(4);
    c.world.answer(0);
    c.world.answer_batch(1, {"k1", "k3"});
    CHECK(has(c.others[0], "k0"));
    CHECK(has(c.others[2], "k2"));
    CHECK_FALSE(c.others[1]->ended);
    c.others[3]->signal.emit(boost::asio::cancellation_type::terminal);
    c.world.pass(100ms);
    REQUIRE(c.world.wire->count() == 3);
    CHECK(c.world.wire->operation(2) == "BatchGetItem");
    c.world.answer_batch(2, {"k1"});
    c.world.pass(100ms);
    REQUIRE(c.world.wire->count() == 4);
    CHECK(c.world.size_of(3) == 1);
    c.world.answer_batch(3);
    CHECK(has(c.others[1], "k1"));
}

TEST_CASE("keys that are never processed fail those who asked for them") {
    crowd c(2);
    c.world.answer(0);
    for (std::size_t n = 1; !c.others[1]->ended && n != 200; ++n) {
        if (c.world.wire->count() > n) c.world.answer_batch(n, {"k1"});
        while (c.world.wire->count() == n + 1 && !c.others[1]->ended)
            c.world.pass(50ms);
    }
    CHECK(has(c.others[0], "k0"));
    CHECK((c.others[1]->is(errc::unprocessed) || c.others[1]->is(errc::timeout)));
}

TEST_CASE("keys twice and items that are no records hurt nobody else") {
    crowd c(4);
    c.world.answer(0);
    c.world.answer(1, R"({"Responses":{"cache":[)"
                      R"({"value":{"B":"azA="},"key":{"S":"k0"}},)"
                      R"({"key":{"S":"k0"},"value":{"B":"AAAA"}},)"
                      R"({"value":{"S":"text"},"key":{"S":"k1"}},)"
                      R"({"key":{"S":"k3"},"value":{"B":"azM="},"expire":{"N":"soon"}}]},)"
                      R"("UnprocessedKeys":{"cache":{"Keys":[{"key":{"S":"k0"}}]}}})");
    CHECK(has(c.others[0], "k0"));
    CHECK(c.others[1]->is(errc::deserialize_failed));
    CHECK((c.others[2]->code() == 0 && !*c.others[2]->value));
    CHECK(c.others[3]->is(errc::deserialize_failed));
    CHECK(c.world.wire->count() == 2);
}

TEST_CASE("an answer about keys nobody asked for is no miss of a merged get: each goes alone") {
    crowd c(4);
    c.world.answer(0);
    c.world.answer(1, R"({"Responses":{"cache":[{"key":{"S":"other"},"value":{"B":"AAAA"}}]}})");
    REQUIRE(c.world.wire->count() == 6);
    for (std::size_t n = 0; n != 4; ++n) {
        CHECK_FALSE(c.others[n]->ended);
        c.world.answer(2 + n);
    }
}

TEST_CASE(
    "a failure that is everybody's is told to each; one that may be somebody's sends all alone") {
    struct row {
        const char* code;
        errc expected;
        bool alone;
        bool off;
    };
    const row rows[] = {
        {"InternalServerError", errc::service_failed, false, false},
        {"ThrottlingException", errc::throttled, false, false},
        {"ResourceNotFoundException", errc::resource_not_found, false, false},
        {"ValidationException", errc::validation_failed, true, false},
        {"SomethingNewException", errc::service_error, true, false},
        {"AccessDeniedException", errc::access_denied, true, true},
        {"UnknownOperationException", errc::unknown_operation, true, true},
    };
    for (const row& one : rows) {
        INFO(one.code);
        crowd c(3);
        c.world.answer(0);
        c.world.refuse(1, one.code, one.expected == errc::service_failed ? 500 : 400);
        CHECK(c.world.backend->batching().fallbacks == (one.alone ? 1U : 0U));
        if (!one.alone) {
            for (const auto& each : c.others)
                CHECK(each->is(one.expected));
            continue;
        }
        REQUIRE(c.world.wire->count() == 5);
        for (std::size_t i = 0; i != 3; ++i) {
            CHECK(c.world.wire->operation(2 + i) == "GetItem");
            c.world.answer(2 + i, one_item("k" + std::to_string(i)));
            CHECK(has(c.others[i], "k" + std::to_string(i)));
        }
        CHECK(c.world.log.all().size() == (one.off ? 1U : 0U));
        const auto more = c.world.gets("m", 3);
        CHECK(c.world.wire->count() == (one.off ? 8U : 6U));
    }
}

TEST_CASE("an answer that is not one sends all alone") {
    crowd c(2);
    c.world.answer(0);
    c.world.answer(1, R"({"Responses":{"cache":{"key":1}}})");
    REQUIRE(c.world.wire->count() == 4);
    c.world.answer(2, one_item("k0"));
    CHECK(has(c.others[0], "k0"));
}

TEST_CASE("a context that is destroyed takes those with it who wait in it, at any moment") {
    const std::function<void(crowd&)> moments[] = {
        [](crowd&) {},
        [](crowd& c) { c.world.answer(0); },
        [](crowd& c) {
            c.world.answer(0);
            c.world.answer_batch(2, {"k1"});
        },
        [](crowd& c) { // answered, and not yet resumed
            c.world.answer(0);
            c.world.wire->answer(2, {.body = R"({"Responses":{"cache":[]}})"});
            static_cast<void>(c.world.world.step());
            static_cast<void>(c.world.world.step());
        },
        [](crowd& c) { c.others[1]->signal.emit(boost::asio::cancellation_type::terminal); },
    };
    for (const auto& moment : moments) {
        crowd c(5);
        const auto write = c.world.set("w", "1");
        const auto next = c.world.set("w", "2");
        const auto more = c.world.set("w", "3");
        moment(c);
        c.world.process.reset();
        CHECK_FALSE((c.others[2]->ended && c.others[2]->code() != 0));
        c.world.backend.reset();
    }
}

TEST_CASE("writes: those that come meanwhile share a request, deletes among them") {
    held_world world(merging());
    const auto first = world.set("first", "1");
    const auto a = world.set("a", "2");
    const auto b = world.discard("b");
    const auto c = world.set("c", "3");
    CHECK(world.wire->operation(0) == "PutItem");
    world.answer(0);
    CHECK(first->code() == 0);
    REQUIRE(world.wire->count() == 2);
    CHECK(world.wire->operation(1) == "BatchWriteItem");
    CHECK(world.size_of(1) == 3);
    world.answer(1,
                 R"({"UnprocessedItems":{"cache":[{"DeleteRequest":{"Key":{"key":{"S":"b"}}}}]}})");
    CHECK(a->code() == 0);
    CHECK(c->code() == 0);
    CHECK_FALSE(b->ended);
    world.pass(100ms);
    CHECK(world.wire->request(2).body ==
          R"({"RequestItems":{"cache":[{"DeleteRequest":{"Key":{"key":{"S":"b"}}}}]}})");
    world.answer(2);
    CHECK(b->code() == 0);
    const batching_stats stats = world.backend->batching();
    CHECK(stats.write_batches == 1);
    CHECK(stats.write_items == 3);
    CHECK(stats.writes_merged == 3);
}

TEST_CASE("writes: of several of one key the last one is sent, and all share its outcome") {
    held_world world(merging());
    const auto first = world.set("first", "1");
    const auto a = world.set("a", "AAA");
    const auto b = world.set("b", "x");
    const auto again = world.set("a", "BBB");
    const auto cancelled = world.set("a", "CCC");
    cancelled->signal.emit(boost::asio::cancellation_type::terminal);
    world.answer(0);
    REQUIRE(world.wire->count() == 2);
    CHECK(world.size_of(1) == 2);
    CHECK(world.wire->request(1).body.find("QkJC") != std::string::npos); // BBB
    CHECK(world.wire->request(1).body.find("QUFB") == std::string::npos); // AAA
    CHECK(world.wire->request(1).body.find("Q0ND") == std::string::npos); // CCC
    world.refuse(1, "InternalServerError", 500);
    CHECK(a->is(errc::service_failed));
    CHECK(again->is(errc::service_failed));
    CHECK(b->is(errc::service_failed));
    CHECK(cancelled->code() == -1);
}

TEST_CASE("writes: one never overtakes an earlier one of its key that is on the wire") {
    batching_config config = merging(batching_mode::automatic);
    config.crossover = 3; // there would be room
    held_world world(config);
    const auto first = world.set("a", "AAA");
    const auto second = world.set("a", "BBB");
    const auto third = world.discard("b");
    CHECK(world.wire->count() == 2);
    world.pass(20ms);
    CHECK(world.wire->count() == 2); // no delay sends it off either
    world.answer(0);
    CHECK(first->code() == 0);
    REQUIRE(world.wire->count() == 3);
    CHECK(world.wire->request(2).body.find("QkJC") != std::string::npos);
    world.answer(2);
    CHECK(second->code() == 0);
    world.answer(1);
    CHECK(third->code() == 0);
}

TEST_CASE("writes: several behind one of their key share the next request") {
    held_world world(merging());
    const auto first = world.set("a", "AAA");
    const auto second = world.set("a", "BBB");
    const auto third = world.set("a", "DDD");
    const auto other = world.set("b", "x");
    world.pass(3ms); // "b" goes: it waited for nothing but company
    REQUIRE(world.wire->count() == 2);
    world.answer(0);
    REQUIRE(world.wire->count() == 3);
    CHECK(world.size_of(2) == 1);
    CHECK(world.wire->request(2).body.find("RERE") != std::string::npos); // DDD
    const auto fourth = world.set("a", "EEE");
    world.answer(1);
    CHECK(world.wire->count() == 3);
    world.answer(2);
    CHECK(second->code() == 0);
    CHECK(third->code() == 0);
    REQUIRE(world.wire->count() == 4);
    CHECK(world.wire->request(3).body.find("RUVF") != std::string::npos); // EEE
    world.answer(3);
    CHECK(fourth->code() == 0);
    CHECK(other->code() == 0);
}

TEST_CASE("writes: what was behind one of its key waits no longer than max_delay for others") {
    held_world world(merging());
    const auto first = world.set("first", "1");
    const auto a = world.set("a", "AAA");
    const auto b = world.set("b", "BBB");
    world.answer(0);
    const auto behind = world.set("a", "CCC");
    world.pass(3ms); // the sweep has looked, and looks again after 25 ms unless it is told to
    // The batch flies on for "b", so that no end of a request sends off what "a" has let go.
    world.answer(1,
                 R"({"UnprocessedItems":{"cache":[{"PutRequest":{"Item":{"key":{"S":"b"}}}}]}})");
    CHECK(a->code() == 0);
    world.pass(2ms);
    bool is_sent = false;
    for (std::size_t n = 2; n != world.wire->count(); ++n)
        is_sent = is_sent || world.wire->request(n).body.find("Q0ND") != std::string::npos;
    CHECK(is_sent);
}

TEST_CASE(
    "writes: what is behind a cancelled one goes, and what is cancelled behind one does not") {
    held_world world(merging());
    const auto first = world.set("a", "AAA");
    const auto second = world.set("a", "BBB");
    const auto third = world.set("a", "DDD");
    third->signal.emit(boost::asio::cancellation_type::terminal);
    world.settle();
    CHECK(third->code() == -1);
    first->signal.emit(boost::asio::cancellation_type::terminal);
    world.settle();
    CHECK(first->code() == -1);
    REQUIRE(world.wire->count() == 2);
    CHECK(world.wire->request(1).body.find("QkJC") != std::string::npos);
    world.answer(1);
    CHECK(second->code() == 0);
}

TEST_CASE("writes: a refused batch is written one by one, each with its own outcome") {
    for (const bool off : {false, true}) {
        held_world world(merging());
        const auto first = world.set("first", "1");
        const auto a = world.set("a", "AAA");
        const auto b = world.discard("b");
        world.answer(0);
        world.refuse(1, off ? "AccessDeniedException" : "ValidationException");
        REQUIRE(world.wire->count() == 4);
        CHECK(world.wire->operation(2) == "PutItem");
        CHECK(world.wire->operation(3) == "DeleteItem");
        const auto behind = world.set("a", "BBB");
        CHECK(world.wire->count() == 4);
        world.refuse(2, "ValidationException");
        world.answer(3);
        CHECK(a->is(errc::validation_failed));
        CHECK(b->code() == 0);
        world.settle();
        REQUIRE(world.wire->count() == 5);
        world.answer(4);
        CHECK(behind->code() == 0);
        CHECK(world.log.all().size() == (off ? 1U : 0U));
    }
}

TEST_CASE("writes: 25 to a batch") {
    held_world world(merging());
    const auto first = world.set("first", "1");
    std::vector<std::shared_ptr<wrote>> all;
    for (int i = 0; i != 30; ++i)
        all.push_back(world.set("k" + std::to_string(i), "v"));
    REQUIRE(world.wire->count() == 2);
    CHECK(world.size_of(1) == 25);
    world.answer(0);
    REQUIRE(world.wire->count() == 3);
    CHECK(world.size_of(2) == 5);
    world.answer(1);
    world.answer(2);
    CHECK(std::all_of(all.begin(), all.end(), [](const auto& one) { return one->code() == 0; }));
}

TEST_CASE("writes: of those that share a place the largest counts towards the 8 MB") {
    held_world world(merging());
    const auto first = world.set("first", "1");
    const auto small = world.set("a", "small");
    std::vector<std::shared_ptr<wrote>> large;
    for (int i = 0; i != 20; ++i)
        large.push_back(world.set("k" + std::to_string(i), std::string(409'000, 'x')));
    CHECK(world.wire->count() == 1);
    const auto again = world.set("a", std::string(409'000, 'y'));
    REQUIRE(world.wire->count() == 2); // without it, which waits behind "small"
    CHECK(world.size_of(1) == 21);
    CHECK(world.wire->request(1).body.size() < 8'388'608 / 3 * 4);
    world.answer(1);
    CHECK(small->code() == 0);
    world.answer(0);
    world.pass(3ms);
    REQUIRE(world.wire->count() == 3);
    world.answer(2);
    CHECK(again->code() == 0);
}

TEST_CASE("writes: one that went alone counts once, until it ends") {
    held_world world(merging());
    for (std::size_t sent = 0; sent != 6; sent += 2) {
        const auto alone = world.set("a", "1");
        REQUIRE(world.wire->count() == sent + 1);
        const auto waiting = world.set("b", "2");
        REQUIRE(world.wire->count() == sent + 1);
        world.answer(sent);
        REQUIRE(world.wire->count() == sent + 2);
        world.answer(sent + 1);
        CHECK(alone->code() == 0);
        CHECK(waiting->code() == 0);
    }
}

TEST_CASE("an erase and a conditional store are never merged") {
    held_world world(merging());
    const auto first = world.set("first", "1");
    const auto erased = world.spawn_in<bool>(world.backend->erase("a"));
    record r;
    const auto newer = world.spawn_in<bool>(world.backend->store_newer("b", r));
    world.settle();
    REQUIRE(world.wire->count() == 3);
    CHECK(world.wire->operation(1) == "DeleteItem");
    CHECK(world.wire->operation(2) == "PutItem");
}

} // namespace codynamo
