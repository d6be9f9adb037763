// SPDX-License-Identifier: BSL-1.0
// Roles assumed with web identity tokens, over a scripted STS.
#include "aws/web_identity.hpp"
#include "unit/aws/scripted_sts.hpp"

#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;
using namespace codynamo::testing_support;

namespace {

credentials identify(const scripted_services& services) {
    const auto made = aws::detail::environment_web_identity_source(services.options());
    return test_support::run([&] { return made->fetch(); });
}

} // namespace

TEST_CASE("A web identity is exchanged without a signature, its file read each time") {
    scratch_folder folder;
    folder.write("token", std::string(secrets::web_identity) + "\n");
    scripted_services services({{"AWS_REGION", "eu-west-1"},
                                {"AWS_WEB_IDENTITY_TOKEN_FILE", folder.path() + "/token"},
                                {"AWS_ROLE_ARN", arn},
                                {"AWS_ROLE_SESSION_NAME", "test-session"}},
                               {assumed_web(), assumed_web()});
    const credentials found = identify(services);
    CHECK(found.access_key_id == "ASIAX");
    CHECK(found.account_id == "123456789012");
    const auto& sent = services.requests()[0];
    CHECK(services.lines()[0] == "POST https://sts.eu-west-1.amazonaws.com/");
    CHECK(sent.body == "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3A"
                       "iam%3A%3A123456789012%3Arole%2Freader&RoleSessionName=test-session"
                       "&WebIdentityToken=" +
                           std::string(secrets::web_identity));
    CHECK(sent.header("authorization").empty());
    CHECK(sent.header("x-amz-date").empty());
    folder.write("token", "another");
    (void)identify(services);
    CHECK_THAT(services.requests()[1].body, Catch::EndsWith("&WebIdentityToken=another"));
}

TEST_CASE("A web identity token that is refused is read again before giving up") {
    for (const bool rotated : {false, true}) {
        for (const char* code : {"InvalidIdentityToken", "ExpiredTokenException"}) {
            INFO(code << " " << rotated);
            scratch_folder folder;
            folder.write("token", std::string(secrets::web_identity));
            scripted_services services({{"AWS_REGION", "eu-west-1"},
                                        {"AWS_WEB_IDENTITY_TOKEN_FILE", folder.path() + "/token"},
                                        {"AWS_ROLE_ARN", arn}},
                                       {refusal(400, code, "it is old")});
            if (rotated) services.will_answer(assumed_web());
            services.before_each_answer([&] {
                if (rotated) folder.write("token", "fresh");
            });
            if (rotated) {
                CHECK(identify(services).access_key_id == "ASIAX");
            } else {
                const std::string words = refused([&] { (void)identify(services); });
                CHECK_THAT(words, Catch::Contains(code) && Catch::Contains("it is old") &&
                                      Catch::Contains(arn) && Catch::Contains(folder.path()));
            }
            CHECK(services.exhausted());
        }
    }
}

TEST_CASE("A web identity that is half configured or has no token is a failure") {
    scratch_folder folder;
    folder.write("good", std::string(secrets::web_identity));
    folder.write("empty", " \n");
    folder.write("lines", "a\nb");
    folder.write("binary", "a\x01");
    struct row {
        const char* file;
        variables known;
        const char* says;
    };
    for (const auto& [file, known, says] : std::vector<row>{
             {"good", {}, "AWS_ROLE_ARN is not"},
             {"good", {{"AWS_ROLE_ARN", "reader"}}, "AWS_ROLE_ARN = \"reader\""},
             {"good",
              {{"AWS_ROLE_ARN", arn}, {"AWS_ROLE_SESSION_NAME", "a b"}},
              "AWS_ROLE_SESSION_NAME = \"a b\""},
             {"missing", {{"AWS_ROLE_ARN", arn}}, "No such file"},
             {"empty", {{"AWS_ROLE_ARN", arn}}, "not one word"},
             {"lines", {{"AWS_ROLE_ARN", arn}}, "not one word"},
             {"binary", {{"AWS_ROLE_ARN", arn}}, "not one word"},
         }) {
        scripted_services services(known);
        services.set("AWS_REGION", "us-east-1");
        services.set("AWS_WEB_IDENTITY_TOKEN_FILE", folder.path() + "/" + file);
        CHECK_THAT(refused([&] { (void)identify(services); }), Catch::Contains(says));
        CHECK(services.requests().empty());
    }
    scripted_services nothing;
    CHECK_THROWS_AS(identify(nothing), not_configured);
    CHECK(web_identity_credentials(nothing.options())->name() == "web identity");

    for (const auto& config : {aws::detail::web_identity_config{"", arn, ""},
                               aws::detail::web_identity_config{"/token", "", ""},
                               aws::detail::web_identity_config{"/token", arn, "x"}}) {
        message_of(errc::invalid_argument,
                   [&] { (void)aws::detail::web_identity_source(config, source_options()); });
    }
}
