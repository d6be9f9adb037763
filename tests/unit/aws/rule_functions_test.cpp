// SPDX-License-Identifier: BSL-1.0
// The functions of the endpoint rule sets' standard library, as tables.
#include "aws/rule_functions.hpp"
#include "aws/text.hpp"
#include "support/catch.hpp"

#include <string>

using namespace codynamo::aws::detail;

namespace {

/// For CHECK: "-" in place of nothing.
std::string joined(const std::optional<arn_parts>& arn) {
    if (!arn) return "-";
    return std::string(arn->partition) + "|" + std::string(arn->service) + "|" +
           std::string(arn->region) + "|" + std::string(arn->account_id);
}

std::string joined(const std::optional<url_parts>& url) {
    if (!url) return "-";
    return std::string(url->scheme) + "|" + std::string(url->authority) + "|" +
           std::string(url->path);
}

} // namespace

TEST_CASE("an ARN has partition, service and resource, and may have region and account") {
    struct row {
        const char* text;
        const char* parts;
    };
    const row rows[] = {
        {"arn:aws:dynamodb:us-east-1:111111111111:table/t", "aws|dynamodb|us-east-1|111111111111"},
        {"arn:aws-cn:s3:::bucket", "aws-cn|s3||"},
        {"arn:aws:dynamodb:us-east-1:1:table/t:index/i", "aws|dynamodb|us-east-1|1"},
        {"arn:aws:dynamodb:us-east-1:a b:t", "aws|dynamodb|us-east-1|a b"},
        {"arn:aws:dynamodb:us-east-1:1:", "-"},
        {"arn:aws:dynamodb:us-east-1:1", "-"},
        {"arn::dynamodb:us-east-1:1:t", "-"},
        {"arn:aws::us-east-1:1:t", "-"},
        {"ARN:aws:dynamodb:us-east-1:1:t", "-"},
        {"nra:aws:dynamodb:us-east-1:1:t", "-"},
        {"arn", "-"},
        {"a-table", "-"},
        {"", "-"},
    };
    for (const row& each : rows) {
        INFO(each.text);
        CHECK(joined(parse_arn(each.text)) == each.parts);
    }
}

TEST_CASE("a host label is 1 to 63 letters, digits and inner hyphens, and subdomains have dots") {
    const std::string longest(63, 'a');
    struct row {
        std::string text;
        bool label;
        bool with_subdomains;
    };
    const row rows[] = {
        {"us-east-1", true, true},
        {"A9", true, true},
        {"a", true, true},
        {longest, true, true},
        {longest + "a", false, false},
        {"a.b", false, true},
        {longest + "." + longest, false, true},
        {"a..b", false, false},
        {".a", false, false},
        {"a.", false, false},
        {"a.-b", false, false},
        {"-a", false, false},
        {"a-", false, false},
        {"a_b", false, false},
        {"a b", false, false},
        {"a\n", false, false}, // Python's "$" lets the line end pass
        {"\xc3\xa9", false, false},
        {"", false, false},
    };
    for (const row& each : rows) {
        INFO(each.text);
        CHECK(is_host_label(each.text) == each.label);
        CHECK(is_valid_host_label(each.text, false) == each.label);
        CHECK(is_valid_host_label(each.text, true) == each.with_subdomains);
    }
}

TEST_CASE("a URL of the rules has scheme http or https, an authority and no query") {
    struct row {
        const char* text;
        const char* parts;
    };
    const row rows[] = {
        {"https://example.com", "https|example.com|"},
        {"http://example.com:8000/a/b", "http|example.com:8000|/a/b"},
        {"https://[::1]:8000/", "https|[::1]:8000|/"},
        {"https://example.com/a#b?c", "https|example.com|/a"},
        {"https://example.com?a", "-"},
        {"https://example.com/a?b=c", "-"},
        {"https:///a", "-"},
        {"https://", "-"},
        {"ftp://example.com", "-"},
        {"example.com", "-"},
        {"", "-"},
    };
    for (const row& each : rows) {
        INFO(each.text);
        CHECK(joined(parse_url(each.text)) == each.parts);
    }
}

TEST_CASE("a substring is counted from either end, and is none where the text is too short") {
    struct row {
        const char* text;
        std::size_t start;
        std::size_t stop;
        bool reverse;
        const char* part;
    };
    const row rows[] = {
        {"abcdef", 0, 4, false, "abcd"},
        {"abcdef", 1, 3, false, "bc"},
        {"abcdef", 0, 4, true, "cdef"},
        {"abcdef", 1, 3, true, "de"},
        {"abcdef", 0, 6, false, "abcdef"},
        {"abcdef", 0, 7, false, "-"},
        {"abcdef", 3, 3, false, "-"},
        {"abcdef", 4, 3, false, "-"},
        {"", 0, 1, false, "-"},
        {"ab\xc3\xa9", 0, 2, false, "-"},
    };
    for (const row& each : rows) {
        INFO(each.text << " " << each.start << " " << each.stop << " " << each.reverse);
        CHECK(substring(each.text, each.start, each.stop, each.reverse).value_or("-") == each.part);
    }
}

TEST_CASE("uriEncode leaves letters, digits and the four unreserved marks") {
    struct row {
        std::string text;
        const char* encoded;
    };
    const row rows[] = {
        {"azAZ09-._~", "azAZ09-._~"},
        {"a b/c:d?e", "a%20b%2Fc%3Ad%3Fe"},
        {"%{}\x7f", "%25%7B%7D%7F"},
        {"\xc3\xa9", "%C3%A9"},
        {"", ""},
    };
    for (const row& each : rows) {
        std::string encoded;
        append_uri_encoded(encoded, each.text);
        CHECK(encoded == each.encoded);
    }
}
