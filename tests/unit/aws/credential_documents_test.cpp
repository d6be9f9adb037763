// SPDX-License-Identifier: BSL-1.0
// What servers write down as credentials, and what is taken for them.
#include "aws/credential_documents.hpp"
#include "unit/aws/fixtures.hpp"

#include <functional>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using testing_support::message_of;

namespace {

timestamp at(long long microseconds) {
    return timestamp(std::chrono::microseconds(microseconds));
}

constexpr const char* good_sts =
    R"(<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>top&#x2F;secret</SecretAccessKey>
      <SessionToken>
        tok+en==
      </SessionToken><Expiration>2023-11-14T22:13:20Z</Expiration>
    </Credentials>
  </AssumeRoleResult>
</AssumeRoleResponse>)";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    const auto found = text.find(what);
    REQUIRE(found != std::string::npos);
    return text.replace(found, what.size(), by);
}

} // namespace

TEST_CASE("RFC 3339 times are read to the microsecond") {
    struct row {
        const char* text;
        long long microseconds;
    };
    for (const auto& [text, microseconds] : std::vector<row>{
             {"1970-01-01T00:00:00Z", 0},
             {"2023-11-14T22:13:20Z", 1'700'000'000'000'000},
             {"2023-11-14t22:13:20z", 1'700'000'000'000'000},
             {"2023-11-14 22:13:20Z", 1'700'000'000'000'000},
             {"2023-11-15T00:13:20+02:00", 1'700'000'000'000'000},
             {"2023-11-14T16:43:20-05:30", 1'700'000'000'000'000},
             {"2023-11-14T22:13:20.5Z", 1'700'000'000'500'000},
             {"2023-11-14T22:13:20.123456Z", 1'700'000'000'123'456},
             {"2023-11-14T22:13:20.123456999Z", 1'700'000'000'123'456},
             {"2016-12-31T23:59:60Z", 1'483'228'800'000'000},
             {"2024-02-29T00:00:00Z", 1'709'164'800'000'000},
             {"1969-12-31T23:59:59Z", -1'000'000},
             {"9999-12-31T23:59:59Z", 253'402'300'799'000'000},
         }) {
        INFO(text);
        CHECK(aws::detail::parse_rfc3339(text) == at(microseconds));
    }
}

TEST_CASE("What is no RFC 3339 time is refused") {
    for (const char* text :
         {"", "2023", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13Z",
          "2023-13-14T22:13:20Z", "2023-02-29T22:13:20Z", "2023-11-14T24:13:20Z",
          "2023-11-14T22:60:20Z", "2023-11-14T22:13:61Z", "2023-11-14T22:13:20.Z",
          "2023-11-14T22:13:20Zx", "2023-11-14T22:13:20+2:00", "2023-11-14T22:13:20+0200",
          "2023-11-14T22:13:20+24:00", "-023-11-14T22:13:20Z", "1700000000", "2023-11-14X22:13:20Z",
          "+2023-11-14T22:13:20Z"}) {
        INFO(text);
        message_of(errc::invalid_argument, [&] { (void)aws::detail::parse_rfc3339(text); });
    }
}

TEST_CASE("A process's document is read") {
    const credentials all = aws::detail::parse_process_document(
        R"({"Version":1,"AccessKeyId":"AKIAX","SecretAccessKey":"s3cret","SessionToken":"tok",)"
        R"("Expiration":"2023-11-14T22:13:20Z","AccountId":"123456789012","Other":[1,{}]})");
    CHECK(all.access_key_id == "AKIAX");
    CHECK(all.secret_access_key == "s3cret");
    CHECK(all.session_token == "tok");
    CHECK(all.account_id == "123456789012");
    CHECK(all.expires == at(1'700'000'000'000'000));

    const credentials least = aws::detail::parse_process_document(
        R"({"Version":1,"AccessKeyId":"AKIAX","SecretAccessKey":"s3cret","SessionToken":null})");
    CHECK(least.session_token.empty());
    CHECK_FALSE(least.expires);
}

TEST_CASE("Documents that are no credentials are refused without being quoted") {
    using parse = std::function<credentials(std::string_view)>;
    const parse process = aws::detail::parse_process_document;
    const parse metadata = aws::detail::parse_metadata_document;
    const parse sso = aws::detail::parse_sso_document;
    const parse sts = aws::detail::parse_sts_document;
    struct row {
        const parse& how;
        std::string text;
        std::string says;
    };
    const std::string meta =
        R"({"AccessKeyId":"A","SecretAccessKey":"s3cret-s3cret","Token":"t0ken-t0ken","Expiration":"2023-11-14T22:13:20Z"})";
    const std::string role =
        R"({"roleCredentials":{"accessKeyId":"A","secretAccessKey":"s3cret-s3cret","sessionToken":"t0ken-t0ken","expiration":1700000000000}})";
    const std::vector<row> rows{
        {process, "", "is not JSON"},
        {process, "s3cret-s3cret", "is not JSON"},
        {process, R"(["s3cret-s3cret"])", "is not a JSON object"},
        {process, R"({"AccessKeyId":"A","SecretAccessKey":"s3cret-s3cret"})", "Version is missing"},
        {process, R"({"Version":2,"AccessKeyId":"A","SecretAccessKey":"s"})", "Version is not 1"},
        {process, R"({"Version":"1","AccessKeyId":"A","SecretAccessKey":"s"})", "Version is not 1"},
        {process, R"({"Version":1,"SecretAccessKey":"s3cret-s3cret"})", "AccessKeyId is missing"},
        {process, R"({"Version":1,"AccessKeyId":"A"})", "SecretAccessKey is missing"},
        {process, R"({"Version":1,"AccessKeyId":7,"SecretAccessKey":"s"})",
         "AccessKeyId is not a string"},
        {process, R"({"Version":1,"AccessKeyId":"A","SecretAccessKey":"s3cret-s3cret\n"})",
         "SecretAccessKey holds a control character"},
        {process, R"({"Version":1,"AccessKeyId":"A\r\nX: y","SecretAccessKey":"s"})",
         "AccessKeyId holds a control character"},
        {process, R"({"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"soon"})",
         "Expiration is not an RFC 3339 time"},
        {process, R"({"Version":1,"AccessKeyId":"A B","SecretAccessKey":"s"})", "blank"},
        {metadata, replaced(meta, "A\"", "\""), "AccessKeyId is missing"},
        {metadata, replaced(meta, "\"Token\"", "\"token\""), "Token is missing"},
        {metadata, replaced(meta, "Expiration", "expiration"), "Expiration is missing"},
        {metadata, replaced(meta, "t0ken-t0ken", "t0ken-t0ken\\u0000"), "control character"},
        {metadata, replaced(meta, "{", R"({"Code":"Failed",)"), "says Failed"},
        {metadata, replaced(meta, "{", R"({"Code":"X","Message":"of s3cret-s3cret",)"), "says X"},
        {metadata, R"({"code":"AccessDenied","message":"no role\r\nfor you"})",
         "says AccessDenied: no role??for you"},
        {sso, "{}", "roleCredentials is missing"},
        {sso, replaced(role, "1700000000000", "\"1700000000000\""), "expiration is no number"},
        {sso, replaced(role, "1700000000000", "-1"), "expiration is no number"},
        {sso, replaced(role, "1700000000000", "9223372036854775807"), "expiration is no number"},
        {sso, replaced(role, "secretAccessKey", "x"), "secretAccessKey is missing"},
        {sts, "", "is not that of AssumeRole"},
        {sts, "s3cret-s3cret", "is not XML"},
        {sts, "<html/>", "is not that of AssumeRole"},
        {sts, replaced(good_sts, "</AssumeRoleResponse>", ""), "is not XML"},
        {sts, replaced(good_sts, "AccessKeyId>ASIAX</AccessKeyId", "X>ASIAX</X"),
         "AccessKeyId is missing"},
        {sts, replaced(good_sts, "top", "&#10;top"), "SecretAccessKey holds a control character"},
        {sts, replaced(good_sts, "2023-11-14T", "2023-11-14"), "not an RFC 3339 time"},
        {sts, replaced(replaced(good_sts, "<Credentials>", "<C>"), "</Credentials>", "</C>"),
         "Credentials is missing"},
        {sts, std::string(100'000, '<'), "more elements"},
    };
    for (const auto& [how, text, says] : rows) {
        INFO(text.substr(0, 300));
        const std::string words = message_of(errc::no_credentials, [&] { (void)how(text); });
        CHECK_THAT(words, Catch::Contains(says));
        CHECK_THAT(words, !Catch::Contains("s3cret-s3cret") && !Catch::Contains("t0ken-t0ken"));
    }
}

TEST_CASE("Documents of containers, instances and SSO are read") {
    const credentials metadata = aws::detail::parse_metadata_document(
        R"({"Code":"Success","AccessKeyId":"A","SecretAccessKey":"s","Token":"t",)"
        R"("Expiration":"2023-11-14T22:13:20Z"})");
    CHECK(metadata.session_token == "t");
    CHECK(metadata.account_id.empty());
    CHECK(metadata.expires == at(1'700'000'000'000'000));

    const credentials sso = aws::detail::parse_sso_document(
        R"({"roleCredentials":{"accessKeyId":"A","secretAccessKey":"s","sessionToken":"t",)"
        R"("expiration":1700000000500}})");
    CHECK(sso.access_key_id == "A");
    CHECK(sso.expires == at(1'700'000'000'500'000));
}

TEST_CASE("Both answers of STS are read, with the account of the assumed role") {
    const credentials signed_one = aws::detail::parse_sts_document(good_sts);
    CHECK(signed_one.access_key_id == "ASIAX");
    CHECK(signed_one.secret_access_key == "top/secret");
    CHECK(signed_one.session_token == "tok+en==");
    CHECK(signed_one.account_id == "123456789012");
    CHECK(signed_one.expires == at(1'700'000'000'000'000));

    std::string web = good_sts;
    for (auto found = web.find("AssumeRole"); found != std::string::npos;
         found = web.find("AssumeRole", found + 10))
        web.insert(found + 10, "WithWebIdentity");
    CHECK(aws::detail::parse_sts_document(web).access_key_id == "ASIAX");

    for (const char* arn : {"", "arn:aws:sts", "arn:aws:sts::x:assumed-role/r/s"}) {
        const auto odd = replaced(good_sts, "arn:aws:sts::123456789012:assumed-role/r/s", arn);
        CHECK(aws::detail::parse_sts_document(odd).account_id.empty());
    }
}

TEST_CASE("A refusal of STS is its code and its words") {
    const auto refused = aws::detail::parse_sts_refusal(
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
        "<Message>not you</Message></Error></ErrorResponse>");
    CHECK(refused.code == "AccessDenied");
    CHECK(refused.message == "not you");
    for (const char* text : {"", "{}", "<html>", "<ErrorResponse/>"})
        CHECK(aws::detail::parse_sts_refusal(text).code.empty());
}
