// SPDX-License-Identifier: BSL-1.0
// Where the region and the endpoint's URL come from: the order of their sources.
#include "unit/aws/endpoint_at.hpp"
#include "unit/aws/fixtures.hpp"

#include <string>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support;

namespace {

const profile_files& example_files() {
    static const profile_files files =
        parse_profile_files("[default]\nregion = eu-west-1\n"
                            "[profile urls]\nendpoint_url = http://profile:1\n"
                            "[profile both]\nendpoint_url = http://profile:1\nservices = mine\n"
                            "[profile other]\nendpoint_url = http://profile:1\nservices = none\n"
                            "[profile typo]\nservices = mien\n"
                            "[profile odd]\nservices = a\x1b[2J\xc3\xa9\n"
                            "[profile ignoring]\nendpoint_url = http://profile:1\n"
                            "ignore_configured_endpoint_urls = TRUE\n"
                            "[profile bad]\nregion = not/a/label\n"
                            "[services mine]\ndynamodb =\n  endpoint_url = http://services:2\n"
                            "[services none]\ns3 =\n  endpoint_url = http://s3:3\n",
                            "");
    return files;
}

} // namespace

TEST_CASE("the region comes from the first source that has one") {
    struct row {
        const char* given;
        variables known;
        const char* profile;
        const char* region;
    };
    const row rows[] = {
        {"us-west-2", {{"AWS_REGION", "x"}}, "", "us-west-2"},
        {"", {{"AWS_REGION", "a"}, {"AWS_DEFAULT_REGION", "b"}}, "", "a"},
        {"", {{"AWS_REGION", " "}, {"AWS_DEFAULT_REGION", " b "}}, "", "b"},
        {"", {}, "", "eu-west-1"},
        {"", {}, "default", "eu-west-1"},
        {"", {{"AWS_PROFILE", "urls"}}, "", ""},
        {"", {}, "urls", ""},
        {"", {}, "absent", ""},
    };
    for (const row& each : rows) {
        CHECK(resolve_region(each.given, fake_environment(each.known), example_files(),
                             each.profile) == each.region);
    }
}

TEST_CASE("a region that is no host label is refused, wherever it is from") {
    const std::string long_one(64, 'a');
    for (const char* bad :
         {"us east 1", "a/b", "-a", "a-", "a.b", "a\r\nb", "\xc3\xa9", long_one.c_str()}) {
        const auto given = message_of(errc::invalid_argument, [&] {
            (void)resolve_region(bad, fake_environment(variables()), {}, "");
        });
        CHECK_THAT(given, Catch::StartsWith("region \"") && Catch::Contains("is no host label"));
        CHECK(given.find('\n') == std::string::npos);
        CHECK_FALSE(message_of(errc::invalid_argument, [&] { (void)at(bad); }).empty());
    }
    CHECK_THAT(message_of(errc::invalid_argument,
                          [&] {
                              (void)resolve_region("", fake_environment(variables()),
                                                   example_files(), "bad");
                          }),
               Catch::StartsWith("region \"not/a/label\""));
}

TEST_CASE("the endpoint URL comes from the first source that has one") {
    struct row {
        const char* given;
        variables known;
        const char* profile;
        const char* url;
    };
    const variables both{{"AWS_ENDPOINT_URL_DYNAMODB", "http://service"},
                         {"AWS_ENDPOINT_URL", "http://all"}};
    const variables ignoring{{"AWS_ENDPOINT_URL", "http://all"},
                             {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True"}};
    const row rows[] = {
        {"http://code", both, "urls", "http://code"},
        {"", both, "urls", "http://service"},
        {"", {{"AWS_ENDPOINT_URL", "http://all"}}, "both", "http://all"},
        {"", {{"AWS_ENDPOINT_URL", " "}}, "both", "http://services:2"},
        {"", {}, "urls", "http://profile:1"},
        {"", {}, "other", "http://profile:1"},
        {"", {{"AWS_PROFILE", "both"}}, "", "http://services:2"},
        {"", {}, "", ""},
        {"", {}, "absent", ""},
        {"", ignoring, "both", ""},
        {"http://code", ignoring, "both", "http://code"},
        {"", both, "ignoring", ""},
        {"", {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"}}, "ignoring", "http://profile:1"},
        {"", {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", " "}}, "ignoring", ""},
    };
    for (const row& each : rows) {
        CHECK(resolve_endpoint_url(each.given, fake_environment(each.known), example_files(),
                                   each.profile) == each.url);
    }
}

TEST_CASE("a services section that is not there is refused") {
    CHECK(message_of(errc::invalid_argument, [&] {
              (void)resolve_endpoint_url("", fake_environment(variables()), example_files(),
                                         "typo");
          }) == "services \"mien\": the config file has no such section");
    CHECK(message_of(errc::invalid_argument, [&] {
              (void)resolve_endpoint_url("", fake_environment(variables()), example_files(), "odd");
          }) == "services \"a?[2J??\": the config file has no such section");
}
