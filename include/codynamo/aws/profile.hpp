// SPDX-License-Identifier: BSL-1.0
// The shared config and credentials files, as values.
#pragma once

#include <codynamo/environment.hpp>
#include <codynamo/export.hpp>

#include <map>
#include <string>
#include <string_view>

namespace codynamo::aws {

/// The properties of one section; names in lower case. A property with nested ones stands with its
/// text, each line of it after a line feed, and each nested property stands as "outer.inner" too.
using profile_section = std::map<std::string, std::string, std::less<>>;

/// Both files, merged: where both have a property the credentials file's value stands. Wipes all
/// values when it goes, since some of them are secrets.
struct CODYNAMO_API profile_files {
    std::map<std::string, profile_section, std::less<>> profiles{};
    std::map<std::string, profile_section, std::less<>> sso_sessions{};
    std::map<std::string, profile_section, std::less<>> services{};

    profile_files() = default;
    profile_files(const profile_files&) = default;
    profile_files(profile_files&&) = default;
    profile_files& operator=(profile_files other) noexcept;
    ~profile_files();

    /// nullptr when there is no such profile.
    [[nodiscard]] const profile_section* find(std::string_view profile) const;
};

/// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". Pure.
/// Sections and properties with invalid names are ignored, as the SDKs do. A name in quotes may
/// hold anything: [profile "my profile"] and [sso-session 'FOO BAR'] are read by the rules of a
/// shell, as by the AWS CLI; the credentials file may then have a section [my profile]. Sections of
/// one name are one section however they are spelt, and the last value of a property stands. Throws
/// errc::invalid_argument with file label and line number (the line itself may hold a secret) for a
/// line that is no section, property, comment or continuation.
[[nodiscard]] CODYNAMO_API profile_files parse_profile_files(std::string_view config_text,
                                                             std::string_view credentials_text);

/// Reads AWS_CONFIG_FILE (else ~/.aws/config) and AWS_SHARED_CREDENTIALS_FILE (else
/// ~/.aws/credentials). A missing file is an empty one; so is the default file when there is no
/// home folder. Reads from disk in the calling thread: two files of a few kilobytes.
/// A file that cannot be read, is no regular file (a pipe, say; /dev/null is an empty one) or is
/// larger than 1 MiB is an error when a variable names it; a default one counts as missing, with a
/// warning in the log. Throws errc::invalid_argument, naming the file's path, the variable, and the
/// line of what is malformed.
[[nodiscard]] CODYNAMO_API profile_files load_profile_files(const environment& env);

/// `given` if not empty, else AWS_PROFILE, else "default".
[[nodiscard]] CODYNAMO_API std::string profile_name(const environment& env, std::string_view given);

} // namespace codynamo::aws
