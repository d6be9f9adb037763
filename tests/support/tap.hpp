// SPDX-License-Identifier: BSL-1.0
// Writes down every log line and every exception of a test program, so that the last test of a run
// can look for secrets in them. Exceptions are seen without anybody's doing, when they are thrown.
#pragma once

#include <codynamo/environment.hpp>

#include <cstddef>
#include <utility>

namespace codynamo::testing_support {

struct tap_counts {
    std::size_t lines = 0;
    std::size_t exceptions = 0;
};

/// What this process has had so far, repeated texts included.
[[nodiscard]] tap_counts tap_seen() noexcept;

/// Appends to CODYNAMO_TEST_TAP/<program>.log, unless it is not set or the text was there before.
void tap_log_line(std::string_view line) noexcept;

/// `env` with its log at the most verbose level; a sink that was there gets what it got before.
[[nodiscard]] inline environment tapped(environment env = environment()) {
    env.log.sink = [level = env.log.level,
                    former = std::move(env.log.sink)](log_level at, std::string_view line) {
        tap_log_line(line);
        if (former && at >= level) former(at, line);
    };
    env.log.level = log_level::debug;
    return env;
}

} // namespace codynamo::testing_support
