// SPDX-License-Identifier: BSL-1.0
// What a failure quotes of a server's answer: never a secret, and masking decides nothing.
#include "fake_client.hpp"
#include "support/catch.hpp"
#include "support/secrets.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

#include <string>
#include <vector>

namespace codynamo::dynamodb {

using namespace test;
namespace secrets = testing_support::secrets;

namespace {

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        out += '%';
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

std::string in_html(std::string_view text) {
    std::string out;
    for (const char c : text)
        out += "&#" + std::to_string(static_cast<int>(c)) + ";";
    return out;
}

/// All text of a failure.
std::string all_words(const failure& why) {
    std::string text = error(why).what();
    text += why.info->message + why.info->service_code + why.info->request_id;
    if (why.info->details) {
        for (const auto& reason : why.info->details->cancellation_reasons)
            text += reason.code + reason.message;
        for (const auto& reason : why.info->details->throttling_reasons)
            text += reason.reason + reason.resource;
    }
    return text;
}

failure failure_with(fake_response response, const aws::credentials& who) {
    fake_world world(script({std::move(response)}));
    world.credentials = aws::static_credentials(who);
    client_config config = world.client_config();
    config.retry.max_attempts = 1;
    client db(config);
    failure why = outcome_of(db);
    for (const std::string& line : world.log.all())
        why.info = std::make_shared<const diagnostics>([&] {
            diagnostics words = *why.info;
            words.message += line;
            return words;
        }());
    return why;
}

} // namespace

TEST_CASE("no part of a failure repeats a secret, however the server escaped it") {
    const aws::credentials who{"AKIDEXAMPLE", std::string(secrets::key),
                               std::string(secrets::token)};
    for (const std::string_view secret : {secrets::key, secrets::token}) {
        const std::string half(secret.substr(4, 20));
        for (const std::string& shown :
             {std::string(secret), half, percent_encoded(half), in_html(half)}) {
            INFO(shown);
            const std::string json_text = R"(","message":"m )" + shown + R"( m"})";
            fake_response by_id = service_error("ValidationException");
            by_id.headers = {{"x-amzn-RequestId", shown}};
            fake_response by_code_header = service_error("ValidationException");
            by_code_header.headers.emplace_back("x-amzn-errortype", shown);
            const std::vector<fake_response> answers{
                by_id,
                by_code_header,
                service_error(shown),
                answer(R"({"__type":"x#ValidationException)" + json_text, 400),
                answer("<html>" + shown + "</html>", 502),
                answer(R"({"__type":"x#TransactionCanceledException","CancellationReasons":[)"
                       R"({"Code":"Other","Message":")" +
                           shown + R"("}]})",
                       400),
                answer(R"({"__type":"x#ThrottlingException","ThrottlingReasons":[)"
                       R"({"reason":")" +
                           shown + R"(","resource":")" + shown + R"("}]})",
                       400),
            };
            for (const auto& each : answers) {
                const std::string words = all_words(failure_with(each, who));
                INFO(words);
                CHECK(words.find(shown) == std::string::npos);
                for (std::size_t at = 0; at + 8 <= secret.size(); ++at)
                    REQUIRE(words.find(secret.substr(at, 8)) == std::string::npos);
            }
        }
    }
}

TEST_CASE("a request id is letters, digits, '-' and '_', and not longer than 128 of them") {
    struct row {
        std::string sent;
        bool shown;
    };
    for (const row& one : {row{"4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG", true},
                           row{"7a62c49f-347e-4fc4-9331-6e8eEXAMPLE_x", true},
                           row{std::string(128, 'a'), true}, row{std::string(129, 'a'), false},
                           row{"id with blanks", false}, row{"id/+=", false}, row{"<b>", false}}) {
        INFO(one.sent);
        fake_response response = service_error("ValidationException");
        response.headers = {{"x-amzn-RequestId", one.sent}};
        const auto why = failure_with(response, {"AKIDEXAMPLE", std::string(secrets::key)});
        CHECK(why.info->request_id == (one.shown ? one.sent : ""));
    }
}

TEST_CASE("what is masked decides nothing: an answer is classified as it was sent") {
    struct row {
        const char* name;
        std::string secret;
        std::string token;
    };
    for (const row& one :
         {row{"no token", std::string(secrets::key), ""},
          row{"a token that any code holds", std::string(secrets::key), "t"},
          row{"a secret that is the code", "ThrottlingException", ""},
          row{"a token that begins the code", std::string(secrets::key), "Throttling"},
          row{"both are of codes", "RequestLimitExceeded", "Exception"}}) {
        INFO(one.name);
        for (const char* code : {"ThrottlingException", "RequestLimitExceeded"}) {
            fake_world world(script({service_error(code), answer("{}")}));
            world.credentials = aws::static_credentials({"AKIDEXAMPLE", one.secret, one.token});
            client db(world.client_config());
            CHECK_FALSE(outcome_of(db).code);
            CHECK(world.transport->requests().size() == 2);
        }
    }
}

TEST_CASE("ordinary words are quoted as they are") {
    const auto why = failure_with(service_error("ValidationException"),
                                  {"AKIDEXAMPLE", std::string(secrets::key), "t"});
    CHECK(why.info->service_code == "ValidationException");
    CHECK_THAT(why.info->message, Catch::StartsWith("words of the service"));
    CHECK(why.info->request_id == "request-1");
}

} // namespace codynamo::dynamodb
