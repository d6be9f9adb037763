// SPDX-License-Identifier: BSL-1.0
// A letter is a command; it is repeated when it has been obeyed. The end of the channel is the end.
#include "served_process.hpp"

#include "batch_server.hpp"

#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace bench {
namespace {

constexpr char hold_letter = 'h';
constexpr char release_letter = 'r';

[[noreturn]] void serve(int channel, int core) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Ctrl-C reaches us too, and is for the other one to decide about.
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGTERM, SIG_DFL);
    int code = 1;
    try {
        batch_server server(core);
        const std::uint16_t port = server.port();
        bool well = ::write(channel, &port, sizeof port) == sizeof port;
        char what = 0;
        while (well && ::read(channel, &what, 1) == 1) {
            what == hold_letter ? server.hold() : server.release();
            well = ::write(channel, &what, 1) == 1;
        }
        code = 0;
    } catch (...) { // whoever waits for the port sees the end of the channel
    }
    ::_exit(code);
}

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

served_process::served_process(int core) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(ends[0]);
        serve(ends[1], core);
    }
    ::close(ends[1]);
    channel_ = ends[0];
    if (pid_ < 0 || ::read(channel_, &port_, sizeof port_) != sizeof port_) {
        ::close(channel_);
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
        fail("the server's process");
    }
}

served_process::~served_process() {
    ::close(channel_);
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
}

void served_process::tell(char what) {
    char answer = 0;
    if (::send(channel_, &what, 1, MSG_NOSIGNAL) != 1 || ::read(channel_, &answer, 1) != 1)
        fail("the server's process");
}

void served_process::hold() {
    tell(hold_letter);
}

void served_process::release() {
    tell(release_letter);
}

} // namespace bench
