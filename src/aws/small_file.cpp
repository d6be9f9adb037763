// SPDX-License-Identifier: BSL-1.0
// Reading them: nothing that could wait is opened, and nothing that was read stays behind.
#include "aws/small_file.hpp"

#include "aws/descriptor.hpp"

#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <utility>

namespace codynamo::aws::detail {
namespace {

std::string words_of(int code) {
    return boost::system::error_code(code, boost::system::generic_category()).message();
}

std::string size_of(std::size_t bytes) {
    constexpr std::size_t mebibyte = 1024 * 1024;
    return bytes % mebibyte == 0 ? std::to_string(bytes / mebibyte) + " MiB"
                                 : std::to_string(bytes / 1024) + " KiB";
}

/// People switch a file off by naming this one instead.
bool is_null_device(const struct stat& what) {
    struct stat null {};
    return S_ISCHR(what.st_mode) && ::stat("/dev/null", &null) == 0 && null.st_rdev == what.st_rdev;
}

/// A copy with more room, so that growing leaves nothing behind.
secret_string with_room(const std::string& text, std::size_t size) {
    std::string larger(size, '\0');
    text.copy(larger.data(), text.size());
    return secret_string(std::move(larger));
}

/// Zero, or an errno.
int read_up_to(int fd, std::size_t most, std::size_t expected, secret_string& into) {
    std::size_t size = 0;
    into = with_room({}, std::clamp<std::size_t>(expected, 4095, most) + 1);
    for (;;) {
        if (size == into.text().size()) into = with_room(into.text(), std::min(2 * size, most + 1));
        const ssize_t count = ::read(fd, into.text().data() + size, into.text().size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        size += static_cast<std::size_t>(count);
        if (count == 0 || size > most) break;
    }
    into.text().resize(size);
    return 0;
}

} // namespace

small_file read_small_file(const std::string& path, std::size_t most) {
    small_file read;
    // Without O_NONBLOCK opening a pipe waits for its writer.
    const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) {
        const int code = errno;
        read.missing = code == ENOENT || code == ENOTDIR;
        read.why_not = words_of(code);
        return read;
    }
    struct stat what {};
    if (::fstat(file.get(), &what) != 0) {
        read.why_not = words_of(errno);
    } else if (is_null_device(what)) {
        return read;
    } else if (!S_ISREG(what.st_mode)) {
        read.why_not = "it is not a regular file";
    } else if (const int e = read_up_to(file.get(), most, static_cast<std::size_t>(what.st_size),
                                        read.text)) {
        read.why_not = words_of(e);
    } else if (read.text.text().size() > most) {
        read.why_not = "it is larger than " + size_of(most);
    }
    if (!read.why_not.empty()) read.text = secret_string();
    return read;
}

} // namespace codynamo::aws::detail
