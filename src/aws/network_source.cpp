// SPDX-License-Identifier: BSL-1.0
// Settings, files and words, as the sources that ask over the network need them.
#include "aws/network_source.hpp"

#include "aws/setting_source.hpp"

#include <codynamo/aws/settings.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace asio = boost::asio;

namespace codynamo::aws::detail {
namespace {

constexpr std::size_t max_secret_file_bytes = 64 * 1024;
constexpr std::size_t telling_length = 12;

bool repeats(std::string_view message, std::string_view secret) {
    if (secret.size() < telling_length)
        return secret.size() >= 4 && message.find(secret) != std::string_view::npos;
    for (std::size_t at = 0; at + telling_length <= message.size(); ++at) {
        if (secret.find(message.substr(at, telling_length)) != std::string_view::npos) return true;
    }
    return false;
}

std::string why_not(int code) {
    return boost::system::error_code(code, boost::system::generic_category()).message();
}

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
    const std::string in = region.empty()
                               ? resolve_region(options.region, options.env, files, options.profile)
                               : std::string(region);
    const bool fips = options.use_fips.value_or(shared.use_fips.value_or(false));
    const bool dualstack = options.use_dualstack.value_or(shared.use_dualstack.value_or(false));
    service_settings found;
    found.max_attempts = shared.max_attempts.value_or(found.max_attempts);
    const std::string url = configured_service_url(service, options.env, files, options.profile);
    if (url.empty()) {
        if (in.empty()) {
            throw error(errc::invalid_argument, "no region for " + std::string(service.variable) +
                                                    ": set AWS_REGION or the profile's region");
        }
        found.where = resolve_service_endpoint(service.host_prefix, service.signing_name, in, fips,
                                               dualstack);
        return found;
    }
    if (fips || dualstack) {
        throw error(errc::invalid_argument, "the endpoint of " + std::string(service.variable) +
                                                " is configured: FIPS and dualstack cannot be had");
    }
    found.where.server = net::parse_origin(url, "the endpoint of " + std::string(service.variable));
    found.where.signing_region = in.empty() ? "us-east-1" : in;
    found.where.signing_service = service.signing_name;
    return found;
}

secret_string read_secret_file(const std::string& path) {
    const auto refuse = [&](const std::string& why) {
        throw error(errc::no_credentials, "cannot read \"" + quotable(path) + "\": " + why);
    };
    errno = 0;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                               &std::fclose);
    if (!file) refuse(why_not(errno));
    // No buffer of the library's, which would keep a copy.
    std::setvbuf(file.get(), nullptr, _IONBF, 0);
    secret_string read;
    read.text().resize(max_secret_file_bytes + 1);
    const auto size = std::fread(read.text().data(), 1, read.text().size(), file.get());
    if (std::ferror(file.get())) refuse(why_not(errno));
    if (size > max_secret_file_bytes) refuse("it is larger than 64 KiB");
    read.text().resize(size);
    return read;
}

std::string quotable(std::string_view text, std::size_t most) {
    std::string shown(text.substr(0, most));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    if (text.size() > most) shown += "...";
    return shown;
}

std::string service_words(std::string_view code, std::string_view message,
                          const std::vector<std::string_view>& secrets) {
    const auto tells = [&](std::string_view words) {
        return std::any_of(secrets.begin(), secrets.end(),
                           [&](std::string_view secret) { return repeats(words, secret); });
    };
    std::string text;
    if (!tells(code.substr(0, 128))) text = quotable(code, 128);
    const std::string_view start = message.substr(0, 300);
    if (start.empty() || tells(start)) return text;
    if (!text.empty()) text += ": ";
    return text + quotable(message);
}

} // namespace codynamo::aws::detail
