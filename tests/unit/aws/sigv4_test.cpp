// SPDX-License-Identifier: BSL-1.0
// The general signer, against the public suite and tables of our own.
#include "aws/canonical.hpp"
#include "aws/sha256.hpp"
#include "aws/signing.hpp"
#include "support/vectors.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/sigv4.hpp>

#include <algorithm>
#include <cstdio>
#include <set>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;
using testing_support::message_of;

namespace {

constexpr auto suite_time = std::chrono::sys_days(std::chrono::year(2015) / 8 / 30) + 12h + 36min;

credentials example_credentials(std::string token = {}) {
    return {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", std::move(token)};
}

const signing_scope suite_scope{"us-east-1", "service"};

std::string hex(const detail::digest& value) {
    return std::string(detail::view(detail::to_hex(value)));
}

/// Takes the next line off `text`.
std::string next_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

signable_request parse_request(std::string_view text) {
    signable_request request;
    const std::string first = next_line(text);
    const auto method_end = first.find(' ');
    const auto target_end = first.rfind(" HTTP/");
    request.method = first.substr(0, method_end);
    request.target = first.substr(method_end + 1, target_end - method_end - 1);
    while (!text.empty()) {
        const std::string line = next_line(text);
        if (line.empty()) break;
        if (line[0] == ' ') {
            request.headers.back().second += "\n" + line;
            continue;
        }
        const auto colon = line.find(':');
        request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    }
    request.body = text;
    return request;
}

/// Header lines in any order, names in any case.
std::multiset<std::string> header_set(const signable_request& request) {
    std::multiset<std::string> lines;
    for (auto [name, value] : request.headers) {
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        lines.insert(name + ":" + value);
    }
    return lines;
}

std::string text_or_empty(const boost::json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : std::string();
}

} // namespace

TEST_CASE("SHA-256 and HMAC give the published answers") {
    CHECK(hex(detail::sha256_of("")) ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex(detail::sha256_of("abc")) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 4231, test cases 2 and 6 (a key longer than a block).
    const std::string jefe = "Jefe";
    const std::span key(reinterpret_cast<const unsigned char*>(jefe.data()), jefe.size());
    CHECK(hex(detail::hmac_of(key, "what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    const std::vector<unsigned char> long_key(131, 0xaa);
    CHECK(
        hex(detail::hmac_of(long_key, "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("a copy of a hash goes its own way") {
    detail::sha256 prefix;
    prefix.update("a");
    detail::sha256 copy = prefix;
    prefix.update("x");
    copy.update("bc");
    CHECK(hex(copy.finish()) == hex(detail::sha256_of("abc")));
    CHECK(hex(prefix.finish()) == hex(detail::sha256_of("ax")));
}

TEST_CASE("date stamps are right around leap days and at the ends") {
    struct row {
        std::chrono::sys_seconds when;
        const char* stamp;
    };
    using std::chrono::sys_days;
    using std::chrono::year;
    const row rows[] = {
        {suite_time, "20150830T123600Z"},
        {std::chrono::sys_seconds{}, "19700101T000000Z"},
        {sys_days(year(2024) / 2 / 29) + 23h + 59min + 59s, "20240229T235959Z"},
        {sys_days(year(2023) / 12 / 31) + 24h, "20240101T000000Z"},
        {sys_days(year(1969) / 12 / 31) + 23h, "19691231T230000Z"},
        {sys_days(year(9999) / 12 / 31) + 1s, "99991231T000001Z"},
    };
    for (const row& each : rows) {
        const detail::date_stamp stamp(each.when);
        CHECK(stamp.full() == each.stamp);
        CHECK(stamp.date() == std::string(each.stamp).substr(0, 8));
    }
    const auto late = sys_days(year(10000) / 1 / 1);
    CHECK(message_of(errc::invalid_argument, [&] { detail::date_stamp stamp(late); }) ==
          "signing time: year 10000 is not within 0 to 9999");
}

TEST_CASE("paths are brought to canonical form") {
    struct row {
        const char* path;
        const char* normalized;
        const char* as_it_stands;
    };
    const row rows[] = {
        {"", "/", "/"},
        {"/", "/", "/"},
        {"/a/b/..", "/a", "/a/b/.."},
        {"/a/b/../", "/a/", "/a/b/../"},
        {"/../a", "/a", "/../a"},
        {"//a///b//", "/a/b/", "//a///b//"},
        {"/./a/.", "/a", "/./a/."},
        {"/a b", "/a%20b", "/a%20b"},
        {"/a%20b", "/a%2520b", "/a%20b"},
        {"/50%", "/50%25", "/50%25"},
        {"/a%zz", "/a%25zz", "/a%25zz"},
        {"/a:b+c", "/a%3Ab%2Bc", "/a%3Ab%2Bc"},
        {"/\xe1\x88\xb4", "/%E1%88%B4", "/%E1%88%B4"},
    };
    for (const row& each : rows) {
        CHECK(detail::canonical_path(each.path, true) == each.normalized);
        CHECK(detail::canonical_path(each.path, false) == each.as_it_stands);
    }
}

TEST_CASE("queries are brought to canonical form") {
    struct row {
        const char* query;
        const char* canonical;
    };
    const row rows[] = {
        {"", ""},
        {"a", "a="},
        {"a=", "a="},
        {"b=1&a=2", "a=2&b=1"},
        {"a=2&a=1", "a=1&a=2"},
        {"Param-3=x&Param=y", "Param=y&Param-3=x"},
        {"a=b=c", "a=b%3Dc"},
        {"a=%7e", "a=~"},
        {"a=%3d%3D", "a=%3D%3D"},
        {"a=1+1", "a=1%2B1"},
        {"a=%", "a=%25"},
        {"&a=1&&b=2&", "a=1&b=2"},
        {"a=b/c", "a=b%2Fc"},
    };
    for (const row& each : rows)
        CHECK(detail::canonical_query(each.query) == each.canonical);
}

TEST_CASE("header values lose folds and runs of blanks") {
    struct row {
        const char* value;
        const char* canonical;
    };
    const row rows[] = {
        {"", ""},           {"  a  ", "a"},           {"a   b", "a b"},
        {"a\t \tb", "a b"}, {"\"a   b\"", "\"a b\""}, {"a\n  b\n\tc", "a b c"},
        {"a\r\n b", "a b"}, {"\xc3\xa9", "\xc3\xa9"},
    };
    for (const row& each : rows) {
        CHECK(detail::canonical_header_value("x", each.value) == each.canonical);
    }
    for (const char* bad : {"a\nb", "a\n", "a\rb", "a\r\n", "a\x01", "\x7f"}) {
        CHECK(message_of(errc::invalid_argument, [&] {
                  (void)detail::canonical_header_value("my-header", bad);
              }) == "header my-header holds a control character");
    }
}

TEST_CASE("a header that any proxy may change is not signed, nor is an older signature") {
    const signable_request request{"POST",
                                   "/",
                                   {{"Host", "h"},
                                    {"Connection", "close"},
                                    {"User-Agent", "me"},
                                    {"X-Amzn-Trace-Id", "t"},
                                    {"Transfer-Encoding", "chunked"},
                                    {"Authorization", "old"},
                                    {"X-Amz-Date", "20000101T000000Z"},
                                    {"X-Amz-Security-Token", "old"},
                                    {"Amz-Sdk-Request", "attempt=1"}},
                                   ""};
    const auto out = sign(request, example_credentials("new"), suite_scope, suite_time);
    CHECK(out.signed_headers == "amz-sdk-request;host;x-amz-date;x-amz-security-token");
    CHECK(out.canonical_request.find("old") == std::string::npos);
    CHECK(out.canonical_request.find("x-amz-date:20150830T123600Z\n") != std::string::npos);
}

TEST_CASE("a given x-amz-content-sha256 stands for the body's hash, unless the body is signed") {
    const signable_request request{
        "PUT", "/", {{"Host", "h"}, {"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"}}, "data"};
    const auto given = sign(request, example_credentials(), suite_scope, suite_time);
    CHECK(given.canonical_request.ends_with("\nUNSIGNED-PAYLOAD"));
    signing_options options;
    options.sign_body = true;
    const auto hashed = sign(request, example_credentials(), suite_scope, suite_time, options);
    CHECK(hashed.canonical_request.ends_with("\n" + hex(detail::sha256_of("data"))));
    CHECK(hashed.signed_headers == "content-length;host;x-amz-content-sha256;x-amz-date");
}

TEST_CASE("what would break a header is refused, and the secret is not told") {
    const auto refuse = [](const signable_request& request, const credentials& who,
                           const signing_scope& scope) {
        const auto message = message_of(errc::invalid_argument,
                                        [&] { (void)sign(request, who, scope, suite_time); });
        CHECK(message.find("evil") == std::string::npos);
        return message;
    };
    const signable_request good{"GET", "/", {{"Host", "h"}}, ""};
    const auto who = example_credentials();
    CHECK(refuse({"GET", "/", {{"X", "y"}}, ""}, who, suite_scope) == "headers: there is no Host");
    CHECK_THAT(refuse({"GET", "/", {{"Host", "h\nevil: 1"}}, ""}, who, suite_scope),
               Catch::StartsWith("header host holds a control character"));
    CHECK_THAT(refuse({"GET", "/", {{"Host", "h"}, {"evil\r\n", ""}}, ""}, who, suite_scope),
               Catch::StartsWith("header name holds"));
    CHECK_THAT(refuse({"GET evil", "/", {{"Host", "h"}}, ""}, who, suite_scope),
               Catch::StartsWith("method holds"));
    CHECK_THAT(refuse(good, {"evil\r\nX: y", "s"}, suite_scope),
               Catch::StartsWith("credentials: access key id holds"));
    CHECK_THAT(refuse(good, {"", "s"}, suite_scope),
               Catch::StartsWith("credentials: access key id is empty"));
    CHECK_THAT(refuse(good, {"id", "evil\n"}, suite_scope),
               Catch::StartsWith("credentials: secret access key holds"));
    CHECK_THAT(refuse(good, {"id", "s", "evil\n"}, suite_scope),
               Catch::StartsWith("credentials: session token holds"));
    CHECK_THAT(refuse(good, who, {"evil\n", "service"}), Catch::StartsWith("signing region holds"));
    CHECK_THAT(refuse(good, who, {"us-east-1", ""}), Catch::StartsWith("signing service is"));
}

TEST_CASE("the known signatures of the public suite come out") {
    struct row {
        const char* request;
        const char* token;
        bool sign_body;
        const char* signature;
    };
    const row rows[] = {
        {"POST / HTTP/1.1\nHost:example.amazonaws.com\n", "", false,
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"POST / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:value1\n", "", false,
         "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
        {"POST / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:VALUE1\n", "", false,
         "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
        {"POST / HTTP/1.1\nContent-Type:application/x-www-form-urlencoded\n"
         "Host:example.amazonaws.com\nContent-Length:13\n\nParam1=value1",
         "", true, "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
        {"GET / HTTP/1.1\nHost:example.amazonaws.com\n",
         "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267", false,
         "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
        {"GET / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:value4\nMy-Header1:value1\n"
         "My-Header1:value3\nMy-Header1:value2\n",
         "", false, "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
        {"GET / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1: value1\n"
         "My-Header2: \"a   b   c\"\n",
         "", false, "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    };
    for (const row& each : rows) {
        signing_options options;
        options.sign_body = each.sign_body;
        const auto out = sign(parse_request(each.request), example_credentials(each.token),
                              suite_scope, suite_time, options);
        CHECK(out.signature == each.signature);
    }
}

TEST_CASE("the DynamoDB-shaped known answers come out of the general signer") {
    struct row {
        const char* host;
        const char* body;
        const char* token;
        const char* canonical_hash;
        const char* signature;
    };
    constexpr auto hello = R"({"TableName":"cache","Key":{"k":{"S":"hello"}}})";
    const row rows[] = {
        {"dynamodb.us-east-1.amazonaws.com", hello, "",
         "bba7585636b4594de1df461f7d6d66380ec99632e9334f8d8b89f411a51f0c67",
         "9f080f5fece3660019396bbebb959d78b40d6086c0f4340b6abd8883363ac4bd"},
        {"dynamodb.us-east-1.amazonaws.com", hello, "TOKENEXAMPLE",
         "54558c6d636a331dca1dd44e85102518ac51a26d6c6139b1bf5053de18619a48",
         "7d647a2612d0da5e7a5d82c0b45ca1fa6b444502f519daf304de6f5dfd93595f"},
        {"localhost:8000", "{}", "",
         "da7405fb84df17172f7c745ebf16e5684eb7b522ccf2b48907a01a2a3a5421f4",
         "d3df46fc9b0f80b5ca963dc40339687467f2f8d2b6bf458d078a716ed62ff657"},
    };
    for (const row& each : rows) {
        const signable_request request{"POST",
                                       "/",
                                       {{"Host", each.host},
                                        {"Content-Type", "application/x-amz-json-1.0"},
                                        {"X-Amz-Target", "DynamoDB_20120810.GetItem"}},
                                       each.body};
        const auto out =
            sign(request, example_credentials(each.token), {"us-east-1", "dynamodb"}, suite_time);
        CHECK(hex(detail::sha256_of(out.canonical_request)) == each.canonical_hash);
        CHECK(out.signature == each.signature);
    }
    CHECK(hex(derive_signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830",
                                 {"us-east-1", "dynamodb"})) ==
          "44a00bf61392567a12c8a1af3f6227f121fdd3ffabe98527663649f33cbff4aa");
}

TEST_CASE("all cases of the public SigV4 suite pass") {
    const auto suite = testing_support::load_vectors("sigv4_suite.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    for (const auto& each : suite->as_array()) {
        INFO(each.at("name").as_string());
        const auto& context = each.at("context");
        REQUIRE(context.at("timestamp").as_string() == "2015-08-30T12:36:00Z");
        credentials who(text_or_empty(context.at("access_key")),
                        text_or_empty(context.at("secret")), text_or_empty(context.at("token")));
        const signing_scope scope{text_or_empty(context.at("region")),
                                  text_or_empty(context.at("service"))};
        signing_options options;
        options.normalize_path = context.at("normalize").as_bool();
        options.sign_body = context.at("sign_body").as_bool();
        options.omit_session_token = context.at("omit_session_token").as_bool();
        signable_request request = parse_request(each.at("request").as_string());

        const auto out = sign(request, who, scope, suite_time, options);
        CHECK(out.canonical_request == each.at("header_canonical_request").as_string());
        CHECK(out.string_to_sign == each.at("header_string_to_sign").as_string());
        CHECK(out.signature == each.at("header_signature").as_string());
        for (const auto& added : out.added_headers)
            request.headers.push_back(added);
        const auto expected = parse_request(each.at("header_signed_request").as_string());
        CHECK(header_set(request) == header_set(expected));
        if (out.signature == each.at("header_signature").as_string()) tally.pass();
    }
    tally.print("sigv4_suite.json");
    CHECK(tally.passed() == 38);
}
