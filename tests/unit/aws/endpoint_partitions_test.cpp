// SPDX-License-Identifier: BSL-1.0
// The partition that a region belongs to, and the hosts of it.
#include "aws/endpoint_rules.hpp"
#include "unit/aws/endpoint_at.hpp"
#include "unit/aws/fixtures.hpp"

#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support;

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
            const std::string in = each.partition;
            CHECK(detail::partition_of(region).name == in);
            const bool gov = in == "aws-us-gov";
            const bool accounts = in == "aws" || in == "aws-cn" || gov;
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

TEST_CASE("an unknown region has hosts of accounts in partition aws only") {
    struct row {
        const char* region;
        const char* host;
    };
    const row rows[] = {
        {"us-east-99", "111111111111.ddb.us-east-99.amazonaws.com"},
        {"aws-global", "111111111111.ddb.aws-global.amazonaws.com"},
        {"us-gov-north-1", "dynamodb.us-gov-north-1.amazonaws.com"},
        {"cn-south-3", "dynamodb.cn-south-3.amazonaws.com.cn"},
        {"aws-cn-global", "dynamodb.aws-cn-global.amazonaws.com.cn"},
        {"us-iso-east-1", "dynamodb.us-iso-east-1.c2s.ic.gov"},
    };
    for (const row& each : rows) {
        endpoint_parameters of;
        of.region = each.region;
        of.account_id = "111111111111";
        CHECK(resolve_endpoint(of).server.host == each.host);
    }
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
        {"cn-we.st-1", "aws"},
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

TEST_CASE("switches that a partition does not have are refused") {
    std::vector<detail::partition> poor(detail::partitions().begin(), detail::partitions().end());
    for (auto& each : poor)
        each.supports_fips = each.supports_dualstack = false;
    endpoint_parameters of;
    of.region = "us-iso-east-1";
    CHECK(detail::resolve_in(poor, of).url() == "https://dynamodb.us-iso-east-1.c2s.ic.gov");
    struct row {
        bool fips;
        bool dualstack;
        const char* message;
    };
    const row rows[] = {
        {true, false,
         "no endpoint of dynamodb for region \"us-iso-east-1\", FIPS on: FIPS is enabled but this "
         "partition does not support FIPS"},
        {false, true,
         "no endpoint of dynamodb for region \"us-iso-east-1\", dualstack on: DualStack is enabled "
         "but this partition does not support DualStack"},
        {true, true,
         "no endpoint of dynamodb for region \"us-iso-east-1\", FIPS on, dualstack on: FIPS and "
         "DualStack are enabled, but this partition does not support one or both"},
    };
    for (const row& each : rows) {
        of.use_fips = each.fips;
        of.use_dualstack = each.dualstack;
        CHECK(message_of(errc::invalid_argument, [&] { (void)detail::resolve_in(poor, of); }) ==
              each.message);
    }
}

TEST_CASE("the services behind credentials have endpoints by their own rules") {
    struct row {
        credential_service service;
        const char* region;
        bool fips;
        bool dualstack;
        const char* url;
        const char* signing_region;
    };
    constexpr auto sts = credential_service::sts;
    constexpr auto sso = credential_service::sso;
    constexpr auto oidc = credential_service::sso_oidc;
    const row rows[] = {
        {sts, "eu-west-1", false, false, "https://sts.eu-west-1.amazonaws.com", "eu-west-1"},
        {sts, "us-east-1", true, false, "https://sts-fips.us-east-1.amazonaws.com", "us-east-1"},
        {sts, "us-east-1", false, true, "https://sts.us-east-1.api.aws", "us-east-1"},
        {sts, "us-east-1", true, true, "https://sts-fips.us-east-1.api.aws", "us-east-1"},
        {sts, "cn-north-1", false, false, "https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1"},
        {sts, "us-gov-west-1", true, false, "https://sts.us-gov-west-1.amazonaws.com",
         "us-gov-west-1"},
        {sts, "us-gov-west-1", true, true, "https://sts-fips.us-gov-west-1.api.aws",
         "us-gov-west-1"},
        {sts, "us-gov-west-1", false, false, "https://sts.us-gov-west-1.amazonaws.com",
         "us-gov-west-1"},
        {sts, "aws-global", true, false, "https://sts-fips.aws-global.amazonaws.com", "aws-global"},
        {sso, "us-gov-west-1", true, false, "https://portal.sso.us-gov-west-1.amazonaws.com",
         "us-gov-west-1"},
        {sts, "aws-global", false, false, "https://sts.amazonaws.com", "us-east-1"},
        {sso, "us-east-1", false, false, "https://portal.sso.us-east-1.amazonaws.com", "us-east-1"},
        {sso, "us-east-1", true, true, "https://portal.sso-fips.us-east-1.api.aws", "us-east-1"},
        {oidc, "eusc-de-east-1", false, true,
         "https://oidc.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1"},
        {oidc, "us-iso-east-1", true, false, "https://oidc-fips.us-iso-east-1.c2s.ic.gov",
         "us-iso-east-1"},
    };
    for (const row& each : rows) {
        service_endpoint_parameters of;
        of.region = each.region;
        of.use_fips = each.fips;
        of.use_dualstack = each.dualstack;
        const auto where = resolve_service_endpoint(each.service, of);
        CHECK(where.url() == each.url);
        CHECK(where.signing_region == each.signing_region);
        CHECK(where.signing_service == (each.service == sts   ? "sts"
                                        : each.service == sso ? "awsssoportal"
                                                              : "sso-oauth"));
    }
    for (const char* bad : {"", "a.b", "us-east-1\r\nHost: evil"}) {
        service_endpoint_parameters of;
        of.region = bad;
        CHECK_THAT(
            message_of(errc::invalid_argument, [&] { (void)resolve_service_endpoint(sts, of); }),
            Catch::StartsWith("region "));
    }
}

TEST_CASE("a custom endpoint of a service that hands out credentials wins, without switches") {
    service_endpoint_parameters of;
    of.endpoint = "http://localhost:8080/";
    const auto nowhere = resolve_service_endpoint(credential_service::sts, of);
    CHECK(nowhere.url() == "http://localhost:8080");
    CHECK(nowhere.signing_region.empty());
    of.region = "eu-west-1";
    CHECK(resolve_service_endpoint(credential_service::sts, of).signing_region == "eu-west-1");
    of.use_fips = true;
    CHECK(message_of(errc::invalid_argument,
                     [&] { (void)resolve_service_endpoint(credential_service::sts, of); }) ==
          "no endpoint of sts for region \"eu-west-1\", FIPS on, endpoint "
          "\"http://localhost:8080\": Invalid Configuration: FIPS and custom endpoint are "
          "not supported");
    of.use_fips = false;
    of.endpoint = "sts.local";
    CHECK_THAT(message_of(errc::invalid_argument,
                          [&] { (void)resolve_service_endpoint(credential_service::sts, of); }),
               Catch::Contains("the endpoint of sts") && Catch::Contains("must start with http"));
}
