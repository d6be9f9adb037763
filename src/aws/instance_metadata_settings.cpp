// SPDX-License-Identifier: BSL-1.0
// Where instance metadata is, by variables and profile.
#include "aws/instance_metadata.hpp"
#include "aws/setting_source.hpp"

#include <charconv>

namespace codynamo::aws::detail {
namespace {

net::origin origin_of_mode(const setting& mode) {
    const std::string word = to_lower(mode.value);
    net::origin server;
    server.tls = false;
    server.port = 80;
    if (word.empty() || word == "ipv4")
        server.host = "169.254.169.254";
    else if (word == "ipv6")
        server.host = "fd00:ec2::254";
    else
        refuse_setting(mode, "IPv4 or IPv6");
    return server;
}

unsigned number_of(const setting& what, unsigned most, std::string_view bounds) {
    unsigned value = 0;
    const char* const end = what.value.data() + what.value.size();
    const auto [stop, failed] = std::from_chars(what.value.data(), end, value);
    if (failed != std::errc() || stop != end || value < 1 || value > most)
        refuse_setting(what, bounds);
    return value;
}

} // namespace

metadata_settings resolve_metadata_settings(const environment& env, const profile_files& files,
                                            std::string_view profile,
                                            std::string_view given_endpoint,
                                            std::string_view given_mode) {
    const auto* section = files.find(profile_name(env, profile));
    metadata_settings found;
    found.disabled = boolean_of(find_setting(env, section, "AWS_EC2_METADATA_DISABLED", nullptr))
                         .value_or(false);
    if (found.disabled) return found;

    setting endpoint{std::string(given_endpoint), "the given endpoint"};
    if (endpoint.value.empty()) {
        endpoint = find_setting(env, section, "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                "ec2_metadata_service_endpoint");
    }
    setting mode{std::string(given_mode), "the given mode"};
    if (mode.value.empty()) {
        mode = find_setting(env, section, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                            "ec2_metadata_service_endpoint_mode");
    }
    found.server = endpoint.value.empty() ? origin_of_mode(mode)
                                          : net::parse_origin(endpoint.value, endpoint.source);

    const auto timeout =
        find_setting(env, section, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout");
    if (!timeout.value.empty())
        found.timeout = std::chrono::seconds(number_of(timeout, 60, "1 to 60 (seconds)"));
    const auto attempts = find_setting(env, section, "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
                                       "metadata_service_num_attempts");
    if (!attempts.value.empty()) found.attempts = number_of(attempts, 10, "1 to 10");
    return found;
}

} // namespace codynamo::aws::detail
