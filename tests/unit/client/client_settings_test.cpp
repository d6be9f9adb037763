// SPDX-License-Identifier: BSL-1.0
// What the shared files mean to a client that can do without them.
#include "fake_client.hpp"
#include "support/catch.hpp"
#include "unit/aws/fixtures.hpp"

#include <string>

namespace codynamo {

TEST_CASE("files that cannot be read are no matter to who has region and endpoint of his own") {
    struct row {
        const char* region;
        const char* endpoint;
        bool good;
    };
    const row rows[] = {
        {"us-east-1", "http://fake", true}, {"", "http://fake", false}, {"us-east-1", "", false}};
    const testing_support::scratch_folder folder;
    folder.write("config", "[profile x\nregion = eu-west-1\n");
    for (const row& each : rows) {
        INFO(each.region << ' ' << each.endpoint);
        test::fake_world world(test::script({}));
        auto config = world.client_config();
        config.region = each.region;
        config.endpoint = each.endpoint;
        config.env.variable = [&](const char* name) -> std::optional<std::string> {
            if (std::string_view(name) == "AWS_CONFIG_FILE") return folder.path() + "/config";
            if (std::string_view(name) == "HOME") return folder.path();
            return std::nullopt;
        };
        if (each.good) {
            CHECK_NOTHROW(dynamodb::client(config));
            REQUIRE_FALSE(world.log->empty());
            CHECK_THAT(world.log->back(), Catch::Contains("going on without the shared files: ") &&
                                              Catch::Contains("/config\" line 1"));
        } else {
            CHECK_THROWS_AS(dynamodb::client(config), error);
        }
    }
}

} // namespace codynamo
