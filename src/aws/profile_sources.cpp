// SPDX-License-Identifier: BSL-1.0
// Follows a profile to its source.
#include "aws/profile_sources.hpp"

#include "aws/network_source.hpp"
#include "aws/setting_source.hpp"
#include "aws/wipe.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace codynamo::aws::detail {
namespace {

/// One profile, and the words for what is wrong with it.
class profile_view {
public:
    profile_view(std::string_view name, const profile_section& section)
        : name_(name), section_(section) {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Empty when it is not set.
    [[nodiscard]] std::string get(std::string_view key) const {
        // As it stands: a nested value, which begins with a line feed, is not to become a plain
        // one.
        const auto found = section_.find(key);
        return found == section_.end() ? std::string() : found->second;
    }
    [[nodiscard]] bool has(std::string_view key) const { return !get(key).empty(); }
    [[nodiscard]] std::string label() const { return "profile \"" + quotable(name_) + "\""; }
    [[noreturn]] void fail(const std::string& what) const {
        throw error(errc::no_credentials, label() + " " + what);
    }

private:
    std::string name_;
    const profile_section& section_;
};

bool is_chained(const profile_view& profile) {
    return profile.has("role_arn") && !profile.has("web_identity_token_file");
}

bool has_static_keys(const profile_view& profile) {
    return profile.has("aws_access_key_id") && profile.has("aws_secret_access_key");
}

credentials static_keys(const profile_view& profile) {
    credentials found(profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"),
                      profile.get("aws_session_token"));
    found.account_id = profile.get("aws_account_id");
    const bool id = !found.access_key_id.empty();
    const bool secret = !found.secret_access_key.empty();
    if (!id && !secret) throw not_configured(profile.label() + " has no credentials");
    if (!id) profile.fail("has no aws_access_key_id");
    if (!secret) profile.fail("has no aws_secret_access_key");
    return found;
}

named_source named_source_of(const profile_view& profile) {
    const std::string name = profile.get("credential_source");
    if (name == "Environment") return named_source::environment;
    if (name == "EcsContainer") return named_source::ecs_container;
    if (name == "Ec2InstanceMetadata") return named_source::ec2_instance_metadata;
    profile.fail("has a credential_source that is none of Environment, EcsContainer and "
                 "Ec2InstanceMetadata");
}

web_identity_config web_identity_of(const profile_view& profile) {
    if (!profile.has("role_arn")) profile.fail("has web_identity_token_file, but no role_arn");
    web_identity_config found;
    found.token_file = profile.get("web_identity_token_file");
    found.role_arn = profile.get("role_arn");
    found.session_name = profile.get("role_session_name");
    return found;
}

bool asks_for_sso(const profile_view& profile) {
    constexpr const char* keys[] = {"sso_session", "sso_start_url", "sso_region", "sso_account_id",
                                    "sso_role_name"};
    return std::any_of(std::begin(keys), std::end(keys),
                       [&](const char* key) { return profile.has(key); });
}

/// Region and start URL of the session; the profile may repeat them, but not contradict.
void take_session(const profile_files& files, const profile_view& profile, sso_config& into) {
    const auto session = files.sso_sessions.find(into.session);
    if (session == files.sso_sessions.end())
        profile.fail("names the sso-session \"" + quotable(into.session) +
                     "\", which does not exist");
    for (const auto& [key, value] :
         {std::pair<const char*, std::string*>{"sso_region", &into.region},
          {"sso_start_url", &into.start_url}}) {
        const std::string shared(property(&session->second, key));
        if (!value->empty() && *value != shared) {
            profile.fail(std::string("has another ") + key + " than its sso-session \"" +
                         quotable(into.session) + "\"");
        }
        if (shared.empty())
            profile.fail("names the sso-session \"" + quotable(into.session) + "\", which has no " +
                         key);
        *value = shared;
    }
}

sso_config sso_of(const profile_files& files, const profile_view& profile) {
    sso_config found;
    found.start_url = profile.get("sso_start_url");
    found.region = profile.get("sso_region");
    found.account_id = profile.get("sso_account_id");
    found.role_name = profile.get("sso_role_name");
    found.session = profile.get("sso_session");
    if (found.account_id.empty() && !found.role_name.empty())
        profile.fail("has sso_role_name, but no sso_account_id");
    if (found.role_name.empty() && !found.account_id.empty())
        profile.fail("has sso_account_id, but no sso_role_name");
    if (!found.session.empty()) {
        take_session(files, profile, found);
        return found;
    }
    if (found.region.empty()) profile.fail("has SSO settings, but no sso_region");
    if (found.start_url.empty()) profile.fail("has SSO settings, but no sso_start_url");
    if (found.account_id.empty()) profile.fail("has SSO settings, but no sso_account_id");
    return found;
}

first_step first_step_of(const profile_files& files, const profile_view& profile) {
    if (profile.has("credential_source")) return named_source_of(profile);
    if (profile.has("web_identity_token_file")) return web_identity_of(profile);
    if (asks_for_sso(profile)) return sso_of(files, profile);
    if (profile.has("login_session"))
        profile.fail("has login_session: that kind of sign-in is not supported");
    if (profile.has("credential_process")) {
        process_step step;
        step.command = profile.get("credential_process");
        step.account_id = profile.get("aws_account_id");
        return step;
    }
    return static_keys(profile);
}

std::chrono::seconds duration_of(const profile_view& profile) {
    const std::string text = profile.get("duration_seconds");
    if (text.empty()) return assume_role_config{}.duration;
    int seconds = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failure != std::errc() || end != text.data() + text.size() || seconds < 900 ||
        seconds > 43200)
        profile.fail("has a duration_seconds that is no number from 900 to 43200");
    return std::chrono::seconds(seconds);
}

assume_role_config role_of(const profile_view& profile) {
    if (profile.has("mfa_serial")) {
        profile.fail("has mfa_serial: roles that ask for a one-time password are not supported; "
                     "let credential_process or `aws sso login` get credentials for them");
    }
    assume_role_config role;
    role.role_arn = profile.get("role_arn");
    role.session_name = profile.get("role_session_name");
    role.external_id = profile.get("external_id");
    role.duration = duration_of(profile);
    return role;
}

/// Where a profile with a role goes on; nullopt: at home.
std::optional<std::string> next_profile(const profile_view& profile) {
    std::string source = profile.get("source_profile");
    const bool named = profile.has("credential_source");
    if (named && !source.empty())
        profile.fail("has both source_profile and credential_source: one is allowed");
    if (!named && source.empty())
        profile.fail("has role_arn, but neither source_profile nor credential_source");
    if (named || source == profile.name()) return std::nullopt;
    return source;
}

/// What a source profile lacks is wrong, and not merely not configured.
first_step required_first_step(const profile_files& files, const profile_view& profile,
                               bool is_source) {
    try {
        return first_step_of(files, profile);
    } catch (const not_configured&) {
        if (!is_source) throw;
        profile.fail("has no credentials, and is a source_profile");
    }
}

} // namespace

profile_plan plan_profile(const profile_files& files, std::string_view profile) {
    profile_plan plan;
    std::vector<std::string> visited;
    std::string name(profile);
    for (;;) {
        const profile_section* section = files.find(name);
        if (!section) {
            if (visited.empty())
                throw not_configured("there is no profile \"" + quotable(name) + "\"");
            throw error(errc::no_credentials, "profile \"" + quotable(visited.back()) +
                                                  "\" has the source_profile \"" + quotable(name) +
                                                  "\", which does not exist");
        }
        const profile_view here(name, *section);
        if (std::find(visited.begin(), visited.end(), name) != visited.end())
            here.fail("is its own source_profile, by way of others");
        visited.push_back(name);
        plan.first_profile = name;
        const bool is_source = visited.size() > 1;
        if (is_source && has_static_keys(here)) {
            plan.first = static_keys(here);
            break;
        }
        std::optional<std::string> next;
        if (is_chained(here)) {
            plan.roles.push_back(role_of(here));
            plan.role_profiles.push_back(name);
            next = next_profile(here);
        }
        if (!next) {
            plan.first = required_first_step(files, here, !plan.roles.empty());
            break;
        }
        name = std::move(*next);
    }
    std::reverse(plan.roles.begin(), plan.roles.end());
    std::reverse(plan.role_profiles.begin(), plan.role_profiles.end());
    return plan;
}

void wipe_secrets(profile_files& files) noexcept {
    for (auto& [name, section] : files.profiles) {
        for (const char* key : {"aws_secret_access_key", "aws_session_token"}) {
            if (const auto found = section.find(key); found != section.end()) wipe(found->second);
        }
    }
}

} // namespace codynamo::aws::detail
