// SPDX-License-Identifier: BSL-1.0
#include "placeholder_credentials.hpp"

#include <boost/asio/ip/address.hpp>

#include <string>

namespace bench {
namespace {

bool is_local(const std::string& endpoint) {
    if (endpoint.empty()) return false;
    const auto host = codynamo::net::parse_origin(endpoint, "endpoint").host;
    boost::system::error_code is_name;
    const auto address = boost::asio::ip::make_address(host, is_name);
    return is_name ? host == "localhost" : address.is_loopback();
}

} // namespace

void use_placeholder_credentials(codynamo::dynamodb_backend_config& config) {
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
