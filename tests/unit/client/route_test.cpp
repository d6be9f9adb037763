// SPDX-License-Identifier: BSL-1.0
// Which host a request goes to; nothing is connected.
#include "dynamodb/route.hpp"
#include "fake_client.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

namespace codynamo::dynamodb {
namespace {

using mode = aws::account_id_endpoint_mode;
using test::fake_world;

client_settings settings(std::string region, mode accounts) {
    fake_world world(test::script({}));
    client_settings made;
    made.config = world.client_config();
    made.config.region = region;
    made.config.endpoint.clear();
    made.config.transport.reset();
    made.config.tls.dangerously_skip_certificate_verification = true;
    made.where.region = std::move(region);
    made.where.mode = accounts;
    return made;
}

const std::string table_arn = "arn:aws:dynamodb:us-east-1:999999999999:table/cache";
const std::string distant_arn = "arn:aws:dynamodb:eu-west-1:999999999999:table/cache";

} // namespace

TEST_CASE("a request goes to the host of its account where there is one") {
    struct row {
        std::string region;
        mode accounts;
        std::string account;
        std::string arn;
        std::string host; ///< "-": refused
    };
    const std::string regional = "dynamodb.us-east-1.amazonaws.com";
    const std::string mine = "111111111111.ddb.us-east-1.amazonaws.com";
    const std::string theirs = "999999999999.ddb.us-east-1.amazonaws.com";
    const std::vector<row> table{
        {"us-east-1", mode::preferred, "", "", regional},
        {"us-east-1", mode::preferred, "111111111111", "", mine},
        {"us-east-1", mode::preferred, "111111111111", table_arn, theirs},
        {"us-east-1", mode::preferred, "", table_arn, theirs},
        {"us-east-1", mode::preferred, "111111111111", distant_arn, mine},
        {"us-east-1", mode::disabled, "111111111111", table_arn, regional},
        {"us-east-1", mode::required, "111111111111", "", mine},
        {"us-east-1", mode::required, "", "", "-"},
        {"cn-north-1", mode::preferred, "111111111111", "",
         "111111111111.ddb.cn-north-1.amazonaws.com.cn"},
        {"us-gov-west-1", mode::preferred, "111111111111", "",
         "111111111111.ddb.us-gov-west-1.amazonaws.com"},
        {"us-iso-east-1", mode::preferred, "111111111111", "", "dynamodb.us-iso-east-1.c2s.ic.gov"},
        {"us-iso-east-1", mode::required, "111111111111", "", "-"},
        {"local", mode::preferred, "111111111111", "", "localhost"},
    };
    for (const row& one : table) {
        INFO(one.region << " " << one.account << " " << one.arn);
        const client_settings given = settings(one.region, one.accounts);
        std::string host = "-";
        try {
            route_table routes(given); // refuses what no account could change
            host = routes.find(one.account, one.arn).endpoint.server.host;
        } catch (const error& why) {
            CHECK(why.code() == errc::invalid_argument);
        }
        CHECK(host == one.host);
    }
}

TEST_CASE("a route is made once, and partitions without hosts of accounts have one for all") {
    const client_settings given = settings("us-east-1", mode::preferred);
    route_table routes(given);
    route& first = routes.find("111111111111", "");
    CHECK(&routes.find("111111111111", "") == &first);
    CHECK(&routes.find("222222222222", "") != &first);
    CHECK(&routes.find("", "") == &routes.standard());
    CHECK(routes.close().size() == 3);

    const client_settings isolated = settings("us-iso-east-1", mode::preferred);
    route_table regional(isolated);
    CHECK(&regional.find("111111111111", "") == &regional.standard());
    CHECK(regional.close().size() == 1);
}

TEST_CASE("there are routes for so many accounts, and the region's for the others") {
    const client_settings given = settings("us-east-1", mode::preferred);
    route_table routes(given);
    const auto account = [](std::size_t n) { return std::to_string(100'000'000'000 + n); };
    for (std::size_t n = 0; n < route_table::most_accounts; ++n)
        CHECK(&routes.find(account(n), "") != &routes.standard());
    CHECK(&routes.find(account(77), "") == &routes.standard());
    CHECK(&routes.find(account(0), "") != &routes.standard());

    const client_settings strict = settings("us-east-1", mode::required);
    route_table only(strict);
    for (std::size_t n = 0; n < route_table::most_accounts; ++n)
        (void)only.find(account(n), "");
    CHECK_THROWS_AS(only.find(account(77), ""), error);
}

TEST_CASE("tables of one account share a route, however many they are") {
    const client_settings given = settings("us-east-1", mode::preferred);
    route_table routes(given);
    route& first = routes.find("", table_arn);
    CHECK(&first != &routes.standard());
    for (std::size_t n = 0; n < 2 * route_table::most_known; ++n)
        CHECK(&routes.find("111111111111", table_arn + std::to_string(n)) == &first);
    CHECK(&routes.find("999999999999", "") == &first);
    CHECK(&routes.find("999999999999", distant_arn) == &first);
    CHECK(&routes.find("", distant_arn) == &routes.standard());
    CHECK(routes.close().size() == 2);
}

TEST_CASE("after close no new route is made") {
    const client_settings given = settings("us-east-1", mode::preferred);
    route_table routes(given);
    (void)routes.close();
    CHECK_THROWS_AS(routes.find("111111111111", ""), error);
    CHECK_NOTHROW(routes.find("", ""));
}

TEST_CASE("a custom endpoint or transport is the only route, whatever the account and the mode") {
    fake_world world(test::script({test::answer("{}")}));
    aws::credentials who{"AKIDEXAMPLE", "secret"};
    who.account_id = "111111111111";
    world.credentials = aws::static_credentials(std::move(who));
    client_config config = world.client_config();
    config.account_id_endpoint_mode = mode::required;
    client db(config);
    get_item_input in;
    in.table_name = table_arn;
    in.key.emplace("k", "hello");
    const auto got = test_support::run(db.attempt(in));
    CHECK(got.has_value());
    CHECK(world.transport->requests().at(0).header("host") == "fake");
}

} // namespace codynamo::dynamodb
