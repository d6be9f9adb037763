// SPDX-License-Identifier: BSL-1.0
// Finding and reading the shared files.
#include "aws/profile_paths.hpp"

#include "aws/secret_memory.hpp"
#include "aws/text.hpp"

#include <codynamo/aws/profile.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

namespace codynamo::aws {
namespace detail {
namespace {

constexpr std::size_t max_file_bytes = 1024 * 1024;

std::string file_path(const environment& env, const char* variable, std::string_view in_home) {
    std::string path = trimmed_variable(env, variable);
    if (path.empty()) path.append("~").append(in_home);
    if (path != "~" && !path.starts_with("~/")) return path;
    const std::string home = home_folder(env);
    return home.empty() ? std::string() : home + path.substr(1);
}

[[noreturn]] void fail(const std::string& path, const std::string& why) {
    throw error(errc::invalid_argument, "cannot read \"" + path + "\": " + why);
}

secret_string with_room(const std::string& text, std::size_t size) {
    std::string larger(size, '\0');
    text.copy(larger.data(), text.size());
    return secret_string(std::move(larger));
}

secret_string read_file(const std::string& path) {
    if (path.empty()) return {};
    errno = 0;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                               &std::fclose);
    if (!file) {
        if (errno == ENOENT || errno == ENOTDIR) return {};
        fail(path, boost::system::error_code(errno, boost::system::generic_category()).message());
    }
    // Without a buffer of its own, which would keep what it read.
    std::setvbuf(file.get(), nullptr, _IONBF, 0);
    secret_string text;
    for (std::size_t size = 0;;) {
        text = with_room(text.text(), std::max<std::size_t>(2 * size, 4096));
        const auto count =
            std::fread(text.text().data() + size, 1, text.text().size() - size, file.get());
        size += count;
        if (size > max_file_bytes) fail(path, "it is larger than 1 MiB");
        if (size == text.text().size()) continue;
        text.text().resize(size);
        break;
    }
    if (std::ferror(file.get())) {
        fail(path, boost::system::error_code(errno, boost::system::generic_category()).message());
    }
    return text;
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
    return file_path(env, "AWS_CONFIG_FILE", "/.aws/config");
}

std::string credentials_file_path(const environment& env) {
    return file_path(env, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials");
}

} // namespace detail

profile_files load_profile_files(const environment& env) {
    const auto config = detail::read_file(detail::config_file_path(env));
    const auto credentials = detail::read_file(detail::credentials_file_path(env));
    return parse_profile_files(config.text(), credentials.text());
}

std::string profile_name(const environment& env, std::string_view given) {
    if (!given.empty()) return std::string(given);
    auto name = detail::trimmed_variable(env, "AWS_PROFILE");
    return name.empty() ? "default" : name;
}

} // namespace codynamo::aws
