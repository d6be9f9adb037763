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

namespace {

testing::fake_response dated(testing::fake_response of, std::string date) {
    of.headers.emplace_back("Date", std::move(date));
    return of;
}

testing::fake_response refused_date() {
    return refusal(403, "SignatureDoesNotMatch",
                   "Signature expired: 20231114T221320Z is now earlier than 20231115T000820Z "
                   "(20231115T001320Z - 5 min.)");
}

} // namespace

TEST_CASE("A request that STS refused for its date is dated by its clock and sent again, once") {
    scripted_services services({{"AWS_REGION", "us-east-1"}},
                               {dated(refused_date(), "Wed, 15 Nov 2023 00:13:20 GMT"), assumed(),
                                dated(assumed(), "Wed, 15 Nov 2023 00:13:20 GMT")});
    const auto made = aws::detail::assume_role_source(std::make_shared<renewable>(), reader(),
                                                      services.options());
    for (int n = 0; n != 2; ++n)
        CHECK(test_support::run([&] { return made->fetch(); }).access_key_id == "ASIAX");
    REQUIRE(services.requests().size() == 3);
    CHECK(services.requests()[0].header("x-amz-date") == "20231114T221320Z");
    CHECK(services.requests()[1].header("x-amz-date") == "20231115T001320Z");
    CHECK(services.requests()[2].header("x-amz-date") == "20231115T001320Z");
}

TEST_CASE("STS's refusal of a date names both clocks") {
    const auto answered = dated(refused_date(), "Wed, 15 Nov 2023 00:13:20 GMT");
    scripted_services services(
        {{"AWS_REGION", "us-east-1"}, {"AWS_DISABLE_CLOCK_SKEW_CORRECTION", "true"}}, {answered});
    CHECK_THAT(refused([&] { (void)assume(services); }),
               Catch::EndsWith(
                   "STS at sts.us-east-1.amazonaws.com: answered 403: SignatureDoesNotMatch: "
                   "Signature expired: 20231114T221320Z is now earlier than 20231115T000820Z "
                   "(20231115T001320Z - 5 min.); the request was dated 2023-11-14T22:13:20Z, the "
                   "server's clock said 2023-11-15T00:13:20Z (7200 s ahead): set this machine's "
                   "clock"));
    CHECK(services.exhausted());
}

TEST_CASE("A Date header of STS with which signing fails is dropped") {
    scripted_services services({{"AWS_REGION", "us-east-1"}},
                               {dated(assumed(), "Wed, 15 Nov 2023 00:13:20 GMT"),
                                dated(refused_date(), "Wed, 15 Nov 2023 00:13:20 GMT"),
                                dated(assumed(), "Wed, 15 Nov 2023 00:13:20 GMT"), assumed()});
    const auto made = aws::detail::assume_role_source(std::make_shared<renewable>(), reader(),
                                                      services.options());
    for (int n = 0; n != 3; ++n)
        (void)test_support::run([&] { return made->fetch(); });
    REQUIRE(services.exhausted());
    CHECK(services.requests()[1].header("x-amz-date") == "20231115T001320Z");
    CHECK(services.requests()[2].header("x-amz-date") == "20231114T221320Z");
    CHECK(services.requests()[3].header("x-amz-date") == "20231114T221320Z");
}

TEST_CASE("The Date of STS tells when the role's credentials expire") {
    // By our clock, two hours ahead, they have expired an hour ago.
    scripted_services services({{"AWS_REGION", "us-east-1"}},
                               {dated(assumed(), "Tue, 14 Nov 2023 22:13:20 GMT")});
    services.time->advance(2h);
    const auto provider =
        aws::assume_role_credentials(std::make_shared<renewable>(), reader(), services.options());
    CHECK(test_support::run([&] { return provider->resolve(); })->access_key_id == "ASIAX");
    CHECK(provider->current());
    services.time->advance(44min);
    CHECK(provider->current());
    services.time->advance(17min);
    CHECK_FALSE(provider->valid());
}
