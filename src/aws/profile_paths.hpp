// SPDX-License-Identifier: BSL-1.0
// Where the shared files are, and what a message calls them.
#pragma once

#include <codynamo/aws/profile.hpp>
#include <codynamo/environment.hpp>

#include <string>
#include <string_view>

namespace codynamo::aws::detail {

/// HOME, else USERPROFILE, else HOMEDRIVE and HOMEPATH; empty when there is none of them.
[[nodiscard]] std::string home_folder(const environment& env);

/// AWS_CONFIG_FILE, else ~/.aws/config; empty when there is no home folder.
[[nodiscard]] std::string config_file_path(const environment& env);

/// AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials; empty when there is no home folder.
[[nodiscard]] std::string credentials_file_path(const environment& env);

/// The variable's value without blanks around it; empty when it is not set or blank.
[[nodiscard]] std::string trimmed_variable(const environment& env, const char* name);

struct labelled_text {
    std::string_view text;
    std::string label;
};

/// As the public one, with these labels in front of "line 3: ...".
[[nodiscard]] profile_files parse_profile_files(const labelled_text& config,
                                                const labelled_text& credentials);

} // namespace codynamo::aws::detail
