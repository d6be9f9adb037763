// SPDX-License-Identifier: BSL-1.0
// A letter is a command; the answer is a number, and for the tokens as many bytes as it says.
#include "echo_process.hpp"

#include "support/certificates.hpp"
#include "support/stub_server.hpp"

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace codynamo::testing {
namespace {

/// What the process runs.
class echo_server {
public:
    explicit echo_server(bool tls) : server_(script(tls)) {}

    void obey(int channel) {
        const std::uint64_t port = server_.port();
        bool well = ::write(channel, &port, sizeof port) == sizeof port;
        char command = 0;
        while (well && ::read(channel, &command, 1) == 1) {
            std::string text;
            const std::uint64_t number = perform(command, text);
            well = ::write(channel, &number, sizeof number) == sizeof number &&
                   ::write(channel, text.data(), text.size()) == std::ssize(text);
        }
    }

private:
    static constexpr const char* token_member = R"("ClientRequestToken":")";

    stub_config script(bool tls) {
        stub_config config;
        config.answer = [this](const std::string& request) { return answer(request); };
        if (!tls) return config;
        const authority trusted;
        const auto c = trusted.issue({.dns_names = {}, .addresses = {"127.0.0.1"}});
        config.tls = std::make_shared<stub_tls>(stub_tls{c.certificate_pem, c.key_pem});
        return config;
    }

    std::string answer(const std::string& request) {
        if (request.find("TransactWriteItems") != std::string::npos) return response("{}");
        const std::string key = text_after(request, R"("Key":{"k":{"S":")");
        if (key == "failing") return response("{}", 500);
        if (key == "slow") {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return released_; });
        }
        return response(R"({"Item":{"k":{"S":")" + key + R"("}}})");
    }

    std::uint64_t perform(char command, std::string& text) {
        switch (command) {
        case 'c':
            return server_.connections();
        case 'n':
            return server_.requests();
        case 't':
            for (const std::string& request : server_.seen())
                if (const auto token = text_after(request, token_member); !token.empty())
                    text += token + '\n';
            return text.size();
        default: {
            const std::lock_guard lock(mutex_);
            released_ = true;
            changed_.notify_all();
            return 0;
        }
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool released_ = false;
    stub_server server_;
};

[[noreturn]] void serve(int channel, bool tls) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        echo_server(tls).obey(channel);
    } catch (...) { // the constructor sees that the channel has ended
    }
    ::_exit(0);
}

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// False when the other end is gone.
bool read_all(int channel, void* into, std::size_t size) {
    return size == 0 || ::recv(channel, into, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

} // namespace

std::string text_after(const std::string& document, const std::string& before) {
    const auto at = document.find(before);
    if (at == std::string::npos) return {};
    const auto begin = at + before.size();
    return document.substr(begin, document.find('"', begin) - begin);
}

echo_process::echo_process(bool tls) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(ends[0]);
        serve(ends[1], tls);
    }
    ::close(ends[1]);
    channel_ = ends[0];
    std::uint64_t port = 0;
    if (pid_ < 0 || !read_all(channel_, &port, sizeof port)) {
        ::close(channel_);
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
        fail("the server's process");
    }
    port_ = static_cast<std::uint16_t>(port);
}

echo_process::~echo_process() {
    ::close(channel_);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

std::size_t echo_process::number(char command) const {
    std::uint64_t answer = 0;
    if (::send(channel_, &command, 1, MSG_NOSIGNAL) != 1 ||
        !read_all(channel_, &answer, sizeof answer))
        fail("the server's process");
    return answer;
}

std::vector<std::string> echo_process::tokens() const {
    std::string text(number('t'), '\0');
    if (!read_all(channel_, text.data(), text.size())) fail("the server's process");
    std::vector<std::string> tokens;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        tokens.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return tokens;
}

} // namespace codynamo::testing
