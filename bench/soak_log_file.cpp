// SPDX-License-Identifier: BSL-1.0
// The file under the log: one writer at a time, no torn line in the middle, synced in groups.
#include "soak_log.hpp"

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace bench {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

/// Returns errno, 0 for success.
int write_all(int file, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        const auto written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

char byte_at(int file, off_t where) {
    char byte = 0;
    if (::pread(file, &byte, 1, where) != 1) fail("the log cannot be read");
    return byte;
}

/// A killed process may have left half a line. It never counted, and nothing may follow it.
void cut_torn_line(int file) {
    off_t size = ::lseek(file, 0, SEEK_END);
    const off_t before = size;
    while (size > 0 && byte_at(file, size - 1) != '\n')
        --size;
    if (size != before && ::ftruncate(file, size) != 0) fail("the log's torn line stays");
}

/// The first line says whose log it is, and there is no need to read the rest.
void check_first_line(int file, const std::string& path, const std::string& table) {
    std::string start(4096, '\0');
    const auto got = ::pread(file, start.data(), start.size(), 0);
    if (got < 0) fail(path);
    start.resize(static_cast<std::size_t>(got));
    const auto end = start.find('\n');
    if (end == std::string::npos) {
        // Nothing, or a first line that was torn.
        if (start.empty() || start.starts_with("R ")) return;
        throw std::runtime_error(path + " is no log of a soak");
    }
    const log_contents first = parse_log(start.substr(0, end + 1));
    if (first.runs.empty() || first.runs.front().header.table != table) {
        throw std::runtime_error(path + " is the log of another table");
    }
}

} // namespace

ack_log::ack_log(const std::string& path, const soak_header& header) {
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file_ < 0) fail(path);
    try {
        if (::flock(file_, LOCK_EX | LOCK_NB) != 0) fail(path + " is being written by another");
        check_first_line(file_, path, header.table);
        cut_torn_line(file_);
        failed_ = write_all(file_, header_line(header));
        if (failed_ != 0 || ::fsync(file_) != 0) fail(path);
        thread_ = std::thread([this] { work(); });
    } catch (...) {
        ::close(file_);
        throw;
    }
}

ack_log::~ack_log() {
    stop();
    ::close(file_);
}

void ack_log::append(std::string_view line) {
    {
        const std::lock_guard lock(mutex_);
        if (failed_ != 0) {
            errno = failed_;
            fail("the log cannot be written");
        }
        pending_ += line;
    }
    wake_.notify_one();
}

std::size_t ack_log::backlog() const {
    const std::lock_guard lock(mutex_);
    return pending_.size() + writing_;
}

void ack_log::finish() {
    stop();
    if (failed_ == 0) return;
    errno = failed_;
    fail("the log cannot be written");
}

void ack_log::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void ack_log::work() {
    std::string group;
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
        if (pending_.empty() || failed_ != 0) return;
        group.clear();
        std::swap(group, pending_);
        writing_ = group.size();
        lock.unlock();
        int failed = write_all(file_, group);
        if (failed == 0 && ::fdatasync(file_) != 0) failed = errno;
        lock.lock();
        writing_ = 0;
        if (failed != 0) failed_ = failed;
    }
}

} // namespace bench
