// SPDX-License-Identifier: BSL-1.0
// A program of the user's, run in a process group of its own and watched by a thread of its own, so
// that no executor waits for it.
#pragma once

#include "aws/parked.hpp"
#include "aws/secret_memory.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <sys/types.h>
#include <thread>

namespace codynamo::aws::detail {

/// Closes what it holds.
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor();
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_ = -1;
};

struct process_outcome {
    enum class kind {
        exited,    ///< `number` is the exit status
        signalled, ///< `number` is the signal
        timed_out,
        too_long,   ///< it printed more than is allowed
        stopped,    ///< nobody wanted it any more
        not_started ///< `number` is the errno
    };
    kind how = kind::not_started;
    int number = 0;
    /// What it printed to its standard output.
    secret_string text{};
};

/// Runs a command by `/bin/sh -c`. Its standard input and standard error are /dev/null, it inherits
/// no other descriptor, and the program's own environment variables. When it takes too long, prints
/// too much, or this object goes, its whole process group is killed; it is always waited for.
class child_process {
public:
    /// Throws errc::no_credentials when there are no descriptors left.
    child_process(std::string command, std::chrono::milliseconds timeout);
    /// Kills what still runs, and waits for the thread: milliseconds.
    ~child_process();
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;

    /// Once. Wakes `who` from another thread when there is an outcome.
    void start(const std::shared_ptr<parked>& who);
    /// After the wakeup.
    [[nodiscard]] process_outcome& outcome() noexcept { return outcome_; }

    static constexpr std::size_t max_output_bytes = 64 * 1024;

private:
    using steady = std::chrono::steady_clock;

    [[nodiscard]] process_outcome run();
    /// The child's id, or minus an errno.
    [[nodiscard]] pid_t spawn(int output) const;
    /// Until the output ends; the outcome is set when that was not of the child's own will.
    [[nodiscard]] bool read_all(int output, process_outcome& into) const;
    void await_exit(pid_t child, process_outcome& into) const;
    static void take_status(int status, process_outcome& into) noexcept;

    const std::string command_;
    const steady::duration timeout_;
    steady::time_point deadline_{};
    /// Reading end and writing end of the pipe that says stop.
    descriptor stop_read_, stop_write_;
    process_outcome outcome_;
    std::mutex starting_;
    std::thread thread_;
};

} // namespace codynamo::aws::detail
