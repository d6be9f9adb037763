// SPDX-License-Identifier: BSL-1.0
// What a profile asks for, and what comes of it.
#include "aws/profile_sources.hpp"
#include "support/scripted_services.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/profile.hpp>

using namespace codynamo;
using namespace codynamo::aws;
using testing_support::message_of;
using testing_support::run;
using testing_support::scratch_folder;
using testing_support::scripted_services;
using testing_support::variables;

namespace {

constexpr const char* keys = "aws_access_key_id = A\naws_secret_access_key = s\n";

/// Files in a home of their own, and the provider that reads them.
struct home_of {
    scratch_folder folder;
    scripted_services services;

    home_of(const std::string& config, const std::string& credentials_file, variables known = {}) {
        folder.write(".aws/config", config);
        folder.write(".aws/credentials", credentials_file);
        known["HOME"] = folder.path();
        for (const auto& [name, value] : known)
            services.set(name, value);
    }
    [[nodiscard]] credentials_provider_ptr provider(const std::string& profile = {}) const {
        source_options options = services.options();
        options.profile = profile;
        return profile_credentials(options);
    }
    /// The access key id, or the refusal, with '~' for the home; '?' in front of what is not
    /// configured.
    [[nodiscard]] std::string outcome(const std::string& profile = {}) const {
        try {
            return run(provider(profile)->resolve())->access_key_id;
        } catch (const not_configured& unset) {
            return "?" + unset.info().message;
        } catch (const error& refused) {
            CHECK(refused.code() == errc::no_credentials);
            std::string words = refused.info().message;
            const auto home = words.find(folder.path());
            if (home != std::string::npos) words.replace(home, folder.path().size(), "~");
            return words;
        }
    }
};

std::string plan_refusal(const std::string& config, const std::string& profile = "p") {
    const profile_files files = parse_profile_files(config, "");
    return message_of(errc::no_credentials, [&] { (void)detail::plan_profile(files, profile); });
}

} // namespace

TEST_CASE("a profile gives credentials, is broken, or is not configured") {
    struct row {
        std::string config;
        const char* credentials;
        variables more;
        const char* profile;
        const char* outcome;
    };
    const std::string own = std::string("[profile p]\n") + keys;
    const row rows[] = {
        {"", "", {}, "", "?not configured: there is no profile \"default\""},
        {"[default]\nregion = x\n",
         "",
         {},
         "",
         "?not configured: profile \"default\" has no credentials"},
        {own, "", {}, "p", "A"},
        {own, "", {{"AWS_PROFILE", "p"}}, "", "A"},
        {own, "[p]\naws_access_key_id = B\n", {}, "p", "B"},
        {own, "", {}, "q", "profile \"q\" does not exist"},
        {"", "", {{"AWS_PROFILE", "q"}}, "", "profile \"q\" does not exist"},
        {"",
         "[default]\naws_access_key_id = A\n",
         {},
         "",
         "profile \"default\" has no aws_secret_access_key"},
        {"",
         "[default]\naws_secret_access_key = evil\n",
         {},
         "",
         "profile \"default\" has no aws_access_key_id"},
        {"",
         "[default]\nevil\n",
         {},
         "",
         "credentials file \"~/.aws/credentials\" line 2: '=' is missing after the name of a "
         "property"},
        {"[default]\nregion = x\n\n[default\n",
         "",
         {},
         "",
         "config file \"~/.aws/config\" line 4: a section must end with ']'"},
        {"",
         "[default]\naws_access_key_id = A\naws_secret_access_key =\n a = evil\n",
         {},
         "",
         "profile \"default\": credentials: secret access key holds a control character"},
        {own + "credential_process = false\n",
         "",
         {},
         "p",
         "profile \"p\": credential_process ended with exit code 1"},
        {"[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\n"
         "credential_source = Environment\n",
         "",
         {},
         "p",
         "profile \"p\": not configured: AWS_ACCESS_KEY_ID is not set"},
        {"[profile p]\ncredential_source = Environment\n",
         "",
         {{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "s"}},
         "p",
         "E"},
        {"[profile p]\nsso_session = s\n[sso-session s]\nsso_region = eu-west-1\n"
         "sso_start_url = https://x.example/start\n",
         "",
         {},
         "p",
         "profile \"p\": has an sso_session, but no sso_account_id and sso_role_name: that gives "
         "a token, no credentials"},
    };
    for (const row& each : rows) {
        INFO(each.outcome);
        const home_of home(each.config, each.credentials, each.more);
        CHECK(home.outcome(each.profile) == each.outcome);
        CHECK(home.services.lines().empty());
    }
}

TEST_CASE("what is wrong with a profile is told by profile and key") {
    struct row {
        std::string config;
        const char* refusal;
    };
    const std::string role = "[profile p]\nrole_arn = arn:x\n";
    const row rows[] = {
        {role, "profile \"p\" has role_arn, but neither source_profile nor credential_source"},
        {role + "source_profile = q\n",
         "profile \"p\" has the source_profile \"q\", which does not exist"},
        {role + "source_profile = q\n[profile q]\nregion = x\n",
         "profile \"q\" has no credentials, and is a source_profile"},
        {role + "source_profile = p\n",
         "profile \"p\" has no credentials, and is a source_profile"},
        {role + "source_profile = q\ncredential_source = Environment\n",
         "profile \"p\" has both source_profile and credential_source: one is allowed"},
        {role + "credential_source = environment\n",
         "profile \"p\" has a credential_source that is none of Environment, EcsContainer and "
         "Ec2InstanceMetadata"},
        {role + "source_profile = q\n[profile q]\nrole_arn = arn:y\nsource_profile = p\n",
         "profile \"p\" is its own source_profile, by way of others"},
        {role + "source_profile = p\nmfa_serial = 12\n" + keys,
         "profile \"p\" has mfa_serial: roles that ask for a one-time password are not supported; "
         "let credential_process or `aws sso login` get credentials for them"},
        {role + "source_profile = p\nduration_seconds = 899\n" + keys,
         "profile \"p\" has a duration_seconds that is no number from 900 to 43200"},
        {role + "source_profile = p\nduration_seconds = 1h\n" + keys,
         "profile \"p\" has a duration_seconds that is no number from 900 to 43200"},
        {"[profile p]\nweb_identity_token_file = /t\n",
         "profile \"p\" has web_identity_token_file, but no role_arn"},
        {"[profile p]\nlogin_session = x\n",
         "profile \"p\" has login_session: that kind of sign-in is not supported"},
        {"[profile p]\nsso_region = x\nsso_role_name = r\n",
         "profile \"p\" has sso_role_name, but no sso_account_id"},
        {"[profile p]\nsso_region = x\nsso_account_id = 1\n",
         "profile \"p\" has sso_account_id, but no sso_role_name"},
        {"[profile p]\nsso_start_url = x\nsso_account_id = 1\nsso_role_name = r\n",
         "profile \"p\" has SSO settings, but no sso_region"},
        {"[profile p]\nsso_region = x\nsso_account_id = 1\nsso_role_name = r\n",
         "profile \"p\" has SSO settings, but no sso_start_url"},
        {"[profile p]\nsso_region = x\nsso_start_url = u\n",
         "profile \"p\" has SSO settings, but no sso_account_id"},
        {"[profile p]\nsso_session = s\n",
         "profile \"p\" names the sso-session \"s\", which does not exist"},
        {"[profile p]\nsso_session = s\n[sso-session s]\nsso_start_url = u\n",
         "profile \"p\" names the sso-session \"s\", which has no sso_region"},
        {"[profile p]\nsso_session = s\nsso_region = a\n[sso-session s]\nsso_region = b\n"
         "sso_start_url = u\n",
         "profile \"p\" has another sso_region than its sso-session \"s\""},
    };
    for (const row& each : rows) {
        INFO(each.config);
        CHECK(plan_refusal(each.config) == each.refusal);
    }
}

TEST_CASE("a profile has its sources in a fixed order") {
    using detail::plan_profile;
    const std::string all = std::string(keys) +
                            "credential_process = x\nsso_region = r\nsso_start_url = u\n"
                            "sso_account_id = 1\nsso_role_name = r\n";
    const auto plan = [](const std::string& body) {
        return plan_profile(parse_profile_files("[profile p]\n" + body, ""), "p");
    };
    const std::string web = "web_identity_token_file = /t\nrole_arn = arn:w\n";
    CHECK(std::holds_alternative<detail::named_source>(
        plan(all + "credential_source = EcsContainer\n").first));
    CHECK(std::holds_alternative<detail::web_identity_config>(plan(all + web).first));
    CHECK(plan(all + web).roles.empty());
    CHECK(std::holds_alternative<sso_config>(plan(all).first));
    const auto process = plan(std::string(keys) + "credential_process = x y\naws_account_id = 7\n");
    REQUIRE(std::holds_alternative<detail::process_step>(process.first));
    CHECK(std::get<detail::process_step>(process.first).command == "x y");
    CHECK(std::get<detail::process_step>(process.first).account_id == "7");
    CHECK(std::holds_alternative<credentials>(plan(keys).first));
    // A session's settings may be repeated.
    const auto repeated = plan("sso_session = s\nsso_region = r\n[sso-session s]\nsso_region = r\n"
                               "sso_start_url = u\n");
    CHECK(std::get<sso_config>(repeated.first).start_url == "u");
}

TEST_CASE("roles are assumed from the source outwards with all that they ask for") {
    const auto plan = detail::plan_profile(
        parse_profile_files("[profile a]\nrole_arn = arn:a\nsource_profile = b\n"
                            "duration_seconds = 900\nexternal_id = x\nrole_session_name = n\n"
                            "[profile b]\nrole_arn = arn:b\nsource_profile = c\n"
                            "[profile c]\nrole_arn = arn:c\ncredential_source = EcsContainer\n",
                            ""),
        "a");
    CHECK(plan.first_profile == "c");
    CHECK(std::get<detail::named_source>(plan.first) == detail::named_source::ecs_container);
    REQUIRE(plan.roles.size() == 3);
    CHECK(plan.roles[0].role_arn == "arn:c");
    CHECK(plan.roles[1].role_arn == "arn:b");
    CHECK(plan.roles[1].duration == std::chrono::hours(1));
    CHECK(plan.roles[2].role_arn == "arn:a");
    CHECK(plan.roles[2].duration == std::chrono::minutes(15));
    CHECK(plan.roles[2].external_id == "x");
    CHECK(plan.roles[2].session_name == "n");
}

TEST_CASE("a profile is read once, and again after its credentials were invalidated") {
    const home_of home("", std::string("[default]\n") + keys +
                               "aws_session_token = t\naws_account_id = 7\n");
    const auto provider = home.provider();
    CHECK(provider->name() == "profile");
    const auto first = run(provider->resolve());
    CHECK(first->session_token == "t");
    CHECK(first->account_id == "7");
    home.folder.write(".aws/credentials",
                      "[default]\naws_access_key_id = B\naws_secret_access_key = s\n");
    CHECK(run(provider->resolve()) == first);
    provider->invalidate(first);
    CHECK(run(provider->resolve())->access_key_id == "B");
}

TEST_CASE("a role that is refused is told with its profile, and nothing of the keys") {
    home_of home("[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = q\n"
                 "region = eu-west-1\n",
                 "[q]\naws_access_key_id = AKIDSOURCE\naws_secret_access_key = wholly-secret\n");
    home.services.will_answer(testing_support::answer(
        403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
             "</ErrorResponse>"));
    const std::string words = home.outcome("p");
    INFO(words);
    CHECK_THAT(words, Catch::StartsWith("profile \"p\": ") && Catch::Contains("AccessDenied"));
    CHECK_THAT(words, !Catch::Contains("wholly-secret"));
    REQUIRE(home.services.lines().size() == 1);
    CHECK(home.services.lines()[0] == "POST https://sts.eu-west-1.amazonaws.com/");
}

TEST_CASE("the secrets of profiles can be wiped") {
    profile_files files = parse_profile_files("", std::string("[a]\n") + keys +
                                                      "aws_session_token = t\nregion = r\n");
    detail::wipe_secrets(files);
    const auto& section = *files.find("a");
    CHECK(section.at("aws_secret_access_key").empty());
    CHECK(section.at("aws_session_token").empty());
    CHECK(section.at("region") == "r");
}

TEST_CASE("what is wrong with a role is said of the profile that has it") {
    const std::string own = "[s]\naws_access_key_id = A\naws_secret_access_key = s\n";
    const home_of home("[default]\nrole_arn = arn:x\nsource_profile = s\n", own);
    CHECK_THAT(home.outcome(), Catch::StartsWith("profile \"default\": role_arn = \"arn:x\""));
    home_of chained("[default]\nrole_arn = arn:aws:iam::123456789012:role/r\n"
                    "source_profile = m\nregion = eu-west-1\n"
                    "[profile m]\nrole_arn = arn:x\nsource_profile = s\n",
                    own);
    CHECK_THAT(chained.outcome(), Catch::StartsWith("profile \"m\": role_arn"));
}

TEST_CASE("a profile's name does not forge lines of a log") {
    const home_of home("", "", {{"AWS_PROFILE", "a\nforged"}});
    CHECK(home.outcome() == "profile \"a?forged\" does not exist");
    CHECK(plan_refusal("[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\n"
                       "source_profile = q\x1b[31m\n") ==
          "profile \"p\" has the source_profile \"q?[31m\", which does not exist");
    CHECK(plan_refusal("[profile p]\nsso_session = q\x1b[31m\n") ==
          "profile \"p\" names the sso-session \"q?[31m\", which does not exist");
}
