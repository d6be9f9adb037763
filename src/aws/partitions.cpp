// SPDX-License-Identifier: BSL-1.0
// The table of partitions, and how a region finds its own.
#include "aws/partitions.hpp"

#include "aws/text.hpp"

#include <algorithm>

namespace codynamo::aws::detail {
namespace {

using names = std::string_view[];

constexpr names aws_prefixes = {"us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"};
constexpr names aws_regions = {
    "af-south-1",     "ap-east-1",      "ap-east-2",      "ap-northeast-1", "ap-northeast-2",
    "ap-northeast-3", "ap-south-1",     "ap-south-2",     "ap-southeast-1", "ap-southeast-2",
    "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
    "aws-global",     "ca-central-1",   "ca-west-1",      "eu-central-1",   "eu-central-2",
    "eu-north-1",     "eu-south-1",     "eu-south-2",     "eu-west-1",      "eu-west-2",
    "eu-west-3",      "il-central-1",   "me-central-1",   "me-south-1",     "me-west-1",
    "mx-central-1",   "sa-east-1",      "sa-west-1",      "us-east-1",      "us-east-2",
    "us-west-1",      "us-west-2"};
constexpr names cn_prefixes = {"cn"};
constexpr names cn_regions = {"aws-cn-global", "cn-north-1", "cn-northwest-1"};
constexpr names gov_prefixes = {"us-gov"};
constexpr names gov_regions = {"aws-us-gov-global", "us-gov-east-1", "us-gov-west-1"};
constexpr names eusc_prefixes = {"eusc-de"};
constexpr names eusc_regions = {"eusc-de-east-1"};
constexpr names iso_prefixes = {"us-iso"};
constexpr names iso_regions = {"aws-iso-global", "us-iso-east-1", "us-iso-west-1"};
constexpr names isob_prefixes = {"us-isob"};
constexpr names isob_regions = {"aws-iso-b-global", "us-isob-east-1", "us-isob-west-1"};
constexpr names isoe_prefixes = {"eu-isoe"};
constexpr names isoe_regions = {"aws-iso-e-global", "eu-isoe-west-1"};
constexpr names isof_prefixes = {"us-isof"};
constexpr names isof_regions = {"aws-iso-f-global", "us-isof-east-1", "us-isof-south-1"};

constexpr partition table[] = {
    {"aws", "amazonaws.com", "api.aws", true, true, aws_prefixes, aws_regions},
    {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", true, true, cn_prefixes,
     cn_regions},
    {"aws-us-gov", "amazonaws.com", "api.aws", true, true, gov_prefixes, gov_regions},
    {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", true, true, eusc_prefixes,
     eusc_regions},
    {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov", true, true, iso_prefixes, iso_regions},
    {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", true, true, isob_prefixes, isob_regions},
    {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", true, true, isoe_prefixes,
     isoe_regions},
    {"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", true, true, isof_prefixes, isof_regions},
};

/// What stands before "-name-number", as "us-gov" in "us-gov-west-1"; empty when the region is not
/// of that form.
std::string_view prefix_of(std::string_view region) noexcept {
    const auto number = region.rfind('-');
    if (number == std::string_view::npos || number == 0) return {};
    const auto digits = region.substr(number + 1);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return {};
    const auto place = region.rfind('-', number - 1);
    if (place == std::string_view::npos || place + 1 == number) return {};
    return region.substr(0, place);
}

bool holds(std::span<const std::string_view> all, std::string_view one) noexcept {
    return std::find(all.begin(), all.end(), one) != all.end();
}

} // namespace

std::span<const partition> partitions() noexcept {
    return table;
}

const partition& partition_of(std::string_view region) noexcept {
    for (const partition& each : table) {
        if (holds(each.regions, region)) return each;
    }
    const auto prefix = prefix_of(region);
    for (const partition& each : table) {
        if (holds(each.prefixes, prefix)) return each;
    }
    return table[0];
}

} // namespace codynamo::aws::detail
