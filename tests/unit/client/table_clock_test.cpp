// SPDX-License-Identifier: BSL-1.0
// Records of a client whose clock is not the server's.
#include "cache/record_item.hpp"
#include "fake_client.hpp"
#include "support/catch.hpp"

#include <limits>
#include <string>
#include <vector>

namespace codynamo {

using namespace std::chrono_literals;
using test::answer;
using test::fake_request;
using test::fake_response;
using test::fake_world;
using test_support::run;

namespace {

/// Our clock says 2023-11-14 22:13:20.5.
struct skewed_world : fake_world {
    skewed_world(std::string date, std::string read)
        : fake_world([date = std::move(date), read = std::move(read)](const fake_request& request) {
              fake_response response = answer(request.operation() == "PutItem" ? "{}" : read);
              response.headers.emplace_back("Date", date);
              return response;
          }) {}
};

/// As pynamodb_mate writes it, at that time of the table's.
std::string stored(const std::string& update_ts) {
    return R"({"Item":{"key":{"S":"k"},"value":{"B":"aGk="},"expire":{"N":"60"},"update_ts":{"N":")" +
           update_ts + R"("}}})";
}

bool has(const fake_request& request, const std::string& what) {
    return request.body.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("times in the table are the server's beyond five seconds, and ours up to there") {
    struct row {
        std::string name;
        std::string date;
        std::optional<bool> correction;
        std::string update_ts;
        std::string ttl;
    };
    const std::vector<row> table{
        {"the same clock", "Tue, 14 Nov 2023 22:13:20 GMT", std::nullopt, "1700000000.5",
         "1700000061"},
        {"three seconds", "Tue, 14 Nov 2023 22:13:23 GMT", std::nullopt, "1700000000.5",
         "1700000061"},
        {"an hour behind", "Tue, 14 Nov 2023 23:13:20 GMT", std::nullopt, "1700003600.5",
         "1700003661"},
        {"an hour ahead", "Tue, 14 Nov 2023 21:13:20 GMT", std::nullopt, "1699996400.5",
         "1699996461"},
        {"not wanted", "Tue, 14 Nov 2023 23:13:20 GMT", false, "1700000000.5", "1700000061"},
    };
    for (const row& one : table) {
        INFO(one.name);
        skewed_world world(one.date, stored(one.update_ts));
        dynamodb_backend_config config = world.backend_config();
        config.clock_skew_correction = one.correction;
        auto backend = run(dynamodb_backend::open(config));
        (void)run(backend.load("k"));
        const record mine{.value = "hi", .written = world.time->now(), .lifetime = 60s};
        run(backend.store("k", mine));
        const fake_request put = world.transport->requests().back();
        CHECK(has(put, R"("update_ts":{"N":")" + one.update_ts + "\""));
        CHECK(has(put, R"("ttl":{"N":")" + one.ttl + "\""));
        // What comes back is what went in, to the microsecond.
        const auto one_read = run(backend.load("k"));
        REQUIRE(one_read);
        CHECK(one_read->written == mine.written);
        const auto peeked = run(backend.peek("k"));
        REQUIRE(peeked);
        CHECK(peeked->written == mine.written);
    }
}

TEST_CASE("batches, conditions, touches and clears speak the table's time too") {
    const std::string hour_later = "Tue, 14 Nov 2023 23:13:20 GMT";
    const std::string old_item = stored("1700003500.5").substr(8); // the item and a brace
    const std::string batch =
        R"({"Responses":{"cache":[)" + old_item.substr(0, old_item.size() - 1) + "]}}";
    skewed_world learning(hour_later, batch);
    auto backend = run(dynamodb_backend::open(learning.backend_config()));
    (void)run(backend.load_many({"k"}));
    const auto read = run(backend.load_many({"k"}));
    REQUIRE(read.at(0).has_value());
    REQUIRE(read.at(0)->has_value());
    CHECK((*read.at(0))->written == timestamp(1'699'999'900'500ms));

    const record mine{.value = "hi", .written = learning.time->now(), .lifetime = 60s};
    const auto stored_all = run(backend.store_many({{"k", mine}}));
    CHECK(stored_all.at(0).has_value());
    CHECK(has(learning.transport->requests().back(), R"("update_ts":{"N":"1700003600.5"})"));
    CHECK(run(backend.store_newer("k", mine)));
    CHECK(has(learning.transport->requests().back(), R"(":u":{"N":"1700003600.5"})"));

    skewed_world touching(hour_later, stored("1700003590.5"));
    auto touched = run(dynamodb_backend::open(touching.backend_config()));
    CHECK(run(touched.touch("k", touching.time->now(), 60s)));
    CHECK(has(touching.transport->requests().back(), R"(":now":{"N":"1700003600.5"})"));
    // A minute old by the table's clock: expired.
    skewed_world late(hour_later, stored("1700003540.5"));
    auto expired = run(dynamodb_backend::open(late.backend_config()));
    CHECK_FALSE(run(expired.touch("k", late.time->now(), 60s)));
}

namespace {

const std::string hour_behind = "Tue, 14 Nov 2023 23:13:20 GMT";

fake_response dated(fake_response of, const std::string& date) {
    of.headers.emplace_back("Date", date);
    return of;
}

using operations = std::vector<std::string>;

} // namespace

TEST_CASE("the call that learns the table's time corrects what it has just stored") {
    enum class way { store, store_newer, store_many };
    for (const way how : {way::store, way::store_newer, way::store_many}) {
        INFO(static_cast<int>(how));
        skewed_world world(hour_behind, "{}");
        auto backend = run(dynamodb_backend::open(world.backend_config()));
        const record mine{.value = "hi", .written = world.time->now(), .lifetime = 60s};
        if (how == way::store) run(backend.store("k", mine));
        if (how == way::store_newer) CHECK(run(backend.store_newer("k", mine)));
        if (how == way::store_many) CHECK(run(backend.store_many({{"k", mine}})).at(0).has_value());
        const std::string first = how == way::store_many ? "BatchWriteItem" : "PutItem";
        REQUIRE(world.operations() == operations{first, "GetItem", "PutItem"});
        const fake_request last = world.transport->requests().back();
        CHECK(has(world.transport->requests()[0], R"("update_ts":{"N":"1700000000.5"})"));
        CHECK(has(last, R"("update_ts":{"N":"1700003600.5"})"));
        CHECK(has(last, R"("ttl":{"N":"1700003661"})"));
        CHECK(has(last, R"("value":{"B":"aGk="})"));
        // And not over somebody else's.
        CHECK(has(last, R"("ConditionExpression":"#u = :old")"));
        CHECK(has(last, R"(":old":{"N":"1700000000.5"})"));
        run(backend.store("k", mine));
        CHECK(world.operations().size() == 4);
    }
}

TEST_CASE("a correction yields to whoever has written since, and other failures are told") {
    struct row {
        fake_response last;
        std::optional<errc> fails;
    };
    for (const row& one :
         {row{test::service_error("ConditionalCheckFailedException"), std::nullopt},
          row{test::service_error("ValidationException"), errc::validation_failed}}) {
        fake_world world(test::script(
            {dated(answer("{}"), hour_behind), dated(answer("{}"), hour_behind), one.last}));
        auto backend = run(dynamodb_backend::open(world.backend_config()));
        const record mine{.value = "hi", .written = world.time->now(), .lifetime = 60s};
        const auto all = run(backend.store_many({{"k", mine}}));
        CHECK(world.operations().size() == 3);
        CHECK(all.at(0).has_value() == !one.fails);
        if (one.fails) CHECK(all.at(0).error().code == *one.fails);
    }
}

TEST_CASE("a date that no second answer confirms moves no record") {
    fake_world world(test::script(
        {dated(answer("{}"), hour_behind), dated(answer("{}"), "Tue, 14 Nov 2023 22:13:20 GMT")}));
    auto backend = run(dynamodb_backend::open(world.backend_config()));
    const record mine{.value = "hi", .written = world.time->now(), .lifetime = 60s};
    run(backend.store("k", mine));
    CHECK(world.operations() == operations{"PutItem", "GetItem"});
    run(backend.store("k", mine));
    CHECK(has(world.transport->requests().back(), R"("update_ts":{"N":"1700000000.5"})"));
}

TEST_CASE("a record that was too old by the wrong clock gets a second chance, and only one") {
    const fake_response refused = test::service_error("ConditionalCheckFailedException");
    for (const bool is_newer : {true, false}) {
        fake_world world(
            test::script({dated(refused, hour_behind), dated(answer("{}"), hour_behind),
                          is_newer ? answer("{}") : refused}));
        auto backend = run(dynamodb_backend::open(world.backend_config()));
        const record mine{.value = "hi", .written = world.time->now(), .lifetime = 60s};
        CHECK(run(backend.store_newer("k", mine)) == is_newer);
        REQUIRE(world.operations() == operations{"PutItem", "GetItem", "PutItem"});
        const fake_request last = world.transport->requests().back();
        CHECK(has(last, R"(":u":{"N":"1700003600.5"})"));
        CHECK(has(last, R"("update_ts":{"N":"1700003600.5"})"));
    }
}

TEST_CASE("the first load of all is told by the right clock") {
    skewed_world world(hour_behind, stored("1700003600.5"));
    auto backend = run(dynamodb_backend::open(world.backend_config()));
    const auto found = run(backend.load("k"));
    REQUIRE(found);
    CHECK(found->written == world.time->now());
    CHECK(world.operations() == operations{"GetItem", "GetItem"});
}

TEST_CASE("clear_expired looks at the table's times with the table's clock") {
    const std::string hour_later = "Tue, 14 Nov 2023 23:13:20 GMT";
    const std::string item = stored("1700003590.5");
    const std::string page =
        R"({"Count":1,"ScannedCount":1,"Items":[)" + item.substr(8, item.size() - 9) + "]}";
    skewed_world world(hour_later, page);
    auto backend = run(dynamodb_backend::open(world.backend_config()));
    clear_options options;
    options.segments = 1;
    // By our clock the record is not even written yet; by the table's it is ten seconds old.
    const auto young = run(backend.clear_expired(options, world.time->now()));
    CHECK(young.kept == 1);
    const auto old = run(backend.clear_expired(options, world.time->now() + 51s));
    CHECK(old.deleted == 1);
}

TEST_CASE("a record that is gone counts as erased when an answer was lost on the way") {
    struct row {
        std::string name;
        std::vector<fake_response> answers;
        bool erased;
    };
    const fake_response gone = test::service_error("ConditionalCheckFailedException");
    const auto lost = [](bool sent) {
        return fake_response::network_error(make_error_code(errc::connection_lost), sent);
    };
    for (const row& one :
         {row{"there", {answer("{}")}, true}, row{"not there", {gone}, false},
          row{"lost, then gone", {lost(true), gone}, true},
          row{"500, then gone", {test::service_error("InternalServerError", 500), gone}, true},
          row{"never sent, then gone", {lost(false), gone}, false},
          row{"throttled, then gone", {test::service_error("ThrottlingException"), gone}, false}}) {
        INFO(one.name);
        fake_world world(test::script(one.answers));
        auto backend = run(dynamodb_backend::open(world.backend_config()));
        CHECK(run(backend.erase("k")) == one.erased);
    }
}

TEST_CASE("times at the end of time stay there when they are corrected") {
    using detail::by_own_clock;
    using detail::by_table_clock;
    const timestamp some{5s};
    CHECK(by_table_clock(some, 10s) == timestamp{15s});
    CHECK(by_own_clock(some, 10s) == timestamp{-5s});
    CHECK(by_table_clock(timestamp::max(), 10s) == timestamp::max());
    CHECK(by_table_clock(timestamp::max(), -10s) == timestamp::max() - 10s);
    CHECK(by_own_clock(timestamp::min(), 10s) == timestamp::min());
    CHECK(by_own_clock(timestamp::min(), -10s) == timestamp::min() + 10s);
}

} // namespace codynamo
