// SPDX-License-Identifier: BSL-1.0
// Settings as values: which variable, which key, which words they know.
#include "aws/setting_source.hpp"

#include <codynamo/aws/settings.hpp>

#include <charconv>
#include <utility>

namespace codynamo::aws {
namespace {

using detail::setting;

constexpr unsigned most_attempts = 1000;

std::optional<account_id_endpoint_mode> account_id_mode_of(const setting& what) {
    const auto word = detail::to_lower(what.value);
    if (word.empty()) return std::nullopt;
    if (word == "preferred") return account_id_endpoint_mode::preferred;
    if (word == "disabled") return account_id_endpoint_mode::disabled;
    if (word == "required") return account_id_endpoint_mode::required;
    detail::refuse_setting(what, "preferred, disabled or required");
}

std::optional<retry_mode> retry_mode_of(const setting& what) {
    const auto word = detail::to_lower(what.value);
    if (word.empty()) return std::nullopt;
    if (word == "standard" || word == "legacy") return retry_mode::standard;
    if (word == "adaptive") return retry_mode::adaptive;
    detail::refuse_setting(what, "legacy, standard or adaptive");
}

std::optional<unsigned> attempts_of(const setting& what) {
    if (what.value.empty()) return std::nullopt;
    unsigned count = 0;
    const char* end = what.value.data() + what.value.size();
    const auto [rest, failure] = std::from_chars(what.value.data(), end, count);
    if (failure != std::errc() || rest != end || count == 0 || count > most_attempts)
        detail::refuse_setting(what, "a number from 1 to 1000");
    return count;
}

std::optional<retry_spec> retry_spec_of(const setting& what) {
    const auto wanted = detail::boolean_of(what);
    if (!wanted) return std::nullopt;
    return *wanted ? retry_spec::v2_1 : retry_spec::v2_0;
}

void read_region(shared_settings& into, const environment& env, const profile_files& files,
                 std::string_view profile) {
    into.region = resolve_region({}, env, files, profile);
    if (into.region.empty()) return;
    into.region_source = "profile";
    for (const char* name : {"AWS_DEFAULT_REGION", "AWS_REGION"}) {
        if (!detail::trimmed_variable(env, name).empty()) into.region_source = name;
    }
}

} // namespace

shared_settings read_settings(const environment& env, const profile_files& files,
                              std::string_view profile) {
    const auto* section = files.find(profile_name(env, profile));
    const auto find = [&](const char* variable, const char* key) {
        return detail::find_setting(env, section, variable, key);
    };
    shared_settings all;
    read_region(all, env, files, profile);
    all.endpoint_url = resolve_endpoint_url({}, env, files, profile);
    all.use_fips = detail::boolean_of(find("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"));
    all.use_dualstack =
        detail::boolean_of(find("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"));
    all.account_id_mode =
        account_id_mode_of(find("AWS_ACCOUNT_ID_ENDPOINT_MODE", "account_id_endpoint_mode"));
    all.mode = retry_mode_of(find("AWS_RETRY_MODE", "retry_mode"));
    all.max_attempts = attempts_of(find("AWS_MAX_ATTEMPTS", "max_attempts"));
    all.spec = retry_spec_of(find("AWS_NEW_RETRIES_2026", nullptr));
    const setting authorities = find("AWS_CA_BUNDLE", "ca_bundle");
    all.ca_bundle = authorities.value;
    all.ca_bundle_source = authorities.source;
    all.disable_clock_skew_correction = detail::boolean_of(
        find("AWS_DISABLE_CLOCK_SKEW_CORRECTION", "disable_clock_skew_correction"));
    return all;
}

} // namespace codynamo::aws
