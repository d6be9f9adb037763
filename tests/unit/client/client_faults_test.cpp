// SPDX-License-Identifier: BSL-1.0
// What a client makes of wrong clocks, lost answers, failing endpoints and shared settings.
#include "fake_client.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

namespace codynamo::dynamodb {

using namespace std::chrono_literals;
using test::answer;
using test::fake_request;
using test::fake_response;
using test::fake_world;
using test::script;
using test::service_error;
using test_support::run;

namespace {

get_item_input get_request() {
    get_item_input in;
    in.table_name = "cache";
    in.key.emplace("k", "hello");
    return in;
}

put_item_input versioned_put() {
    put_item_input in;
    in.table_name = "cache";
    in.item.emplace("k", "hello");
    in.item.emplace("version", number(8));
    in.condition.expression = "version = :seen";
    in.values.emplace(":seen", number(7));
    in.version_attribute = "version";
    return in;
}

fake_response lost(bool sent = true) {
    return fake_response::network_error(make_error_code(errc::connection_lost), sent);
}

fake_response dated(fake_response of, std::string date) {
    of.headers.emplace_back("Date", std::move(date));
    return of;
}

/// What the item of the world's table looked like when a condition was false.
fake_response condition_false(const std::string& old_item) {
    return answer(R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",)"
                  R"("message":"no","Item":)" +
                      old_item + "}",
                  400);
}

/// A service ten minutes ahead of our clock that insists on dates of its own ten minutes. Half a
/// minute ahead it says nothing.
testing::fake_transport::server strict_about_dates(std::string code) {
    return [code](const fake_request& request) {
        const std::string_view date = request.header("x-amz-date");
        const bool ours = date.starts_with("20231114T2213");
        return dated(ours ? service_error(code, 403) : answer("{}"),
                     "Tue, 14 Nov 2023 22:23:20 GMT");
    };
}

struct variables : std::map<std::string, std::string> {
    using map::map;
    std::optional<std::string> operator()(const char* name) const {
        const auto found = find(name);
        return found == end() ? std::nullopt : std::optional(found->second);
    }
};

/// The failure of one GetItem; success is no error code.
failure outcome_of(client& db, call_options options = {}) {
    const auto got = run(db.attempt(get_request(), options));
    return got ? failure{} : got.error();
}

} // namespace

TEST_CASE("a request refused for its date is dated by the server's clock and sent again, once") {
    fake_world world(strict_about_dates("InvalidSignatureException"));
    client_config config = world.client_config();
    config.retry.max_attempts = 1;
    client db(config);
    CHECK_FALSE(outcome_of(db).code);
    REQUIRE(world.transport->requests().size() == 2);
    CHECK(world.transport->requests()[1].header("x-amz-date") == "20231114T222320Z");
    CHECK(world.time->sleeps().empty());
    // And remembered.
    CHECK_FALSE(outcome_of(db).code);
    CHECK(world.transport->requests().size() == 3);
}

TEST_CASE("a wrong secret is not taken for a wrong clock") {
    fake_world world([](const fake_request&) {
        return dated(service_error("InvalidSignatureException", 403),
                     "Tue, 14 Nov 2023 22:14:00 GMT");
    });
    client db(world.client_config());
    CHECK(outcome_of(db).code == errc::credentials_rejected);
    CHECK(world.transport->requests().size() == 1);
}

TEST_CASE("the clock is learnt from answers of any kind, unless somebody forbids it") {
    struct row {
        std::string name;
        std::optional<bool> configured;
        variables environment;
        bool learns;
    };
    const std::vector<row> table{
        {"by default", std::nullopt, {}, true},
        {"forbidden by the configuration", false, {}, false},
        {"forbidden by the environment",
         std::nullopt,
         {{"AWS_DISABLE_CLOCK_SKEW_CORRECTION", "true"}},
         false},
        {"the configuration wins", true, {{"AWS_DISABLE_CLOCK_SKEW_CORRECTION", "true"}}, true},
    };
    for (const row& one : table) {
        INFO(one.name);
        fake_world world(script({dated(answer("{}"), "Tue, 14 Nov 2023 21:13:20 GMT")}));
        world.env.variable = one.environment;
        client_config config = world.client_config();
        config.clock_skew_correction = one.configured;
        client db(config);
        CHECK_FALSE(outcome_of(db).code);
        CHECK_FALSE(outcome_of(db).code);
        CHECK(world.transport->requests()[0].header("x-amz-date") == "20231114T221320Z");
        CHECK(world.transport->requests()[1].header("x-amz-date") ==
              (one.learns ? "20231114T211320Z" : "20231114T221320Z"));
    }
    fake_world refusing(strict_about_dates("InvalidSignatureException"));
    client_config config = refusing.client_config();
    config.clock_skew_correction = false;
    client db(config);
    CHECK(outcome_of(db).code == errc::credentials_rejected);
    CHECK(refusing.transport->requests().size() == 1);
}

TEST_CASE("whose dates are believed") {
    fake_response proxy;
    proxy.status = 503;
    proxy.body = "<html>come back later</html>";
    fake_response emulator = answer("{}");
    emulator.headers.clear();
    fake_response refusing = service_error("ValidationException");
    refusing.headers.clear();
    fake_response corrupt = answer("{}");
    corrupt.headers.emplace_back("x-amz-crc32", "1");
    struct row {
        std::string name;
        fake_response first;
        bool learns;
    };
    for (const row& one :
         {row{"the service's", answer("{}"), true},
          row{"an error of the service's", service_error("InternalServerError", 500), true},
          row{"a proxy's", proxy, false}, row{"an emulator's", emulator, true},
          row{"an emulator's error", refusing, true}, row{"of a broken answer", corrupt, false}}) {
        INFO(one.name);
        fake_world world(script({dated(one.first, "Tue, 14 Nov 2023 21:13:20 GMT"), answer("{}")}));
        client_config config = world.client_config();
        config.retry.max_attempts = 1;
        client db(config);
        (void)outcome_of(db);
        CHECK_FALSE(outcome_of(db).code);
        CHECK(world.transport->requests()[1].header("x-amz-date") ==
              (one.learns ? "20231114T211320Z" : "20231114T221320Z"));
    }
}

TEST_CASE("a versioned put that meets its own success is one") {
    const std::string mine = R"({"k":{"S":"hello"},"version":{"N":"8"}})";
    const std::string mine_otherwise = R"({"k":{"S":"hello"},"version":{"N":"8.0"}})";
    const std::string theirs = R"({"k":{"S":"hello"},"version":{"N":"9"}})";
    const std::string none = R"({"k":{"S":"hello"}})";
    // Two clients read 7, and both wrote 8.
    const std::string same_version =
        R"({"k":{"S":"hello"},"version":{"N":"8"},"data":{"S":"theirs"}})";
    struct row {
        std::string name;
        std::vector<fake_response> answers;
        errc code; ///< {} for success
        std::size_t requests;
    };
    const std::vector<row> table{
        {"it went well", {answer("{}")}, {}, 1},
        {"lost, then it meets itself", {lost(), condition_false(mine)}, {}, 2},
        {"500, then it meets itself",
         {service_error("InternalServerError", 500), condition_false(mine)},
         {},
         2},
        {"the number is written otherwise", {lost(), condition_false(mine_otherwise)}, {}, 2},
        {"lost, then it meets another",
         {lost(), condition_false(theirs)},
         errc::conditional_check_failed,
         2},
        {"lost, then it meets another's put with the same version",
         {lost(), condition_false(same_version)},
         errc::conditional_check_failed,
         2},
        {"lost, then no version",
         {lost(), condition_false(none)},
         errc::conditional_check_failed,
         2},
        {"lost, then no item",
         {lost(), service_error("ConditionalCheckFailedException")},
         errc::conditional_check_failed,
         2},
        {"the same version without having been lost",
         {condition_false(mine)},
         errc::conditional_check_failed,
         1},
        {"never sent, then the same version",
         {lost(false), condition_false(mine)},
         errc::conditional_check_failed,
         2},
        {"lost for ever", {lost()}, errc::connection_lost, 3},
    };
    for (const row& one : table) {
        INFO(one.name);
        fake_world world(script(one.answers));
        client db(world.client_config());
        const auto got = run(db.attempt(versioned_put()));
        CHECK(got.has_value() == (one.code == errc{}));
        if (!got) CHECK(got.error().code == one.code);
        CHECK(world.transport->requests().size() == one.requests);
        CHECK(world.transport->requests()[0].body.find(
                  R"("ReturnValuesOnConditionCheckFailure":"ALL_OLD")") != std::string::npos);
    }
}

namespace {

/// Sends everything twice without a word, as the pool does when a connection was stale.
class replaying_transport final : public net::transport {
public:
    explicit replaying_transport(fake_response last) : last_(std::move(last)) {}
    boost::asio::awaitable<net::send_outcome> send(net::exchange& what,
                                                   net::send_options options) override {
        was_allowed = options.replay_safe;
        for (int i = 0; i < (was_allowed ? 2 : 1); ++i) { // written, if not sent
            std::string head;
            std::string body;
            what.write(head, body);
        }
        net::response_view view;
        view.status = last_.status;
        view.body = last_.body;
        what.read(view);
        net::send_outcome outcome;
        outcome.sent = true;
        outcome.sent_twice = was_allowed && first_went_out;
        co_return outcome;
    }
    boost::asio::awaitable<void> close() override { co_return; }
    net::transport_stats stats() const override { return {}; }
    bool was_allowed = false;
    bool first_went_out = true;

private:
    fake_response last_;
};

} // namespace

TEST_CASE("what the transport sent twice on its own may meet itself as well") {
    fake_world world(script({answer("{}")}));
    client_config config = world.client_config();
    const auto twice = std::make_shared<replaying_transport>(
        condition_false(R"({"k":{"S":"hello"},"version":{"N":"8"}})"));
    config.transport = twice;
    client db(config);
    CHECK(run(db.attempt(versioned_put())).has_value());
    CHECK(twice->was_allowed);
    // The first copy was written for a connection that did not take any of it.
    twice->first_went_out = false;
    CHECK_FALSE(run(db.attempt(versioned_put())).has_value());
    put_item_input plain = versioned_put();
    plain.version_attribute.clear();
    const auto once = run(db.attempt(plain));
    REQUIRE_FALSE(once.has_value());
    CHECK_FALSE(once.error().info->outcome_unknown);
    CHECK_FALSE(twice->was_allowed);
}

TEST_CASE("a version attribute must be one") {
    struct row {
        std::function<void(put_item_input&)> breaks;
        std::string words;
    };
    const std::vector<row> table{
        {[](put_item_input& in) { in.version_attribute = "other"; }, "no attribute of the item"},
        {[](put_item_input& in) { in.return_values = return_values::all_old; }, "return_values"},
    };
    for (const row& one : table) {
        fake_world world(script({answer("{}")}));
        client db(world.client_config());
        put_item_input in = versioned_put();
        one.breaks(in);
        const auto got = run(db.attempt(in));
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().code == errc::invalid_argument);
        CHECK(got.error().message().find("version_attribute") != std::string::npos);
        CHECK(got.error().message().find(one.words) != std::string::npos);
    }
}

TEST_CASE("whether a failed write may have been executed is told") {
    put_item_input conditional = versioned_put();
    conditional.version_attribute.clear();
    update_item_input counter;
    counter.table_name = "cache";
    counter.key.emplace("k", "hello");
    counter.update_expression = "ADD n :one";
    counter.values.emplace(":one", number(1));

    fake_world world(script({lost(), answer("{}")}));
    client db(world.client_config());
    const auto put = run(db.attempt(conditional));
    REQUIRE_FALSE(put.has_value());
    CHECK(put.error().info->outcome_unknown);
    CHECK(world.transport->requests().size() == 1);

    fake_world other(script({service_error("InternalServerError", 500), answer("{}")}));
    client counting(other.client_config());
    const auto added = run(counting.attempt(counter));
    REQUIRE_FALSE(added.has_value());
    CHECK(added.error().info->outcome_unknown);
    CHECK(other.transport->requests().size() == 1);

    fake_world reads(script({lost()}));
    client reader(reads.client_config());
    CHECK_FALSE(outcome_of(reader).info->outcome_unknown);
    CHECK(reads.transport->requests().size() == 3);
}

TEST_CASE("a client leaves a failing endpoint alone, probes it, and goes on when it answers") {
    bool up = false;
    fake_world world([&up](const fake_request&) { return up ? answer("{}") : lost(false); });
    client_config config = world.client_config();
    config.retry.max_attempts = 1;
    config.breaker.minimum_calls = 5;
    client db(config);
    for (int i = 0; i < 5; ++i)
        CHECK(outcome_of(db).code == errc::connection_lost);
    const failure refused = outcome_of(db);
    CHECK(refused.code == errc::circuit_open);
    CHECK(refused.message() ==
          "not sent: http://fake has been failing and is left alone for another 500 ms");
    CHECK(refused.info->attempts == 0);
    CHECK_FALSE(refused.info->outcome_unknown);
    CHECK(world.transport->requests().size() == 5);

    world.time->advance(500ms);
    CHECK(outcome_of(db).code == errc::connection_lost);
    CHECK(outcome_of(db).code == errc::circuit_open);
    up = true;
    world.time->advance(500ms);
    CHECK_FALSE(outcome_of(db).code);
    CHECK_FALSE(outcome_of(db).code);
    CHECK(world.transport->requests().size() == 8);
}

TEST_CASE("calls with retries wait for the endpoint instead of failing in a tight loop") {
    int failures = 8;
    fake_world world(
        [&failures](const fake_request&) { return failures-- > 0 ? lost(false) : answer("{}"); });
    client_config config = world.client_config();
    config.breaker.minimum_calls = 3;
    client db(config);
    const auto before = world.time->steady_now();
    int calls = 0;
    while (outcome_of(db).code && calls < 100)
        ++calls;
    // Each of them took its time, and fewer requests were sent than without a breaker.
    CHECK(calls >= 2);
    CHECK(world.time->steady_now() - before >= calls * 500ms);
    CHECK(world.transport->requests().size() == 9);
}

TEST_CASE("the retry settings are the configuration's, the environment's, or the default") {
    struct row {
        std::string name;
        variables environment;
        aws::retry_config configured;
        std::size_t requests;
        std::chrono::milliseconds first_wait;
    };
    const std::vector<row> table{
        {"default", {}, {}, 3, 1000ms},
        {"AWS_MAX_ATTEMPTS", {{"AWS_MAX_ATTEMPTS", "5"}}, {}, 5, 1000ms},
        {"the configuration wins", {{"AWS_MAX_ATTEMPTS", "5"}}, {.max_attempts = 2}, 2, 1000ms},
        {"AWS_NEW_RETRIES_2026", {{"AWS_NEW_RETRIES_2026", "True"}}, {}, 4, 25ms},
        {"the configuration's spec wins",
         {{"AWS_NEW_RETRIES_2026", "true"}},
         {.spec = aws::retry_spec::v2_0},
         3,
         1000ms},
    };
    for (const row& one : table) {
        INFO(one.name);
        fake_world world(script({service_error("InternalServerError", 500)}));
        world.env.variable = one.environment;
        client_config config = world.client_config();
        config.retry = one.configured;
        client db(config);
        CHECK(outcome_of(db, {.timeout = 1h}).code == errc::service_failed);
        CHECK(world.transport->requests().size() == one.requests);
        REQUIRE_FALSE(world.time->sleeps().empty());
        CHECK(std::chrono::round<std::chrono::milliseconds>(world.time->sleeps()[0]) ==
              one.first_wait);
    }
}

TEST_CASE("in adaptive mode the whole client slows down when it was throttled") {
    for (const bool adaptive : {false, true}) {
        fake_world world(script({service_error("ThrottlingException"), answer("{}")}));
        if (adaptive) world.env.variable = variables{{"AWS_RETRY_MODE", "adaptive"}};
        client db(world.client_config());
        CHECK_FALSE(outcome_of(db).code);
        const std::size_t waits = world.time->sleeps().size();
        CHECK_FALSE(outcome_of(db).code);
        CHECK(world.time->sleeps().size() == waits + (adaptive ? 1 : 0));
    }
}

TEST_CASE("bad settings of environment and breaker are named") {
    struct row {
        variables environment;
        std::function<void(client_config&)> breaks;
        std::string words;
    };
    const std::vector<row> table{
        {{{"AWS_MAX_ATTEMPTS", "0"}}, [](client_config&) {}, "AWS_MAX_ATTEMPTS"},
        {{}, [](client_config& c) { c.breaker.minimum_calls = 0; }, "breaker.minimum_calls"},
        {{}, [](client_config& c) { c.hedging.max_extra_load = 2; }, "hedging.max_extra_load"},
        {{}, [](client_config& c) { c.use_fips = true; }, "FIPS"},
    };
    for (const row& one : table) {
        fake_world world(script({answer("{}")}));
        world.env.variable = one.environment;
        client_config config = world.client_config();
        one.breaks(config);
        try {
            client db(config);
            FAIL("accepted " << one.words);
        } catch (const error& why) {
            CHECK(why.code() == errc::invalid_argument);
            CHECK(std::string(why.what()).find(one.words) != std::string::npos);
        }
    }
}

TEST_CASE("a service that repeats what it was sent does not make us tell secrets") {
    const std::string echo =
        R"({"__type":"InvalidSignatureException","message":"The Canonical String should have been )"
        R"('POST x-amz-security-token:token-of-session', Authorization='AWS4-HMAC-SHA256 )"
        R"(Credential=AKIDEXAMPLE/20231114, Signature=5d672d79c15b13162d9279b0855cfba6' )"
        R"(and the secret wJalrXUtnFEMI"})";
    fake_world world(script({dated(answer(echo, 403), "Tue, 14 Nov 2023 22:23:20 GMT")}));
    world.credentials =
        aws::static_credentials({"AKIDEXAMPLE", "wJalrXUtnFEMI", "token-of-session"});
    client_config config = world.client_config();
    config.breaker.minimum_calls = 1;
    client db(config);
    std::string all = outcome_of(db).message();
    CHECK(all.find("Canonical String") != std::string::npos);
    for (const std::string& line : *world.log)
        all += line;
    CHECK(all.find("ms ahead of ours") != std::string::npos);
    CHECK(all.find("wJalrXUtnFEMI") == std::string::npos);
    CHECK(all.find("token-of-session") == std::string::npos);
    CHECK(all.find("5d672d79c15b") == std::string::npos);
}

} // namespace codynamo::dynamodb
