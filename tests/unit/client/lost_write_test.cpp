// SPDX-License-Identifier: BSL-1.0
// Writes whose answer was lost: which may meet their own success, and what is told of the others.
#include "fake_client.hpp"
#include "support/catch.hpp"

#include <functional>
#include <string>
#include <vector>

namespace codynamo::dynamodb {

using namespace test;
using test_support::run;

namespace {

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

/// What the item of the world's table looked like when a condition was false.
fake_response condition_false(const std::string& old_item) {
    return answer(R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",)"
                  R"("message":"no","Item":)" +
                      old_item + "}",
                  400);
}

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

} // namespace codynamo::dynamodb
