// SPDX-License-Identifier: BSL-1.0
// Credentials for the token of a sign-in: its file, who is asked, and what is refused.
#include "aws/sso_token.hpp"
#include "support/vectors.hpp"
#include "unit/aws/signed_in.hpp"

#include <codynamo/aws/profile.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support;
using namespace codynamo::testing_support::sso;
using namespace std::chrono_literals;

TEST_CASE("A sign-in's token is exchanged for the role's credentials") {
    const signed_in user(token_json(valid), {answer(200, role_json())});
    const credentials found = user.fetch();
    CHECK(found.access_key_id == "ASIAX");
    CHECK(found.secret_access_key == secrets::key);
    CHECK(found.session_token == secrets::token);
    CHECK(found.account_id == "012345678901");
    CHECK(found.expires == timestamp(1'700'003'600s));
    CHECK(user.services.lines() == std::vector<std::string>{portal});
    CHECK(user.services.requests()[0].header("x-amz-sso_bearer_token") == secrets::bearer);
}

TEST_CASE("The token's file is named after the session, or else the start URL") {
    auto env = testing_support::fake_environment({{"HOME", "/h"}});
    CHECK(aws::detail::sso_token_path(dev(), env) == "/h/" + session_file);
    sso_config legacy = dev();
    legacy.session.clear();
    legacy.start_url = "https://ssotest.awsapps.com/start";
    CHECK(aws::detail::sso_token_path(legacy, env) ==
          "/h/.aws/sso/cache/dace00cba5f8355ec9d274ceb2bcebdfbeed0e12.json");
    message_of(errc::no_credentials, [&] {
        (void)aws::detail::sso_token_path(legacy, testing_support::fake_environment(variables()));
    });
}

TEST_CASE("SSO and OIDC are asked where the settings say") {
    struct row {
        variables known;
        std::string url;
    };
    const std::string path = "/federation/credentials?role_name=Reader&account_id=012345678901";
    for (const auto& [known, url] : std::vector<row>{
             {{{"AWS_REGION", "eu-west-1"}}, "https://portal.sso.us-east-2.amazonaws.com"},
             {{{"AWS_USE_FIPS_ENDPOINT", "true"}, {"AWS_USE_DUALSTACK_ENDPOINT", "true"}},
              "https://portal.sso-fips.us-east-2.api.aws"},
             {{{"AWS_ENDPOINT_URL", "http://all.local"}}, "http://all.local"},
             {{{"AWS_ENDPOINT_URL", "http://all.local"}, {"AWS_ENDPOINT_URL_SSO", "http://sso:1"}},
              "http://sso:1"},
         }) {
        signed_in user(token_json(valid), {answer(200, role_json())});
        for (const auto& [name, value] : known)
            user.services.set(name, value);
        (void)user.fetch();
        CHECK(user.services.lines() == std::vector<std::string>{"GET " + url + path});
    }
    signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
    user.services.set("AWS_ENDPOINT_URL_SSO_OIDC", "http://oidc.local");
    (void)user.fetch();
    CHECK(user.services.lines()[0] == "POST http://oidc.local/token");
}

TEST_CASE("A sign-in's file that is not one is a failure that says what to do") {
    struct row {
        std::string text;
        const char* says;
    };
    for (const auto& [text, says] : std::vector<row>{
             {"", "No such file"},
             {"{", "is not JSON"},
             {"[]", "is not a JSON object"},
             {R"({"expiresAt":"2080-10-16T03:56:45Z"})", "accessToken is missing"},
             {R"({"accessToken":"a"})", "expiresAt is missing"},
             {R"({"accessToken":"a","expiresAt":"soon"})", "not an RFC 3339 time"},
             {R"({"accessToken":"a\nb","expiresAt":"2080-10-16T03:56:45Z"})", "control character"},
             {R"({"accessToken":"a b","expiresAt":"2080-10-16T03:56:45Z"})", "visible ASCII"},
         }) {
        INFO(text);
        const signed_in user(text);
        CHECK_THAT(user.refusal(), Catch::Contains(says) && Catch::Contains(session_file) &&
                                       Catch::Contains("run `aws sso login`"));
        CHECK(user.services.requests().empty());
    }
    const signed_in older(R"({"accessToken":"a","expiresAt":"2080-10-16T03:56:45UTC"})",
                          {answer(200, role_json())});
    CHECK(older.fetch().access_key_id == "ASIAX");
}

TEST_CASE("The portal is tried again where that may help, and its refusal is told") {
    struct row {
        std::vector<testing::fake_response> answers;
        std::string says; // empty: it succeeds
    };
    const auto echo = answer(401, R"({"message":"bad )" + std::string(secrets::bearer) + "\"}",
                             {{"x-amzn-ErrorType", "UnauthorizedException:http://x"}});
    for (const auto& [answers, says] : std::vector<row>{
             {{answer(503), broken(errc::timeout, true), answer(200, role_json())}, ""},
             {{answer(429), answer(200, role_json())}, ""},
             {{answer(500), answer(500), answer(500)}, "answered 500 (3 attempts)"},
             {{answer(403, R"({"message":"No access"})",
                      {{"x-amzn-ErrorType", "ForbiddenException"}})},
              "SSO at portal.sso.us-east-2.amazonaws.com: answered 403: ForbiddenException: "
              "No access (role Reader of account 012345678901)"},
             {{echo}, "answered 401: UnauthorizedException; run `aws sso login`"},
             {{answer(401, "<html>")}, "answered 401; run `aws sso login`"},
             {{answer(200, "<html>")}, "is not JSON"},
             {{answer(200, "{}")}, "roleCredentials is missing"},
             {{broken(errc::tls_failed)}, "SSO at portal.sso.us-east-2.amazonaws.com: "},
         }) {
        INFO(says);
        const signed_in user(token_json(valid), answers);
        if (says.empty())
            CHECK(user.fetch().access_key_id == "ASIAX");
        else
            CHECK_THAT(user.refusal(), Catch::Contains(says));
        CHECK(user.services.exhausted());
    }
}

TEST_CASE("An SSO configuration is refused by field and value") {
    struct row {
        std::function<void(sso_config&)> spoil;
        const char* says;
    };
    for (const auto& [spoil, says] : std::vector<row>{
             {[](sso_config& c) { c.start_url = c.session = ""; }, "sso_start_url is empty"},
             {[](sso_config& c) { c.start_url = "a\nb"; }, "sso_start_url = \"a?b\""},
             {[](sso_config& c) { c.region = ""; }, "sso_region = \"\""},
             {[](sso_config& c) { c.region = "a.b/c"; }, "sso_region = \"a.b/c\""},
             {[](sso_config& c) { c.account_id = ""; }, "sso_account_id"},
             {[](sso_config& c) { c.account_id = "12x"; }, "sso_account_id = \"12x\""},
             {[](sso_config& c) { c.account_id = "1234567890123"; }, "at most 12"},
             {[](sso_config& c) { c.role_name = ""; }, "sso_role_name"},
             {[](sso_config& c) { c.role_name = "a&b"; }, "sso_role_name = \"a&b\""},
         }) {
        sso_config config = dev();
        spoil(config);
        CHECK_THAT(message_of(errc::invalid_argument,
                              [&] { (void)sso_credentials(config, source_options()); }),
                   Catch::Contains(says));
    }
    CHECK(sso_credentials(dev(), source_options())->name() == "SSO");
}

TEST_CASE("Bearer tokens are those of the public vectors") {
    const auto vectors = testing_support::load_vectors("credentials_vectors.json");
    if (!vectors) return;
    int seen = 0;
    for (const auto& one : vectors->at("chain_cases").as_array()) {
        if (one.at("suite").as_string() != "sso_token_provider") continue;
        INFO(one.at("name").as_string().c_str());
        scripted_services services;
        scratch_folder home;
        services.set("HOME", home.path());
        std::string config;
        for (const auto& [path, text] : one.at("files").as_object()) {
            // "/home/.aws/…"
            home.write(std::string(path).substr(6), text.as_string().c_str());
            if (std::string_view(path).ends_with("config")) config = text.as_string().c_str();
        }
        const auto files = parse_profile_files(config, "");
        const auto* profile = one.at("env").as_object().if_contains("AWS_PROFILE");
        const auto* section = files.find(profile ? profile->as_string().c_str() : "default");
        REQUIRE(section);
        sso_config given = dev();
        given.session = section->at("sso_session");
        const auto token = test_support::run([&] {
            return aws::detail::resolve_sso_token(given, services.options(),
                                                  std::make_shared<aws::detail::source_memory>());
        });
        const auto& wanted = one.at("expect").at("token");
        CHECK(token.access_token.text() == wanted.at("token").as_string().c_str());
        CHECK(wanted.at("expiration").as_string() == "2080-10-16T03:56:45Z");
        CHECK(token.expires == timestamp(3'496'276'605s));
        ++seen;
    }
    CHECK(seen == 3);
}

TEST_CASE("SSO and OIDC are trusted by the configured authorities") {
    for (const char* expires : {valid, ended}) {
        signed_in user(token_json(expires));
        user.services.set("AWS_CA_BUNDLE", "/no/such/bundle");
        source_options options = user.services.options();
        options.connect = nullptr; // never gets as far as to connect
        const auto source = aws::detail::sso_source(dev(), options);
        CHECK_THAT(message_of(errc::no_credentials,
                              [&] { (void)test_support::run([&] { return source->fetch(); }); }),
                   Catch::Contains("/no/such/bundle"));
    }
}
