// SPDX-License-Identifier: BSL-1.0
// What the shared files mean to a client that can do without them.
#include "dynamodb/client_settings.hpp"
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
            REQUIRE_FALSE(world.log.all().empty());
            CHECK_THAT(world.log.all().back(),
                       Catch::Contains("going on without the shared files: ") &&
                           Catch::Contains("/config\" line 1"));
        } else {
            CHECK_THROWS_AS(dynamodb::client(config), error);
        }
    }
}

TEST_CASE("default files that cannot be read leave a client what its environment says") {
    const testing_support::scratch_folder home;
    home.write(".aws/config/a", "");
    home.write(".aws/credentials/a", "");
    test::fake_world world(test::script({}));
    auto config = world.client_config();
    config.region.clear();
    config.endpoint.clear();
    config.credentials = nullptr;
    config.env.variable = test::variables{{"HOME", home.path()},
                                          {"AWS_REGION", "eu-west-1"},
                                          {"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                                          {"AWS_SECRET_ACCESS_KEY", "secret"}};
    const auto settings = dynamodb::resolve_settings(config);
    CHECK(settings.config.region == "eu-west-1");
    const auto who = test_support::run(settings.config.credentials->resolve());
    CHECK(who->access_key_id == "AKIDEXAMPLE");
    CHECK(world.log.all().size() == 2);
    for (const std::string& line : world.log.all())
        CHECK_THAT(line, Catch::EndsWith("continuing without this file"));
}

TEST_CASE("a file of authorities is called by what named it") {
    const testing_support::scratch_folder home;
    home.write(".aws/config", "[default]\nca_bundle = /profile.pem\n");
    struct row {
        test::variables known;
        std::string given;
        std::string file;
        std::string source;
    };
    for (const row& each :
         {row{{{"AWS_CA_BUNDLE", "/variable.pem"}}, "", "/variable.pem", "AWS_CA_BUNDLE"},
          row{{{"HOME", home.path()}}, "", "/profile.pem", "ca_bundle of the profile"},
          row{{{"AWS_CA_BUNDLE", "/variable.pem"}}, "/given.pem", "/given.pem", ""}}) {
        test::fake_world world(test::script({}));
        auto config = world.client_config();
        config.tls.ca_file = each.given;
        config.env.variable = each.known;
        const auto tls = dynamodb::resolve_settings(config).config.tls;
        CHECK(tls.ca_file == each.file);
        CHECK(tls.ca_file_source == each.source);
    }
}

} // namespace codynamo
