// SPDX-License-Identifier: BSL-1.0
// The endpoint that a region and a URL lead to when nothing else was said.
#pragma once

#include <codynamo/aws/endpoint.hpp>

#include <string>

namespace codynamo::testing_support {

inline aws::endpoint at(const std::string& region, const std::string& url = {}) {
    aws::endpoint_parameters of;
    of.region = region;
    of.endpoint = url;
    return aws::resolve_endpoint(of);
}

} // namespace codynamo::testing_support
