// SPDX-License-Identifier: BSL-1.0
#include "local_server.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace bench {
namespace {

bool is_local(std::string_view endpoint) {
    constexpr std::string_view hosts[] = {"http://127.0.0.1", "https://127.0.0.1",
                                          "http://localhost", "https://localhost",
                                          "http://[::1]",     "https://[::1]"};
    return std::any_of(std::begin(hosts), std::end(hosts), [&](std::string_view host) {
        const bool same = endpoint.starts_with(host);
        return same && (endpoint.size() == host.size() || endpoint[host.size()] == ':' ||
                        endpoint[host.size()] == '/');
    });
}

} // namespace

void stand_in_if_local(codynamo::dynamodb_backend_config& config) {
    if (!is_local(config.endpoint)) return;
    const auto says = [&](const char* name) {
        const auto value = config.env.variable(name);
        return value && !value->empty();
    };
    if (says("AWS_PROFILE")) return;
    if (!says("AWS_ACCESS_KEY_ID"))
        config.credentials = codynamo::aws::static_credentials({"bench", "bench"});
    if (config.region.empty() && !says("AWS_REGION") && !says("AWS_DEFAULT_REGION"))
        config.region = "us-east-1";
}

} // namespace bench
