// SPDX-License-Identifier: BSL-1.0
// Everything that would otherwise be a global: time, randomness, log and environment variables.
#pragma once

#include <codynamo/export.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace codynamo {

/// A moment of wall-clock time. Microseconds: what Python's datetime has, and what both programs
/// can store exactly.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// A source of time. Thread-safe.
class CODYNAMO_API clock {
public:
    virtual ~clock() = default;
    /// Wall-clock time, for records and signatures.
    [[nodiscard]] virtual timestamp now() const noexcept = 0;
    /// Monotonic time, for deadlines.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point steady_now() const noexcept = 0;
    /// Completes on the caller's executor when steady_now() has reached `when`; at once if it has
    /// already. Cancellation: all types; fails with operation_aborted.
    [[nodiscard]] virtual boost::asio::awaitable<void>
    sleep_until(std::chrono::steady_clock::time_point when) const = 0;
};

/// A source of random bits, used for jitter and identifiers and not for secrets. Thread-safe. One
/// that keeps its state in memory gives the same bits to both processes after a fork: two writes
/// may then carry one identifier, and the service takes the second for a repetition of the first.
class CODYNAMO_API random_source {
public:
    virtual ~random_source() = default;
    [[nodiscard]] virtual std::uint64_t next() noexcept = 0;
    /// Uniform in [0, 1).
    [[nodiscard]] double uniform() noexcept;
};

enum class log_level { debug, info, warning, error, off };

/// Where log lines go. Lines never hold a secret, and no key or value of the user's either.
struct CODYNAMO_API logger {
    /// Lines below this level are not even formatted.
    log_level level = log_level::off;
    /// Called from whichever thread logs, possibly several at once; must not throw.
    std::function<void(log_level, std::string_view)> sink{};

    [[nodiscard]] bool wants(log_level at) const noexcept { return sink && at >= level; }
    void write(log_level at, std::string_view line) const;
};

/// The handles a component gets instead of reaching for globals. Copies share what they point to.
/// A default-constructed one is the real world: system clock, the system's
/// generator, no log, getenv.
struct CODYNAMO_API environment {
    std::shared_ptr<const clock> time = system_clock();
    std::shared_ptr<random_source> random = system_random();
    logger log{};
    /// Looks an environment variable up; nullopt when it is not set.
    std::function<std::optional<std::string>(const char*)> variable = system_variable;

    [[nodiscard]] static std::shared_ptr<const clock> system_clock();
    /// Asks the operating system's generator for each number (getrandom(2), less than a
    /// microsecond), so that processes made by fork differ. Throws system_error when there is none.
    [[nodiscard]] static std::shared_ptr<random_source> system_random();
    [[nodiscard]] static std::optional<std::string> system_variable(const char* name);
};

} // namespace codynamo
