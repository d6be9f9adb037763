// SPDX-License-Identifier: BSL-1.0
// The fast signer, against known answers and against the general signer.
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/sigv4.hpp>

#include <random>
#include <thread>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;
using testing_support::message_of;

namespace {

constexpr auto noon = std::chrono::sys_days(std::chrono::year(2015) / 8 / 30) + 12h + 36min;
constexpr auto target = "DynamoDB_20120810.GetItem";
constexpr auto hello = R"({"TableName":"cache","Key":{"k":{"S":"hello"}}})";

credentials_ptr example_credentials(std::string token = {}) {
    return std::make_shared<const credentials>(
        "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", std::move(token));
}

json_request_signer
example_signer(const std::string& authority = "dynamodb.us-east-1.amazonaws.com") {
    return {authority, {"us-east-1", "dynamodb"}};
}

std::string signature_in(const std::string& head) {
    const std::string mark = "Signature=";
    const auto at = head.find(mark);
    return at == std::string::npos ? "" : head.substr(at + mark.size(), 64);
}

std::string expected_signature(const std::string& authority, const std::string& amz_target,
                               const std::string& body, const credentials& who,
                               std::chrono::sys_seconds when) {
    const signable_request request{"POST",
                                   "/",
                                   {{"Host", authority},
                                    {"Content-Type", "application/x-amz-json-1.0"},
                                    {"X-Amz-Target", amz_target}},
                                   body};
    return sign(request, who, {"us-east-1", "dynamodb"}, when).signature;
}

} // namespace

TEST_CASE("the head is complete, in one fixed form") {
    auto signer = example_signer();
    std::string head;
    signer.write_head(head, target, hello, example_credentials(), noon);
    CHECK(head == "POST / HTTP/1.1\r\n"
                  "Host: dynamodb.us-east-1.amazonaws.com\r\n"
                  "Content-Type: application/x-amz-json-1.0\r\n"
                  "X-Amz-Target: DynamoDB_20120810.GetItem\r\n"
                  "X-Amz-Date: 20150830T123600Z\r\n"
                  "Authorization: AWS4-HMAC-SHA256 "
                  "Credential=AKIDEXAMPLE/20150830/us-east-1/dynamodb/aws4_request, "
                  "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
                  "Signature=9f080f5fece3660019396bbebb959d78b40d6086c0f4340b6abd8883363ac4bd\r\n"
                  "Content-Length: 47\r\n"
                  "Accept-Encoding: identity\r\n"
                  "User-Agent: codynamo/0.1.0\r\n"
                  "\r\n");
}

TEST_CASE("a session token is sent and signed") {
    auto signer = example_signer();
    std::string head;
    signer.write_head(head, target, hello, example_credentials("TOKENEXAMPLE"), noon);
    CHECK(signature_in(head) == "7d647a2612d0da5e7a5d82c0b45ca1fa6b444502f519daf304de6f5dfd93595f");
    CHECK(head.find("\r\nX-Amz-Security-Token: TOKENEXAMPLE\r\n") != std::string::npos);
    CHECK(head.find(
              "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,") !=
          std::string::npos);
}

TEST_CASE("a port belongs to the signed host") {
    auto signer = example_signer("localhost:8000");
    std::string head;
    signer.write_head(head, target, "{}", example_credentials(), noon);
    CHECK(signature_in(head) == "d3df46fc9b0f80b5ca963dc40339687467f2f8d2b6bf458d078a716ed62ff657");
}

TEST_CASE("the head is appended, and a signer that was moved goes on") {
    auto first = example_signer();
    std::string head = "before";
    first.write_head(head, target, hello, example_credentials(), noon);
    auto second = std::move(first);
    std::string again;
    second.write_head(again, target, hello, example_credentials(), noon);
    CHECK(head == "before" + again);
}

TEST_CASE("whatever comes in whatever order, both signers agree") {
    std::mt19937 random(7);
    const auto pick = [&](int bound) { return static_cast<int>(random() % unsigned(bound)); };
    const std::string authority = "dynamodb.us-east-1.amazonaws.com";
    auto signer = example_signer(authority);
    const credentials_ptr people[] = {
        example_credentials(), example_credentials("TOKEN"),
        example_credentials(std::string(900, 't')),
        std::make_shared<const credentials>("OTHER", std::string(100, 's'))};
    const std::string targets[] = {"DynamoDB_20120810.GetItem", "DynamoDB_20120810.PutItem", "X"};
    for (int i = 0; i < 400; ++i) {
        const auto& who = people[pick(4)];
        const auto& amz_target = targets[pick(3)];
        const std::string body(static_cast<std::size_t>(pick(300)),
                               static_cast<char>('a' + pick(26)));
        // Around midnight, so that days and seconds change to and fro.
        const auto when =
            std::chrono::sys_days(std::chrono::year(2024) / 3 / 1) + 1s * (pick(5) - 2);
        std::string head;
        signer.write_head(head, amz_target, body, who, when);
        INFO(i);
        REQUIRE(signature_in(head) == expected_signature(authority, amz_target, body, *who, when));
        const auto length = "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
        CHECK(head.find(length) != std::string::npos);
    }
}

TEST_CASE("other credentials at the address of former ones are not signed with the former key") {
    auto signer = example_signer();
    auto former = std::make_shared<const credentials>("A", "one");
    std::string head;
    signer.write_head(head, target, "", former, noon);
    const void* address = former.get();
    former.reset();
    // The signer still holds the former ones, so the allocator cannot hand their place out again.
    for (int i = 0; i < 100; ++i) {
        const auto next = std::make_shared<const credentials>("B", "two");
        CHECK(next.get() != address);
        head.clear();
        signer.write_head(head, target, "", next, noon);
        REQUIRE(signature_in(head) ==
                expected_signature("dynamodb.us-east-1.amazonaws.com", target, "", *next, noon));
        address = nullptr;
    }
}

TEST_CASE("many threads share one signer") {
    auto signer = example_signer();
    const auto plain = example_credentials();
    const auto with_token = example_credentials("TOKENEXAMPLE");
    std::atomic<int> wrong = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                std::string head;
                for (int i = 0; i < 500; ++i) {
                    const bool token = (i + t) % 3 == 0;
                    head.clear();
                    signer.write_head(head, target, hello, token ? with_token : plain, noon);
                    const auto* right =
                        token ? "7d647a2612d0da5e7a5d82c0b45ca1fa6b444502f519daf304de6f5dfd93595f"
                              : "9f080f5fece3660019396bbebb959d78b40d6086c0f4340b6abd8883363ac4bd";
                    wrong += signature_in(head) != right;
                }
            });
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("the fast signer refuses what would break a header, and leaves the head alone") {
    auto signer = example_signer();
    std::string head = "kept";
    const auto refuse = [&](const char* amz_target, const credentials_ptr& who) {
        const auto message = message_of(
            errc::invalid_argument, [&] { signer.write_head(head, amz_target, "{}", who, noon); });
        CHECK(message.find("evil") == std::string::npos);
        CHECK(head == "kept");
        return message;
    };
    const auto bad = [](const char* id, const char* secret, const char* token) {
        return std::make_shared<const credentials>(id, secret, token);
    };
    using Catch::StartsWith;
    CHECK_THAT(refuse("X\r\nevil: 1", example_credentials()), StartsWith("x-amz-target holds"));
    CHECK_THAT(refuse("", example_credentials()), StartsWith("x-amz-target is empty"));
    CHECK_THAT(refuse(target, nullptr), StartsWith("credentials: null"));
    CHECK_THAT(refuse(target, bad("evil\n", "s", "")),
               StartsWith("credentials: access key id holds"));
    CHECK_THAT(refuse(target, bad("id", "s", "evil\r\n")),
               StartsWith("credentials: session token holds"));
    CHECK_THAT(refuse(target, bad("id", "", "")),
               StartsWith("credentials: secret access key is empty"));

    head.clear();
    signer.write_head(head, target, hello, example_credentials(), noon);
    CHECK(signature_in(head) == "9f080f5fece3660019396bbebb959d78b40d6086c0f4340b6abd8883363ac4bd");

    struct row {
        const char* authority;
        signing_scope scope;
        const char* message;
    };
    const row rows[] = {{"h\r\n", {"r", "s"}, "authority holds"},
                        {"", {"r", "s"}, "authority is empty"},
                        {"h", {"", "s"}, "signing region is empty"},
                        {"h", {"r", "s s"}, "signing service holds"}};
    for (const row& each : rows) {
        CHECK_THAT(message_of(errc::invalid_argument,
                              [&] { json_request_signer unused(each.authority, each.scope); }),
                   StartsWith(each.message));
    }
}
