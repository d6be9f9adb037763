// SPDX-License-Identifier: BSL-1.0
// The shared config and credentials files: grammar, merging, and where they are.
#include "aws/network_source.hpp"
#include "aws/profile_paths.hpp"
#include "aws/small_file.hpp"
#include "support/log_lines.hpp"
#include "support/vectors.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/profile.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <sys/stat.h>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using testing_support::fake_environment;
using testing_support::message_of;

namespace {

using sections = std::map<std::string, profile_section, std::less<>>;

/// Without the "outer.inner" that we add to what other parsers give.
sections as_other_parsers(sections parsed) {
    for (auto& [name, section] : parsed) {
        std::erase_if(section, [&, &all = section](const auto& property) {
            const auto dot = property.first.find('.');
            if (dot == std::string::npos) return false;
            const auto outer = all.find(property.first.substr(0, dot));
            return outer != all.end() && outer->second.starts_with('\n');
        });
    }
    return parsed;
}

sections from_json(const boost::json::object& config, const char* name) {
    sections out;
    const auto* found = config.if_contains(name);
    if (!found) return out;
    for (const auto& [section, properties] : found->as_object()) {
        auto& target = out[std::string(section)];
        for (const auto& [key, value] : properties.as_object()) {
            target[std::string(key)] = std::string(value.as_string());
        }
    }
    return out;
}

std::string text_of(const boost::json::object& input, const char* name) {
    const auto* found = input.if_contains(name);
    return found ? std::string(found->as_string()) : std::string();
}

} // namespace

TEST_CASE("all cases of the public profile parser suite pass") {
    const auto suite = testing_support::load_vectors("profile_parser_tests.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    int errors = 0;
    for (const auto& each : suite->at("tests").as_array()) {
        INFO(each.at("name").as_string());
        const auto& input = each.at("input").as_object();
        const auto& output = each.at("output").as_object();
        const auto config = text_of(input, "configFile");
        const auto credentials = text_of(input, "credentialsFile");
        if (output.contains("errorContaining")) {
            const auto message = message_of(
                errc::invalid_argument, [&] { (void)parse_profile_files(config, credentials); });
            CHECK_THAT(message, Catch::StartsWith("config file line "));
            ++errors;
        } else {
            const auto parsed = parse_profile_files(config, credentials);
            const auto& wanted = output.at("config").as_object();
            CHECK(as_other_parsers(parsed.profiles) == from_json(wanted, "profiles"));
            CHECK(as_other_parsers(parsed.sso_sessions) == from_json(wanted, "sso_sessions"));
        }
        tally.pass();
    }
    tally.print("profile_parser_tests.json");
    CHECK(tally.passed() == 65);
    CHECK(errors == 10);
}

TEST_CASE("nested properties stand as text and as outer.inner") {
    const auto files = parse_profile_files("[services local]\n"
                                           "dynamodb =\n"
                                           "  Endpoint_URL = http://localhost:8000\n"
                                           "\n"
                                           "  other = a=b # kept\n"
                                           "s3 = plain\n",
                                           "");
    const profile_section wanted{
        {"dynamodb", "\nEndpoint_URL = http://localhost:8000\nother = a=b # kept"},
        {"dynamodb.endpoint_url", "http://localhost:8000"},
        {"dynamodb.other", "a=b # kept"},
        {"s3", "plain"}};
    CHECK(files.services.at("local") == wanted);
}

TEST_CASE("a nested property does not displace one that is spelt out") {
    const auto files =
        parse_profile_files("[default]\ns3.a = spelt\ns3 =\n a = nested\n b = nested\n", "");
    CHECK(files.profiles.at("default").at("s3.a") == "spelt");
    CHECK(files.profiles.at("default").at("s3.b") == "nested");
}

TEST_CASE("the credentials file replaces nested properties as a whole") {
    const auto files = parse_profile_files("[default]\ns3 =\n a = config\n b = config\n",
                                           "[default]\ns3 =\n a = credentials\n");
    CHECK(files.profiles.at("default").at("s3.a") == "credentials");
    CHECK_FALSE(files.profiles.at("default").contains("s3.b"));
}

TEST_CASE("a section in another spelling is the same section, and its last value stands") {
    const auto files = parse_profile_files("[profile a]\nx = 1\ny = 1\n"
                                           "[profile \"a\"]\nx = 2\n"
                                           "[profile\t'b']\nx = 1\n"
                                           "[profile b]\nx = 2\n"
                                           "[services s]\nx = 1\n"
                                           "[services 's']\nx = 2\n",
                                           "");
    CHECK(files.profiles.at("a") == profile_section{{"x", "2"}, {"y", "1"}});
    CHECK(files.profiles.at("b") == profile_section{{"x", "2"}});
    CHECK(files.services.at("s") == profile_section{{"x", "2"}});
}

TEST_CASE("sections of other kinds in the credentials file are no profiles") {
    const auto files = parse_profile_files("", "[sso-session x]\na = 1\n[services y]\nb = 2\n");
    CHECK(files.profiles.empty());
    CHECK(files.sso_sessions.empty());
    CHECK(files.services.empty());
}

TEST_CASE("a byte order mark and line ends of any kind are accepted") {
    const auto files = parse_profile_files("\xef\xbb\xbf[default]\r\na = 1\r\n\r\nb = 2", "");
    CHECK(files.profiles.at("default") == profile_section{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("a malformed line is named by file and number, and not quoted") {
    struct row {
        const char* config;
        const char* credentials;
        const char* message;
    };
    const row rows[] = {
        {"[default]\n\nsecret", "",
         "config file line 3: '=' is missing after the name of a property"},
        {"", "[default]\n= secret", "credentials file line 2: a property has no name"},
        {"", "secret = 1", "credentials file line 1: a property stands before the first section"},
        {"[default", "", "config file line 1: a section must end with ']'"},
        {"[", "", "config file line 1: a section must end with ']'"},
        {"[default]\n secret", "",
         "config file line 2: a continued line has no property to continue"},
        {" secret", "", "config file line 1: a continued line stands before the first section"},
        {"[default]\ns3=\n ok=\n secret", "",
         "config file line 4: '=' is missing after the name of a nested property"},
    };
    for (const row& each : rows) {
        CHECK(message_of(errc::invalid_argument, [&] {
                  (void)parse_profile_files(each.config, each.credentials);
              }) == each.message);
    }
}

TEST_CASE("find gives the section or null") {
    const auto files = parse_profile_files("[profile a]\nregion = x\n", "");
    REQUIRE(files.find("a"));
    CHECK(files.find("a")->at("region") == "x");
    CHECK(files.find("b") == nullptr);
}

TEST_CASE("the files are where the variables say, else in the home folder") {
    struct row {
        testing_support::variables known;
        const char* config;
        const char* credentials;
    };
    const row rows[] = {
        {{{"HOME", "/h"}}, "/h/.aws/config", "/h/.aws/credentials"},
        {{{"HOME", "/h"}, {"USERPROFILE", "/no"}}, "/h/.aws/config", "/h/.aws/credentials"},
        {{{"USERPROFILE", "/u"}}, "/u/.aws/config", "/u/.aws/credentials"},
        {{{"HOMEDRIVE", "C:"}, {"HOMEPATH", "/me"}}, "C:/me/.aws/config", "C:/me/.aws/credentials"},
        {{{"HOME", "/h"}, {"AWS_CONFIG_FILE", "/c"}}, "/c", "/h/.aws/credentials"},
        {{{"HOME", "/h"}, {"AWS_SHARED_CREDENTIALS_FILE", "~/x"}}, "/h/.aws/config", "/h/x"},
        {{{"HOME", "/h"}, {"AWS_CONFIG_FILE", "~other/c"}}, "~other/c", "/h/.aws/credentials"},
        {{{"HOME", "/h"}, {"AWS_CONFIG_FILE", " "}}, "/h/.aws/config", "/h/.aws/credentials"},
        {{}, "", ""},
    };
    for (const row& each : rows) {
        const auto env = fake_environment(each.known);
        CHECK(detail::config_file_path(env) == each.config);
        CHECK(detail::credentials_file_path(env) == each.credentials);
    }
}

TEST_CASE("the public file location cases for this platform pass") {
    const auto suite = testing_support::load_vectors("credentials_vectors.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    for (const auto& each : suite->at("file_location_cases").as_array()) {
        if (each.at("platform").as_string() != "linux") {
            tally.skip("Windows");
            continue;
        }
        testing_support::variables known;
        for (const auto& [name, value] : each.at("environment").as_object()) {
            known[std::string(name)] = std::string(value.as_string());
        }
        const auto env = fake_environment(known);
        INFO(each.at("name").as_string());
        CHECK(detail::config_file_path(env) == each.at("configLocation").as_string());
        CHECK(detail::credentials_file_path(env) == each.at("credentialsLocation").as_string());
        if (const auto* profile = each.as_object().if_contains("profile")) {
            CHECK(profile_name(env, "") == profile->as_string());
        }
        tally.pass();
    }
    tally.print("credentials_vectors.json, file locations");
    CHECK(tally.passed() == 4);
}

TEST_CASE("the profile is the given one, else AWS_PROFILE, else default") {
    CHECK(profile_name(fake_environment({{"AWS_PROFILE", "env"}}), "given") == "given");
    CHECK(profile_name(fake_environment({{"AWS_PROFILE", "env"}}), "") == "env");
    CHECK(profile_name(fake_environment({{"AWS_PROFILE", " "}}), "") == "default");
    CHECK(profile_name(fake_environment(testing_support::variables()), "") == "default");
}

TEST_CASE("both files are read, and a missing one is empty") {
    const testing_support::scratch_folder home;
    const auto env = fake_environment({{"HOME", home.path()}});
    CHECK(load_profile_files(env).profiles.empty());
    home.write(".aws/config", "[default]\nregion = eu-west-1\n");
    CHECK(load_profile_files(env).profiles.at("default").at("region") == "eu-west-1");
    home.write(".aws/credentials", "[default]\naws_access_key_id = A\n");
    CHECK(load_profile_files(env).profiles.at("default").size() == 2);
    CHECK(load_profile_files(fake_environment(testing_support::variables())).profiles.empty());
}

TEST_CASE("a file that cannot be read or is no such file is an error with its path") {
    const testing_support::scratch_folder home;
    home.write("folder/x", "");
    home.write("large", std::string(1024 * 1024 + 1, '#'));
    const auto load = [&](const std::string& file) {
        const auto env = fake_environment({{"AWS_CONFIG_FILE", home.path() + file}});
        return message_of(errc::invalid_argument, [&] { (void)load_profile_files(env); });
    };
    CHECK_THAT(load("/folder"), Catch::StartsWith("cannot read \"" + home.path() + "/folder\": "));
    CHECK_THAT(load("/large"), Catch::Contains("larger than 1 MiB (named by AWS_CONFIG_FILE)"));
    // Nobody writes to it: opening it would wait.
    REQUIRE(::mkfifo((home.path() + "/pipe").c_str(), 0600) == 0);
    CHECK(load("/pipe") == "cannot read \"" + home.path() +
                               "/pipe\": it is not a regular file (named by AWS_CONFIG_FILE); make "
                               "it readable or unset the variable");
    CHECK(message_of(errc::no_credentials, [&] {
              (void)detail::read_secret_file(home.path() + "/pipe");
          }) == "cannot read \"" + home.path() + "/pipe\": it is not a regular file");
}

TEST_CASE("a default file that cannot be read counts as missing, with a warning") {
    const testing_support::scratch_folder home;
    const testing_support::log_lines log;
    auto env = fake_environment({{"HOME", home.path()}});
    env.log.level = log_level::warning;
    env.log.sink = log.sink();
    const auto folder = [&](const char* name) { home.write(std::string(name) + "/x", ""); };
    SECTION("config") {
        folder(".aws/config");
        home.write(".aws/credentials", "[default]\naws_access_key_id = A\n");
        CHECK(load_profile_files(env).profiles.at("default").at("aws_access_key_id") == "A");
        REQUIRE(log.all().size() == 1);
        CHECK(log.all()[0] ==
              "cannot read \"" + home.path() +
                  "/.aws/config\": it is not a regular file; continuing without this "
                  "file");
    }
    SECTION("credentials") {
        folder(".aws/credentials");
        home.write(".aws/config", "[default]\nregion = eu-west-1\n");
        CHECK(load_profile_files(env).profiles.at("default").at("region") == "eu-west-1");
        CHECK(log.all().size() == 1);
    }
    SECTION("both are there, but their folder is another user's") {
        home.write(".aws/config", "[default]\nregion = eu-west-1\n");
        const auto path = std::filesystem::path(home.path()) / ".aws";
        std::filesystem::permissions(path, std::filesystem::perms::none);
        const bool is_root = std::ifstream(path / "config").good();
        CHECK(load_profile_files(env).profiles.empty() != is_root);
        CHECK(log.all().size() == (is_root ? 0U : 2U));
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
}

TEST_CASE("a name in quotes may hold anything, as in the AWS CLI") {
    const auto files = parse_profile_files("[profile \"my profile\"] # comment\na = 1\n"
                                           "[profile 'x # y;z]'] ; comment\na = 2\n"
                                           "[profile \"say \\\"hi\\\" \\\\ \\n\"]\na = 3\n"
                                           "[profile a' b 'c]\na = 4\n"
                                           "[profile 'default']\na = 5\n"
                                           "[sso-session 'FOO BAR']\nb = 6\n"
                                           "[services \"S 1\"]\nc = 7\n"
                                           "[profile two words]\na = 8\n"
                                           "[profile 'open]\na = 9\n"
                                           "[profile \"one\" \"two\"]\na = 10\n"
                                           "[profile '']\na = 11\n",
                                           "[my profile]\nd = 12\n[not there]\nd = 13\n");
    std::map<std::string, std::string> found;
    for (const auto& [name, section] : files.profiles)
        found[name] = section.at("a");
    CHECK(found == std::map<std::string, std::string>{{"my profile", "1"},
                                                      {"x # y;z]", "2"},
                                                      {"say \"hi\" \\ \\n", "3"},
                                                      {"a b c", "4"},
                                                      {"default", "5"}});
    CHECK(files.profiles.at("my profile").at("d") == "12");
    CHECK(files.sso_sessions.at("FOO BAR").at("b") == "6");
    CHECK(files.services.at("S 1").at("c") == "7");
}

namespace {

std::string random_text(std::mt19937& random, std::string_view alphabet, std::size_t most) {
    std::string text;
    for (auto length = random() % (most + 1); length != 0; --length)
        text += alphabet[random() % alphabet.size()];
    return text;
}

std::string in_quotes(const std::string& name) {
    std::string text = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text + "\"";
}

} // namespace

TEST_CASE("random text is a profile file or refused by its line, and never anything else") {
    std::mt19937 random(7);
    constexpr std::string_view alphabet = "[]\"'\\#;=\n\n \t\rabprofile-ss.0\x7f\xc3";
    int parsed = 0;
    for (int round = 0; round != 20'000; ++round) {
        std::string config = "[profile a]\n" + random_text(random, alphabet, 20);
        const std::string credentials = random_text(random, alphabet, 10);
        try {
            const auto files = parse_profile_files(config, credentials);
            for (const auto& [name, section] : files.profiles)
                CHECK(name.find_first_of("\n\r\x7f") == std::string::npos);
            // Reading once more gives the same, and so does a comment behind it.
            CHECK(parse_profile_files(config + "\n# end", credentials).profiles == files.profiles);
            ++parsed;
        } catch (const error& refused) {
            CHECK(refused.code() == errc::invalid_argument);
            CHECK(refused.info().message.find(" file line ") != std::string::npos);
        }
    }
    CHECK(parsed > 500);
}

TEST_CASE("random profiles that are written down are read as they were") {
    std::mt19937 random(11);
    constexpr std::string_view name_alphabet = "ab Z9_-/.%@:+#;'\"\\[]=!";
    constexpr std::string_view value_alphabet = "ab=#;[]'\"\\%9";
    for (int round = 0; round != 2'000; ++round) {
        sections expected;
        std::string config;
        for (auto count = random() % 5; count != 0; --count) {
            const std::string name = "n" + random_text(random, name_alphabet, 12);
            config +=
                "[profile " + in_quotes(name) + "]" + (random() % 2 ? " # comment" : "") + "\n";
            auto& section = expected[name];
            for (auto keys = random() % 4; keys != 0; --keys) {
                const std::string key = "k" + random_text(random, "ab_-9", 5);
                const std::string value = "v" + random_text(random, value_alphabet, 12);
                config += key + (random() % 2 ? " = " : "=") + value + "\n";
                section[key] = value;
            }
            if (random() % 3 == 0) config += "\n; comment\n";
        }
        INFO(config);
        CHECK(parse_profile_files(config, "").profiles == expected);
    }
}

TEST_CASE("a malformed line of a file is told with the file's path") {
    const testing_support::scratch_folder home;
    const auto env = fake_environment({{"HOME", home.path()}});
    const auto load = [&] {
        return message_of(errc::invalid_argument, [&] { (void)load_profile_files(env); });
    };
    home.write(".aws/credentials", "\n[default\n");
    CHECK(load() == "credentials file \"" + home.path() +
                        "/.aws/credentials\" line 2: a section must end with ']'");
    home.write(".aws/config", "[default\n");
    CHECK(load() ==
          "config file \"" + home.path() + "/.aws/config\" line 1: a section must end with ']'");
}

TEST_CASE("the null device is an empty file, and a file is read to its last byte") {
    const testing_support::scratch_folder home;
    const auto read = [](const std::string& path) {
        return detail::read_small_file(path, 10'000).text.text();
    };
    CHECK(
        load_profile_files(fake_environment({{"AWS_CONFIG_FILE", "/dev/null"}})).profiles.empty());
    CHECK_FALSE(detail::read_small_file("/dev/zero", 10).why_not.empty());
    CHECK(detail::read_small_file(home.path() + "/none", 10).missing);
    for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 9'999U, 10'000U}) {
        home.write("file", std::string(size, 'x'));
        CHECK(read(home.path() + "/file") == std::string(size, 'x'));
    }
    home.write("file", std::string(10'001, 'x'));
    CHECK(read(home.path() + "/file").empty());
    // Of a size that nobody knows before.
    CHECK_FALSE(read("/proc/self/status").empty());
}
