// SPDX-License-Identifier: BSL-1.0
// The thread that watches a child.
#include "aws/child_process.hpp"

#include <codynamo/error.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <new>
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

/// Whether it is still ours to wait for, and its number therefore nobody else's.
bool is_ours(pid_t child) noexcept {
    siginfo_t state{};
    return ::waitid(P_PID, static_cast<id_t>(child), &state, WEXITED | WNOHANG | WNOWAIT) == 0;
}

} // namespace

std::size_t stragglers::count() noexcept {
    const std::lock_guard lock(mutex_);
    const auto ended = [](pid_t each) {
        int status = 0;
        return reap(each, status, WNOHANG) != 0;
    };
    size_ = static_cast<std::size_t>(
        std::remove_if(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(size_), ended) -
        ids_.begin());
    return size_;
}

void stragglers::add(pid_t child) noexcept {
    const std::lock_guard lock(mutex_);
    if (size_ < most) ids_[size_++] = child;
}

class child_process::watcher {
public:
    watcher(std::string command, milliseconds timeout, std::shared_ptr<stragglers> left_over,
            ending end)
        : command_(std::move(command)), timeout_(timeout), left_over_(std::move(left_over)),
          ending_(std::move(end)) {
        // Here, as nothing may fail once there is a child; and once, as growing leaves copies.
        outcome.text.text().resize(max_output_bytes + 1);
    }

    void run() noexcept;

    process_outcome outcome;
    descriptor stop_read;
    /// Held until the thread's object is there: whoever is woken may destroy it at once.
    std::mutex starting;

private:
    using steady = std::chrono::steady_clock;

    void run_child();
    /// The child's id, or minus an errno.
    [[nodiscard]] pid_t spawn(int output) const;
    /// Until the output ends; the outcome is set when that was not of the child's own will.
    [[nodiscard]] bool read_all(int output) noexcept;
    void await_exit(pid_t child) noexcept;
    void end(pid_t child) const noexcept;
    void take_status(int status) noexcept;

    const std::string command_;
    const steady::duration timeout_;
    const std::shared_ptr<stragglers> left_over_;
    const ending ending_;
    steady::time_point deadline_{};
};

child_process::child_process(std::string command, milliseconds timeout,
                             std::shared_ptr<stragglers> left_over, ending end)
    : watcher_(std::make_shared<watcher>(std::move(command), timeout, std::move(left_over),
                                         std::move(end))) {
    if (!open_pipe(watcher_->stop_read, stop_write_)) {
        throw error(
            errc::no_credentials,
            "no pipe: " +
                boost::system::error_code(errno, boost::system::generic_category()).message());
    }
}

child_process::~child_process() {
    stop_write_ = descriptor();
    if (!thread_.joinable()) return;
    // A wakeup that finds its context gone destroys the coroutine, and this object with it, here.
    if (thread_.get_id() == std::this_thread::get_id())
        thread_.detach();
    else
        thread_.join();
}

void child_process::start(const std::shared_ptr<parked>& who) noexcept {
    int refusal = ENOMEM;
    try {
        const std::lock_guard lock(watcher_->starting);
        thread_ = std::thread([does = watcher_, who] {
            { const std::lock_guard started(does->starting); }
            does->run();
            who->wake(wakeup::done);
        });
        return;
    } catch (const std::system_error& refused) {
        refusal = refused.code().value();
    } catch (const std::bad_alloc&) {
    }
    watcher_->outcome.number = refusal;
    who->wake(wakeup::done);
}

process_outcome& child_process::outcome() noexcept {
    return watcher_->outcome;
}

void child_process::watcher::run() noexcept {
    deadline_ = steady::now() + timeout_;
    if (left_over_->count() == stragglers::most) {
        outcome.how = kind::crowded;
        return;
    }
    try {
        run_child();
    } catch (const std::bad_alloc&) { // before there was a child
        outcome.number = ENOMEM;
    }
}

void child_process::watcher::run_child() {
    descriptor read_end;
    descriptor write_end;
    if (!open_pipe(read_end, write_end)) {
        outcome.number = errno;
        return;
    }
    const pid_t child = spawn(write_end.get());
    write_end = descriptor();
    if (child < 0) {
        outcome.number = static_cast<int>(-child);
        return;
    }
    if (read_all(read_end.get()))
        await_exit(child);
    else
        end(child);
}

pid_t child_process::watcher::spawn(int output) const {
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

bool child_process::watcher::read_all(int output) noexcept {
    std::string& text = outcome.text.text();
    std::size_t size = 0;
    for (;;) {
        pollfd watched[2] = {{output, POLLIN, 0}, {stop_read.get(), POLLIN, 0}};
        const int ready = ::poll(watched, 2, milliseconds_until(deadline_, milliseconds(60'000)));
        if (ready < 0 && errno != EINTR) {
            outcome.number = errno;
            return false;
        }
        if (ready > 0 && watched[1].revents != 0) {
            outcome.how = kind::stopped;
            return false;
        }
        if (steady::now() >= deadline_) {
            outcome.how = kind::timed_out;
            return false;
        }
        if (ready <= 0 || watched[0].revents == 0) continue;
        const ssize_t count = ::read(output, text.data() + size, text.size() - size);
        if (count < 0) continue;
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
        if (size > max_output_bytes) {
            outcome.how = kind::too_long;
            return false;
        }
    }
    text.resize(size);
    return true;
}

void child_process::watcher::await_exit(pid_t child) noexcept {
    for (auto pause = milliseconds(1);; pause = std::min(pause * 2, milliseconds(50))) {
        int status = 0;
        const pid_t got = reap(child, status, WNOHANG);
        if (got == child) return take_status(status);
        if (got < 0) { // this program ignores SIGCHLD, or waits for all children
            outcome.how = kind::unknown;
            return;
        }
        pollfd watched{stop_read.get(), POLLIN, 0};
        const bool stopped =
            ::poll(&watched, 1, milliseconds_until(deadline_, pause)) > 0 && watched.revents != 0;
        if (!stopped && steady::now() < deadline_) continue;
        outcome.how = stopped ? kind::stopped : kind::timed_out;
        return end(child);
    }
}

void child_process::watcher::end(pid_t child) const noexcept {
    if (!is_ours(child)) return;
    // Either may miss: the child can have joined another group, or run as another user.
    (void)ending_.kill(-child, SIGKILL);
    (void)ending_.kill(child, SIGKILL);
    const auto give_up = steady::now() + ending_.grace;
    for (auto pause = milliseconds(1);; pause = std::min(pause * 2, milliseconds(20))) {
        int status = 0;
        if (reap(child, status, WNOHANG) != 0) return;
        if (steady::now() >= give_up) return left_over_->add(child);
        (void)::poll(nullptr, 0, static_cast<int>(pause.count()));
    }
}

void child_process::watcher::take_status(int status) noexcept {
    const bool signalled = WIFSIGNALED(status);
    outcome.how = signalled ? kind::signalled : kind::exited;
    outcome.number = signalled ? WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace codynamo::aws::detail
