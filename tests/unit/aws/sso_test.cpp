// SPDX-License-Identifier: BSL-1.0
// Credentials for the token of a sign-in, and the token's refresh, over scripted SSO and OIDC.
#include "aws/sso.hpp"
#include "aws/sso_token.hpp"
#include "support/run.hpp"
#include "support/scripted_services.hpp"
#include "support/secrets.hpp"
#include "support/vectors.hpp"

#include <codynamo/aws/profile.hpp>

#include <boost/json.hpp>

#include <csignal>
#include <filesystem>
#include <functional>
#include <iterator>
#include <sys/resource.h>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;
using testing_support::answer;
using testing_support::broken;
using testing_support::message_of;
using testing_support::scratch_folder;
using testing_support::scripted_services;
using testing_support::variables;
namespace json = boost::json;
namespace secrets = testing_support::secrets;

namespace {

const std::string portal = "GET https://portal.sso.us-east-2.amazonaws.com/federation/credentials"
                           "?role_name=Reader&account_id=012345678901";
const std::string oidc = "POST https://oidc.us-east-2.amazonaws.com/token";
// SHA-1 of "dev" and of "https://d-abc123.awsapps.com/start".
const std::string session_file = ".aws/sso/cache/34c6fceca75e456f25e7e99531e2425c6c1de443.json";
constexpr const char* valid = "2023-11-14T23:13:20Z";  // in an hour
constexpr const char* ending = "2023-11-14T22:18:20Z"; // in five minutes
constexpr const char* ended = "2023-11-14T22:13:20Z";  // now

sso_config dev() {
    sso_config config;
    config.start_url = "https://d-abc123.awsapps.com/start";
    config.region = "us-east-2";
    config.account_id = "012345678901";
    config.role_name = "Reader";
    config.session = "dev";
    return config;
}

std::string token_json(const std::string& expires,
                       const std::string& registration = "2199-03-06T19:53:17Z") {
    return R"({"accessToken":")" + std::string(secrets::bearer) + R"(","expiresAt":")" + expires +
           R"(","refreshToken":"refresh-1","clientId":"client","clientSecret":")" +
           std::string(secrets::key) + R"(","registrationExpiresAt":")" + registration +
           R"(","region":"us-east-2","kept":{"as":["it","is"]}})";
}

std::string role_json() {
    return R"({"roleCredentials":{"accessKeyId":"ASIAX","secretAccessKey":")" +
           std::string(secrets::key) + R"(","sessionToken":")" + std::string(secrets::token) +
           R"(","expiration":1700003600000}})";
}

std::string fresh_json(const std::string& more = R"(,"refreshToken":"refresh-2")") {
    return R"({"accessToken":"fresh-token","expiresIn":3600,"tokenType":"Bearer")" + more + "}";
}

/// No file can be written, be it by root.
class unwritable_files {
public:
    unwritable_files() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit none = before_;
        none.rlim_cur = 0;
        ::setrlimit(RLIMIT_FSIZE, &none);
    }
    unwritable_files(const unwritable_files&) = delete;
    unwritable_files& operator=(const unwritable_files&) = delete;
    ~unwritable_files() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int);
};

/// A home folder with a sign-in, and the servers.
struct signed_in {
    explicit signed_in(const std::string& token, std::vector<testing::fake_response> answers = {})
        : services({}, std::move(answers)) {
        services.set("HOME", home.path());
        if (!token.empty()) home.write(session_file, token);
    }

    credentials fetch(const sso_config& config = dev()) const {
        const auto source = aws::detail::sso_source(config, services.options());
        return test_support::run([&] { return source->fetch(); });
    }

    std::string refusal(const sso_config& config = dev()) const {
        const std::string words = message_of(errc::no_credentials, [&] { (void)fetch(config); });
        for (const std::string_view secret : secrets::all)
            CHECK(words.find(secret) == std::string::npos);
        CHECK(words.find("refresh-1") == std::string::npos);
        return words;
    }

    [[nodiscard]] json::value kept() const {
        std::ifstream in(home.path() + "/" + session_file, std::ios::binary);
        return json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
    }

    scratch_folder home;
    scripted_services services;
};

} // namespace

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

TEST_CASE("A session's token is refreshed within five minutes of its end, and kept") {
    for (const char* expires : {ending, ended, "2020-01-01T00:00:00Z"}) {
        INFO(expires);
        const signed_in user(token_json(expires),
                             {answer(200, fresh_json()), answer(200, role_json())});
        CHECK(user.fetch().access_key_id == "ASIAX");
        CHECK(user.services.lines() == std::vector<std::string>{oidc, portal});
        const auto& asked = user.services.requests()[0];
        CHECK(asked.header("content-type") == "application/json");
        CHECK(json::parse(asked.body) ==
              json::parse(R"({"clientId":"client","grantType":"refresh_token",)"
                          R"("refreshToken":"refresh-1","clientSecret":")" +
                          std::string(secrets::key) + "\"}"));
        CHECK(user.services.requests()[1].header("x-amz-sso_bearer_token") == "fresh-token");

        const json::value kept = user.kept();
        CHECK(kept.at("accessToken").as_string() == "fresh-token");
        CHECK(kept.at("expiresAt").as_string() == "2023-11-14T23:13:20Z");
        CHECK(kept.at("refreshToken").as_string() == "refresh-2");
        CHECK(kept.at("registrationExpiresAt").as_string() == "2199-03-06T19:53:17Z");
        CHECK(kept.at("kept") == json::parse(R"({"as":["it","is"]})"));
        namespace fs = std::filesystem;
        const fs::path file = fs::path(user.home.path()) / session_file;
        CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
        CHECK(std::distance(fs::directory_iterator(file.parent_path()), {}) == 1);
    }
}

TEST_CASE("A refresh without another refresh token keeps the one there is") {
    const signed_in user(token_json(ended),
                         {answer(200, fresh_json("")), answer(200, role_json())});
    (void)user.fetch();
    CHECK(user.kept().at("refreshToken").as_string() == "refresh-1");
}

TEST_CASE("A token that cannot be refreshed serves while it is valid") {
    struct row {
        const char* what;
        std::string token;
        std::string session;
        std::vector<testing::fake_response> answers;
        const char* says; // when the token has expired
    };
    const std::string expired_registration = "2023-11-14T22:13:20Z";
    const auto gone = answer(400, R"({"error":"invalid_grant","error_description":"x"})");
    for (const auto& [what, token, session, answers, says] : std::vector<row>{
             {"refused", token_json("@"), "dev", {gone}, "answered 400: invalid_grant"},
             {"no answer", token_json("@"), "dev", {broken(errc::timeout, true)}, "deadline"},
             {"no JSON", token_json("@"), "dev", {answer(200, "x")}, "is not JSON"},
             {"no token", token_json("@"), "dev", {answer(200, "{}")}, "accessToken is missing"},
             {"a bad token",
              token_json("@"),
              "dev",
              {answer(200, R"({"accessToken":"a\r\nb","expiresIn":1})")},
              "control character"},
             {"a bad life",
              token_json("@"),
              "dev",
              {answer(200, R"({"accessToken":"a","expiresIn":-1})")},
              "expiresIn"},
             {"an ended registration",
              token_json("@", expired_registration),
              "dev",
              {},
              "cannot be refreshed"},
             {"nothing to refresh with",
              R"({"accessToken":"a","expiresAt":"@"})",
              "dev",
              {},
              "cannot be refreshed"},
             {"the legacy form", token_json("@"), "", {}, "cannot be refreshed"},
         }) {
        INFO(what);
        for (const char* expires : {ending, ended}) {
            std::string text = token;
            text.replace(text.find('@'), 1, expires);
            const bool still_valid = expires == std::string_view(ending);
            signed_in user(text, answers);
            sso_config config = dev();
            if (session.empty()) {
                config.session.clear();
                config.start_url = "dev";
            }
            if (still_valid) {
                user.services.will_answer(answer(200, role_json()));
                CHECK(user.fetch(config).access_key_id == "ASIAX");
            } else {
                CHECK_THAT(user.refusal(config), Catch::Contains(says) &&
                                                     Catch::Contains("has expired") &&
                                                     Catch::Contains("run `aws sso login`"));
            }
            CHECK(user.services.exhausted());
            CHECK(user.kept().at("expiresAt").as_string() == expires);
        }
    }
}

TEST_CASE("A refresh that another program won is not a failure") {
    signed_in user(token_json(ended), {answer(400, R"({"error":"invalid_grant"})")});
    user.services.will_answer(answer(200, role_json()));
    user.services.before_each_answer([&] { user.home.write(session_file, token_json(valid)); });
    CHECK(user.fetch().access_key_id == "ASIAX");
    CHECK(user.services.exhausted());
}

TEST_CASE("A refresh token is not sent twice when it may have arrived") {
    for (const bool arrived : {false, true}) {
        signed_in user(token_json(ended), {broken(errc::connection_lost, arrived)});
        if (!arrived) {
            user.services.will_answer(answer(200, fresh_json()));
            user.services.will_answer(answer(200, role_json()));
            CHECK(user.fetch().access_key_id == "ASIAX");
        } else {
            (void)user.refusal();
        }
        CHECK(user.services.exhausted());
    }
}

TEST_CASE("A refreshed token that cannot be kept is used all the same") {
    signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
    user.services.before_each_answer(
        [&] { std::filesystem::remove_all(user.home.path() + "/.aws"); });
    CHECK(user.fetch().access_key_id == "ASIAX");
    REQUIRE(user.services.log().size() == 1);
    CHECK_THAT(user.services.log()[0],
               Catch::Contains("not kept") && !Catch::Contains("fresh-token"));
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

TEST_CASE("A sign-in during a refresh is not overwritten, and counts when it is valid") {
    for (const bool is_valid : {true, false}) {
        const std::string theirs = R"({"accessToken":"theirs","expiresAt":")" +
                                   std::string(is_valid ? valid : ended) +
                                   R"(","refreshToken":"refresh-9"})";
        signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
        user.services.before_each_answer([&] { user.home.write(session_file, theirs); });
        CHECK(user.fetch().access_key_id == "ASIAX");
        CHECK(user.kept() == json::parse(theirs));
        CHECK(user.services.requests()[1].header("x-amz-sso_bearer_token") ==
              (is_valid ? "theirs" : "fresh-token"));
        const std::filesystem::path file(user.home.path() + "/" + session_file);
        CHECK(std::distance(std::filesystem::directory_iterator(file.parent_path()), {}) == 1);
    }
}

TEST_CASE("A sign-out during a refresh stays one") {
    signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
    const std::string file = user.home.path() + "/" + session_file;
    user.services.before_each_answer([&] { std::filesystem::remove(file); });
    CHECK(user.fetch().access_key_id == "ASIAX");
    CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("A token that its file does not take is remembered until the file changes") {
    signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
    const auto source = aws::detail::sso_source(dev(), user.services.options());
    const auto fetch = [&] { return test_support::run([&] { return source->fetch(); }); };
    const auto bearer = [&] {
        return std::string(user.services.requests().back().header("x-amz-sso_bearer_token"));
    };
    {
        const unwritable_files all;
        (void)fetch();
        CHECK(bearer() == "fresh-token");
        user.services.will_answer(answer(200, role_json()));
        (void)fetch();
    }
    CHECK(bearer() == "fresh-token");
    CHECK(user.services.lines() == std::vector<std::string>{oidc, portal, portal});
    CHECK(user.kept().at("accessToken").as_string() == secrets::bearer.data());

    // It ends: what is sent is the second refresh token, and the file can be written now.
    user.services.time->advance(1h);
    user.services.will_answer(answer(200, R"({"accessToken":"newest","expiresIn":3600})"));
    user.services.will_answer(answer(200, role_json()));
    (void)fetch();
    CHECK(json::parse(user.services.requests()[3].body).at("refreshToken") == "refresh-2");
    CHECK(user.kept().at("accessToken") == "newest");
    CHECK(user.kept().at("refreshToken") == "refresh-2");
    CHECK(user.kept().at("kept") == json::parse(R"({"as":["it","is"]})"));
}

TEST_CASE("A remembered token gives way to another sign-in") {
    signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
    const auto source = aws::detail::sso_source(dev(), user.services.options());
    const auto fetch = [&] { return test_support::run([&] { return source->fetch(); }); };
    {
        const unwritable_files all;
        (void)fetch();
    }
    user.home.write(session_file, std::string(R"({"accessToken":"theirs","expiresAt":")") + valid +
                                      R"(","refreshToken":"refresh-9"})");
    user.services.will_answer(answer(200, role_json()));
    (void)fetch();
    CHECK(user.services.requests().back().header("x-amz-sso_bearer_token") == "theirs");
}

TEST_CASE("A registration that ends at no time does no harm to a token that is valid") {
    const signed_in user(token_json(ending, "soon"), {answer(200, role_json())});
    CHECK(user.fetch().access_key_id == "ASIAX");
    CHECK(user.services.lines() == std::vector<std::string>{portal});
    const signed_in late(token_json(ended, "soon"));
    CHECK_THAT(late.refusal(), Catch::Contains("registrationExpiresAt is not an RFC 3339 time"));
}

TEST_CASE("OIDC's code is not quoted when it repeats what was sent") {
    for (const std::string& sent : {std::string("refresh-1"), std::string(secrets::key)}) {
        const signed_in user(token_json(ended), {answer(400, R"({"error":")" + sent + "\"}")});
        CHECK_THAT(user.refusal(), Catch::Contains("answered 400") && !Catch::Contains(sent));
    }
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
