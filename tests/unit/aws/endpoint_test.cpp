// SPDX-License-Identifier: BSL-1.0
// Region and endpoint: the order of their sources, and the hosts they lead to.
#include "support/vectors.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/endpoint.hpp>

using namespace codynamo;
using namespace codynamo::aws;
using testing_support::fake_environment;
using testing_support::message_of;
using testing_support::variables;

namespace {

const profile_files& example_files() {
    static const profile_files files =
        parse_profile_files("[default]\nregion = eu-west-1\n"
                            "[profile urls]\nendpoint_url = http://profile:1\n"
                            "[profile both]\nendpoint_url = http://profile:1\nservices = mine\n"
                            "[profile other]\nendpoint_url = http://profile:1\nservices = none\n"
                            "[profile typo]\nservices = mien\n"
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
        CHECK_FALSE(
            message_of(errc::invalid_argument, [&] { (void)resolve_endpoint(bad, ""); }).empty());
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
}

TEST_CASE("a region leads to its partition's host") {
    struct row {
        const char* region;
        const char* url;
    };
    const row rows[] = {
        {"us-east-1", "https://dynamodb.us-east-1.amazonaws.com"},
        {"mx-central-1", "https://dynamodb.mx-central-1.amazonaws.com"},
        {"cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn"},
        {"us-gov-west-1", "https://dynamodb.us-gov-west-1.amazonaws.com"},
        {"us-iso-west-1", "https://dynamodb.us-iso-west-1.c2s.ic.gov"},
        {"us-isob-east-1", "https://dynamodb.us-isob-east-1.sc2s.sgov.gov"},
        {"eu-isoe-west-1", "https://dynamodb.eu-isoe-west-1.cloud.adc-e.uk"},
        {"us-isof-south-1", "https://dynamodb.us-isof-south-1.csp.hci.ic.gov"},
        {"eusc-de-east-1", "https://dynamodb.eusc-de-east-1.amazonaws.eu"},
        {"somewhere", "https://dynamodb.somewhere.amazonaws.com"},
        {"cn-north", "https://dynamodb.cn-north.amazonaws.com"},
        {"cn--1", "https://dynamodb.cn--1.amazonaws.com"},
        {"aws-cn-global", "https://dynamodb.aws-cn-global.amazonaws.com.cn"},
    };
    for (const row& each : rows) {
        const auto where = resolve_endpoint(each.region, "");
        CHECK(where.url() == each.url);
        CHECK(where.signing_region == each.region);
        CHECK(where.signing_service == "dynamodb");
    }
}

TEST_CASE("the region local is a server on this machine, signed for us-east-1") {
    const auto where = resolve_endpoint("local", "");
    CHECK(where.url() == "http://localhost:8000");
    CHECK(where.signing_region == "us-east-1");
    const auto moved = resolve_endpoint("local", "http://127.0.0.1:9000");
    CHECK(moved.url() == "http://127.0.0.1:9000");
    CHECK(moved.signing_region == "us-east-1");
}

TEST_CASE("a custom URL takes the place of the host, and the region signs") {
    struct row {
        const char* given;
        const char* url;
    };
    const row rows[] = {
        {"https://example.com", "https://example.com"},
        {"https://example.com/", "https://example.com"},
        {"http://example.com", "http://example.com"},
        {"http://example.com:80", "http://example.com"},
        {"http://example.com:443", "http://example.com:443"},
        {"https://example.com:8443", "https://example.com:8443"},
        {"http://[::1]:8000", "http://[::1]:8000"},
    };
    for (const row& each : rows) {
        const auto where = resolve_endpoint("eu-west-1", each.given);
        CHECK(where.url() == each.url);
        CHECK(where.signing_region == "eu-west-1");
    }
}

TEST_CASE("a missing region and a bad URL are refused by name") {
    CHECK_THAT(message_of(errc::invalid_argument, [] { (void)resolve_endpoint("", ""); }),
               Catch::StartsWith("region is missing"));
    CHECK_THAT(message_of(errc::invalid_argument,
                          [] { (void)resolve_endpoint("us-east-1", "ftp://example.com"); }),
               Catch::Contains("endpoint"));
}

TEST_CASE("the public endpoint cases without switches pass") {
    const auto suite = testing_support::load_vectors("endpoint_vectors.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    for (const auto& each : suite->as_array()) {
        const auto& params = each.at("params").as_object();
        const auto text = [&](const char* name) {
            const auto* found = params.if_contains(name);
            return found ? std::string(found->as_string()) : std::string();
        };
        const auto on = [&](const char* name) {
            const auto* found = params.if_contains(name);
            return found && found->as_bool();
        };
        const auto region = text("Region");
        const auto custom = text("Endpoint");
        if (on("IsSearchOperation")) {
            tally.skip("vector search");
        } else if (on("UseFIPS") || on("UseDualStack")) {
            tally.skip("FIPS or dual stack");
        } else if (!text("AccountId").empty() || !text("ResourceArn").empty() ||
                   params.contains("ResourceArnList") ||
                   text("AccountIdEndpointMode") == "required" ||
                   (params.contains("AccountId") &&
                    each.at("expect").as_object().contains("error"))) {
            tally.skip("account-based endpoints");
        } else if (region.empty() && !custom.empty()) {
            tally.skip("no region to sign for");
        } else if (custom.find("//dynamodb." + region + ".api.a") != std::string::npos) {
            tally.skip("without a dual-stack switch the URL is the way there");
        } else {
            INFO(each.at("id").as_int64());
            const auto& expected = each.at("expect").as_object();
            if (expected.contains("error")) {
                message_of(errc::invalid_argument, [&] { (void)resolve_endpoint(region, custom); });
            } else {
                const auto where = resolve_endpoint(region, custom);
                CHECK(where.url() == expected.at("url").as_string());
                const auto* signing = expected.if_contains("signing_region");
                CHECK(where.signing_region ==
                      (signing ? std::string(signing->as_string()) : region));
            }
            tally.pass();
        }
    }
    tally.print("endpoint_vectors.json");
    CHECK(tally.passed() >= 50);
}
