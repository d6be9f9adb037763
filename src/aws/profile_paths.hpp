// SPDX-License-Identifier: BSL-1.0
// Where the shared files are.
#pragma once

#include <codynamo/environment.hpp>

#include <string>

namespace codynamo::aws::detail {

/// HOME, else USERPROFILE, else HOMEDRIVE and HOMEPATH; empty when there is none of them.
[[nodiscard]] std::string home_folder(const environment& env);

/// AWS_CONFIG_FILE, else ~/.aws/config; empty when there is no home folder.
[[nodiscard]] std::string config_file_path(const environment& env);

/// AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials; empty when there is no home folder.
[[nodiscard]] std::string credentials_file_path(const environment& env);

/// The variable's value without blanks around it; empty when it is not set or blank.
[[nodiscard]] std::string trimmed_variable(const environment& env, const char* name);

} // namespace codynamo::aws::detail
