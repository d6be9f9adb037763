// SPDX-License-Identifier: BSL-1.0
// Credentials and region of an EC2 instance, by version 2 of its metadata service.
#include "aws/instance_metadata.hpp"
#include "support/run.hpp"
#include "support/scripted_services.hpp"
#include "support/secrets.hpp"
#include "support/vectors.hpp"

#include <thread>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support;
using namespace std::chrono_literals;

namespace {

const std::string base = "http://169.254.169.254/latest/";
const std::string put = "PUT " + base + "api/token";
const std::string list = "GET " + base + "meta-data/iam/security-credentials/";
const std::string region = "GET " + base + "meta-data/placement/region";

constexpr const char* good =
    R"({"Code":"Success","AccessKeyId":"ASIAX","SecretAccessKey":"s3cret-s3cret","Token":"t0ken-t0ken","Expiration":"2023-11-15T00:00:00Z"})";

testing::fake_response token(const std::string& text, const std::string& ttl = "21600") {
    return answer(200, text, {{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds", ttl}});
}

credentials fetch(aws::detail::credential_source& source) {
    return test_support::run([&] { return source.fetch(); });
}

credentials fetch(const scripted_services& services) {
    const auto source = aws::detail::instance_metadata_source(services.options());
    return fetch(*source);
}

std::string region_of(const scripted_services& services) {
    return test_support::run([&] { return aws::instance_metadata_region(services.options()); });
}

aws::detail::metadata_settings settings(const variables& known, const std::string& config = {},
                                        std::string_view endpoint = {},
                                        std::string_view mode = {}) {
    return aws::detail::resolve_metadata_settings(
        fake_environment(known), parse_profile_files(config, ""), {}, endpoint, mode);
}

std::string text_of(const boost::json::object& in, const char* name) {
    const auto* found = in.if_contains(name);
    return found ? std::string(found->as_string()) : std::string();
}

} // namespace

TEST_CASE("The endpoint of instance metadata is that of the public vectors") {
    const auto vectors = load_vectors("credentials_vectors.json");
    if (!vectors) return;
    testing_support::vector_tally tally;
    for (const auto& one : vectors->at("imds_endpoint_cases").as_array()) {
        const auto& row = one.as_object();
        INFO(text_of(row, "docs"));
        variables known;
        for (const auto& [name, value] : row.at("env").as_object())
            known[name] = value.as_string().c_str();
        const std::string config = text_of(row.at("fs").as_object(), "config");
        const auto resolve = [&] {
            const auto found = settings(known, config, text_of(row, "endpoint_override"),
                                        text_of(row, "mode_override"));
            return (found.server.tls ? "https://" : "http://") + found.server.authority() +
                   "/latest/api/token";
        };
        const auto& result = row.at("result").as_object();
        if (result.contains("Ok"))
            CHECK(resolve() == text_of(result, "Ok"));
        else
            message_of(errc::invalid_argument, [&] { (void)resolve(); });
        tally.pass();
    }
    CHECK(tally.passed() == 14);
    tally.print("credentials_vectors.json, imds_endpoint_cases");
}

TEST_CASE("Time-out, attempts and the switch of instance metadata are settings") {
    CHECK(settings({}).timeout == 1s);
    CHECK(settings({}).attempts == 4);
    CHECK_FALSE(settings({}).disabled);
    const auto profile = settings({{"AWS_METADATA_SERVICE_TIMEOUT", "5"}},
                                  "[default]\nmetadata_service_timeout = 7\n"
                                  "metadata_service_num_attempts = 2\n");
    CHECK(profile.timeout == 5s);
    CHECK(profile.attempts == 2);
    CHECK(settings({{"AWS_EC2_METADATA_DISABLED", "True"}}).disabled);
    CHECK_FALSE(settings({{"AWS_EC2_METADATA_DISABLED", "false"}}).disabled);
    CHECK_FALSE(settings({{"AWS_EC2_METADATA_DISABLED", " "}}).disabled);
    for (const auto& [name, value] : std::vector<std::pair<const char*, const char*>>{
             {"AWS_METADATA_SERVICE_TIMEOUT", "0"},
             {"AWS_METADATA_SERVICE_TIMEOUT", "61"},
             {"AWS_METADATA_SERVICE_TIMEOUT", "1s"},
             {"AWS_METADATA_SERVICE_TIMEOUT", "-1"},
             {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "11"},
             {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "99999999999999"},
             {"AWS_EC2_METADATA_DISABLED", "yes"},
             {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://h/path"},
             {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"},
         }) {
        const std::string words = message_of(errc::invalid_argument, [&, n = name, v = value] {
            (void)settings({{n, v}});
        });
        CHECK_THAT(words, Catch::Contains(name) && Catch::Contains(value));
    }
}

TEST_CASE("An instance's credentials are fetched under a token") {
    scripted_services services({}, {token("tok=="), answer(200, "my-role\n"), answer(200, good)});
    const credentials found = fetch(services);
    CHECK(found.access_key_id == "ASIAX");
    CHECK(found.session_token == "t0ken-t0ken");
    CHECK(found.account_id.empty());
    CHECK(services.lines() == std::vector<std::string>{put, list, list + "my-role"});
    CHECK(services.requests()[0].header("x-aws-ec2-metadata-token-ttl-seconds") == "21600");
    CHECK(services.requests()[1].header("x-aws-ec2-metadata-token") == "tok==");
    CHECK(services.requests()[2].header("x-aws-ec2-metadata-token") == "tok==");
    CHECK(services.connected() == 1);
}

TEST_CASE("An instance's token is kept, and renewed two minutes before it ends") {
    scripted_services services({}, {token("one", "300"), answer(200, "r"), answer(200, good)});
    const auto source = aws::detail::instance_metadata_source(services.options());
    (void)fetch(*source);
    services.time->advance(179s);
    services.will_answer(answer(200, "r"));
    services.will_answer(answer(200, good));
    (void)fetch(*source);
    CHECK(services.requests().back().header("x-aws-ec2-metadata-token") == "one");
    services.time->advance(1s);
    for (auto& next : {token("two"), answer(200, "r"), answer(200, good)})
        services.will_answer(next);
    (void)fetch(*source);
    CHECK(services.requests().back().header("x-aws-ec2-metadata-token") == "two");
    CHECK(services.exhausted());
    CHECK(services.lines().size() == 8);
}

TEST_CASE("A token whose life is not told serves once") {
    for (const char* ttl : {"", "x", "-5", "60"}) {
        scripted_services services(
            {}, {token("one", ttl), answer(200, "r"), token("two", ttl), answer(200, good)});
        CHECK(fetch(services).access_key_id == "ASIAX");
        CHECK(services.requests().back().header("x-aws-ec2-metadata-token") == "two");
        CHECK(services.exhausted());
    }
}

TEST_CASE("A token of one server is not shown to another") {
    scripted_services services({}, {token("one"), answer(200, "r"), answer(200, good)});
    const auto source = aws::detail::instance_metadata_source(services.options());
    (void)fetch(*source);
    services.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://other:1338");
    for (auto& next : {token("two"), answer(200, "r"), answer(200, good)})
        services.will_answer(next);
    (void)fetch(*source);
    CHECK(services.lines()[3] == "PUT http://other:1338/latest/api/token");
    CHECK(services.requests().back().header("x-aws-ec2-metadata-token") == "two");
}

TEST_CASE("What instance metadata answers decides whether it is tried again") {
    struct row {
        const char* what;
        std::vector<testing::fake_response> answers;
        std::string says; // empty: it succeeds
    };
    for (const auto& [what, answers, says] : std::vector<row>{
             {"5xx everywhere",
              {answer(503), token("t"), answer(500), answer(200, "r"), answer(502),
               answer(200, good)},
              ""},
             {"an expired token",
              {token("t"), answer(401), token("u"), answer(200, "r"), answer(200, good)},
              ""},
             {"a token that expires in between",
              {token("t"), answer(200, "r"), answer(401), token("u"), answer(200, good)},
              ""},
             {"a lost connection",
              {token("t"), broken(errc::connection_lost, true), answer(200, "r"),
               answer(200, good)},
              ""},
             {"no token is good enough", {token("t"), answer(401), token("u"), answer(401)}, "401"},
             {"no more attempts",
              {answer(500), answer(500), answer(500), answer(500)},
              "answered 500 (4 attempts) when asked for a token"},
             {"a forbidden token", {answer(403)}, "the instance forbids it"},
             {"a bad request", {answer(400)}, "answered 400 when asked for a token"},
             {"no version 2", {answer(404)}, "answered 404 when asked for a token"},
             {"an empty token", {token("")}, "gave a token that no header can hold"},
             {"a token with a line break", {token("t\r\nX: y")}, "that no header can hold"},
             {"the role forbidden", {token("t"), answer(403)}, "403 when asked for the role"},
             {"a time-out after the token",
              {token("t"), broken(errc::timeout, true)},
              "when asked for the role"},
             {"no role's name", {token("t"), answer(200, "<html>")}, "no role's name"},
             {"a role's name that walks", {token("t"), answer(200, "../x")}, "no role's name"},
             {"an empty name", {token("t"), answer(200, "\n")}, "no role's name"},
             {"a role that is gone",
              {token("t"), answer(200, "r"), answer(404)},
              "answered 404 when asked for the credentials of role r"},
             {"no JSON",
              {token("t"), answer(200, "r"), answer(200, "s3cret-s3cret")},
              "is not JSON"},
             {"a failure with status 200",
              {token("t"), answer(200, "r"),
               answer(200, R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"not trusted"})")},
              "says AssumeRoleUnauthorizedAccess: not trusted"},
         }) {
        INFO(what);
        scripted_services services({}, answers);
        if (says.empty()) {
            CHECK(fetch(services).access_key_id == "ASIAX");
        } else {
            const std::string words =
                message_of(errc::no_credentials, [&] { (void)fetch(services); });
            CHECK_THAT(words, Catch::Contains(says) && !Catch::Contains("s3cret"));
        }
        CHECK(services.exhausted());
    }
}

TEST_CASE("A host without instance metadata goes on at once") {
    for (const errc why : {errc::timeout, errc::connect_failed, errc::resolve_failed}) {
        scripted_services services({}, {broken(why)});
        CHECK_THROWS_AS(fetch(services), not_configured);
        CHECK(services.exhausted());
        CHECK(services.time->sleeps().empty());
    }
    scripted_services no_role({}, {token("t"), answer(404)});
    CHECK_THROWS_AS(fetch(no_role), not_configured);
    scripted_services off({{"AWS_EC2_METADATA_DISABLED", "true"}}, {});
    CHECK_THROWS_AS(fetch(off), not_configured);
    CHECK(off.connected() == 0);
    scripted_services wrong({{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"}}, {});
    CHECK_THAT(message_of(errc::no_credentials, [&] { (void)fetch(wrong); }),
               Catch::Contains("IPv4 or IPv6"));
}

TEST_CASE("What comes under the status of a failure is no credentials, whatever it holds") {
    for (const unsigned status : {400U, 404U}) {
        INFO(status);
        scripted_services services({}, {token("t"), answer(200, "role"), answer(status, good)});
        const std::string words = message_of(errc::no_credentials, [&] { (void)fetch(services); });
        CHECK_THAT(words, Catch::Contains(std::to_string(status)) &&
                              Catch::EndsWith("when asked for the credentials of role role"));
    }
}

TEST_CASE("The region of an instance is known, or empty, or an error") {
    scripted_services services({}, {token("t"), answer(200, "eu-west-1\n")});
    CHECK(region_of(services) == "eu-west-1");
    CHECK(services.lines() == std::vector<std::string>{put, region});
    scripted_services away({}, {broken(errc::timeout)});
    CHECK(region_of(away).empty());
    scripted_services none({}, {token("t"), answer(404)});
    CHECK(region_of(none).empty());
    scripted_services off({{"AWS_EC2_METADATA_DISABLED", "true"}}, {});
    CHECK(region_of(off).empty());
    for (const auto& bad : {answer(200, "not a region"), answer(200, ""), answer(403)}) {
        scripted_services odd({}, {token("t"), bad});
        message_of(errc::no_credentials, [&] { (void)region_of(odd); });
    }
}

TEST_CASE("Expired credentials of an instance serve on while the service fails") {
    scripted_services services({}, {token("t"), answer(200, "r"), answer(200, good)});
    const auto provider = instance_metadata_credentials(services.options());
    const auto ask = [&] { return test_support::run([&] { return provider->resolve(); }); };
    CHECK(ask()->access_key_id == "ASIAX");
    services.time->advance(3h);
    for (int n = 0; n != 4; ++n)
        services.will_answer(answer(500));
    CHECK(ask()->access_key_id == "ASIAX");
    CHECK(provider->name() == "instance metadata");
}

TEST_CASE("An instance's token that comes back in an answer is not quoted") {
    const std::string secret(testing_support::secrets::metadata);
    scripted_services services(
        {}, {token(secret), answer(200, "r"),
             answer(200, R"({"Code":"Failed","Message":"bad token )" + secret + "\"}")});
    const std::string words = message_of(errc::no_credentials, [&] { (void)fetch(services); });
    CHECK_THAT(words, Catch::Contains("says Failed") && !Catch::Contains("bad token"));
}

TEST_CASE("Who answers nonsense when asked for a token is there, and fails") {
    for (const errc why :
         {errc::connection_lost, errc::bad_response, errc::response_too_large, errc::tls_failed}) {
        INFO(make_error_code(why).message());
        scripted_services services({}, std::vector(4, broken(why, true)));
        try {
            (void)fetch(services);
            FAIL("nothing was thrown");
        } catch (const not_configured&) {
            FAIL("it counts as not configured");
        } catch (const error& failed) {
            CHECK_THAT(failed.info().message, Catch::Contains("when asked for a token"));
        }
        scripted_services again({}, std::vector(4, broken(why, true)));
        message_of(errc::no_credentials, [&] { (void)region_of(again); });
    }
}

TEST_CASE("A fetch that goes on beside another one shows no server the other one's token") {
    const std::string other = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    scripted_services services({}, {token("one")});
    const auto source = aws::detail::instance_metadata_source(services.options());
    bool nested = false;
    services.before_each_answer([&] {
        if (std::exchange(nested, true)) return;
        services.set(other, "http://other:1338");
        for (auto& next : {token("two"), answer(200, "r"), answer(200, good)})
            services.will_answer(next);
        (void)fetch(*source);
        for (auto& next : {answer(200, "r"), answer(200, good)})
            services.will_answer(next);
    });
    (void)fetch(*source);
    CHECK(services.lines().back() == list + "r");
    CHECK(services.requests().back().header("x-aws-ec2-metadata-token") == "one");
    for (auto& next : {token("three"), answer(200, "r"), answer(200, good)})
        services.will_answer(next);
    (void)fetch(*source);
    for (std::size_t at = 0; at != services.lines().size(); ++at) {
        if (services.lines()[at].find("http://other") != std::string::npos)
            CHECK(services.requests()[at].header("x-aws-ec2-metadata-token") != "one");
    }
}

// For the sanitizers, mostly.
TEST_CASE("Two threads may fetch from one instance's source") {
    source_options options;
    options.env = fake_environment(variables());
    options.connect = [](const net::origin&) {
        return std::make_shared<testing::fake_transport>([](const testing::fake_request& request) {
            if (request.head.starts_with("PUT")) // serves once
                return answer(200, "a-token-that-is-longer-than-a-short-string");
            return request.head.find("credentials/ ") != std::string::npos ? answer(200, "r")
                                                                           : answer(200, good);
        });
    };
    const auto source = aws::detail::instance_metadata_source(options);
    std::vector<std::string> found(2);
    {
        std::vector<std::jthread> threads;
        for (std::string& id : found) {
            threads.emplace_back([&id, source] {
                for (int n = 0; n != 200; ++n)
                    id = fetch(*source).access_key_id;
            });
        }
    }
    CHECK(found == std::vector<std::string>(2, "ASIAX"));
}
