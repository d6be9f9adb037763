// SPDX-License-Identifier: BSL-1.0
// Credentials of ECS tasks and EKS pods: who is asked, with which token, and what goes wrong.
#include "aws/container.hpp"
#include "support/run.hpp"
#include "support/scripted_services.hpp"
#include "support/secrets.hpp"
#include "support/vectors.hpp"

#include <tuple>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support;
using namespace std::chrono_literals;

namespace {

constexpr const char* relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* full = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* token = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr const char* token_file = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

constexpr const char* good =
    R"({"AccessKeyId":"ASIAX","SecretAccessKey":"s3cret-s3cret","Token":"t0ken","AccountId":"012345678901","Expiration":"2023-11-15T00:00:00Z"})";

std::string url_of(const variables& known) {
    const auto found = aws::detail::resolve_container_uri(fake_environment(known));
    return (found.server.tls ? "https://" : "http://") + found.server.authority() + found.target;
}

credentials fetch(const scripted_services& services) {
    const auto source = aws::detail::container_source(services.options());
    return test_support::run([&] { return source->fetch(); });
}

std::string refusal(const scripted_services& services) {
    return message_of(errc::no_credentials, [&] { (void)fetch(services); });
}

} // namespace

TEST_CASE("A container's URI is that of the public vectors") {
    const auto vectors = load_vectors("credentials_vectors.json");
    if (!vectors) return;
    testing_support::vector_tally tally;
    for (const auto& one : vectors->at("ecs_uri_cases").as_array()) {
        INFO(one.at("docs").as_string().c_str());
        variables known;
        for (const auto& [name, value] : one.at("env").as_object())
            known[name] = value.as_string().c_str();
        const auto& result = one.at("result").as_object();
        if (const auto* url = result.if_contains("Ok"))
            CHECK(url_of(known) == std::string(url->as_string()));
        else
            CHECK_THROWS_AS(url_of(known), error);
        tally.pass();
    }
    CHECK(tally.passed() == 11);
    tally.print("credentials_vectors.json, ecs_uri_cases");
}

TEST_CASE("Plain HTTP is spoken with loopback and the documented hosts only") {
    for (const char* url :
         {"http://127.0.0.1/c", "http://127.255.0.9:81/c", "http://[::1]/c", "http://localhost/c",
          "http://LOCALHOST:1/c", "http://169.254.170.2/c", "http://169.254.170.23/c",
          "http://[fd00:ec2::23]/c", "http://[fd00:0ec2:0::0023]:1338/c", "https://10.0.0.1/c",
          "https://example.com:8443/c?a=b"}) {
        INFO(url);
        CHECK_NOTHROW(url_of({{full, url}}));
    }
    for (const char* url : {"http://10.0.0.1/c",
                            "http://example.com/c",
                            "http://169.254.169.254/c",
                            "http://169.254.170.3/c",
                            "http://[fd00:ec2::254]/c",
                            "http://[::ffff:127.0.0.1]/c",
                            "http://127.0.0.1.example.com/c",
                            "http://localhost.example.com/c",
                            "http://127.1/c",
                            "http://2130706433/c",
                            "http://0x7f.0.0.1/c",
                            "http://0.0.0.0/c",
                            "http://[::]/c",
                            "ftp://127.0.0.1/c",
                            "127.0.0.1/c",
                            "/c",
                            "http://",
                            "http:///c",
                            "http://user@127.0.0.1/c",
                            "http://127.0.0.1:0/c",
                            "http://127.0.0.1:99999/c",
                            "http://127.0.0.1/c#f",
                            "http://127.0.0.1/c d",
                            "http://127.0.0.1/c\r\nX: y",
                            "http://127.0.0.1/\xc3\xa9",
                            "http://127.0.0.1\\@example.com/c"}) {
        INFO(url);
        message_of(errc::invalid_argument, [&] { (void)url_of({{full, url}}); });
    }
}

TEST_CASE("A container's URI always has a path, and a relative one stays on its host") {
    CHECK(url_of({{full, "http://localhost"}}) == "http://localhost/");
    CHECK(url_of({{full, "http://localhost?a=b"}}) == "http://localhost/?a=b");
    CHECK(url_of({{full, "http://localhost//a"}}) == "http://localhost//a");
    CHECK(url_of({{relative, "  /a "}, {full, "http://example.com"}}) == "http://169.254.170.2/a");
    CHECK(url_of({{relative, " "}, {full, "https://h/"}}) == "https://h/");
    for (const char* uri : {"a", ".example.com/", "@example.com/", ":80/", "/a b", "/a\nb", "/#f"})
        message_of(errc::invalid_argument, [&] { (void)url_of({{relative, uri}}); });
}

TEST_CASE("A refused URI is quoted without its query") {
    const std::string words = message_of(errc::invalid_argument, [] {
        (void)url_of({{full, "http://example.com/c?key=s3cret"}});
    });
    CHECK_THAT(words, Catch::Contains(full) && Catch::Contains("http://example.com/c\"") &&
                          !Catch::Contains("s3cret"));
}

TEST_CASE("Without a URI the container provider is not configured") {
    scripted_services services;
    CHECK_THROWS_AS(fetch(services), not_configured);
    CHECK(services.connected() == 0);
}

TEST_CASE("A container's credentials are fetched") {
    scripted_services services({{relative, "/v2/c"}}, {answer(200, good)});
    const credentials found = fetch(services);
    CHECK(found.access_key_id == "ASIAX");
    CHECK(found.secret_access_key == "s3cret-s3cret");
    CHECK(found.session_token == "t0ken");
    CHECK(found.account_id == "012345678901");
    CHECK(found.expires == timestamp(std::chrono::seconds(1'700'006'400)));
    CHECK(services.lines() == std::vector<std::string>{"GET http://169.254.170.2/v2/c"});
    CHECK(services.requests()[0].header("accept") == "application/json");
    CHECK(services.requests()[0].header("authorization").empty());
}

TEST_CASE("A container's token is sent as it is, the file's before the variable's") {
    scratch_folder folder;
    folder.write("token", "from file");
    scripted_services services({{full, "http://169.254.170.23/v1/c"}, {token, "Basic abc"}},
                               {answer(200, good), answer(200, good), answer(200, good)});
    (void)fetch(services);
    services.set(token_file, folder.path() + "/token");
    (void)fetch(services);
    folder.write("token", "rotated");
    (void)fetch(services);
    CHECK(services.requests()[0].header("authorization") == "Basic abc");
    CHECK(services.requests()[1].header("authorization") == "from file");
    CHECK(services.requests()[2].header("authorization") == "rotated");
}

TEST_CASE("A container's token that would break a header is refused before anything is sent") {
    struct row {
        std::string text;
        const char* says;
    };
    scratch_folder folder;
    for (const auto& [text, says] : std::vector<row>{
             {"s3cret\n", "line break"},
             {"s3cret\r\nX: y", "line break"},
             {"s3cret\rX", "line break"},
             {std::string("s3cret\0", 7), "no header may hold"},
             {"s3cret\xc3\xa9", "no header may hold"},
             {"s3cret\t", "no header may hold"},
         }) {
        INFO(says);
        folder.write("token", text);
        scripted_services by_file(
            {{full, "http://localhost/c"}, {token_file, folder.path() + "/token"}});
        scripted_services by_variable({{full, "http://localhost/c"}, {token, text}});
        for (const scripted_services* services : {&by_file, &by_variable}) {
            const std::string words = refusal(*services);
            CHECK_THAT(words, Catch::Contains(says) && !Catch::Contains("s3cret"));
            CHECK(services->requests().empty());
        }
    }
}

TEST_CASE("A container's token file that is not there, empty or huge is a failure") {
    scratch_folder folder;
    folder.write("empty", "");
    folder.write("huge", std::string(64 * 1024 + 1, 'x'));
    struct row {
        const char* name;
        const char* says;
    };
    for (const auto& [name, says] : std::vector<row>{{"missing", "No such file"},
                                                     {"empty", "is empty"},
                                                     {"huge", "64 KiB"},
                                                     {".", "rea"}}) {
        scripted_services services({{full, "http://localhost/c"},
                                    {token, "unused"},
                                    {token_file, folder.path() + "/" + name}});
        CHECK_THAT(refusal(services), Catch::Contains(says) && Catch::Contains(folder.path()));
        CHECK(services.requests().empty());
    }
}

TEST_CASE("A container's failures are tried again where that may help, and then told") {
    struct row {
        std::vector<testing::fake_response> answers;
        std::string says; // empty: it succeeds
    };
    const auto refused = broken(errc::connect_failed);
    for (const auto& [answers, says] : std::vector<row>{
             {{answer(500), answer(200, good)}, ""},
             {{answer(200, "{"), answer(200, good)}, ""},
             {{answer(200, "{}"), answer(429), answer(200, good)}, ""},
             {{broken(errc::timeout, true), answer(200, good)}, ""},
             {{refused, refused, answer(200, good)}, ""},
             {{answer(500), answer(500), answer(503)}, "answered 503 (3 attempts)"},
             {{answer(200, "s3cret"), answer(200, "s3cret"), answer(200, "s3cret")},
              "169.254.170.2: the answer is not JSON"},
             {{refused, refused, refused}, "(3 attempts)"},
             {{answer(400)}, "169.254.170.2: answered 400"},
             {{answer(403, R"({"code":"AccessDenied","message":"no such task"})")},
              "answered 403; the answer says AccessDenied: no such task"},
             {{answer(404, good)}, "answered 404"},
             {{answer(302, "", {{"Location", "http://example.com"}})}, "answered 302"},
         }) {
        INFO(says);
        scripted_services services({{relative, "/c"}}, answers);
        if (says.empty())
            CHECK(fetch(services).access_key_id == "ASIAX");
        else
            CHECK_THAT(refusal(services), Catch::Contains(says) && !Catch::Contains("s3cret"));
        CHECK(services.exhausted());
    }
}

TEST_CASE("Container credentials are kept until they are about to expire") {
    std::string later = good;
    later.replace(later.find("2023-11-15T00"), 13, "2023-11-15T06");
    scripted_services services({{relative, "/c"}}, {answer(200, good), answer(200, later)});
    const auto provider = container_credentials(services.options());
    const auto ask = [&] { return test_support::run([&] { return provider->resolve(); }); };
    CHECK(ask()->access_key_id == "ASIAX");
    CHECK(ask()->access_key_id == "ASIAX");
    CHECK(services.requests().size() == 1);
    services.time->advance(2h);
    CHECK(ask()->access_key_id == "ASIAX");
    CHECK(services.requests().size() == 2);
    CHECK(provider->name() == "container");
}

TEST_CASE("A container's agent that echoes the token or the query is not quoted") {
    namespace secrets = testing_support::secrets;
    const std::string word(secrets::container);
    struct row {
        const char* what;
        unsigned status;
        std::string echo;
    };
    for (const auto& [what, status, echo] :
         std::vector<row>{{"the token, refused", 401, word},
                          {"a part of it", 401, word.substr(5, 14)},
                          {"the token in a success that is none", 200, word},
                          {"the query", 403, "key=" + word}}) {
        INFO(what);
        const auto says =
            answer(status, R"({"code":"AccessDenied","message":"bad token )" + echo + "\"}");
        scripted_services services(
            {{full, "http://localhost/c?key=" + word}, {token, "Basic " + word}},
            {says, says, says});
        const std::string words = refusal(services);
        CHECK_THAT(words, Catch::Contains("AccessDenied") && !Catch::Contains("bad token"));
        CHECK_THAT(words, !Catch::Contains(word.substr(5, 14)));
    }
}

TEST_CASE("A container over https is trusted by the configured authorities") {
    scratch_folder folder;
    folder.write("config", "[default]\nca_bundle = /no/such/bundle-of-profile\n");
    for (const auto& [name, value, says] :
         std::vector<std::tuple<std::string, std::string, const char*>>{
             {"AWS_CA_BUNDLE", "/no/such/bundle", "AWS_CA_BUNDLE = \"/no/such/bundle\": "},
             {"AWS_CONFIG_FILE", folder.path() + "/config",
              "ca_bundle of the profile = \"/no/such/bundle-of-profile\": "}}) {
        scripted_services services({{full, "https://127.0.0.1:1/c"}, {name, value}});
        source_options options = services.options();
        options.connect = nullptr; // never gets as far as to connect
        const auto source = aws::detail::container_source(options);
        CHECK_THAT(message_of(errc::no_credentials,
                              [&] { (void)test_support::run([&] { return source->fetch(); }); }),
                   Catch::Contains(says));
    }
}
