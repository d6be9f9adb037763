// SPDX-License-Identifier: BSL-1.0
// Credentials that a program prints.
#pragma once

#include "aws/refreshing_provider.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace codynamo::aws::detail {

inline constexpr std::chrono::seconds default_process_timeout{60};

/// Throws errc::invalid_argument when the command is empty or holds a NUL, or the time-out is not
/// within 1 ms and 10 min.
[[nodiscard]] std::shared_ptr<credential_source> process_source(std::string command,
                                                                std::chrono::milliseconds timeout);

} // namespace codynamo::aws::detail
