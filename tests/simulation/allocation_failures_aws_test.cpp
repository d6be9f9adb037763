// SPDX-License-Identifier: BSL-1.0
// Each allocation of signing and of reading profile files fails once: std::bad_alloc comes out,
// nothing leaks, and what is signed afterwards is signed as before.
#include "allocation_checks.hpp"
#include "support/catch.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/aws/profile.hpp>
#include <codynamo/aws/sigv4.hpp>

#include <chrono>
#include <memory>
#include <string>

using namespace codynamo;
using namespace codynamo::test;
using namespace std::chrono_literals;

TEST_CASE("signing survives every failing allocation, and signs as before afterwards") {
    const auto when = std::chrono::sys_days(std::chrono::year(2015) / 8 / 30) + 12h;
    const aws::credentials who{"AKIDEXAMPLE", long_text('s'), long_text('t')};
    aws::signable_request request;
    request.method = "POST";
    request.target = "/a%20path?with=a&query=" + long_text('q');
    request.headers = {{"Host", "dynamodb.us-east-1.amazonaws.com"}, {"X-More", long_text('h')}};
    request.body = long_text('b');
    const aws::signing_scope scope{"us-east-1", "dynamodb"};
    const std::string signature = aws::sign(request, who, scope, when).signature;
    check(
        "sign", 5, [&] { return aws::sign(request, who, scope, when); },
        [&] { return aws::sign(request, who, scope, when).signature == signature; });

    const auto shared = std::make_shared<const aws::credentials>(who);
    const auto head = [&](aws::json_request_signer& signer) {
        std::string text;
        signer.write_head(text, "DynamoDB_20120810.GetItem", "{}", shared, when);
        return text;
    };
    aws::json_request_signer fresh("dynamodb.us-east-1.amazonaws.com", scope);
    const std::string expected = head(fresh);
    check(
        "make a request signer and sign", 2,
        [&] {
            aws::json_request_signer made("dynamodb.us-east-1.amazonaws.com", scope);
            return head(made);
        },
        [&] { return head(fresh) == expected; });
    check(
        "sign again", 0, [&] { return head(fresh); }, [&] { return head(fresh) == expected; });
}

TEST_CASE("profile files survive every failing allocation") {
    const std::string config = "[default]\nregion = eu-central-1\n[profile a-profile-with-a-name]\n"
                               "s3 =\n  max_concurrent_requests = 20\nrole_arn = " +
                               long_text('r') + "\n[sso-session s]\nsso_region = x\n";
    const std::string credentials = "[default]\naws_access_key_id = " + long_text('i') + "\n";
    check(
        "parse profile files", 10, [&] { return aws::parse_profile_files(config, credentials); },
        nothing_to_keep);
}
