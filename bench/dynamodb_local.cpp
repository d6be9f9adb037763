// SPDX-License-Identifier: BSL-1.0
// A shell keeps the server: in a session of its own, so that no Ctrl-C reaches it, and at the other
// end of a pipe, so that it notices whichever way we end.
#include "dynamodb_local.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace bench {
namespace {

/// $1 is tools/dynamodb-local.sh. Says URL and pid, and waits for the end of its input.
constexpr const char* keeper_script = R"(
url=$("$1" start </dev/null) || exit 1
trap '' PIPE # nobody may listen any more
port=${url##*:}
status=$("$1" status --port "$port") && printf '%s %s\n' "$url" "${status##* }"
cat >/dev/null
exec "$1" stop --port "$port"
)";

std::array<int, 2> made_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    return ends;
}

/// The keeper, with these as its input and output.
pid_t start_keeper(int input, int output) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    std::string script = keeper_script;
    std::string tool = CODYNAMO_BENCH_DYNAMODB_LOCAL;
    std::string bash = "bash";
    std::string option = "-c";
    const std::array<char*, 6> words{bash.data(), option.data(), script.data(),
                                     bash.data(), tool.data(),   nullptr};
    pid_t pid = -1;
    const int fault = ::posix_spawnp(&pid, "bash", &actions, &attributes, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (fault != 0) throw std::system_error(fault, std::generic_category(), "bash");
    return pid;
}

std::string line_from(int source) {
    std::string line;
    for (char c = 0; ::read(source, &c, 1) == 1 && c != '\n';)
        line += c;
    return line;
}

} // namespace

dynamodb_local::dynamodb_local() {
    const auto input = made_pipe();
    const auto output = made_pipe();
    leash_ = input[1];
    try {
        keeper_ = start_keeper(input[0], output[1]);
    } catch (...) {
        for (const int end : {input[0], input[1], output[0], output[1]})
            ::close(end);
        throw;
    }
    ::close(input[0]);
    ::close(output[1]);
    std::istringstream said(line_from(output[0]));
    ::close(output[0]);
    if (said >> endpoint_ >> pid_) return;
    stop();
    throw std::runtime_error("DynamoDB Local does not start; --endpoint names another server");
}

dynamodb_local::~dynamodb_local() {
    stop();
}

void dynamodb_local::stop() noexcept {
    ::close(leash_);
    int status = 0;
    ::waitpid(keeper_, &status, 0);
}

} // namespace bench
