// SPDX-License-Identifier: BSL-1.0
// Region and endpoint: the order of their sources, and the hosts they lead to.
#include "aws/endpoint_rules.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/endpoint.hpp>

using namespace codynamo;
using namespace codynamo::aws;
using testing_support::fake_environment;
using testing_support::message_of;
using testing_support::variables;

namespace {

endpoint at(const std::string& region, const std::string& url = {}) {
    endpoint_parameters of;
    of.region = region;
    of.endpoint = url;
    return resolve_endpoint(of);
}

std::string refusal(const endpoint_parameters& of) {
    return message_of(errc::invalid_argument, [&] { (void)resolve_endpoint(of); });
}

const profile_files& example_files() {
    static const profile_files files =
        parse_profile_files("[default]\nregion = eu-west-1\n"
                            "[profile urls]\nendpoint_url = http://profile:1\n"
                            "[profile both]\nendpoint_url = http://profile:1\nservices = mine\n"
                            "[profile other]\nendpoint_url = http://profile:1\nservices = none\n"
                            "[profile typo]\nservices = mien\n"
                            "[profile odd]\nservices = a\x1b[2J\xc3\xa9\n"
                            "[profile ignoring]\nendpoint_url = http://profile:1\n"
                            "ignore_configured_endpoint_urls = TRUE\n"
                            "[profile bad]\nregion = not/a/label\n"
                            "[services mine]\ndynamodb =\n  endpoint_url = http://services:2\n"
                            "[services none]\ns3 =\n  endpoint_url = http://s3:3\n",
                            "");
    return files;
}

} // namespace

TEST_CASE("the region comes from the first source that has one") {
    struct row {
        const char* given;
        variables known;
        const char* profile;
        const char* region;
    };
    const row rows[] = {
        {"us-west-2", {{"AWS_REGION", "x"}}, "", "us-west-2"},
        {"", {{"AWS_REGION", "a"}, {"AWS_DEFAULT_REGION", "b"}}, "", "a"},
        {"", {{"AWS_REGION", " "}, {"AWS_DEFAULT_REGION", " b "}}, "", "b"},
        {"", {}, "", "eu-west-1"},
        {"", {}, "default", "eu-west-1"},
        {"", {{"AWS_PROFILE", "urls"}}, "", ""},
        {"", {}, "urls", ""},
        {"", {}, "absent", ""},
    };
    for (const row& each : rows) {
        CHECK(resolve_region(each.given, fake_environment(each.known), example_files(),
                             each.profile) == each.region);
    }
}

TEST_CASE("a region that is no host label is refused, wherever it is from") {
    const std::string long_one(64, 'a');
    for (const char* bad :
         {"us east 1", "a/b", "-a", "a-", "a.b", "a\r\nb", "\xc3\xa9", long_one.c_str()}) {
        const auto given = message_of(errc::invalid_argument, [&] {
            (void)resolve_region(bad, fake_environment(variables()), {}, "");
        });
        CHECK_THAT(given, Catch::StartsWith("region \"") && Catch::Contains("is no host label"));
        CHECK(given.find('\n') == std::string::npos);
        CHECK_FALSE(message_of(errc::invalid_argument, [&] { (void)at(bad); }).empty());
    }
    CHECK_THAT(message_of(errc::invalid_argument,
                          [&] {
                              (void)resolve_region("", fake_environment(variables()),
                                                   example_files(), "bad");
                          }),
               Catch::StartsWith("region \"not/a/label\""));
}

TEST_CASE("the endpoint URL comes from the first source that has one") {
    struct row {
        const char* given;
        variables known;
        const char* profile;
        const char* url;
    };
    const variables both{{"AWS_ENDPOINT_URL_DYNAMODB", "http://service"},
                         {"AWS_ENDPOINT_URL", "http://all"}};
    const variables ignoring{{"AWS_ENDPOINT_URL", "http://all"},
                             {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True"}};
    const row rows[] = {
        {"http://code", both, "urls", "http://code"},
        {"", both, "urls", "http://service"},
        {"", {{"AWS_ENDPOINT_URL", "http://all"}}, "both", "http://all"},
        {"", {{"AWS_ENDPOINT_URL", " "}}, "both", "http://services:2"},
        {"", {}, "urls", "http://profile:1"},
        {"", {}, "other", "http://profile:1"},
        {"", {{"AWS_PROFILE", "both"}}, "", "http://services:2"},
        {"", {}, "", ""},
        {"", {}, "absent", ""},
        {"", ignoring, "both", ""},
        {"http://code", ignoring, "both", "http://code"},
        {"", both, "ignoring", ""},
        {"", {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"}}, "ignoring", "http://profile:1"},
        {"", {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", " "}}, "ignoring", ""},
    };
    for (const row& each : rows) {
        CHECK(resolve_endpoint_url(each.given, fake_environment(each.known), example_files(),
                                   each.profile) == each.url);
    }
}

TEST_CASE("a services section that is not there is refused") {
    CHECK(message_of(errc::invalid_argument, [&] {
              (void)resolve_endpoint_url("", fake_environment(variables()), example_files(),
                                         "typo");
          }) == "services \"mien\": the config file has no such section");
    CHECK(message_of(errc::invalid_argument, [&] {
              (void)resolve_endpoint_url("", fake_environment(variables()), example_files(), "odd");
          }) == "services \"a?[2J??\": the config file has no such section");
}

TEST_CASE("a region leads to its partition's host") {
    struct row {
        const char* region;
        const char* url;
    };
    const row rows[] = {
        {"us-east-1", "https://dynamodb.us-east-1.amazonaws.com"},
        {"mx-central-1", "https://dynamodb.mx-central-1.amazonaws.com"},
        {"cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn"},
        {"us-gov-west-1", "https://dynamodb.us-gov-west-1.amazonaws.com"},
        {"us-iso-west-1", "https://dynamodb.us-iso-west-1.c2s.ic.gov"},
        {"us-isob-east-1", "https://dynamodb.us-isob-east-1.sc2s.sgov.gov"},
        {"eu-isoe-west-1", "https://dynamodb.eu-isoe-west-1.cloud.adc-e.uk"},
        {"us-isof-south-1", "https://dynamodb.us-isof-south-1.csp.hci.ic.gov"},
        {"eusc-de-east-1", "https://dynamodb.eusc-de-east-1.amazonaws.eu"},
        {"somewhere", "https://dynamodb.somewhere.amazonaws.com"},
        {"cn-north", "https://dynamodb.cn-north.amazonaws.com"},
        {"cn--1", "https://dynamodb.cn--1.amazonaws.com"},
        {"aws-cn-global", "https://dynamodb.aws-cn-global.amazonaws.com.cn"},
    };
    for (const row& each : rows) {
        const auto where = at(each.region);
        CHECK(where.url() == each.url);
        CHECK(where.signing_region == each.region);
        CHECK(where.signing_service == "dynamodb");
    }
}

TEST_CASE("the region local is a server on this machine, signed for us-east-1") {
    const auto where = at("local");
    CHECK(where.url() == "http://localhost:8000");
    CHECK(where.signing_region == "us-east-1");
    const auto moved = at("local", "http://127.0.0.1:9000");
    CHECK(moved.url() == "http://127.0.0.1:9000");
    CHECK(moved.signing_region == "us-east-1");
}

TEST_CASE("a custom URL takes the place of the host, and the region signs") {
    struct row {
        const char* given;
        const char* url;
    };
    const row rows[] = {
        {"https://example.com", "https://example.com"},
        {"https://example.com/", "https://example.com"},
        {"http://example.com", "http://example.com"},
        {"http://example.com:80", "http://example.com"},
        {"http://example.com:443", "http://example.com:443"},
        {"https://example.com:8443", "https://example.com:8443"},
        {"http://[::1]:8000", "http://[::1]:8000"},
    };
    for (const row& each : rows) {
        const auto where = at("eu-west-1", each.given);
        CHECK(where.url() == each.url);
        CHECK(where.signing_region == "eu-west-1");
    }
}

TEST_CASE("a missing region and a bad URL are refused by name") {
    CHECK_THAT(message_of(errc::invalid_argument, [] { (void)at(""); }),
               Catch::StartsWith("region is missing"));
    CHECK_THAT(
        message_of(errc::invalid_argument, [] { (void)at("us-east-1", "ftp://example.com"); }),
        Catch::Contains("endpoint"));
}

TEST_CASE("a custom URL needs no region, and leaves the region to sign for open") {
    CHECK(at("", "http://localhost:8000").url() == "http://localhost:8000");
    CHECK(at("", "http://localhost:8000").signing_region.empty());
}

TEST_CASE("every public region has the hosts of its partition") {
    struct row {
        const char* partition;
        const char* suffix;
        const char* dualstack;
        std::vector<const char*> regions;
    };
    const row rows[] = {
        {"aws",
         "amazonaws.com",
         "api.aws",
         {"af-south-1",     "ap-east-1",      "ap-east-2",      "ap-northeast-1", "ap-northeast-2",
          "ap-northeast-3", "ap-south-1",     "ap-south-2",     "ap-southeast-1", "ap-southeast-2",
          "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
          "ca-central-1",   "ca-west-1",      "eu-central-1",   "eu-central-2",   "eu-north-1",
          "eu-south-1",     "eu-south-2",     "eu-west-1",      "eu-west-2",      "eu-west-3",
          "il-central-1",   "me-central-1",   "me-south-1",     "me-west-1",      "mx-central-1",
          "sa-east-1",      "sa-west-1",      "us-east-1",      "us-east-2",      "us-west-1",
          "us-west-2"}},
        {"aws-cn",
         "amazonaws.com.cn",
         "api.amazonwebservices.com.cn",
         {"cn-north-1", "cn-northwest-1"}},
        {"aws-us-gov", "amazonaws.com", "api.aws", {"us-gov-east-1", "us-gov-west-1"}},
        {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", {"eusc-de-east-1"}},
        {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov", {"us-iso-east-1", "us-iso-west-1"}},
        {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", {"us-isob-east-1", "us-isob-west-1"}},
        {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", {"eu-isoe-west-1"}},
        {"aws-iso-f",
         "csp.hci.ic.gov",
         "api.aws.hci.ic.gov",
         {"us-isof-east-1", "us-isof-south-1"}},
    };
    int regions = 0;
    for (const row& each : rows) {
        for (const std::string region : each.regions) {
            INFO(region);
            ++regions;
            endpoint_parameters of;
            of.region = region;
            of.account_id = "111111111111";
            const bool accounts = std::string(each.partition) == "aws";
            const bool gov = std::string(each.partition) == "aws-us-gov";
            const std::string plain = accounts ? "111111111111.ddb." : "dynamodb.";
            CHECK(partition_dns_suffix(region) == each.suffix);
            CHECK(resolve_endpoint(of).url() == "https://" + plain + region + "." + each.suffix);
            CHECK(resolve_endpoint(of).signing_region == region);
            of.use_dualstack = true;
            CHECK(resolve_endpoint(of).url() == "https://" + plain + region + "." + each.dualstack);
            of.use_fips = true;
            CHECK(resolve_endpoint(of).url() ==
                  "https://dynamodb-fips." + region + "." + each.dualstack);
            of.use_dualstack = false;
            CHECK(resolve_endpoint(of).url() ==
                  (gov ? "https://dynamodb." : "https://dynamodb-fips.") + region + "." +
                      each.suffix);
        }
    }
    int known = 0;
    for (const auto& each : detail::partitions()) {
        for (const auto name : each.regions)
            known += name.ends_with("-global") ? 0 : 1;
    }
    CHECK(regions == known);
    CHECK(regions == 48);
}

TEST_CASE("a region that nobody knows falls to the partition whose pattern it has") {
    struct row {
        const char* region;
        const char* partition;
    };
    const row rows[] = {
        {"us-east-99", "aws"},
        {"mx-south-7", "aws"},
        {"il-west_2-1", "aws"},
        {"cn-south-3", "aws-cn"},
        {"us-gov-north-1", "aws-us-gov"},
        {"eusc-de-west-1", "aws-eusc"},
        {"eusc-fr-west-1", "aws"},
        {"us-iso-north-1", "aws-iso"},
        {"us-isob-north-1", "aws-iso-b"},
        {"eu-isoe-east-2", "aws-iso-e"},
        {"us-isof-west-1", "aws-iso-f"},
        {"us-iso-east-", "aws"},
        {"us-isoz-east-1", "aws"},
        {"cn-north-1x", "aws"},
        {"x-cn-north-1", "aws"},
        {"cn-north-1-1", "aws"},
        {"aws-global", "aws"},
        {"aws-us-gov-global", "aws-us-gov"},
        {"aws-iso-b-global", "aws-iso-b"},
        {"aws-iso-e-global", "aws-iso-e"},
        {"local", "aws"},
        {"", "aws"},
        {"-1", "aws"},
        {"--1", "aws"},
        {"1", "aws"},
        {"US-EAST-1", "aws"},
    };
    for (const row& each : rows) {
        INFO(each.region);
        CHECK(detail::partition_of(each.region).name == each.partition);
    }
}

TEST_CASE("the account comes from a table's ARN of the same region, else from the credentials") {
    struct row {
        std::vector<std::string> arns;
        const char* account;
    };
    const row rows[] = {
        {{}, "111111111111"},
        {{""}, "111111111111"},
        {{"a-table"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:222222222222:table/t"}, "222222222222"},
        {{"arn:aws:dynamodb:us-east-1:222222222222:table/t:index/i"}, "222222222222"},
        {{"arn:aws:dynamodb:us-west-2:222222222222:table/t"}, "111111111111"},
        {{"arn:aws:s3:us-east-1:222222222222:table/t"}, "111111111111"},
        {{"nra:aws:dynamodb:us-east-1:222222222222:table/t"}, "111111111111"},
        {{"arn::dynamodb:us-east-1:222222222222:table/t"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:222222222222:"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:222222222222"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1::table/t"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:no.label:table/t"}, "111111111111"},
        {{"arn:aws:dynamodb:us-east-1:a\r\nX-Evil:table/t"}, "111111111111"},
        {{"arn:aws:dynamodb:us-west-2:333333333333:table/t",
          "arn:aws:dynamodb:us-east-1:444444444444:table/t",
          "arn:aws:dynamodb:us-east-1:555555555555:table/t"},
         "111111111111"}, // the first of a batch decides
        {{"arn:aws:dynamodb:us-east-1:444444444444:table/t",
          "arn:aws:dynamodb:us-east-1:555555555555:table/t"},
         "444444444444"},
        {{"a-table", "arn:aws:dynamodb:us-east-1:444444444444:table/t"}, "111111111111"},
    };
    for (const row& each : rows) {
        endpoint_parameters of;
        of.region = "us-east-1";
        of.account_id = "111111111111";
        of.resource_arns = each.arns;
        CHECK(resolve_endpoint(of).url() ==
              std::string("https://") + each.account + ".ddb.us-east-1.amazonaws.com");
        of.mode = account_id_endpoint_mode::disabled;
        CHECK(resolve_endpoint(of).url() == "https://dynamodb.us-east-1.amazonaws.com");
    }
}

TEST_CASE("the request's own table goes before the first of a batch") {
    endpoint_parameters of;
    of.region = "us-east-1";
    of.account_id = "111111111111";
    of.resource_arn = "arn:aws:dynamodb:us-east-1:222222222222:table/t";
    of.resource_arns = {"arn:aws:dynamodb:us-east-1:333333333333:table/t"};
    CHECK(resolve_endpoint(of).url() == "https://222222222222.ddb.us-east-1.amazonaws.com");
    of.resource_arn = "arn:aws:dynamodb:us-west-2:222222222222:table/t";
    CHECK(resolve_endpoint(of).url() == "https://333333333333.ddb.us-east-1.amazonaws.com");
    of.resource_arns.insert(of.resource_arns.begin(), "a-table");
    CHECK(resolve_endpoint(of).url() == "https://111111111111.ddb.us-east-1.amazonaws.com");
}

TEST_CASE("each rule of the endpoint refuses by name") {
    struct row {
        endpoint_parameters of;
        const char* words;
    };
    using mode = account_id_endpoint_mode;
    const row rows[] = {
        {{}, "region is missing"},
        {{"a b", false, false, "https://example.com"}, "is no host label"},
        {{"us-east-1", true, false, "https://example.com"}, "FIPS and a custom endpoint"},
        {{"us-east-1", false, true, "https://example.com"}, "dualstack and a custom endpoint"},
        {{"", true, false, "https://example.com"}, "FIPS and a custom endpoint"},
        {{"local", true}, "FIPS and the local endpoint"},
        {{"local", false, true}, "dualstack and the local endpoint"},
        {{"us-east-1", false, false, "https://dynamodb.us-east-1.api.aws/"},
         "is the region's dual"},
        // The rule looks at the authority, so neither does plain HTTP get past it.
        {{"us-east-1", false, false, "http://dynamodb.us-east-1.api.aws"}, "is the region's dual"},
        {{"us-east-1", false, false, "https://DynamoDB.us-east-1.API.aws"}, "is the region's dual"},
        {{"us-east-1", false, false, "https://search-dynamodb.us-east-1.api.aws"},
         "is the region's dual"},
        {{"us-east-1", true, false, "", "1", mode::required}, "required and FIPS"},
        {{"cn-north-1", false, false, "", "1", mode::required}, "partition aws-cn has no"},
        {{"us-east-1", false, false, "", "", mode::required}, "account id is not known"},
        {{"us-east-1", false, false, "", "a.b", mode::preferred}, "is no host label"},
        {{"us-east-1", false, false, "", "1\r\n", mode::required}, "is no host label"},
        {{"us-east-1", false, false, "https://user:pw@example.com"}, "user info"},
        {{"us-east-1", false, false, "https://example.com/a"}, "path"},
        {{"us-east-1", false, false, "https://example.com\r\nX: y"}, "host"},
    };
    for (const row& each : rows) {
        const auto words = refusal(each.of);
        CHECK_THAT(words, Catch::Contains(each.words));
        CHECK(words.find_first_of("\r\n") == std::string::npos);
    }
}

TEST_CASE("a custom URL wins over every account mode") {
    for (const auto mode : {account_id_endpoint_mode::preferred, account_id_endpoint_mode::disabled,
                            account_id_endpoint_mode::required}) {
        endpoint_parameters of;
        of.region = "us-east-1";
        of.endpoint = "https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com";
        of.account_id = "not.a.label";
        of.mode = mode;
        CHECK(resolve_endpoint(of).url() == of.endpoint);
        of.endpoint.clear();
        of.region = "local";
        CHECK(resolve_endpoint(of).url() == "http://localhost:8000");
    }
}

TEST_CASE("switches that a partition does not have are refused") {
    detail::partition poor = detail::partition_of("us-iso-east-1");
    poor.supports_fips = poor.supports_dualstack = false;
    endpoint_parameters of;
    of.region = "us-iso-east-1";
    CHECK(detail::resolve_in(poor, of).url() == "https://dynamodb.us-iso-east-1.c2s.ic.gov");
    for (const bool fips : {true, false}) {
        of.use_fips = fips;
        of.use_dualstack = !fips;
        CHECK(message_of(errc::invalid_argument, [&] { (void)detail::resolve_in(poor, of); }) ==
              std::string(fips ? "FIPS" : "dualstack") + " is on, but partition aws-iso has none");
    }
}

TEST_CASE("the services behind credentials have endpoints by the same partitions") {
    struct row {
        const char* prefix;
        const char* region;
        bool fips;
        bool dualstack;
        const char* url;
        const char* signing_region;
    };
    const row rows[] = {
        {"sts", "eu-west-1", false, false, "https://sts.eu-west-1.amazonaws.com", "eu-west-1"},
        {"sts", "us-east-1", true, false, "https://sts-fips.us-east-1.amazonaws.com", "us-east-1"},
        {"sts", "us-east-1", false, true, "https://sts.us-east-1.api.aws", "us-east-1"},
        {"sts", "us-east-1", true, true, "https://sts-fips.us-east-1.api.aws", "us-east-1"},
        {"sts", "cn-north-1", false, false, "https://sts.cn-north-1.amazonaws.com.cn",
         "cn-north-1"},
        {"sts", "us-gov-west-1", true, false, "https://sts.us-gov-west-1.amazonaws.com",
         "us-gov-west-1"},
        {"sts", "us-gov-west-1", true, true, "https://sts-fips.us-gov-west-1.api.aws",
         "us-gov-west-1"},
        {"sts", "aws-global", false, false, "https://sts.amazonaws.com", "us-east-1"},
        {"portal.sso", "us-east-1", false, false, "https://portal.sso.us-east-1.amazonaws.com",
         "us-east-1"},
        {"portal.sso", "us-east-1", true, true, "https://portal.sso-fips.us-east-1.api.aws",
         "us-east-1"},
        {"oidc", "eusc-de-east-1", false, true,
         "https://oidc.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1"},
        {"oidc", "us-iso-east-1", true, false, "https://oidc-fips.us-iso-east-1.c2s.ic.gov",
         "us-iso-east-1"},
    };
    for (const row& each : rows) {
        const auto where = resolve_service_endpoint(each.prefix, "the service", each.region,
                                                    each.fips, each.dualstack);
        CHECK(where.url() == each.url);
        CHECK(where.signing_region == each.signing_region);
        CHECK(where.signing_service == "the service");
    }
    for (const char* bad : {"", "a.b", "us-east-1\r\nHost: evil"}) {
        CHECK_THAT(
            message_of(errc::invalid_argument,
                       [&] { (void)resolve_service_endpoint("sts", "sts", bad, false, false); }),
            Catch::StartsWith("region "));
    }
}
