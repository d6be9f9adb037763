// SPDX-License-Identifier: BSL-1.0
// Unsuccessful responses of services, proxies and emulators; and checksums.
#include "dynamodb/codec.hpp"
#include "support/catch.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

#include <vector>

namespace {

using namespace codynamo;
using namespace codynamo::dynamodb;
using headers = std::vector<net::header_view>;

failure failure_of(unsigned status, std::string_view body, const headers& with = {}) {
    return decode_failure({status, with, body});
}

struct failure_case {
    const char* name;
    unsigned status;
    headers with;
    std::string body;
    errc code;
    std::string service_code;
    std::string message;
};

const headers html = {{"Content-Type", "text/html; charset=utf-8"}};

const std::vector<failure_case> failure_cases = {
    {"of the service",
     400,
     {},
     R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Gone"})",
     errc::resource_not_found,
     "ResourceNotFoundException",
     "Gone"},
    {"without namespace, capital message",
     400,
     {},
     R"({"__type":"ValidationException","Message":"Bad"})",
     errc::validation_failed,
     "ValidationException",
     "Bad"},
    {"lower case wins",
     400,
     {},
     R"({"__type":"ValidationException","Message":"B","message":"a","errorMessage":"c"})",
     errc::validation_failed,
     "ValidationException",
     "a"},
    {"errorMessage as the last resort",
     400,
     {},
     R"({"__type":"x#ThrottlingException","message":"","Message":null,"errorMessage":"slow"})",
     errc::throttled,
     "ThrottlingException",
     "slow"},
    {"header before body",
     400,
     {{"X-Amzn-ErrorType", "aws#ExpiredTokenException:http://internal.amazon.com/#x"}},
     R"({"code":"AccessDenied","__type":"ValidationException"})",
     errc::token_expired,
     "ExpiredTokenException",
     "ExpiredTokenException (HTTP 400)"},
    {"code before __type",
     403,
     {},
     R"({"__type":"ValidationException","code":"AccessDenied"})",
     errc::access_denied,
     "AccessDenied",
     "AccessDenied (HTTP 403)"},
    {"code of a wrong type",
     500,
     {},
     R"({"code":500,"__type":"InternalServerError","message":7})",
     errc::service_failed,
     "InternalServerError",
     "InternalServerError (HTTP 500)"},
    {"cut at the first colon, then at the last hash",
     400,
     {},
     R"({"__type":"a#b#ConditionalCheckFailedException:http://x/#y","message":"m"})",
     errc::conditional_check_failed,
     "ConditionalCheckFailedException",
     "m"},
    {"no code at all", 500, {}, R"({"message":"boom"})", errc::service_failed, "", "boom"},
    {"nothing at all", 418, {}, "{}", errc::bad_response, "", "HTTP 418 without an error code"},
    {"throttling on a 5xx",
     503,
     {},
     R"({"__type":"SlowDown"})",
     errc::throttled,
     "SlowDown",
     "SlowDown (HTTP 503)"},
    {"unknown code",
     400,
     {},
     R"({"__type":"com.x#NewException","message":"m"})",
     errc::service_error,
     "NewException",
     "m"},
    {"unknown code of a 5xx",
     500,
     {},
     R"({"__type":"NewException","message":"m"})",
     errc::service_failed,
     "NewException",
     "m"},
    {"HTML of a proxy", 503, html,
     "<html>\r\n  <body>\t<h1>Down</h1>\x01\xff" + std::string(200, 'x'), errc::service_failed, "",
     "HTTP 503 with a text/html body: <html> <body> <h1>Down</h1> " + std::string(52, 'x')},
    {"XML",
     404,
     {{"content-type", "application/xml"}},
     "<UnknownOperationException/>\n",
     errc::bad_response,
     "",
     "HTTP 404 with a application/xml body: <UnknownOperationException/>"},
    {"empty", 502, {}, "", errc::service_failed, "", "HTTP 502 with an empty body"},
    {"blank HTML", 502, html, " \n ", errc::service_failed, "", "HTTP 502 with an empty body"},
    {"no content type",
     403,
     {},
     "Forbidden",
     errc::access_denied,
     "",
     "HTTP 403 with a body that is not a JSON object: Forbidden"},
    {"JSON cut short",
     400,
     {{"Content-Type", "application/x-amz-json-1.0"}},
     R"({"__type":"Vali)",
     errc::bad_response,
     "",
     R"(HTTP 400 with a body that is not a JSON object: {"__type":"Vali)"},
    {"JSON but no object",
     500,
     {},
     "[1]",
     errc::service_failed,
     "",
     "HTTP 500 with a body that is not a JSON object: [1]"},
    {"HTML with a code in the header",
     400,
     {{"x-amzn-errortype", "ThrottlingException"}},
     "<p>",
     errc::throttled,
     "ThrottlingException",
     "HTTP 400 with a body that is not a JSON object: <p>"},
    {"control characters in code and message",
     400,
     {},
     R"({"__type":"Odd\u001b[2J\nCode","message":"\u001b[31mred\r\nline\u007f\u0000 ünd )" +
         std::string(200, 'x') + R"("})",
     errc::service_error,
     R"(Odd\x1b[2J\x0aCode)",
     R"(\x1b[31mred\x0d\x0aline\x7f\x00 ünd )" + std::string(200, 'x')},
    {"control characters in the header's code, no message",
     400,
     {{"x-amzn-errortype", "\tOdd\x1b\nCode"}},
     "{}",
     errc::service_error,
     R"(Odd\x1b\x0aCode)",
     R"(Odd\x1b\x0aCode (HTTP 400))"},
    {"too large", 413, {}, "", errc::validation_failed, "", "HTTP 413 with an empty body"},
    {"too many", 429, html, "slow", errc::throttled, "", "HTTP 429 with a text/html body: slow"},
    {"abyss",
     500,
     {},
     std::string(100'000, '['),
     errc::service_failed,
     "",
     "HTTP 500 with a body that is not a JSON object: " + std::string(80, '[')},
};

TEST_CASE("codec: failures get a code and clear words") {
    for (const failure_case& c : failure_cases) {
        CAPTURE(c.name);
        const failure why = failure_of(c.status, c.body, c.with);
        CHECK(why.code == c.code);
        REQUIRE(why.info);
        CHECK(why.info->service_code == c.service_code);
        CHECK(why.info->message == c.message);
        CHECK(why.info->http_status == c.status);
        CHECK_FALSE(why.info->details);
    }
}

TEST_CASE("codec: the request id is kept, whatever the case of its header") {
    CHECK(failure_of(400, "{}", {{"X-AMZN-REQUESTID", "ABC"}}).info->request_id == "ABC");
    CHECK(failure_of(400, "{}").info->request_id.empty());
}

TEST_CASE("codec: cancellation reasons keep their positions") {
    const failure why = failure_of(
        400, R"({"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",)"
             R"("Message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},)"
             R"({"Code":"ConditionalCheckFailed","Message":"m","Item":{"a":{"N":"1"}}},null,)"
             R"({"Code":null,"Message":null,"Item":{"a":{"?":1}}}]})");
    CHECK(why.code == errc::transaction_canceled);
    CHECK(why.info->message == "Transaction cancelled");
    REQUIRE(why.info->details);
    const auto& reasons = why.info->details->cancellation_reasons;
    REQUIRE(reasons.size() == 4);
    CHECK(reasons[0].code == "None");
    CHECK(reasons[1].code == "ConditionalCheckFailed");
    CHECK(reasons[1].message == "m");
    CHECK(reasons[1].old_item == item{{"a", 1}});
    CHECK(reasons[2].code.empty());
    CHECK(reasons[3].old_item.empty());
}

TEST_CASE("codec: control characters of a server are in no words of a failure") {
    const failure why =
        failure_of(400,
                   R"({"__type":"TransactionCanceledException",)"
                   R"("CancellationReasons":[{"Code":"C\u001b","Message":"m\n"}],)"
                   R"("ThrottlingReasons":[{"reason":"r\u001b","resource":"a\n"}]})",
                   {{"x-amzn-requestid", "id\x1b"}});
    CHECK(why.info->request_id.empty());
    REQUIRE(why.info->details);
    REQUIRE(why.info->details->cancellation_reasons.size() == 1);
    CHECK(why.info->details->cancellation_reasons[0].code == R"(C\x1b)");
    CHECK(why.info->details->cancellation_reasons[0].message == R"(m\x0a)");
    REQUIRE(why.info->details->throttling_reasons.size() == 1);
    CHECK(why.info->details->throttling_reasons[0].reason == R"(r\x1b)");
    CHECK(why.info->details->throttling_reasons[0].resource == R"(a\x0a)");
}

TEST_CASE("codec: C1 control characters are in no words of a failure, their neighbours are") {
    const failure modelled =
        failure_of(400, R"({"__type":"X","message":"a\u0080b\u009fc\u00a0d\u007e"})");
    CHECK(modelled.info->message == "a\\xc2\\x80b\\xc2\\x9fc\xC2\xA0"
                                    "d~");
    const failure page = failure_of(503, "<b>a\xC2\x9B"
                                         "31mb\xC2\xA0"
                                         "c</b>");
    CHECK_THAT(page.info->message, Catch::Contains("<b>a 31mb\xC2\xA0"
                                                   "c</b>"));
}

TEST_CASE("codec: the item of a failed condition is kept") {
    const failure why = failure_of(
        400,
        R"({"__type":"ConditionalCheckFailedException","Item":{"a":{"S":"x"}},"message":"m"})");
    CHECK(why.code == errc::conditional_check_failed);
    REQUIRE(why.info->details);
    CHECK(why.info->details->old_item == item{{"a", "x"}});
}

TEST_CASE("codec: throttling reasons are read in both spellings") {
    const auto name = GENERATE("ThrottlingReasons", "throttlingReasons");
    const failure why = failure_of(400, R"({"__type":"ProvisionedThroughputExceededException",")" +
                                            std::string(name) +
                                            R"(":[{"reason":"TableReadKeyRangeThroughputExceeded",)"
                                            R"("resource":"arn:aws:dynamodb:x"},3]})");
    CHECK(why.code == errc::throttled);
    REQUIRE(why.info->details);
    REQUIRE(why.info->details->throttling_reasons.size() == 1);
    CHECK(why.info->details->throttling_reasons[0].reason == "TableReadKeyRangeThroughputExceeded");
    CHECK(why.info->details->throttling_reasons[0].resource == "arn:aws:dynamodb:x");
}

TEST_CASE("codec: no truncation of an error body crashes") {
    const std::string body =
        R"({"__type":"x#TransactionCanceledException","CancellationReasons":[{"Item":{"a":{"B":"Zg=="}}}]})";
    for (std::size_t length = 0; length < body.size(); ++length) {
        const std::string exact(body, 0, length);
        CHECK(failure_of(400, exact).code == errc::bad_response);
    }
}

TEST_CASE("codec: service codes map to errc") {
    const std::tuple<const char*, unsigned, errc> cases[] = {
        {"ResourceInUseException", 400, errc::resource_in_use},
        {"TransactionConflictException", 400, errc::transaction_conflict},
        {"TransactionInProgressException", 400, errc::throttled},
        {"ProvisionedThroughputExceededException", 400, errc::throttled},
        {"RequestLimitExceeded", 400, errc::throttled},
        {"LimitExceededException", 400, errc::throttled},
        {"AccessDeniedException", 400, errc::access_denied},
        {"UnrecognizedClientException", 400, errc::credentials_rejected},
        {"InvalidSignatureException", 400, errc::credentials_rejected},
        {"MissingAuthenticationTokenException", 400, errc::credentials_rejected},
        {"IncompleteSignatureException", 400, errc::credentials_rejected},
        {"SerializationException", 400, errc::validation_failed},
        {"UnknownOperationException", 400, errc::unknown_operation},
        {"InternalServerError", 500, errc::service_failed},
        {"ItemCollectionSizeLimitExceededException", 400, errc::service_error},
        {"", 500, errc::service_failed},
        {"", 429, errc::throttled},
        {"", 401, errc::access_denied},
        {"", 301, errc::bad_response},
        {"resourceinuseexception", 400, errc::service_error},
    };
    for (const auto& [code, status, expected] : cases) {
        CAPTURE(code, status);
        CHECK(errc_of(code, status) == expected);
    }
}

TEST_CASE("codec: a matching or unusable checksum passes") {
    const auto value = GENERATE("3421780262", "", "abc", "-1", "+3421780262", " 3421780263",
                                "4294967296", "3421780263x", "99999999999999999999", "0x1");
    const headers with = {{"X-Amz-Crc32", value}};
    CAPTURE(value);
    CHECK_NOTHROW(check_crc32({200, with, "123456789"}));
    CHECK_NOTHROW(check_crc32({200, {}, "123456789"}));
}

TEST_CASE("codec: a checksum that does not match is an error with both values") {
    const headers with = {{"x-amz-crc32", "1"}};
    try {
        check_crc32({200, with, "123456789"});
        FAIL("must throw");
    } catch (const error& e) {
        CHECK(e.code() == errc::checksum_mismatch);
        CHECK(e.info().message ==
              "response body of 9 bytes has CRC-32 3421780262 where x-amz-crc32 says 1");
    }
    const headers zero = {{"x-amz-crc32", "0"}};
    CHECK_NOTHROW(check_crc32({200, zero, ""}));
    CHECK_THROWS_AS(check_crc32({200, zero, "x"}), error);
}

} // namespace
