// SPDX-License-Identifier: BSL-1.0
// The public endpoint rules and partitions. tools/update-aws-data.py writes the definitions.
#pragma once

#include "aws/partitions.hpp"
#include "aws/rule_set.hpp"

#include <string_view>

namespace codynamo::aws::detail {

/// Release of botocore that the tables are from.
extern const std::string_view endpoint_data_version;

extern const rule_set dynamodb_rule_set;
extern const rule_set sts_rule_set;
extern const rule_set sso_rule_set;
extern const rule_set sso_oidc_rule_set;

} // namespace codynamo::aws::detail
