// SPDX-License-Identifier: BSL-1.0
// Finding and reading the shared files.
#include "aws/profile_paths.hpp"

#include "aws/secret_memory.hpp"
#include "aws/small_file.hpp"
#include "aws/text.hpp"

#include <codynamo/aws/profile.hpp>
#include <codynamo/error.hpp>

#include <utility>

namespace codynamo::aws {
namespace detail {
namespace {

constexpr const char* config_variable = "AWS_CONFIG_FILE";
constexpr const char* credentials_variable = "AWS_SHARED_CREDENTIALS_FILE";
constexpr std::size_t max_file_bytes = 1024 * 1024;

std::string file_path(const environment& env, const char* variable, std::string_view in_home) {
    std::string path = trimmed_variable(env, variable);
    if (path.empty()) path.append("~").append(in_home);
    if (path != "~" && !path.starts_with("~/")) return path;
    const std::string home = home_folder(env);
    return home.empty() ? std::string() : home + path.substr(1);
}

/// A file that `variable` names must be readable, if it is there. The default one is optional.
secret_string read_file(const environment& env, const char* variable, const std::string& path) {
    if (path.empty()) return {};
    small_file file = read_small_file(path, max_file_bytes);
    if (file.why_not.empty() || file.missing) return std::move(file.text);
    const std::string reason = "cannot read \"" + path + "\": " + file.why_not;
    if (!trimmed_variable(env, variable).empty()) {
        throw error(errc::invalid_argument, reason + " (named by " + variable +
                                                "); make it readable or unset the variable");
    }
    env.log.write(log_level::warning, reason + "; continuing without this file");
    return {};
}

std::string label(const char* kind, const std::string& path) {
    return std::string(kind) + " \"" + path + "\"";
}

} // namespace

std::string home_folder(const environment& env) {
    for (const char* name : {"HOME", "USERPROFILE"}) {
        if (auto value = env.variable(name); value && !value->empty()) return *value;
    }
    return env.variable("HOMEDRIVE").value_or("") + env.variable("HOMEPATH").value_or("");
}

std::string trimmed_variable(const environment& env, const char* name) {
    auto value = env.variable(name);
    if (!value) return {};
    // It may be a secret, of which only the caller's copy is to stay.
    const wipe_at_end wiped(*value);
    return std::string(trim(*value));
}

std::string config_file_path(const environment& env) {
    return file_path(env, config_variable, "/.aws/config");
}

std::string credentials_file_path(const environment& env) {
    return file_path(env, credentials_variable, "/.aws/credentials");
}

} // namespace detail

profile_files load_profile_files(const environment& env) {
    const std::string config_path = detail::config_file_path(env);
    const std::string credentials_path = detail::credentials_file_path(env);
    const auto config = detail::read_file(env, detail::config_variable, config_path);
    const auto credentials = detail::read_file(env, detail::credentials_variable, credentials_path);
    return detail::parse_profile_files(
        {config.text(), detail::label("config file", config_path)},
        {credentials.text(), detail::label("credentials file", credentials_path)});
}

std::string profile_name(const environment& env, std::string_view given) {
    if (!given.empty()) return std::string(given);
    auto name = detail::trimmed_variable(env, "AWS_PROFILE");
    return name.empty() ? "default" : name;
}

} // namespace codynamo::aws
