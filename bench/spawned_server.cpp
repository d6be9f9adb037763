// SPDX-License-Identifier: BSL-1.0
// A shell keeps the server: in a session of its own, so that no Ctrl-C reaches it, and at the other
// end of a pipe, so that it notices whichever way we end.
#include "spawned_server.hpp"

#include "run_guard.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace bench {
namespace {

/// $1 is tools/local-server.sh, $2 the engine. Prints URL, pid and the version of the package, and
/// waits for the end of its input. SIGTERM to the process group gives up a start: the tool stops
/// what it has launched, and what was started already is stopped here.
constexpr const char* keeper_script = R"(
trap : TERM
url=$("$1" start --engine "$2" </dev/null) || exit 1
trap '' PIPE # the reader may have gone
port=${url##*:}
version=$(source "${1%/*}/common.sh" && case $2 in
    dynoxide) echo "$dynoxide_version" ;;
    moto) echo "$moto_version" ;;
    esac)
status=$("$1" status --port "$port") &&
    read -r _ _ pid _ <<<"$status" && printf '%s %s %s\n' "$url" "$pid" "$version"
while read -r _; do :; done
exec "$1" stop --port "$port"
)";

std::array<int, 2> open_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    return ends;
}

/// The keeper, with these as its input and output.
pid_t start_keeper(std::string engine, int input, int output) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    std::string script = keeper_script;
    std::string tool = CODYNAMO_BENCH_LOCAL_SERVER;
    std::string bash = "bash";
    std::string option = "-c";
    const std::array<char*, 7> words{bash.data(), option.data(), script.data(), bash.data(),
                                     tool.data(), engine.data(), nullptr};
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, "bash", &actions, &attributes, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) throw std::system_error(error, std::generic_category(), "bash");
    return pid;
}

/// nullopt after an interruption. Polled, because the signal restarts a read.
std::optional<std::string> line_from(int source) {
    constexpr int poll_interval_ms = 50;
    std::string line;
    while (!interruption::came()) {
        pollfd readable{source, POLLIN, 0};
        if (::poll(&readable, 1, poll_interval_ms) <= 0) continue;
        char c = 0;
        if (::read(source, &c, 1) != 1 || c == '\n') return line;
        line += c;
    }
    return std::nullopt;
}

} // namespace

spawned_server::spawned_server(const std::string& engine) {
    start(engine);
    if (!endpoint_.empty() || interruption::came()) return;
    stop();
    throw std::runtime_error(engine +
                             " did not start, for the reason above; --server URL uses a server "
                             "that is running");
}

spawned_server::~spawned_server() {
    stop();
}

void spawned_server::start(const std::string& engine) {
    const auto input = open_pipe();
    const auto output = open_pipe();
    leash_ = input[1];
    try {
        keeper_ = start_keeper(engine, input[0], output[1]);
    } catch (...) {
        for (const int end : {input[0], input[1], output[0], output[1]})
            ::close(end);
        throw;
    }
    ::close(input[0]);
    ::close(output[1]);
    const auto line = line_from(output[0]);
    ::close(output[0]);
    if (!line) {
        ::kill(-keeper_, SIGTERM);
        return;
    }
    std::istringstream words(*line);
    if (!(words >> endpoint_ >> pid_)) endpoint_.clear();
    words >> package_version_;
}

void spawned_server::stop() noexcept {
    ::close(leash_);
    int status = 0;
    while (::waitpid(keeper_, &status, 0) < 0 && errno == EINTR) {
    }
    // A keeper that was killed has stopped nothing.
    if (WIFSIGNALED(status) && pid_ > 0) ::kill(pid_, SIGTERM);
}

} // namespace bench
