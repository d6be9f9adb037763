// SPDX-License-Identifier: BSL-1.0
// The thread that watches a child.
#include "aws/child_process.hpp"

#include <codynamo/error.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

extern "C" char** environ;

namespace codynamo::aws::detail {
namespace {

using std::chrono::milliseconds;
using kind = process_outcome::kind;

/// Both ends are closed on exec, and above the standard descriptors, whichever of those are closed
/// in this program. False: errno says why.
bool open_pipe(descriptor& read_end, descriptor& write_end) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    const descriptor low_read(ends[0]);
    const descriptor low_write(ends[1]);
    read_end = descriptor(::fcntl(ends[0], F_DUPFD_CLOEXEC, 3));
    write_end = descriptor(::fcntl(ends[1], F_DUPFD_CLOEXEC, 3));
    return read_end.get() >= 0 && write_end.get() >= 0;
}

/// The two structures of posix_spawn, and their end.
struct spawn_settings {
    spawn_settings() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
    }
    spawn_settings(const spawn_settings&) = delete;
    spawn_settings& operator=(const spawn_settings&) = delete;
    ~spawn_settings() {
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&files);
    }
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
};

/// Its own group, and signals as a shell would have them, whatever this program made of them.
int set_attributes(posix_spawnattr_t& attributes) {
    sigset_t none;
    sigset_t restored;
    sigemptyset(&none);
    sigemptyset(&restored);
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD, SIGALRM})
        sigaddset(&restored, signal);
    if (const int e = ::posix_spawnattr_setsigmask(&attributes, &none)) return e;
    if (const int e = ::posix_spawnattr_setsigdefault(&attributes, &restored)) return e;
    if (const int e = ::posix_spawnattr_setpgroup(&attributes, 0)) return e;
    return ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                       POSIX_SPAWN_SETSIGDEF);
}

int set_files(posix_spawn_file_actions_t& files, int output) {
    constexpr const char* nowhere = "/dev/null";
    if (const int e = ::posix_spawn_file_actions_addopen(&files, 0, nowhere, O_RDONLY, 0)) return e;
    if (const int e = ::posix_spawn_file_actions_adddup2(&files, output, 1)) return e;
    if (const int e = ::posix_spawn_file_actions_addopen(&files, 2, nowhere, O_WRONLY, 0)) return e;
#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 34))
    // Descriptors of other libraries, which may not be closed on exec.
    if (const int e = ::posix_spawn_file_actions_addclosefrom_np(&files, 3)) return e;
#endif
    return 0;
}

int milliseconds_until(std::chrono::steady_clock::time_point deadline, milliseconds at_most) {
    const auto rest = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp(rest, milliseconds(0), at_most).count());
}

/// waitpid that is not interrupted.
pid_t reap(pid_t child, int& status, int flags) {
    for (;;) {
        const pid_t got = ::waitpid(child, &status, flags);
        if (got >= 0 || errno != EINTR) return got;
    }
}

/// The group is that of a child that has not been waited for, and so cannot be anybody else's.
void kill_group(pid_t child) {
    ::kill(-child, SIGKILL);
    int status = 0;
    (void)reap(child, status, 0);
}

} // namespace

descriptor::~descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

child_process::child_process(std::string command, milliseconds timeout)
    : command_(std::move(command)), timeout_(timeout) {
    if (!open_pipe(stop_read_, stop_write_)) {
        throw error(
            errc::no_credentials,
            "no pipe: " +
                boost::system::error_code(errno, boost::system::generic_category()).message());
    }
}

child_process::~child_process() {
    stop_write_ = descriptor(); // closing is the signal
    if (thread_.joinable()) thread_.join();
}

void child_process::start(const std::shared_ptr<parked>& who) {
    deadline_ = steady::now() + timeout_;
    try {
        const std::lock_guard lock(starting_);
        thread_ = std::thread([this, who] {
            // Not before thread_ is set: whoever is woken may destroy it at once.
            { const std::lock_guard started(starting_); }
            outcome_ = run();
            who->wake(wakeup::done);
        });
    } catch (const std::system_error& refused) {
        outcome_.number = refused.code().value();
        who->wake(wakeup::done);
    }
}

process_outcome child_process::run() {
    process_outcome result;
    descriptor read_end;
    descriptor write_end;
    if (!open_pipe(read_end, write_end)) {
        result.number = errno;
        return result;
    }
    const pid_t child = spawn(write_end.get());
    write_end = descriptor();
    if (child < 0) {
        result.number = static_cast<int>(-child);
        return result;
    }
    if (read_all(read_end.get(), result))
        await_exit(child, result);
    else
        kill_group(child);
    return result;
}

pid_t child_process::spawn(int output) const {
    spawn_settings settings;
    if (const int e = set_attributes(settings.attributes)) return -e;
    if (const int e = set_files(settings.files, output)) return -e;
    std::string shell = "sh";
    std::string flag = "-c";
    std::string command = command_;
    std::array<char*, 4> arguments{shell.data(), flag.data(), command.data(), nullptr};
    pid_t child = 0;
    const int e = ::posix_spawn(&child, "/bin/sh", &settings.files, &settings.attributes,
                                arguments.data(), environ);
    return e != 0 ? -e : child;
}

bool child_process::read_all(int output, process_outcome& into) const {
    std::string& text = into.text.text();
    text.resize(max_output_bytes + 1); // once: growing would leave copies behind
    std::size_t size = 0;
    for (;;) {
        pollfd watched[2] = {{output, POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
        const int ready = ::poll(watched, 2, milliseconds_until(deadline_, milliseconds(60'000)));
        if (ready < 0 && errno != EINTR) {
            into.number = errno;
            return false;
        }
        if (ready > 0 && watched[1].revents != 0) {
            into.how = kind::stopped;
            return false;
        }
        if (steady::now() >= deadline_) {
            into.how = kind::timed_out;
            return false;
        }
        if (ready <= 0 || watched[0].revents == 0) continue;
        const ssize_t count = ::read(output, text.data() + size, text.size() - size);
        if (count < 0) continue;
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
        if (size > max_output_bytes) {
            into.how = kind::too_long;
            return false;
        }
    }
    text.resize(size);
    return true;
}

void child_process::await_exit(pid_t child, process_outcome& into) const {
    for (auto pause = milliseconds(1);; pause = std::min(pause * 2, milliseconds(50))) {
        int status = 0;
        const pid_t got = reap(child, status, WNOHANG);
        if (got == child) return take_status(status, into);
        if (got < 0) { // this program does not keep its children: the output has to do
            into.how = kind::exited;
            return;
        }
        pollfd watched{stop_read_.get(), POLLIN, 0};
        const bool stopped =
            ::poll(&watched, 1, milliseconds_until(deadline_, pause)) > 0 && watched.revents != 0;
        if (!stopped && steady::now() < deadline_) continue;
        into.how = stopped ? kind::stopped : kind::timed_out;
        return kill_group(child);
    }
}

void child_process::take_status(int status, process_outcome& into) noexcept {
    const bool signalled = WIFSIGNALED(status);
    into.how = signalled ? kind::signalled : kind::exited;
    into.number = signalled ? WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace codynamo::aws::detail
