// SPDX-License-Identifier: BSL-1.0
// Ctrl-C: a program notes it, prints what it has and exits with 130.
#pragma once

#include <exception>

namespace support {

/// The exit code of a program that was interrupted.
inline constexpr int exit_interrupted = 130;

/// Notes the first SIGINT or SIGTERM while any of these exists; the second ends the program. For
/// one thread.
class interruption {
public:
    interruption();
    ~interruption();
    interruption(const interruption&) = delete;
    interruption& operator=(const interruption&) = delete;

    [[nodiscard]] static bool came() noexcept;
};

/// Thrown where a wait is given up because of an interruption.
class interrupted : public std::exception {
public:
    [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

} // namespace support
