// SPDX-License-Identifier: BSL-1.0
// Where STS is, when it is asked again, and what becomes of its refusals.
#include "unit/aws/scripted_sts.hpp"

#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;
using namespace codynamo::testing_support;

TEST_CASE("STS is asked where the settings say") {
    struct row {
        const char* what;
        variables known;
        std::string config;
        std::string region; // of the options
        std::string url;
        std::string signed_for;
    };
    const std::string services_section =
        "[default]\nregion = us-west-2\nservices = s\nendpoint_url = http://all.example\n"
        "[services s]\nsts =\n    endpoint_url = http://sts.example:4566\n";
    for (const auto& [what, known, config, region, url, signed_for] : std::vector<row>{
             {"the profile's region",
              {},
              "[default]\nregion = us-west-2\n",
              "",
              "https://sts.us-west-2.amazonaws.com/",
              "us-west-2"},
             {"the environment's region",
              {{"AWS_REGION", "us-east-2"}},
              "[default]\nregion = us-west-2\n",
              "",
              "https://sts.us-east-2.amazonaws.com/",
              "us-east-2"},
             {"the given region",
              {{"AWS_REGION", "us-east-2"}},
              "",
              "eu-north-1",
              "https://sts.eu-north-1.amazonaws.com/",
              "eu-north-1"},
             {"another partition",
              {{"AWS_REGION", "cn-north-1"}},
              "",
              "",
              "https://sts.cn-north-1.amazonaws.com.cn/",
              "cn-north-1"},
             {"FIPS",
              {{"AWS_REGION", "us-east-1"}, {"AWS_USE_FIPS_ENDPOINT", "true"}},
              "",
              "",
              "https://sts-fips.us-east-1.amazonaws.com/",
              "us-east-1"},
             {"dualstack",
              {{"AWS_REGION", "us-east-1"}},
              "[default]\nuse_dualstack_endpoint = true\n",
              "",
              "https://sts.us-east-1.api.aws/",
              "us-east-1"},
             {"its own variable",
              {{"AWS_REGION", "us-east-1"},
               {"AWS_ENDPOINT_URL_STS", "http://sts.local:81"},
               {"AWS_ENDPOINT_URL", "http://all.local"}},
              "",
              "",
              "http://sts.local:81/",
              "us-east-1"},
             {"everybody's variable, without a region",
              {{"AWS_ENDPOINT_URL", "http://all.local"}},
              "",
              "",
              "http://all.local/",
              "us-east-1"},
             {"the services section",
              {},
              services_section,
              "",
              "http://sts.example:4566/",
              "us-west-2"},
             {"the services section does not count",
              {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"},
               {"AWS_ENDPOINT_URL_STS", "http://sts.local"}},
              services_section,
              "",
              "https://sts.us-west-2.amazonaws.com/",
              "us-west-2"},
             {"the profile's URL",
              {},
              "[default]\nregion = us-west-2\nendpoint_url = http://all.example/\n",
              "",
              "http://all.example/",
              "us-west-2"},
         }) {
        INFO(what);
        scratch_folder folder;
        folder.write("config", config);
        scripted_services services(known, {assumed()});
        services.set("AWS_CONFIG_FILE", folder.path() + "/config");
        auto options = services.options();
        options.region = region;
        const auto source =
            aws::detail::assume_role_source(std::make_shared<renewable>(), reader(), options);
        (void)test_support::run([&] { return source->fetch(); });
        CHECK(services.lines() == std::vector<std::string>{"POST " + url});
        CHECK_THAT(std::string(services.requests()[0].header("authorization")),
                   Catch::Contains("/" + signed_for + "/sts/aws4_request"));
    }
}

TEST_CASE("STS is not asked when the settings make no sense") {
    struct row {
        variables known;
        const char* says;
    };
    for (const auto& [known, says] : std::vector<row>{
             {{}, "no region for STS"},
             {{{"AWS_REGION", "not a region"}}, "not a region"},
             {{{"AWS_ENDPOINT_URL_STS", "sts.local"}}, "must start with http"},
             {{{"AWS_ENDPOINT_URL", "http://h"}, {"AWS_USE_FIPS_ENDPOINT", "true"}}, "FIPS"},
             {{{"AWS_REGION", "us-east-1"}, {"AWS_USE_FIPS_ENDPOINT", "maybe"}}, "maybe"},
         }) {
        scripted_services services(known);
        CHECK_THAT(refused([&] { (void)assume(services); }), Catch::Contains(says));
        CHECK(services.requests().empty());
    }
}

TEST_CASE("STS is tried again where that may help, and its refusal is told") {
    struct row {
        std::vector<testing::fake_response> answers;
        std::string says; // empty: it succeeds
    };
    const std::string quoting =
        "the canonical string x-amz-security-token:" + std::string(secrets::token).substr(0, 20) +
        " is wrong";
    for (const auto& [answers, says] : std::vector<row>{
             {{answer(503), assumed()}, ""},
             {{answer(500), broken(errc::connection_lost, true), assumed()}, ""},
             {{refusal(400, "Throttling", "Rate exceeded"), assumed()}, ""},
             {{refusal(400, "IDPCommunicationError"), assumed()}, ""},
             {{answer(503), answer(503), answer(503)},
              "STS at sts.us-east-1.amazonaws.com: answered 503 (3 attempts)"},
             {{broken(errc::tls_failed)}, "STS at sts.us-east-1.amazonaws.com: "},
             {{refusal(403, "AccessDenied", "User: arn:aws:iam::1:user/u is not authorized")},
              "answered 403: AccessDenied: User: arn:aws:iam::1:user/u is not authorized"},
             {{refusal(403, "SignatureDoesNotMatch", "the canonical string was ...")},
              "answered 403: SignatureDoesNotMatch"},
             {{refusal(400, "Other", quoting)}, "answered 400: Other"},
             {{refusal(400, "A\nB", "c\x1b[0m")}, "A B: c?[0m"},
             {{answer(200, "<html/>")}, "the answer is not that of AssumeRole"},
             {{answer(200, "")}, "the answer is not that of AssumeRole"},
             {{answer(400, "plain words")}, "amazonaws.com: answered 400"},
             {{answer(301)}, "answered 301"},
         }) {
        INFO(says);
        scripted_services services({{"AWS_REGION", "us-east-1"}}, answers);
        if (says.empty()) {
            CHECK(assume(services).access_key_id == "ASIAX");
        } else {
            const std::string words = refused([&] { (void)assume(services); });
            CHECK_THAT(words, Catch::Contains(says));
            CHECK_THAT(words, !Catch::Contains("canonical"));
        }
        CHECK(services.exhausted());
    }
}

TEST_CASE("The number of attempts at STS is a setting") {
    scripted_services services({{"AWS_REGION", "us-east-1"}, {"AWS_MAX_ATTEMPTS", "1"}},
                               {answer(503)});
    refused([&] { (void)assume(services); });
    CHECK(services.exhausted());
}
