// SPDX-License-Identifier: BSL-1.0
// Faults of what an answer says, well framed: documents, checksums, statuses; and the many ways of
// compatible stores.
#include "dynamodb/crc32.hpp"
#include "fault_table.hpp"

namespace codynamo::test {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using script = std::vector<act>;

std::string crc(std::string_view value) {
    return "x-amz-crc32: " + std::string(value) + "\r\n";
}

std::string right_crc(const std::string& body) {
    return crc(std::to_string(dynamodb::crc32(body)));
}

/// An unknown member before the others.
std::string with_member(const std::string& body, std::string_view member) {
    return '{' + std::string(member) + (body == "{}" ? "" : ",") + body.substr(1);
}

fault wrong_json(std::string name, said body) {
    return bad(std::move(name), [body = std::move(body)](const std::string& b) {
        const auto text = body(b);
        return response(text, 200, right_crc(text));
    });
}

/// gzip of `{}`.
const std::string gzipped("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3"
                          "\x02\x00\x00\x00",
                          22);

std::vector<fault> wrong_documents() {
    return {
        wrong_json("no JSON", [](const std::string&) { return "hello"; }),
        wrong_json("HTML with 200",
                   [](const std::string&) { return "<html><body>Log in</body></html>"; }),
        wrong_json("JSON cut short",
                   [](const std::string& b) { return b.substr(0, b.size() - 1); }),
        wrong_json("bytes behind the JSON", [](const std::string& b) { return b + "x"; }),
        wrong_json("two documents", [](const std::string& b) { return b + b; }),
        wrong_json("an array", [](const std::string& b) { return '[' + b + ']'; }),
        wrong_json("null", [](const std::string&) { return "null"; }),
        wrong_json("a string", [](const std::string&) { return "\"x\""; }),
        wrong_json("a byte order mark", [](const std::string& b) { return "\xEF\xBB\xBF" + b; }),
        wrong_json("NaN", [](const std::string& b) { return with_member(b, "\"Alien\":NaN"); }),
        wrong_json("invalid UTF-8",
                   [](const std::string& b) { return with_member(b, "\"Alien\":\"\xFF\""); }),
        wrong_json("a NUL",
                   [](const std::string& b) {
                       return with_member(b, std::string("\"Alien\":\"\0\"", 11));
                   }),
        wrong_json("nesting of 90,000 levels",
                   [](const std::string&) { return std::string(90'000, '['); }),
        wrong_json("members nested 10,000 deep",
                   [](const std::string&) {
                       std::string text;
                       for (int i = 0; i < 10'000; ++i)
                           text += "{\"M\":";
                       return text;
                   }),
        bad("gzip that was not asked for",
            [](const std::string&) {
                return response(gzipped, 200, "Content-Encoding: gzip\r\n" + right_crc(gzipped));
            }),
    };
}

fault wrong_crc(std::string name, said answer, again retry) {
    fault one = bad(std::move(name), std::move(answer), errc::checksum_mismatch);
    one.retry = retry;
    return one;
}

} // namespace

std::vector<fault> contents() {
    std::vector<fault> all = wrong_documents();
    all.push_back(fine(
        "a right checksum", [](const std::string& b) { return response(b, 200, right_crc(b)); },
        true));
    all.push_back(fine(
        "a checksum that is no number",
        [](const std::string& b) { return response(b, 200, crc("unknown")); }, true));
    all.push_back(fine(
        "unknown members, deep but not too deep",
        [](const std::string& b) {
            return response(
                with_member(b, "\"Alien\":" + std::string(60, '[') + std::string(60, ']')));
        },
        true));
    all.push_back(fine(
        "a member twice, the last one right",
        [](const std::string& b) {
            if (b == "{}") return response(R"({"A":1,"A":[]})");
            const auto name = b.substr(1, b.find(':') - 1);
            return response(with_member(b, name + ":7"));
        },
        true));
    all.push_back(wrong_crc(
        "a wrong checksum", [](const std::string& b) { return response(b, 200, crc("12345")); },
        again::if_safe));
    all.push_back(wrong_crc(
        "a checksum of other bytes",
        [](const std::string& b) { return response(b, 200, right_crc(b + ' ')); }, again::if_safe));
    all.push_back(wrong_crc(
        "a refusal with a wrong checksum",
        [](const std::string&) {
            return response(R"({"__type":"x#ValidationException"})", 400, crc("12345"));
        },
        again::always));
    all.push_back(bad("an empty body", [](const std::string&) { return response(""); }));
    fault other = bad("the answer to another request", [](const std::string&) {
        return response(R"({"Item":{"key":{"S":"two"},"value":{"B":"Ynl0ZXM="}}})");
    });
    other.only_for = "GetItem";
    all.push_back(other);
    return all;
}

std::vector<fault> compatible_answers() {
    const auto with_head = [](std::string head) {
        return [head = std::move(head)](const std::string& b) {
            return "HTTP/1.1 200 OK\r\n" + head + "content-length: " + std::to_string(b.size()) +
                   "\r\n\r\n" + b;
        };
    };
    const std::pair<const char*, const char*> heads[] = {
        {"nothing but a length", ""},
        {"header names in lower case",
         "content-type: application/x-amz-json-1.0\r\nx-amzn-requestid: R\r\n"
         "connection: keep-alive\r\ndate: Tue, 01 Jan 2030 00:00:00 GMT\r\n"},
        {"header names in upper case",
         "CONTENT-TYPE: application/x-amz-json-1.0\r\nX-AMZN-REQUESTID: R\r\n"},
        {"no Content-Type", "Date: Tue, 01 Jan 2030 00:00:00 GMT\r\nServer: Server\r\n"},
        {"a Content-Type of JSON", "Content-Type: application/json\r\n"},
        {"a Content-Type of text", "Content-Type: text/plain; charset=utf-8\r\n"},
        {"a Date that is none", "Date: yesterday\r\n"},
        {"an empty Date", "Date:\r\n"},
        {"an empty request id", "x-amzn-RequestId:\r\n"},
        {"a request id of odd bytes", "x-amzn-RequestId: \xC2\x9B\xFF\r\n"},
        {"an empty checksum", "x-amz-crc32:\r\n"},
        {"a checksum too large", "x-amz-crc32: 4294967296\r\n"},
        {"cookies and more", "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nX-LocalStack: 1\r\n"},
        {"identity as the encoding", "Content-Encoding: identity\r\n"},
    };
    std::vector<fault> all;
    for (const auto& [name, head] : heads)
        all.push_back(fine(name, with_head(head), true));
    all.push_back(fine(
        "no reason phrase",
        [](const std::string& b) {
            return "HTTP/1.1 200 \r\nContent-Length: " + std::to_string(b.size()) + "\r\n\r\n" + b;
        },
        true));
    all.push_back(fine(
        "blanks around the JSON",
        [](const std::string& b) { return response(" \r\n\t" + b + "\n"); }, true));
    all.push_back(fine(
        "members that nobody knows",
        [](const std::string& b) {
            return response(with_member(b, R"("ItemCollectionMetrics":null,"New":[{"a":1.5}])"));
        },
        true));
    return all;
}

std::vector<fault> error_answers() {
    const std::string html = "<html><h1>Service Unavailable</h1></html>";
    const auto modelled = [](std::string_view code) {
        return R"({"__type":"com.amazonaws.dynamodb.v20120810#)" + std::string(code) +
               R"(","message":"words"})";
    };
    const auto throttled = modelled("ProvisionedThroughputExceededException");
    struct row {
        const char* name;
        int status;
        std::string headers, body;
        errc code;
        again retry;
        bool reused;
    };
    const row rows[] = {
        {"500", 500, "", modelled("InternalServerError"), errc::service_failed, again::if_safe,
         true},
        {"503 with HTML", 503, "Content-Type: text/html\r\n", html, errc::service_failed,
         again::if_safe, true},
        {"502 with nothing", 502, "", "", errc::service_failed, again::if_safe, true},
        {"504 and an end", 504, "Connection: close\r\n", html, errc::service_failed, again::if_safe,
         false},
        {"501", 501, "", html, errc::service_failed, again::never, true},
        {"throttling", 400, "", throttled, errc::throttled, again::always, true},
        {"429 with HTML", 429, "", html, errc::throttled, again::always, true},
        {"throttling and when to come back", 400, "x-amz-retry-after: 3\r\n", throttled,
         errc::throttled, again::always, true},
        {"throttling and a time that is none", 400, "x-amz-retry-after: tomorrow\r\n", throttled,
         errc::throttled, again::always, true},
        {"throttling and a negative time", 400, "x-amz-retry-after: -1\r\n", throttled,
         errc::throttled, again::always, true},
        {"throttling and a time beyond the deadline", 400, "x-amz-retry-after: 4000000000\r\n",
         throttled, errc::throttled, again::never, true},
        {"301", 301, "Location: http://127.0.0.1:1/\r\n", "", errc::bad_response, again::never,
         false},
        {"307 with HTML", 307, "Location: http://127.0.0.1:1/\r\n", html, errc::bad_response,
         again::never, false},
        {"404 with HTML", 404, "", html, errc::bad_response, again::never, false},
        {"400 with nothing", 400, "", "", errc::bad_response, again::never, false},
        {"400 with an array", 400, "", "[]", errc::bad_response, again::never, false},
        {"400 with numbers for words", 400, "", R"({"__type":1,"message":[]})", errc::bad_response,
         again::never, false},
        {"403 with HTML", 403, "", html, errc::access_denied, again::never, true},
        {"413 with HTML", 413, "", html, errc::validation_failed, again::never, true},
        {"999", 999, "", html, errc::service_failed, again::never, true},
    };
    std::vector<fault> all;
    for (const row& r : rows)
        all.push_back({.name = std::string("status ") + r.name,
                       .acts = read_and_say([text = response(r.body, r.status, r.headers)](
                                                const std::string&) { return text; }),
                       .code = r.code,
                       .retry = r.retry,
                       .reused = r.reused});
    all.push_back(
        bad("status 204", [](const std::string&) { return "HTTP/1.1 204 No Content\r\n\r\n"; }));
    all.push_back(
        bad("status 304", [](const std::string&) { return "HTTP/1.1 304 Not Modified\r\n\r\n"; }));
    return all;
}

} // namespace codynamo::test
