// SPDX-License-Identifier: BSL-1.0
// Nothing that ends a line, and no NUL, gets into a request: whatever field it comes in is named by
// an error, and nothing is sent.
#include "support/catch.hpp"
#include "support/secrets.hpp"
#include "unit/client/fake_client.hpp"

#include <codynamo/aws/sigv4.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo {

using test::answer;
using test::fake_world;
using test::script;
using test_support::run;

namespace {

using namespace std::string_literals;

const std::vector<std::string> evils = {
    "a\r\nX-Evil: yes",        "a\nX-Evil: yes", "a\rX-Evil: yes",
    "a\r\n\r\nGET / HTTP/1.1", "\r\n",           "a\0b"s,
    "a\r\n X-Evil: no",        "a\x7f",
};

/// Whoever is asked for credentials; they are looked at only when something is signed.
class careless_provider final : public aws::credentials_provider {
public:
    explicit careless_provider(aws::credentials who)
        : who_(std::make_shared<const aws::credentials>(std::move(who))) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "careless"; }
    [[nodiscard]] aws::credentials_ptr current() const override { return who_; }
    [[nodiscard]] boost::asio::awaitable<aws::credentials_ptr> resolve() override {
        co_return who_;
    }

private:
    aws::credentials_ptr who_;
};

/// The words with which a client of that configuration refuses to get an item.
std::string refusal(const std::function<void(fake_world&, dynamodb::client_config&,
                                             dynamodb::get_item_input&)>& spoil) {
    fake_world world(script({answer("{}")}));
    auto config = world.client_config();
    dynamodb::get_item_input in;
    in.table_name = "cache";
    in.key.emplace("k", "hello");
    spoil(world, config, in);
    try {
        dynamodb::client db(config);
        (void)run(db.get_item(in));
    } catch (const error& why) {
        CHECK(world.transport->requests().empty());
        const std::string words = why.what();
        CHECK(words.find_first_of("\r\n\x7f"s + '\0') == std::string::npos);
        return words;
    }
    FAIL_CHECK("it was sent");
    return {};
}

aws::credentials good() {
    return {"AKIDEXAMPLE", std::string(testing_support::secrets::key),
            std::string(testing_support::secrets::token)};
}

} // namespace

TEST_CASE("a line end in any field of a request is refused by the field's name") {
    using dynamodb::client_config;
    using dynamodb::get_item_input;
    struct row {
        const char* field;
        std::function<void(const std::string&, client_config&, get_item_input&)> spoil;
    };
    const row rows[] = {
        {"table_name",
         [](const std::string& evil, client_config&, get_item_input& in) { in.table_name = evil; }},
        {"region", [](const std::string& evil, client_config& config,
                      get_item_input&) { config.region = evil; }},
        {"endpoint", [](const std::string& evil, client_config& config,
                        get_item_input&) { config.endpoint = "http://" + evil; }},
        {"access key id",
         [](const std::string& evil, client_config& config, get_item_input&) {
             auto who = good();
             who.access_key_id = evil;
             config.credentials = std::make_shared<careless_provider>(who);
         }},
        {"session token",
         [](const std::string& evil, client_config& config, get_item_input&) {
             auto who = good();
             who.session_token = evil;
             config.credentials = std::make_shared<careless_provider>(who);
         }},
        {"secret access key",
         [](const std::string& evil, client_config& config, get_item_input&) {
             auto who = good();
             who.secret_access_key = evil;
             config.credentials = std::make_shared<careless_provider>(who);
         }},
    };
    for (const row& each : rows) {
        for (const auto& evil : evils) {
            INFO(each.field);
            const auto words = refusal([&](fake_world&, client_config& config, get_item_input& in) {
                each.spoil(evil, config, in);
            });
            CHECK_THAT(words, Catch::Contains(each.field));
        }
    }
}

TEST_CASE("a line end in what the environment says is refused by the name of what it is") {
    struct row {
        const char* variable;
        const char* field;
    };
    const row rows[] = {
        {"AWS_REGION", "region"},
        {"AWS_ENDPOINT_URL_DYNAMODB", "endpoint"},
        {"AWS_RETRY_MODE", "AWS_RETRY_MODE"},
        {"AWS_USE_FIPS_ENDPOINT", "AWS_USE_FIPS_ENDPOINT"},
    };
    for (const row& each : rows) {
        for (const auto& evil : evils) {
            // Blanks around a value do not belong to it.
            if (evil == "\r\n") continue;
            INFO(each.variable);
            const auto words = refusal([&](fake_world&, dynamodb::client_config& config, auto&) {
                config.region.clear();
                config.endpoint.clear();
                config.env.variable = [&](const char* name) -> std::optional<std::string> {
                    if (std::string_view(name) == each.variable) return evil;
                    if (std::string_view(name) == "AWS_DEFAULT_REGION") return "us-east-1";
                    return std::nullopt;
                };
            });
            CHECK_THAT(words, Catch::Contains(each.field));
        }
    }
}

TEST_CASE("credentials that would break a header are refused where they are given") {
    for (const auto& evil : evils) {
        for (auto field : {&aws::credentials::access_key_id, &aws::credentials::secret_access_key,
                           &aws::credentials::session_token}) {
            auto who = good();
            who.*field = evil;
            CHECK_THROWS_WITH(aws::static_credentials(who), Catch::StartsWith("credentials: "));
        }
    }
}

TEST_CASE("the general signer refuses line ends in method, target, region, service and headers") {
    struct row {
        const char* field;
        std::function<void(const std::string&, aws::signable_request&, aws::signing_scope&)> spoil;
    };
    const row rows[] = {
        {"method", [](const std::string& evil, aws::signable_request& request,
                      aws::signing_scope&) { request.method = evil; }},
        {"target", [](const std::string& evil, aws::signable_request& request,
                      aws::signing_scope&) { request.target = "/" + evil; }},
        {"region", [](const std::string& evil, aws::signable_request&,
                      aws::signing_scope& scope) { scope.region = evil; }},
        {"service", [](const std::string& evil, aws::signable_request&,
                       aws::signing_scope& scope) { scope.service = evil; }},
        {"header", [](const std::string& evil, aws::signable_request& request,
                      aws::signing_scope&) { request.headers.emplace_back(evil, "value"); }},
    };
    for (const row& each : rows) {
        for (const auto& evil : evils) {
            aws::signable_request request{"GET", "/", {{"Host", "example.com"}}, ""};
            aws::signing_scope scope{"us-east-1", "dynamodb"};
            each.spoil(evil, request, scope);
            INFO(each.field);
            CHECK_THROWS_WITH(aws::sign(request, good(), scope, std::chrono::sys_seconds()),
                              Catch::Contains(each.field));
        }
    }
}

TEST_CASE("a server or proxy with a line end in its name is refused by name") {
    for (const auto& evil : evils) {
        CHECK_THROWS_WITH(net::make_transport({false, evil, 80}, {}, {}, {}),
                          Catch::StartsWith("origin.host"));
        net::network_config network;
        network.proxy.url = "http://" + evil + ":8080";
        CHECK_THROWS_WITH(net::make_transport({false, "example.com", 80}, {}, {}, {}, network),
                          Catch::Contains("proxy"));
    }
}

TEST_CASE("an item's key may hold anything: it is data, and never leaves the JSON text") {
    for (const auto& evil : evils) {
        fake_world world(script({answer("{}")}));
        dynamodb::client db(world.client_config());
        dynamodb::get_item_input in;
        in.table_name = "cache";
        in.key.emplace("k", evil);
        (void)run(db.get_item(in));
        const auto requests = world.transport->requests();
        REQUIRE(requests.size() == 1);
        CHECK(requests[0].head.find("X-Evil") == std::string::npos);
        CHECK(requests[0].body.find_first_of("\r\n"s + '\0') == std::string::npos);
    }
}

} // namespace codynamo
