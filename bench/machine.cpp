// SPDX-License-Identifier: BSL-1.0
#include "machine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <sched.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace bench {
namespace {

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string_view trimmed(std::string_view text, std::string_view what) {
    const auto first = text.find_first_not_of(what);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(what) - first + 1);
}

template <class Number>
std::optional<Number> number_in(std::string_view word) {
    Number value{};
    const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (fault != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return value;
}

/// Splits off what comes before the next separator, blanks before it skipped.
std::string_view next_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
    text.remove_prefix(word.size());
    return word;
}

std::string_view next_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

seconds_used in_seconds(std::uint64_t ticks, long ticks_per_second) {
    return seconds_used(static_cast<double>(ticks) / static_cast<double>(ticks_per_second));
}

long ticks_per_second() {
    return ::sysconf(_SC_CLK_TCK);
}

} // namespace

std::optional<seconds_used> busy_time(std::string_view stat, long ticks) {
    // user nice system idle iowait irq softirq steal; what guests of ours had is in user.
    constexpr std::array counts{true, true, true, false, false, true, true, true};
    std::string_view line = next_line(stat);
    if (next_word(line) != "cpu") return std::nullopt;
    std::uint64_t busy = 0;
    for (const bool counted : counts) {
        const auto found = number_in<std::uint64_t>(next_word(line));
        if (!found) return std::nullopt;
        if (counted) busy += *found;
    }
    return in_seconds(busy, ticks);
}

std::optional<seconds_used> process_time(std::string_view stat, long ticks) {
    const auto name_end = stat.rfind(')');
    if (name_end == stat.npos) return std::nullopt;
    stat.remove_prefix(name_end + 1);
    constexpr int fields_between = 11; // state to cmajflt
    for (int i = 0; i != fields_between; ++i)
        next_word(stat);
    const auto user = number_in<std::uint64_t>(next_word(stat));
    const auto system = number_in<std::uint64_t>(next_word(stat));
    if (!user || !system) return std::nullopt;
    return in_seconds(*user + *system, ticks);
}

std::vector<pid_t> pids_in(std::string_view text) {
    std::vector<pid_t> found;
    while (const auto pid = number_in<pid_t>(next_word(text)))
        found.push_back(*pid);
    return found;
}

std::optional<std::string> value_after(std::string_view text, std::string_view name,
                                       char separator) {
    while (!text.empty()) {
        const std::string_view line = next_line(text);
        const auto at = line.find(separator);
        if (at == line.npos || trimmed(line.substr(0, at), " \t") != name) continue;
        return std::string(trimmed(line.substr(at + 1), " \t\""));
    }
    return std::nullopt;
}

seconds_used busy_so_far() {
    return busy_time(contents("/proc/stat"), ticks_per_second()).value_or(seconds_used(0));
}

seconds_used used_by(const std::vector<pid_t>& processes) {
    seconds_used sum(0);
    for (const pid_t pid : processes) {
        const std::string folder = "/proc/" + std::to_string(pid);
        const auto own = process_time(contents(folder + "/stat"), ticks_per_second());
        if (!own) continue;
        sum += *own;
        const std::string children = folder + "/task/" + std::to_string(pid) + "/children";
        sum += used_by(pids_in(contents(children)));
    }
    return sum;
}

boost::json::object machine_description() {
    utsname system{};
    ::uname(&system);
    const auto or_else = [](std::optional<std::string> found, const char* other) {
        return found && !found->empty() ? *std::move(found) : std::string(other);
    };
    boost::json::value memory;
    if (const auto total = value_after(contents("/proc/meminfo"), "MemTotal", ':')) {
        std::string_view text = *total;
        if (const auto kib = number_in<std::uint64_t>(next_word(text))) memory = *kib * 1024;
    }
    return {
        {"cpu", or_else(value_after(contents("/proc/cpuinfo"), "model name", ':'), system.machine)},
        {"cores", std::thread::hardware_concurrency()},
        {"memory_bytes", std::move(memory)},
        {"system",
         or_else(value_after(contents("/etc/os-release"), "PRETTY_NAME", '='), system.sysname)},
        {"kernel", system.release}};
}

std::string core_fault(const std::string& value) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    ::sched_getaffinity(0, sizeof allowed, &allowed);
    const auto core = number_in<unsigned>(value);
    if (core && *core < CPU_SETSIZE && CPU_ISSET(*core, &allowed)) return {};
    std::string cores;
    for (unsigned each = 0; each != CPU_SETSIZE; ++each)
        if (CPU_ISSET(each, &allowed)) cores += (cores.empty() ? "" : ", ") + std::to_string(each);
    return "'" + value + "' is not a core that this process may use: " + cores;
}

std::string pid_fault(const std::string& value) {
    const auto pid = number_in<pid_t>(value);
    if (!pid || *pid <= 0) return "'" + value + "' is not a process id";
    // EPERM: it runs, and belongs to another user.
    if (::kill(*pid, 0) == 0 || errno == EPERM) return {};
    return "no process " + value + " runs";
}

} // namespace bench
