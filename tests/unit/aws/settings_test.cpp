// SPDX-License-Identifier: BSL-1.0
// Settings from variables and from the profile: which wins, what is blank, what is refused.
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/settings.hpp>

#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using testing_support::fake_environment;
using testing_support::message_of;
using testing_support::variables;

namespace {

shared_settings settings_of(const variables& known, const std::string& profile_lines = {}) {
    return read_settings(fake_environment(known),
                         parse_profile_files("[default]\n" + profile_lines, ""), "");
}

/// One setting as text, "-" when it is not set.
using reader = std::string (*)(const shared_settings&);

std::string shown(const std::string& value) {
    return value.empty() ? "-" : value;
}

std::string shown(const std::optional<bool>& value) {
    return !value ? "-" : *value ? "true" : "false";
}

std::string region(const shared_settings& all) {
    return shown(all.region);
}
std::string url(const shared_settings& all) {
    return shown(all.endpoint_url);
}
std::string fips(const shared_settings& all) {
    return shown(all.use_fips);
}
std::string dualstack(const shared_settings& all) {
    return shown(all.use_dualstack);
}
std::string ca_bundle(const shared_settings& all) {
    return shown(all.ca_bundle);
}
std::string no_skew(const shared_settings& all) {
    return shown(all.disable_clock_skew_correction);
}
std::string attempts(const shared_settings& all) {
    return all.max_attempts ? std::to_string(*all.max_attempts) : "-";
}
std::string account_mode(const shared_settings& all) {
    if (!all.account_id_mode) return "-";
    constexpr const char* words[] = {"preferred", "disabled", "required"};
    return words[static_cast<std::size_t>(*all.account_id_mode)];
}
std::string mode(const shared_settings& all) {
    return !all.mode ? "-" : *all.mode == retry_mode::adaptive ? "adaptive" : "standard";
}
std::string spec(const shared_settings& all) {
    return !all.spec ? "-" : *all.spec == retry_spec::v2_1 ? "2.1" : "2.0";
}

} // namespace

TEST_CASE("nothing is set where nothing is said") {
    const auto all = settings_of({});
    for (const reader each :
         {region, url, fips, dualstack, account_mode, mode, attempts, spec, ca_bundle, no_skew}) {
        CHECK(each(all) == "-");
    }
    CHECK(all.region_source.empty());
}

TEST_CASE("each setting is read from its variable, then from the profile, and blank is not set") {
    struct row {
        reader read;
        const char* variable;
        const char* key;
        const char* value;
        const char* other;
        const char* shown;
        const char* shown_other;
    };
    const row rows[] = {
        {region, "AWS_REGION", "region", "eu-west-1", "us-east-1", "eu-west-1", "us-east-1"},
        {region, "AWS_DEFAULT_REGION", "region", "eu-west-1", "us-east-1", "eu-west-1",
         "us-east-1"},
        {url, "AWS_ENDPOINT_URL", "endpoint_url", "http://a", "http://b", "http://a", "http://b"},
        {url, "AWS_ENDPOINT_URL_DYNAMODB", "endpoint_url", "http://a", "http://b", "http://a",
         "http://b"},
        {fips, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", "True", "false", "true", "false"},
        {dualstack, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", "TRUE", "False", "true",
         "false"},
        {account_mode, "AWS_ACCOUNT_ID_ENDPOINT_MODE", "account_id_endpoint_mode", "Required",
         "disabled", "required", "disabled"},
        {account_mode, "AWS_ACCOUNT_ID_ENDPOINT_MODE", "account_id_endpoint_mode", "preferred",
         "disabled", "preferred", "disabled"},
        {mode, "AWS_RETRY_MODE", "retry_mode", "Adaptive", "legacy", "adaptive", "standard"},
        {mode, "AWS_RETRY_MODE", "retry_mode", "standard", "adaptive", "standard", "adaptive"},
        {attempts, "AWS_MAX_ATTEMPTS", "max_attempts", "1", "1000", "1", "1000"},
        {ca_bundle, "AWS_CA_BUNDLE", "ca_bundle", "/a.pem", "/b.pem", "/a.pem", "/b.pem"},
        {no_skew, "AWS_DISABLE_CLOCK_SKEW_CORRECTION", "disable_clock_skew_correction", "tRuE",
         "fAlSe", "true", "false"},
    };
    for (const row& each : rows) {
        INFO(each.variable);
        const std::string in_profile = std::string(each.key) + " = " + each.other + "\n";
        CHECK(each.read(settings_of({{each.variable, each.value}})) == each.shown);
        CHECK(each.read(settings_of({{each.variable, std::string(" ") + each.value + "\t"}})) ==
              each.shown);
        CHECK(each.read(settings_of({{each.variable, each.value}}, in_profile)) == each.shown);
        CHECK(each.read(settings_of({}, in_profile)) == each.shown_other);
        CHECK(each.read(settings_of({{each.variable, " "}}, in_profile)) == each.shown_other);
        CHECK(each.read(settings_of({{each.variable, ""}})) == "-");
        CHECK(each.read(settings_of({}, std::string(each.key) + " =\n")) == "-");
    }
}

TEST_CASE("the new retry specification is a variable alone") {
    CHECK(spec(settings_of({{"AWS_NEW_RETRIES_2026", "TRUE"}})) == "2.1");
    CHECK(spec(settings_of({{"AWS_NEW_RETRIES_2026", "false"}})) == "2.0");
    CHECK(spec(settings_of({{"AWS_NEW_RETRIES_2026", " "}})) == "-");
}

TEST_CASE("the region says where it is from") {
    struct row {
        variables known;
        const char* region;
        const char* source;
    };
    const row rows[] = {
        {{{"AWS_REGION", "a"}, {"AWS_DEFAULT_REGION", "b"}}, "a", "AWS_REGION"},
        {{{"AWS_REGION", " "}, {"AWS_DEFAULT_REGION", "b"}}, "b", "AWS_DEFAULT_REGION"},
        {{}, "c", "profile"},
        {{{"AWS_PROFILE", "absent"}}, "", ""},
    };
    for (const row& each : rows) {
        const auto all = settings_of(each.known, "region = c\n");
        CHECK(all.region == each.region);
        CHECK(all.region_source == each.source);
    }
}

TEST_CASE("a named profile and AWS_PROFILE are asked in the place of the default one") {
    const auto files = parse_profile_files("[default]\nmax_attempts = 1\n"
                                           "[profile a]\nmax_attempts = 2\n"
                                           "[profile b]\nmax_attempts = 3\n",
                                           "");
    const auto env = fake_environment(variables{{"AWS_PROFILE", "a"}});
    CHECK(read_settings(env, files, "").max_attempts == 2U);
    CHECK(read_settings(env, files, "b").max_attempts == 3U);
    CHECK_FALSE(read_settings(env, files, "absent").max_attempts);
}

TEST_CASE("a setting that is not what it should be is refused by name and value") {
    struct row {
        const char* variable;
        const char* key;
        const char* bounds;
        std::vector<std::string> bad;
    };
    const row rows[] = {
        {"AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", "must be true or false", {"yes", "1"}},
        {"AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", "must be true or false", {"on"}},
        {"AWS_DISABLE_CLOCK_SKEW_CORRECTION",
         "disable_clock_skew_correction",
         "must be true or false",
         {"truee"}},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
         "ignore_configured_endpoint_urls",
         "must be true or false",
         {"y"}},
        {"AWS_ACCOUNT_ID_ENDPOINT_MODE",
         "account_id_endpoint_mode",
         "must be preferred, disabled or required",
         {"always"}},
        {"AWS_RETRY_MODE", "retry_mode", "must be legacy, standard or adaptive", {"fast"}},
        {"AWS_MAX_ATTEMPTS",
         "max_attempts",
         "must be a number from 1 to 1000",
         {"0", "1001", "-1", "+3", "3.0", "0x3", "three", "99999999999999999999"}},
        {"AWS_NEW_RETRIES_2026", nullptr, "must be true or false", {"2026"}},
    };
    for (const row& each : rows) {
        for (const auto& bad : each.bad) {
            const auto end = " = \"" + bad + "\": " + each.bounds;
            CHECK(message_of(errc::invalid_argument, [&] {
                      (void)settings_of({{each.variable, bad}});
                  }) == each.variable + end);
            if (!each.key) continue;
            CHECK(message_of(errc::invalid_argument, [&] {
                      (void)settings_of({}, std::string(each.key) + " = " + bad + "\n");
                  }) == each.key + std::string(" of the profile") + end);
        }
    }
    const auto words = message_of(errc::invalid_argument, [] {
        (void)settings_of({{"AWS_RETRY_MODE", "a\r\nb" + std::string(200, 'x')}});
    });
    CHECK(words.find_first_of("\r\n") == std::string::npos);
    CHECK(words.size() < 200);
}
