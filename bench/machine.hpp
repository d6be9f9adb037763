// SPDX-License-Identifier: BSL-1.0
// What the machine is, and what its cores and processes have used so far; as in peers/machine.py.
#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace bench {

using seconds_used = std::chrono::duration<double>;

/// Of /proc/stat: what all cores were not idle; time stolen by other guests counts as busy.
/// nullopt when the text is not like that.
[[nodiscard]] std::optional<seconds_used> busy_time(std::string_view stat, long ticks_per_second);
/// Of /proc/PID/stat: user and system time. The name in it may have blanks and parentheses.
[[nodiscard]] std::optional<seconds_used> process_time(std::string_view stat,
                                                       long ticks_per_second);
/// Numbers with blanks between them, as /proc has the children of a process.
[[nodiscard]] std::vector<pid_t> pids_in(std::string_view text);
/// What follows `name` and the separator on the first line that begins with it, without blanks
/// and quotation marks around; as in /proc/cpuinfo and /etc/os-release.
[[nodiscard]] std::optional<std::string> value_after(std::string_view text, std::string_view name,
                                                     char separator);

/// Now; zero where /proc does not say.
[[nodiscard]] seconds_used busy_so_far();
/// Of these processes and all below them that are alive.
[[nodiscard]] seconds_used used_by(const std::vector<pid_t>& processes);

/// `cpu`, `cores`, `memory_bytes`, `system`, `kernel`.
[[nodiscard]] boost::json::object machine_description();

/// Empty, or why `value` is no core that this process may be pinned to. For the command line.
[[nodiscard]] std::string core_fault(const std::string& value);
/// Empty, or why `value` is no process that runs. For the command line.
[[nodiscard]] std::string pid_fault(const std::string& value);

} // namespace bench
