// SPDX-License-Identifier: BSL-1.0
// Which region and which URL, by the order of the AWS SDKs and Tools Reference Guide.
#include "aws/endpoint_rules.hpp"
#include "aws/network_source.hpp"
#include "aws/setting_source.hpp"

#include <codynamo/aws/endpoint.hpp>

namespace codynamo::aws {
namespace {

using detail::property;
using detail::trim;

bool ignores_configured_urls(const environment& env, const profile_section* section) {
    const auto found = detail::find_setting(env, section, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                                            "ignore_configured_endpoint_urls");
    return detail::boolean_of(found).value_or(false);
}

std::string_view services_url(const profile_files& files, const profile_section* section) {
    const auto services = property(section, "services");
    if (services.empty()) return {};
    const auto found = files.services.find(services);
    if (found == files.services.end()) {
        throw error(errc::invalid_argument, "services \"" + detail::quotable(services) +
                                                "\": the config file has no such section");
    }
    return property(&found->second, "dynamodb.endpoint_url");
}

} // namespace

std::string endpoint::url() const {
    return (server.tls ? "https://" : "http://") + server.authority();
}

std::string resolve_region(std::string_view given, const environment& env,
                           const profile_files& files, std::string_view profile) {
    std::string region(trim(given));
    for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
        if (region.empty()) region = detail::trimmed_variable(env, name);
    }
    if (region.empty()) region = property(files.find(profile_name(env, profile)), "region");
    if (!region.empty()) detail::require_region(region);
    return region;
}

std::string resolve_endpoint_url(std::string_view given, const environment& env,
                                 const profile_files& files, std::string_view profile) {
    if (const auto url = trim(given); !url.empty()) return std::string(url);
    const auto* section = files.find(profile_name(env, profile));
    if (ignores_configured_urls(env, section)) return {};
    for (const char* name : {"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"}) {
        if (auto url = detail::trimmed_variable(env, name); !url.empty()) return url;
    }
    if (const auto url = services_url(files, section); !url.empty()) return std::string(url);
    return std::string(property(section, "endpoint_url"));
}

} // namespace codynamo::aws
