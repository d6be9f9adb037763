// SPDX-License-Identifier: BSL-1.0
#include "program_support/files.hpp"

#include "program_support/interruption.hpp"

#include <codynamo/error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace support {
namespace {

class descriptor {
public:
    explicit descriptor(int number) : number_(number) {}
    ~descriptor() { ::close(number_); }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return number_; }

private:
    int number_;
};

/// What is read, for messages.
struct source {
    std::string_view field;
    std::string name;

    [[noreturn]] void refuse(const std::string& reason) const {
        throw codynamo::error(codynamo::errc::invalid_argument,
                              std::string(field) + ": cannot read " + name + ": " + reason);
    }
    [[noreturn]] void refuse(int error) const { refuse(std::generic_category().message(error)); }
};

/// An interruption ends the wait; read() alone would be restarted.
void wait_for_bytes(int file) {
    constexpr int look_every_ms = 100;
    pollfd wanted{.fd = file, .events = POLLIN, .revents = 0};
    for (int ready = 0; ready <= 0;) {
        ready = ::poll(&wanted, 1, look_every_ms);
        if (interruption::came()) throw interrupted();
    }
}

std::string read_all(int file, const source& from, std::size_t max_bytes) {
    std::string content;
    std::array<char, 64 * 1024> part;
    for (;;) {
        wait_for_bytes(file);
        const auto got = ::read(file, part.data(), part.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) from.refuse(errno);
        if (got == 0) return content;
        content.append(part.data(), static_cast<std::size_t>(got));
        if (content.size() > max_bytes)
            from.refuse("it has more than " + std::to_string(max_bytes) + " bytes");
    }
}

} // namespace

std::string read_file(const std::string& path, std::string_view field, std::size_t max_bytes) {
    const source from{field, "'" + path + "'"};
    // Not blocking: a FIFO without a writer is waited for by wait_for_bytes, which Ctrl-C ends.
    const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) from.refuse(errno);
    const descriptor file(opened);
    return read_all(file.get(), from, max_bytes);
}

std::string read_stdin(std::string_view field, std::size_t max_bytes) {
    return read_all(STDIN_FILENO, {field, "stdin"}, max_bytes);
}

void reserve_standard_descriptors() noexcept {
    // The wrong direction each, so that using them fails.
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(number, F_GETFD) == -1 && errno == EBADF)
            (void)::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

} // namespace support
