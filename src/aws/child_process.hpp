// SPDX-License-Identifier: BSL-1.0
// A program of the user's, run in a process group of its own and watched by a thread of its own, so
// that no executor waits for it.
#pragma once

#include "aws/descriptor.hpp"
#include "aws/parked.hpp"
#include "aws/secret_memory.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <thread>

namespace codynamo::aws::detail {

struct process_outcome {
    enum class kind {
        exited,    ///< `number` is the exit status
        signalled, ///< `number` is the signal
        unknown,   ///< it printed all it had to, but somebody else was told how it ended
        timed_out,
        too_long,   ///< it printed more than is allowed
        stopped,    ///< nobody wanted it any more
        crowded,    ///< not started: too many that could not be killed are still there
        not_started ///< `number` is the errno
    };
    kind how = kind::not_started;
    int number = 0;
    /// What it printed to its standard output.
    secret_string text{};
};

/// Children that were given up although they have not ended. They are waited for later, whenever
/// somebody looks, so that no thread has to stay for them. Thread-safe.
class stragglers {
public:
    static constexpr std::size_t most = 4;

    stragglers() = default;
    stragglers(const stragglers&) = delete;
    stragglers& operator=(const stragglers&) = delete;
    /// Those that are still there stay zombies when they end, until this program does.
    ~stragglers() { (void)count(); }

    /// Of those that are still there, after waiting for the ended ones.
    [[nodiscard]] std::size_t count() noexcept;
    /// Beyond `most` they are forgotten.
    void add(pid_t child) noexcept;

private:
    std::mutex mutex_;
    std::array<pid_t, most> ids_{};
    std::size_t size_ = 0;
};

/// How children are ended; other than by default for tests.
struct ending {
    std::function<int(pid_t, int)> kill = ::kill;
    /// How long a child that was killed is waited for.
    std::chrono::milliseconds grace{1000};
};

/// Runs a command by `/bin/sh -c`. Its standard input and standard error are /dev/null, it inherits
/// no other descriptor, and the program's own environment variables. When it takes too long, prints
/// too much, or this object goes, it is killed with its process group and waited for, but no longer
/// than a second: signals may not reach it. It is not killed when somebody else has waited for it,
/// as its number may be another's by then.
class child_process {
public:
    static constexpr std::size_t max_output_bytes = 64 * 1024;

    /// Throws errc::no_credentials when there are no descriptors left.
    child_process(std::string command, std::chrono::milliseconds timeout,
                  std::shared_ptr<stragglers> left_over = std::make_shared<stragglers>(),
                  ending end = ending());
    /// Kills what still runs, and waits for the thread: milliseconds, at most a second.
    ~child_process();
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;

    /// Once. Wakes `who` from another thread when there is an outcome.
    void start(const std::shared_ptr<parked>& who) noexcept;
    /// After the wakeup.
    [[nodiscard]] process_outcome& outcome() noexcept;

private:
    class watcher;

    /// The thread's as well, which outlives this object when it is the one to destroy it.
    const std::shared_ptr<watcher> watcher_;
    /// Closing it says stop.
    descriptor stop_write_;
    std::thread thread_;
};

} // namespace codynamo::aws::detail
