// SPDX-License-Identifier: BSL-1.0
// Which region and which URL, by the order of the AWS SDKs and Tools Reference Guide.
#include "aws/profile_paths.hpp"
#include "aws/text.hpp"

#include <codynamo/aws/endpoint.hpp>

#include <algorithm>
#include <utility>

namespace codynamo::aws {
namespace {

using detail::trim;

/// A trimmed property; empty when it is not there.
std::string_view property(const profile_section* section, std::string_view name) {
    if (!section) return {};
    const auto found = section->find(name);
    return found == section->end() ? std::string_view() : trim(found->second);
}

/// RFC 1123: letters, digits and inner hyphens, 1 to 63 of them.
void require_host_label(std::string_view region) {
    const bool fits = !region.empty() && region.size() <= 63 && region.front() != '-' &&
                      region.back() != '-' && std::all_of(region.begin(), region.end(), [](char c) {
                          return detail::is_alphanumeric(c) || c == '-';
                      });
    if (fits) return;
    std::string shown;
    for (const char c : region.substr(0, 80))
        shown += detail::is_control(c) ? '?' : c;
    throw error(errc::invalid_argument, "region \"" + shown +
                                            "\" is no host label: 1 to 63 letters, digits and "
                                            "inner hyphens");
}

bool ignores_configured_urls(const environment& env, const profile_section* section) {
    const auto variable = detail::trimmed_variable(env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    const auto text = variable.empty() ? property(section, "ignore_configured_endpoint_urls")
                                       : std::string_view(variable);
    return detail::to_lower(text) == "true";
}

std::string_view services_url(const profile_files& files, const profile_section* section) {
    const auto services = property(section, "services");
    if (services.empty()) return {};
    const auto found = files.services.find(services);
    if (found == files.services.end()) {
        throw error(errc::invalid_argument, "services \"" + std::string(services) +
                                                "\": the config file has no such section");
    }
    return property(&found->second, "dynamodb.endpoint_url");
}

constexpr std::pair<std::string_view, std::string_view> partitions[] = {
    {"cn", "amazonaws.com.cn"},   {"us-gov", "amazonaws.com"},   {"us-iso", "c2s.ic.gov"},
    {"us-isob", "sc2s.sgov.gov"}, {"eu-isoe", "cloud.adc-e.uk"}, {"us-isof", "csp.hci.ic.gov"},
    {"eusc-de", "amazonaws.eu"},
};

constexpr std::pair<std::string_view, std::string_view> pseudo_regions[] = {
    {"aws-cn-global", "amazonaws.com.cn"},  {"aws-iso-global", "c2s.ic.gov"},
    {"aws-iso-b-global", "sc2s.sgov.gov"},  {"aws-iso-e-global", "cloud.adc-e.uk"},
    {"aws-iso-f-global", "csp.hci.ic.gov"},
};

/// What stands before "-place-number", as "us-gov" in "us-gov-west-1"; empty when the name is not
/// of that form.
std::string_view region_prefix(std::string_view region) noexcept {
    const auto number = region.rfind('-');
    if (number == std::string_view::npos || number == 0) return {};
    const auto digits = region.substr(number + 1);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), detail::is_digit)) return {};
    const auto place = region.rfind('-', number - 1);
    if (place == std::string_view::npos || place + 1 == number) return {};
    return region.substr(0, place);
}

template <std::size_t Size>
std::string_view find(const std::pair<std::string_view, std::string_view> (&table)[Size],
                      std::string_view name) noexcept {
    for (const auto& [known, suffix] : table) {
        if (known == name) return suffix;
    }
    return {};
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
    if (!region.empty()) require_host_label(region);
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

endpoint resolve_endpoint(std::string_view region, std::string_view custom_url) {
    if (region.empty()) {
        throw error(errc::invalid_argument,
                    "region is missing: set it in the configuration, in AWS_REGION or in the "
                    "profile");
    }
    require_host_label(region);
    const bool local = region == "local";
    endpoint where;
    where.signing_region = local ? "us-east-1" : region;
    if (!custom_url.empty()) {
        where.server = net::parse_origin(custom_url, "endpoint");
    } else if (local) {
        where.server = {.tls = false, .host = "localhost", .port = 8000};
    } else {
        where.server.host.append("dynamodb.").append(region).append(".");
        where.server.host.append(partition_dns_suffix(region));
    }
    return where;
}

std::string_view partition_dns_suffix(std::string_view region) noexcept {
    auto suffix = find(pseudo_regions, region);
    if (suffix.empty()) suffix = find(partitions, region_prefix(region));
    return suffix.empty() ? "amazonaws.com" : suffix;
}

} // namespace codynamo::aws
