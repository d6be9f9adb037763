// SPDX-License-Identifier: BSL-1.0
// Credentials that a program prints: real shells, and what is left of them afterwards.
#include "aws/child_process.hpp"
#include "aws/descriptor.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr const char* good =
    R"(printf '{"Version":1,"AccessKeyId":"id","SecretAccessKey":"se","SessionToken":"to",)"
    R"("Expiration":"2099-01-02T03:04:05Z","AccountId":"12"}')";

credentials_provider_ptr provider(const std::string& command,
                                  std::chrono::milliseconds timeout = 20s) {
    return process_credentials(command, source_options(), timeout);
}

std::string refusal_of(const std::string& command, std::chrono::milliseconds timeout = 20s) {
    return message_of(errc::no_credentials,
                      [&] { (void)run(provider(command, timeout)->resolve()); });
}

bool has_children() {
    const pid_t got = ::waitpid(-1, nullptr, WNOHANG);
    return got >= 0 || errno != ECHILD;
}

std::string content(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Whether it ends within two seconds. A process that is nobody's child cannot be waited for, but
/// its descriptor is readable when it has ended, even while it is a zombie of init's.
bool ends(pid_t process) {
    const detail::descriptor its(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    if (its.get() < 0) return errno == ESRCH; // ended, and waited for
    const auto give_up = std::chrono::steady_clock::now() + 2s;
    for (;;) {
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(
            give_up - std::chrono::steady_clock::now());
        pollfd watched{its.get(), POLLIN, 0};
        const int ready = ::poll(&watched, 1, std::max(0, static_cast<int>(rest.count())));
        if (ready >= 0 || errno != EINTR) return ready == 1 && (watched.revents & POLLIN) != 0;
    }
}

using kind = detail::process_outcome::kind;

/// Children that do not hear a kill, until they all have to.
class deaf_children {
public:
    deaf_children() = default;
    deaf_children(const deaf_children&) = delete;
    deaf_children& operator=(const deaf_children&) = delete;
    ~deaf_children() { hear(); }
    /// With this they are killed in vain. Must not outlive this object.
    [[nodiscard]] detail::ending ending() {
        detail::ending in_vain;
        in_vain.grace = 50ms;
        in_vain.kill = [this](pid_t whom, int) {
            const std::lock_guard lock(mutex_);
            asked_.push_back(whom);
            errno = EPERM;
            return -1;
        };
        return in_vain;
    }
    [[nodiscard]] std::vector<pid_t> asked() const {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    /// Returns when they have ended, or have been waited for in vain for two seconds each.
    void hear() {
        const auto all = asked();
        for (const pid_t whom : all)
            ::kill(whom, SIGKILL);
        for (const pid_t whom : all)
            if (whom > 0) (void)ends(whom); // the others are process groups
        const std::lock_guard lock(mutex_);
        asked_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::vector<pid_t> asked_;
};

/// What comes of one child; `early`: it is let go of as soon as it runs.
kind outcome_of(const std::string& command, std::chrono::milliseconds timeout,
                std::shared_ptr<detail::stragglers> left_over, detail::ending end,
                bool early = false) {
    asio::io_context context;
    auto child =
        std::make_unique<detail::child_process>(command, timeout, left_over, std::move(end));
    const auto place = std::make_shared<detail::parked>();
    bool over = false;
    asio::co_spawn(
        context,
        [](std::shared_ptr<detail::parked> at, detail::child_process& what,
           bool& out) -> asio::awaitable<void> {
            auto start = [at, &what] { what.start(at); };
            (void)co_await detail::parked::wait(at, std::move(start));
            out = true;
        }(place, *child, over),
        asio::detached);
    if (early) {
        context.run_for(100ms);
        CHECK_FALSE(over);
        child.reset();
        return kind::not_started;
    }
    context.run();
    return child->outcome().how;
}

} // namespace

TEST_CASE("what a program prints becomes credentials") {
    const auto source = provider(good);
    CHECK(source->name() == "process");
    const auto found = run(source->resolve());
    CHECK(found->access_key_id == "id");
    CHECK(found->secret_access_key == "se");
    CHECK(found->session_token == "to");
    CHECK(found->account_id == "12");
    CHECK(found->expires == timestamp(4071006245s));
    CHECK(source->current() == found);
    CHECK_FALSE(has_children());
}

TEST_CASE("a program that fails is told by its exit, and never by its words") {
    struct row {
        const char* command;
        const char* message;
    };
    const row rows[] = {
        {"echo evil; echo evil >&2; exit 7", "credential_process ended with exit code 7"},
        {"kill -9 $$", "credential_process was ended by signal 9"},
        {"no-such-program-evil", "credential_process ended with exit code 127"},
        {"head -c 70000 /dev/zero", "credential_process printed more than 64 KiB"},
        {"yes evil", "credential_process printed more than 64 KiB"},
    };
    for (const row& each : rows) {
        INFO(each.command);
        CHECK(refusal_of(each.command) == each.message);
        CHECK_FALSE(has_children());
    }
    for (const char* command : {"true", "echo evil", "echo '{\"Version\":1}'",
                                "printf '{\"Version\":2,\"AccessKeyId\":\"evil\"}'"}) {
        INFO(command);
        const std::string message = refusal_of(command);
        CHECK_THAT(message, Catch::StartsWith("credential_process: "));
        CHECK_THAT(message, !Catch::Contains("evil"));
        CHECK_FALSE(has_children());
    }
}

TEST_CASE("a program that takes too long is killed with all that it started") {
    const scratch_folder folder;
    const std::string file = folder.path() + "/pids";
    SECTION("while it prints") {
        CHECK(refusal_of("sleep 60 & echo $! > '" + file + "'; echo $$ >> '" + file + "'; sleep 60",
                         500ms) == "credential_process did not end within 500 ms");
    }
    SECTION("after it has closed its output") {
        CHECK(refusal_of("sleep 60 >/dev/null & echo $! > '" + file + "'; echo $$ >> '" + file +
                             "'; exec >/dev/null; sleep 60",
                         500ms) == "credential_process did not end within 500 ms");
    }
    CHECK_FALSE(has_children());
    std::ifstream pids(file);
    int counted = 0;
    for (pid_t each = 0; pids >> each; ++counted)
        CHECK(ends(each));
    CHECK(counted == 2);
}

TEST_CASE("a program that has left its process group is killed as well") {
    const scratch_folder folder;
    const std::string file = folder.path() + "/pid";
    const auto begin = std::chrono::steady_clock::now();
    CHECK(refusal_of("exec perl -e 'setpgrp(0, getpgrp(getppid())); open(F, \">" + file +
                         "\"); print F $$; close(F); sleep 60'",
                     1s) == "credential_process did not end within 1000 ms");
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
    CHECK_FALSE(has_children());
    REQUIRE_FALSE(content(file).empty());
    CHECK(ends(std::stoi(content(file))));
}

TEST_CASE("a program that cannot be killed is given up after a second, and waited for later") {
    deaf_children children;
    const auto begin = std::chrono::steady_clock::now();
    const auto left_over = std::make_shared<detail::stragglers>();
    const bool early = GENERATE(false, true); // its context goes before its time is up
    for (std::size_t i = 1; i <= detail::stragglers::most; ++i) {
        CHECK(outcome_of("sleep 60", early ? 20s : 100ms, left_over, children.ending(), early) ==
              (early ? kind::not_started : kind::timed_out));
        CHECK(left_over->count() == i);
    }
    // As many as that have to be enough.
    CHECK(outcome_of("true", 20s, left_over, children.ending()) == kind::crowded);
    CHECK(std::chrono::steady_clock::now() - begin < 8s);
    CHECK(has_children());
    children.hear(); // and they have ended: it is the look that waits for them
    CHECK(left_over->count() == 0);
    CHECK_FALSE(has_children());
    CHECK(outcome_of("true", 20s, left_over, children.ending()) == kind::exited);
}

TEST_CASE("nobody is killed under a number that may be another's by now") {
    // The shell is waited for by the system; what it started keeps the pipe open.
    const scratch_folder folder;
    const std::string file = folder.path() + "/pid";
    deaf_children children;
    const auto before = std::signal(SIGCHLD, SIG_IGN);
    const auto left_over = std::make_shared<detail::stragglers>();
    const auto how =
        outcome_of("sleep 60 & echo $! > '" + file + "'", 300ms, left_over, children.ending());
    std::signal(SIGCHLD, before);
    CHECK(how == kind::timed_out);
    CHECK(children.asked().empty());
    CHECK(left_over->count() == 0);
    ::kill(std::stoi(content(file)), SIGKILL);
}

TEST_CASE("without an exit code a whole document counts, and nothing else does") {
    const auto before = std::signal(SIGCHLD, SIG_IGN);
    CHECK(run(provider(std::string(good) + "; exit 3")->resolve())->access_key_id == "id");
    const std::string half = refusal_of("printf '{\"Version\":1,\"AccessKeyId\":\"evil\"'");
    const std::string late = refusal_of("sleep 60", 300ms);
    std::signal(SIGCHLD, before);
    CHECK_THAT(half, Catch::StartsWith("credential_process (its exit code is lost): "));
    CHECK_THAT(half, !Catch::Contains("evil"));
    CHECK(late == "credential_process did not end within 300 ms");
}

TEST_CASE("a program is killed when its execution context is destroyed") {
    const scratch_folder folder;
    const std::string file = folder.path() + "/pid";
    const auto source =
        provider("echo $$ > '" + file + ".new'; mv '" + file + ".new' '" + file + "'; sleep 60");
    auto context = std::make_unique<asio::io_context>();
    asio::co_spawn(
        *context,
        [](credentials_provider_ptr from) -> asio::awaitable<void> {
            (void)co_await from->resolve();
        }(source),
        asio::detached);
    while (content(file).empty())
        (void)context->run_one_for(5ms);
    const pid_t child = std::stoi(content(file));
    CHECK(::kill(child, 0) == 0);
    context.reset();
    CHECK_FALSE(has_children());
    CHECK(ends(child));
}

TEST_CASE("a program does not keep the executor waiting") {
    const scratch_folder folder;
    const std::string file = folder.path() + "/go";
    const auto source = provider("while [ ! -e '" + file + "' ]; do sleep 0.01; done; " + good);
    asio::io_context context;
    std::string result;
    asio::co_spawn(
        context,
        [](credentials_provider_ptr from, std::string& out) -> asio::awaitable<void> {
            const auto found = co_await from->resolve();
            out = found->access_key_id;
        }(source, result),
        asio::detached);
    // Others run meanwhile; it is they who let the program go on.
    int others = 0;
    for (int i = 0; i != 5; ++i)
        asio::post(context, [&] { ++others; });
    for (int i = 0; i != 20 && others != 5; ++i)
        context.run_one();
    CHECK(others == 5);
    CHECK(result.empty());
    folder.write("go", "now");
    context.run();
    CHECK(result == "id");
}

TEST_CASE("a program sees neither our input nor our descriptors, and its errors go nowhere") {
    const scratch_folder folder;
    const std::string file = folder.path() + "/seen";
    const int leaky = ::open("/dev/null", O_RDONLY); // not closed on exec
    REQUIRE(leaky >= 0);
    const auto source =
        provider("ls -l /proc/$$/fd > '" + file + "'; cat >> '" + file + "'; " + good);
    CHECK(run(source->resolve())->access_key_id == "id");
    ::close(leaky);
    const std::string seen = content(file);
    INFO(seen);
    CHECK_THAT(seen, Catch::Contains(" 0 -> /dev/null"));
    CHECK_THAT(seen, Catch::Contains(" 2 -> /dev/null"));
    CHECK_THAT(seen, !Catch::Contains(" " + std::to_string(leaky) + " -> /dev/null"));
}

TEST_CASE("a program gets the signals of a shell, whatever became of ours") {
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    const auto child_before = std::signal(SIGCHLD, SIG_IGN);
    // A program that ignores SIGPIPE would be told that the write failed, and say "no".
    CHECK(run(provider("(yes; echo no >&3) 3>&1 | head -n 1 >/dev/null; " + std::string(good))
                  ->resolve())
              ->access_key_id == "id");
    std::signal(SIGPIPE, before);
    std::signal(SIGCHLD, child_before);
}

TEST_CASE("the command and the time-out are checked at once") {
    const auto refused = [](std::string command, std::chrono::milliseconds timeout) {
        return message_of(errc::invalid_argument, [&] {
            (void)process_credentials(std::move(command), source_options(), timeout);
        });
    };
    CHECK(refused("", 1s) == "credential_process: the command is empty");
    CHECK(refused(" \t", 1s) == "credential_process: the command is empty");
    CHECK(refused(std::string("a\0b", 3), 1s) == "credential_process: the command holds a NUL");
    CHECK(refused("x", 0ms) == "credential_process: timeout is 0 ms: 1 to 600000 are allowed");
    CHECK(refused("x", 11min) ==
          "credential_process: timeout is 660000 ms: 1 to 600000 are allowed");
}

TEST_CASE("many programs may run at once") {
    asio::io_context context;
    int good_ones = 0;
    std::vector<credentials_provider_ptr> sources;
    auto ask = [](credentials_provider_ptr from, int& count) -> asio::awaitable<void> {
        const auto found = co_await from->resolve();
        if (found->access_key_id == "id") ++count;
    };
    for (int i = 0; i != 16; ++i) {
        sources.push_back(provider(good));
        asio::co_spawn(context, ask(sources.back(), good_ones), asio::detached);
    }
    context.run();
    CHECK(good_ones == 16);
    CHECK_FALSE(has_children());
}
