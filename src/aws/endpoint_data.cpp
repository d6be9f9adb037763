// SPDX-License-Identifier: BSL-1.0
// Made by tools/update-aws-data.py from botocore 1.44.8; not to be edited.
// clang-format off
#include "aws/endpoint_data.hpp"

namespace codynamo::aws::detail {
namespace {

using f = rule_function;
using o = operand_kind;
using k = rule_kind;

constexpr std::string_view aws_prefixes[] = {
    "us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx",
};
constexpr std::string_view aws_regions[] = {
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
    "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
    "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "aws-global",
    "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1",
    "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1",
    "me-south-1", "me-west-1", "mx-central-1", "sa-east-1", "sa-west-1", "us-east-1", "us-east-2",
    "us-west-1", "us-west-2",
};
constexpr std::string_view aws_cn_prefixes[] = {
    "cn",
};
constexpr std::string_view aws_cn_regions[] = {
    "aws-cn-global", "cn-north-1", "cn-northwest-1",
};
constexpr std::string_view aws_eusc_prefixes[] = {
    "eusc-de",
};
constexpr std::string_view aws_eusc_regions[] = {
    "eusc-de-east-1",
};
constexpr std::string_view aws_iso_prefixes[] = {
    "us-iso",
};
constexpr std::string_view aws_iso_regions[] = {
    "aws-iso-global", "us-iso-east-1", "us-iso-west-1",
};
constexpr std::string_view aws_iso_b_prefixes[] = {
    "us-isob",
};
constexpr std::string_view aws_iso_b_regions[] = {
    "aws-iso-b-global", "us-isob-east-1", "us-isob-west-1",
};
constexpr std::string_view aws_iso_e_prefixes[] = {
    "eu-isoe",
};
constexpr std::string_view aws_iso_e_regions[] = {
    "aws-iso-e-global", "eu-isoe-west-1",
};
constexpr std::string_view aws_iso_f_prefixes[] = {
    "us-isof",
};
constexpr std::string_view aws_iso_f_regions[] = {
    "aws-iso-f-global", "us-isof-east-1", "us-isof-south-1",
};
constexpr std::string_view aws_us_gov_prefixes[] = {
    "us-gov",
};
constexpr std::string_view aws_us_gov_regions[] = {
    "aws-us-gov-global", "us-gov-east-1", "us-gov-west-1",
};
constexpr partition partition_table[] = {
    {"aws", "amazonaws.com", "api.aws", true, true,
     aws_prefixes, aws_regions},
    {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", true, true,
     aws_cn_prefixes, aws_cn_regions},
    {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", true, true,
     aws_eusc_prefixes, aws_eusc_regions},
    {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov", true, true,
     aws_iso_prefixes, aws_iso_regions},
    {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", true, true,
     aws_iso_b_prefixes, aws_iso_b_regions},
    {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", true, true,
     aws_iso_e_prefixes, aws_iso_e_regions},
    {"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", true, true,
     aws_iso_f_prefixes, aws_iso_f_regions},
    {"aws-us-gov", "amazonaws.com", "api.aws", true, true,
     aws_us_gov_prefixes, aws_us_gov_regions},
};

// dynamodb 2012-08-10
constexpr std::string_view dynamodb_texts[] = {
    "Invalid Configuration: FIPS and custom endpoint are not supported",
    "Invalid Configuration: Dualstack and custom endpoint are not supported",
    "dynamodb.{0}.{12}",
    "Endpoint override is not supported for dual-stack endpoints. Please enable dual-stack functionality by enabling the configuration. For more details, see: https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html",
    "search-dynamodb.{0}.{12}",
    "{3}",
    "local",
    "Invalid Configuration: FIPS and local endpoint are not supported",
    "Invalid Configuration: Dualstack and local endpoint are not supported",
    "http://localhost:8000",
    "dynamodb",
    "us-east-1",
    "required",
    "Invalid Configuration: AccountIdEndpointMode is required and FIPS is enabled, but FIPS account endpoints are not supported",
    "aws",
    "us-gov-east-1",
    "us-gov-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "https://search-dynamodb-fips.{0}.{12}",
    "https://dynamodb-fips.{0}.{12}",
    "FIPS and DualStack are enabled, but this partition does not support one or both",
    "aws-us-gov",
    "https://search-dynamodb.{0}.{11}",
    "https://dynamodb.{0}.{11}",
    "https://search-dynamodb-fips.{0}.{11}",
    "https://dynamodb-fips.{0}.{11}",
    "FIPS is enabled but this partition does not support FIPS",
    "Invalid Configuration: AccountIdEndpointMode is required but account endpoints are not supported in this region",
    "https://search-dynamodb.{0}.{12}",
    "https://dynamodb.{0}.{12}",
    "disabled",
    "{0}",
    "https://{21}.search-ddb.{0}.{12}",
    "https://{21}.ddb.{0}.{12}",
    "https://{4}.search-ddb.{0}.{12}",
    "https://{4}.ddb.{0}.{12}",
    "Credentials-sourced account ID parameter is invalid",
    "AccountIdEndpointMode is required but no AccountID was provided or able to be loaded",
    "DualStack is enabled but this partition does not support DualStack",
    "https://{21}.search-ddb.{0}.{11}",
    "https://{21}.ddb.{0}.{11}",
    "https://{4}.search-ddb.{0}.{11}",
    "https://{4}.ddb.{0}.{11}",
    "Invalid Configuration: Missing Region",
};
constexpr rule_call dynamodb_calls[] = {
    {f::is_set, 255, {{{o::slot, 3}}}},
    {f::is_set, 255, {{{o::slot, 0}}}},
    {f::partition_of, 10, {{{o::slot, 0}}}},
    {f::parse_url, 15, {{{o::slot, 3}}}},
    {f::boolean_equals, 255, {{{o::slot, 2}, {o::boolean, 1}}}},
    {f::boolean_equals, 255, {{{o::slot, 1}, {o::boolean, 1}}}},
    {f::string_equals, 255, {{{o::slot, 16}, {o::text, 2}}}},
    {f::string_equals, 255, {{{o::slot, 16}, {o::text, 4}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 6}}}},
    {f::boolean_equals, 255, {{{o::slot, 13}, {o::boolean, 1}}}},
    {f::boolean_equals, 255, {{{o::slot, 14}, {o::boolean, 1}}}},
    {f::is_set, 255, {{{o::slot, 5}}}},
    {f::string_equals, 255, {{{o::slot, 5}, {o::text, 12}}}},
    {f::string_equals, 255, {{{o::slot, 10}, {o::text, 14}}}},
    {f::negate, 255, {{{o::call, 13}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 15}}}},
    {f::negate, 255, {{{o::call, 15}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 16}}}},
    {f::negate, 255, {{{o::call, 17}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 17}}}},
    {f::negate, 255, {{{o::call, 19}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 18}}}},
    {f::negate, 255, {{{o::call, 21}}}},
    {f::is_set, 255, {{{o::slot, 8}}}},
    {f::boolean_equals, 255, {{{o::slot, 8}, {o::boolean, 1}}}},
    {f::string_equals, 255, {{{o::slot, 10}, {o::text, 22}}}},
    {f::string_equals, 255, {{{o::slot, 5}, {o::text, 31}}}},
    {f::negate, 255, {{{o::call, 26}}}},
    {f::negate, 255, {{{o::call, 4}}}},
    {f::is_set, 255, {{{o::slot, 6}}}},
    {f::parse_arn, 18, {{{o::slot, 6}}}},
    {f::string_equals, 255, {{{o::slot, 19}, {o::text, 10}}}},
    {f::is_valid_host_label, 255, {{{o::slot, 20}, {o::boolean, 0}}}},
    {f::string_equals, 255, {{{o::slot, 20}, {o::text, 32}}}},
    {f::is_valid_host_label, 255, {{{o::slot, 21}, {o::boolean, 0}}}},
    {f::is_set, 255, {{{o::slot, 7}}}},
    {f::element, 22, {{{o::slot, 7}, {o::number, 0}}}},
    {f::parse_arn, 18, {{{o::slot, 22}}}},
    {f::is_set, 255, {{{o::slot, 4}}}},
    {f::is_valid_host_label, 255, {{{o::slot, 4}, {o::boolean, 0}}}},
};
constexpr std::uint8_t dynamodb_conditions[] = {
    0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 8, 4, 5, 9, 10, 11, 12, 14, 16, 18, 20, 22, 23, 24, 9, 25, 10,
    11, 27, 28, 29, 30, 31, 32, 33, 34, 11, 27, 28, 35, 36, 37, 31, 32, 33, 34, 11, 27, 28, 38, 39,
};
constexpr auth_scheme dynamodb_schemes[] = {
    {10, 11},
};
constexpr rule dynamodb_rules[] = {
    {k::tree, 255, 255, 4, 0, 6},
    {k::error, 0, 255, 1, 4, 2},
    {k::error, 1, 255, 1, 5, 3},
    {k::error, 3, 255, 1, 6, 4},
    {k::error, 3, 255, 1, 7, 5},
    {k::endpoint, 5, 255, 0, 8, 6},
    {k::tree, 255, 255, 1, 8, 10},
    {k::error, 0, 255, 1, 4, 8},
    {k::error, 1, 255, 1, 5, 9},
    {k::endpoint, 5, 255, 0, 8, 10},
    {k::tree, 255, 255, 1, 9, 79},
    {k::tree, 255, 255, 1, 10, 79},
    {k::tree, 255, 255, 1, 11, 16},
    {k::error, 7, 255, 1, 4, 14},
    {k::error, 8, 255, 1, 5, 15},
    {k::endpoint, 9, 0, 0, 8, 16},
    {k::tree, 255, 255, 2, 12, 25},
    {k::tree, 255, 255, 2, 14, 24},
    {k::error, 13, 255, 2, 16, 19},
    {k::tree, 255, 255, 5, 18, 22},
    {k::endpoint, 19, 255, 2, 23, 21},
    {k::endpoint, 20, 255, 0, 8, 22},
    {k::endpoint, 19, 255, 2, 23, 23},
    {k::endpoint, 20, 255, 0, 8, 24},
    {k::error, 21, 255, 0, 8, 25},
    {k::tree, 255, 255, 1, 4, 40},
    {k::tree, 255, 255, 1, 25, 39},
    {k::error, 13, 255, 2, 16, 28},
    {k::tree, 255, 255, 1, 26, 34},
    {k::tree, 255, 255, 5, 18, 32},
    {k::endpoint, 23, 255, 2, 23, 31},
    {k::endpoint, 24, 255, 0, 8, 32},
    {k::endpoint, 23, 255, 2, 23, 33},
    {k::endpoint, 24, 255, 0, 8, 34},
    {k::tree, 255, 255, 5, 18, 37},
    {k::endpoint, 25, 255, 2, 23, 36},
    {k::endpoint, 26, 255, 0, 8, 37},
    {k::endpoint, 25, 255, 2, 23, 38},
    {k::endpoint, 26, 255, 0, 8, 39},
    {k::error, 27, 255, 0, 8, 40},
    {k::tree, 255, 255, 1, 5, 61},
    {k::tree, 255, 255, 1, 27, 60},
    {k::tree, 255, 255, 5, 18, 46},
    {k::error, 28, 255, 2, 16, 44},
    {k::endpoint, 29, 255, 2, 23, 45},
    {k::endpoint, 30, 255, 0, 8, 46},
    {k::tree, 255, 255, 9, 28, 49},
    {k::endpoint, 33, 255, 2, 23, 48},
    {k::endpoint, 34, 255, 0, 8, 49},
    {k::tree, 255, 255, 10, 37, 52},
    {k::endpoint, 33, 255, 2, 23, 51},
    {k::endpoint, 34, 255, 0, 8, 52},
    {k::tree, 255, 255, 4, 47, 57},
    {k::tree, 255, 255, 1, 51, 56},
    {k::endpoint, 35, 255, 2, 23, 55},
    {k::endpoint, 36, 255, 0, 8, 56},
    {k::error, 37, 255, 0, 8, 57},
    {k::error, 38, 255, 2, 16, 58},
    {k::endpoint, 29, 255, 2, 23, 59},
    {k::endpoint, 30, 255, 0, 8, 60},
    {k::error, 39, 255, 0, 8, 61},
    {k::tree, 255, 255, 5, 18, 65},
    {k::error, 28, 255, 2, 16, 63},
    {k::endpoint, 23, 255, 2, 23, 64},
    {k::endpoint, 24, 255, 0, 8, 65},
    {k::tree, 255, 255, 9, 28, 68},
    {k::endpoint, 40, 255, 2, 23, 67},
    {k::endpoint, 41, 255, 0, 8, 68},
    {k::tree, 255, 255, 10, 37, 71},
    {k::endpoint, 40, 255, 2, 23, 70},
    {k::endpoint, 41, 255, 0, 8, 71},
    {k::tree, 255, 255, 4, 47, 76},
    {k::tree, 255, 255, 1, 51, 75},
    {k::endpoint, 42, 255, 2, 23, 74},
    {k::endpoint, 43, 255, 0, 8, 75},
    {k::error, 37, 255, 0, 8, 76},
    {k::error, 38, 255, 2, 16, 77},
    {k::endpoint, 23, 255, 2, 23, 78},
    {k::endpoint, 24, 255, 0, 8, 79},
    {k::error, 44, 255, 0, 8, 80},
};

// sts 2011-06-15
constexpr std::string_view sts_texts[] = {
    "ap-northeast-1",
    "https://sts.amazonaws.com",
    "sts",
    "us-east-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "aws-global",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "https://sts.{0}.{11}",
    "{0}",
    "Invalid Configuration: FIPS and custom endpoint are not supported",
    "Invalid Configuration: Dualstack and custom endpoint are not supported",
    "{3}",
    "https://sts-fips.{0}.{12}",
    "FIPS and DualStack are enabled, but this partition does not support one or both",
    "aws-us-gov",
    "https://sts.{0}.amazonaws.com",
    "https://sts-fips.{0}.{11}",
    "FIPS is enabled but this partition does not support FIPS",
    "https://sts.{0}.{12}",
    "DualStack is enabled but this partition does not support DualStack",
    "Invalid Configuration: Missing Region",
};
constexpr rule_call sts_calls[] = {
    {f::boolean_equals, 255, {{{o::slot, 9}, {o::boolean, 1}}}},
    {f::is_set, 255, {{{o::slot, 3}}}},
    {f::negate, 255, {{{o::call, 1}}}},
    {f::is_set, 255, {{{o::slot, 0}}}},
    {f::partition_of, 10, {{{o::slot, 0}}}},
    {f::boolean_equals, 255, {{{o::slot, 2}, {o::boolean, 0}}}},
    {f::boolean_equals, 255, {{{o::slot, 1}, {o::boolean, 0}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 0}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 4}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 5}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 6}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 7}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 8}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 9}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 10}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 11}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 12}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 13}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 14}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 3}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 15}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 16}}}},
    {f::string_equals, 255, {{{o::slot, 0}, {o::text, 17}}}},
    {f::boolean_equals, 255, {{{o::slot, 2}, {o::boolean, 1}}}},
    {f::boolean_equals, 255, {{{o::slot, 1}, {o::boolean, 1}}}},
    {f::boolean_equals, 255, {{{o::boolean, 1}, {o::slot, 13}}}},
    {f::boolean_equals, 255, {{{o::boolean, 1}, {o::slot, 14}}}},
    {f::boolean_equals, 255, {{{o::slot, 13}, {o::boolean, 1}}}},
    {f::string_equals, 255, {{{o::slot, 10}, {o::text, 25}}}},
};
constexpr std::uint8_t sts_conditions[] = {
    0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 1, 23, 24, 3, 4,
    23, 24, 25, 26, 27, 28, 26,
};
constexpr auth_scheme sts_schemes[] = {
    {2, 3},
    {2, 19},
};
constexpr rule sts_rules[] = {
    {k::tree, 255, 255, 6, 0, 18},
    {k::endpoint, 1, 0, 1, 6, 2},
    {k::endpoint, 1, 0, 1, 7, 3},
    {k::endpoint, 1, 0, 1, 8, 4},
    {k::endpoint, 1, 0, 1, 9, 5},
    {k::endpoint, 1, 0, 1, 10, 6},
    {k::endpoint, 1, 0, 1, 11, 7},
    {k::endpoint, 1, 0, 1, 12, 8},
    {k::endpoint, 1, 0, 1, 13, 9},
    {k::endpoint, 1, 0, 1, 14, 10},
    {k::endpoint, 1, 0, 1, 15, 11},
    {k::endpoint, 1, 0, 1, 16, 12},
    {k::endpoint, 1, 0, 1, 17, 13},
    {k::endpoint, 1, 0, 1, 18, 14},
    {k::endpoint, 1, 0, 1, 19, 15},
    {k::endpoint, 1, 0, 1, 20, 16},
    {k::endpoint, 1, 0, 1, 21, 17},
    {k::endpoint, 18, 1, 0, 22, 18},
    {k::tree, 255, 255, 1, 22, 22},
    {k::error, 20, 255, 1, 23, 20},
    {k::error, 21, 255, 1, 24, 21},
    {k::endpoint, 22, 255, 0, 22, 22},
    {k::tree, 255, 255, 1, 25, 39},
    {k::tree, 255, 255, 1, 26, 39},
    {k::tree, 255, 255, 2, 27, 28},
    {k::tree, 255, 255, 2, 29, 27},
    {k::endpoint, 23, 255, 0, 22, 27},
    {k::error, 24, 255, 0, 22, 28},
    {k::tree, 255, 255, 1, 23, 33},
    {k::tree, 255, 255, 1, 31, 32},
    {k::endpoint, 26, 255, 1, 32, 31},
    {k::endpoint, 27, 255, 0, 22, 32},
    {k::error, 28, 255, 0, 22, 33},
    {k::tree, 255, 255, 1, 24, 37},
    {k::tree, 255, 255, 1, 33, 36},
    {k::endpoint, 29, 255, 0, 22, 36},
    {k::error, 30, 255, 0, 22, 37},
    {k::endpoint, 1, 0, 1, 10, 38},
    {k::endpoint, 18, 255, 0, 22, 39},
    {k::error, 31, 255, 0, 22, 40},
};

// sso 2019-06-10
constexpr std::string_view sso_texts[] = {
    "Invalid Configuration: FIPS and custom endpoint are not supported",
    "Invalid Configuration: Dualstack and custom endpoint are not supported",
    "{3}",
    "https://portal.sso-fips.{0}.{12}",
    "FIPS and DualStack are enabled, but this partition does not support one or both",
    "aws-us-gov",
    "https://portal.sso.{0}.amazonaws.com",
    "https://portal.sso-fips.{0}.{11}",
    "FIPS is enabled but this partition does not support FIPS",
    "https://portal.sso.{0}.{12}",
    "DualStack is enabled but this partition does not support DualStack",
    "https://portal.sso.{0}.{11}",
    "Invalid Configuration: Missing Region",
};
constexpr rule_call sso_calls[] = {
    {f::is_set, 255, {{{o::slot, 3}}}},
    {f::boolean_equals, 255, {{{o::slot, 2}, {o::boolean, 1}}}},
    {f::boolean_equals, 255, {{{o::slot, 1}, {o::boolean, 1}}}},
    {f::is_set, 255, {{{o::slot, 0}}}},
    {f::partition_of, 10, {{{o::slot, 0}}}},
    {f::boolean_equals, 255, {{{o::boolean, 1}, {o::slot, 13}}}},
    {f::boolean_equals, 255, {{{o::boolean, 1}, {o::slot, 14}}}},
    {f::boolean_equals, 255, {{{o::slot, 13}, {o::boolean, 1}}}},
    {f::string_equals, 255, {{{o::slot, 10}, {o::text, 5}}}},
};
constexpr std::uint8_t sso_conditions[] = {
    0, 1, 2, 3, 4, 1, 2, 5, 6, 7, 8, 6,
};
constexpr rule sso_rules[] = {
    {k::tree, 255, 255, 1, 0, 4},
    {k::error, 0, 255, 1, 1, 2},
    {k::error, 1, 255, 1, 2, 3},
    {k::endpoint, 2, 255, 0, 3, 4},
    {k::tree, 255, 255, 1, 3, 20},
    {k::tree, 255, 255, 1, 4, 20},
    {k::tree, 255, 255, 2, 5, 10},
    {k::tree, 255, 255, 2, 7, 9},
    {k::endpoint, 3, 255, 0, 3, 9},
    {k::error, 4, 255, 0, 3, 10},
    {k::tree, 255, 255, 1, 1, 15},
    {k::tree, 255, 255, 1, 9, 14},
    {k::endpoint, 6, 255, 1, 10, 13},
    {k::endpoint, 7, 255, 0, 3, 14},
    {k::error, 8, 255, 0, 3, 15},
    {k::tree, 255, 255, 1, 2, 19},
    {k::tree, 255, 255, 1, 11, 18},
    {k::endpoint, 9, 255, 0, 3, 18},
    {k::error, 10, 255, 0, 3, 19},
    {k::endpoint, 11, 255, 0, 3, 20},
    {k::error, 12, 255, 0, 3, 21},
};

// sso-oidc 2019-06-10
constexpr std::string_view sso_oidc_texts[] = {
    "Invalid Configuration: FIPS and custom endpoint are not supported",
    "Invalid Configuration: Dualstack and custom endpoint are not supported",
    "{3}",
    "https://oidc-fips.{0}.{12}",
    "FIPS and DualStack are enabled, but this partition does not support one or both",
    "aws-us-gov",
    "https://oidc.{0}.amazonaws.com",
    "https://oidc-fips.{0}.{11}",
    "FIPS is enabled but this partition does not support FIPS",
    "https://oidc.{0}.{12}",
    "DualStack is enabled but this partition does not support DualStack",
    "https://oidc.{0}.{11}",
    "Invalid Configuration: Missing Region",
};
constexpr rule_call sso_oidc_calls[] = {
    {f::is_set, 255, {{{o::slot, 3}}}},
    {f::boolean_equals, 255, {{{o::slot, 2}, {o::boolean, 1}}}},
    {f::boolean_equals, 255, {{{o::slot, 1}, {o::boolean, 1}}}},
    {f::is_set, 255, {{{o::slot, 0}}}},
    {f::partition_of, 10, {{{o::slot, 0}}}},
    {f::boolean_equals, 255, {{{o::boolean, 1}, {o::slot, 13}}}},
    {f::boolean_equals, 255, {{{o::boolean, 1}, {o::slot, 14}}}},
    {f::boolean_equals, 255, {{{o::slot, 13}, {o::boolean, 1}}}},
    {f::string_equals, 255, {{{o::slot, 10}, {o::text, 5}}}},
};
constexpr std::uint8_t sso_oidc_conditions[] = {
    0, 1, 2, 3, 4, 1, 2, 5, 6, 7, 8, 6,
};
constexpr rule sso_oidc_rules[] = {
    {k::tree, 255, 255, 1, 0, 4},
    {k::error, 0, 255, 1, 1, 2},
    {k::error, 1, 255, 1, 2, 3},
    {k::endpoint, 2, 255, 0, 3, 4},
    {k::tree, 255, 255, 1, 3, 20},
    {k::tree, 255, 255, 1, 4, 20},
    {k::tree, 255, 255, 2, 5, 10},
    {k::tree, 255, 255, 2, 7, 9},
    {k::endpoint, 3, 255, 0, 3, 9},
    {k::error, 4, 255, 0, 3, 10},
    {k::tree, 255, 255, 1, 1, 15},
    {k::tree, 255, 255, 1, 9, 14},
    {k::endpoint, 6, 255, 1, 10, 13},
    {k::endpoint, 7, 255, 0, 3, 14},
    {k::error, 8, 255, 0, 3, 15},
    {k::tree, 255, 255, 1, 2, 19},
    {k::tree, 255, 255, 1, 11, 18},
    {k::endpoint, 9, 255, 0, 3, 18},
    {k::error, 10, 255, 0, 3, 19},
    {k::endpoint, 11, 255, 0, 3, 20},
    {k::error, 12, 255, 0, 3, 21},
};

} // namespace

const std::string_view endpoint_data_version = "1.44.8";

std::span<const partition> partitions() noexcept {
    return partition_table;
}

const rule_set dynamodb_rule_set = {
    "dynamodb", "dynamodb", dynamodb_rules, dynamodb_calls,
    dynamodb_conditions, dynamodb_texts, dynamodb_schemes};

const rule_set sts_rule_set = {
    "sts", "sts", sts_rules, sts_calls,
    sts_conditions, sts_texts, sts_schemes};

const rule_set sso_rule_set = {
    "sso", "awsssoportal", sso_rules, sso_calls,
    sso_conditions, sso_texts, {}};

const rule_set sso_oidc_rule_set = {
    "sso-oidc", "sso-oauth", sso_oidc_rules, sso_oidc_calls,
    sso_oidc_conditions, sso_oidc_texts, {}};

} // namespace codynamo::aws::detail
