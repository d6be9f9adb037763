// SPDX-License-Identifier: BSL-1.0
// Settings, files and words, as the sources that ask over the network need them.
#include "aws/network_source.hpp"

#include "aws/secret_scan.hpp"
#include "aws/setting_source.hpp"
#include "aws/small_file.hpp"

#include <codynamo/aws/settings.hpp>

#include <algorithm>
#include <array>

namespace asio = boost::asio;

namespace codynamo::aws::detail {
namespace {

constexpr std::size_t max_secret_file_bytes = 64 * 1024;

} // namespace

asio::awaitable<credentials> network_source::fetch() {
    try {
        co_return co_await ask();
    } catch (const not_configured&) {
        throw;
    } catch (const error& why) {
        if (why.code() == errc::no_credentials) throw;
        throw error(errc::no_credentials, why.info().message);
    }
}

std::string configured_service_url(const service_identity& service, const environment& env,
                                   const profile_files& files, std::string_view profile) {
    const auto* section = files.find(profile_name(env, profile));
    const auto ignore = find_setting(env, section, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                                     "ignore_configured_endpoint_urls");
    if (to_lower(ignore.value) == "true") return {};
    const std::string own = "AWS_ENDPOINT_URL_" + std::string(service.variable);
    for (const char* name : {own.c_str(), "AWS_ENDPOINT_URL"}) {
        if (auto url = trimmed_variable(env, name); !url.empty()) return url;
    }
    if (const auto services = property(section, "services"); !services.empty()) {
        const auto found = files.services.find(services);
        if (found == files.services.end()) {
            throw error(errc::invalid_argument, "services \"" + quotable(services) +
                                                    "\": the config file has no such section");
        }
        const std::string key = std::string(service.section_key) + ".endpoint_url";
        if (const auto url = property(&found->second, key); !url.empty()) return std::string(url);
    }
    return std::string(property(section, "endpoint_url"));
}

service_settings settings_of(const service_identity& service, const source_options& options,
                             std::string_view region) {
    const profile_files files = load_profile_files(options.env);
    const shared_settings shared = read_settings(options.env, files, options.profile);
    service_endpoint_parameters of;
    of.region = region.empty() ? resolve_region(options.region, options.env, files, options.profile)
                               : std::string(region);
    of.use_fips = options.use_fips.value_or(shared.use_fips.value_or(false));
    of.use_dualstack = options.use_dualstack.value_or(shared.use_dualstack.value_or(false));
    of.endpoint = configured_service_url(service, options.env, files, options.profile);
    service_settings found;
    found.tls = options.tls;
    if (found.tls.ca_file.empty()) {
        found.tls.ca_file = shared.ca_bundle;
        found.tls.ca_file_source = shared.ca_bundle_source;
    }
    found.max_attempts = shared.max_attempts.value_or(found.max_attempts);
    found.learns_clock = !shared.disable_clock_skew_correction.value_or(false);
    if (of.endpoint.empty() && of.region.empty()) {
        throw error(errc::invalid_argument, "no region for " + std::string(service.variable) +
                                                ": set AWS_REGION or the profile's region");
    }
    found.where = resolve_service_endpoint(service.rules, of);
    if (found.where.signing_region.empty()) found.where.signing_region = "us-east-1";
    return found;
}

net::tls_config tls_of(const source_options& options) {
    net::tls_config tls = options.tls;
    if (!tls.ca_file.empty()) return tls;
    tls.ca_file_source = "AWS_CA_BUNDLE";
    tls.ca_file = trimmed_variable(options.env, "AWS_CA_BUNDLE");
    if (!tls.ca_file.empty()) return tls;
    const profile_files files = load_profile_files(options.env);
    const auto* section = files.find(profile_name(options.env, options.profile));
    const setting authorities = find_setting(options.env, section, nullptr, "ca_bundle");
    tls.ca_file = authorities.value;
    tls.ca_file_source = authorities.source;
    return tls;
}

secret_string read_secret_file(const std::string& path) {
    small_file file = read_small_file(path, max_secret_file_bytes);
    if (!file.why_not.empty())
        throw error(errc::no_credentials,
                    "cannot read \"" + quotable(path) + "\": " + file.why_not);
    return std::move(file.text);
}

std::string quotable(std::string_view text, std::size_t most) {
    std::string shown(text.substr(0, most));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    if (text.size() > most) shown += "...";
    return shown;
}

void refuse_argument(std::string_view field, std::string_view value, std::string_view reason) {
    throw error(errc::invalid_argument,
                std::string(field) + " = \"" + quotable(value, 100) + "\": " + std::string(reason));
}

std::string service_words(std::string_view code, std::string_view message,
                          const std::vector<std::string_view>& secrets) {
    std::string text;
    if (!repeats_secret(code.substr(0, 128), secrets)) text = quotable(code, 128);
    const std::string_view start = message.substr(0, 300);
    if (start.empty() || repeats_secret(start, secrets)) return text;
    if (!text.empty()) text += ": ";
    return text + quotable(message);
}

} // namespace codynamo::aws::detail
