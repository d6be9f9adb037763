// SPDX-License-Identifier: BSL-1.0
// The log of what was acknowledged: its lines, its reader, and the file with its group commit.
//
// One line for each thing that is known, words separated by one space, the last word the CRC-32 of
// what stands before its space, in eight hexadecimal digits:
//     R <run> <unix ms> <keys> <value size> <table> <key prefix> <crc>    a run begins
//     A <run> <key> <version> <crc>   that write was acknowledged
//     U <run> <key> <version> <crc>   nobody knows what became of it
//     F <run> <key> <version> <crc>   it failed and is certainly not there
//     E <run> <crc>                   the run ended in order: nothing was sent that is not above
// Versions of a key only grow, and one writer has one write under way. A line is written after the
// fact it states, so a run that was killed may have made newer versions than its lines tell; a torn
// last line is no line. Later runs append.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bench {

enum class write_outcome : char { acknowledged = 'A', unknown = 'U', failed = 'F' };

/// The first line of a run.
struct soak_header {
    std::string run;
    std::int64_t unix_ms = 0;
    std::uint32_t keys = 0;
    std::size_t value_size = 0;
    std::string table;
    std::string prefix;
    friend bool operator==(const soak_header&, const soak_header&) = default;
};

[[nodiscard]] std::string header_line(const soak_header& header);
[[nodiscard]] std::string write_line(write_outcome outcome, std::string_view run, std::uint32_t key,
                                     std::uint64_t version);
[[nodiscard]] std::string end_line(std::string_view run);

/// What the log says about a key.
struct logged_key {
    /// 0 for none.
    std::uint64_t acknowledged = 0;
    /// Above `acknowledged`: may be there.
    std::set<std::uint64_t> unknown;
    /// Above `acknowledged`: must not be there.
    std::set<std::uint64_t> failed;
};

struct logged_run {
    soak_header header;
    std::map<std::uint32_t, logged_key> keys;
    std::uint64_t acknowledged = 0;
    std::uint64_t unknown = 0;
    std::uint64_t failed = 0;
    bool ended = false;
};

struct log_contents {
    std::vector<logged_run> runs;
    /// Whether something without a line break followed the last line.
    bool torn = false;
};

/// Throws std::runtime_error with the line's number when a line other than a torn last one is not
/// whole, or contradicts one before it.
[[nodiscard]] log_contents parse_log(std::string_view text);
/// The same of a file. Throws errc::invalid_argument when it cannot be read.
[[nodiscard]] log_contents read_log(const std::string& path);

/// Appends to the file. A thread of its own writes what has gathered and syncs it with fdatasync,
/// over and over. append() may be called from one thread.
class ack_log {
public:
    /// Creates the file or cuts a torn last line off. Throws std::runtime_error when another
    /// process is writing it, when it is a log of another table, or when it cannot be opened.
    ack_log(const std::string& path, const soak_header& header);
    ack_log(const ack_log&) = delete;
    ack_log& operator=(const ack_log&) = delete;
    ~ack_log();

    /// Throws std::runtime_error once the file could not be written.
    void append(std::string_view line);
    /// Bytes that are not on the disk yet.
    [[nodiscard]] std::size_t backlog() const;
    /// Writes and syncs everything; throws like append().
    void finish();

private:
    void work();
    void stop();

    int file_ = -1;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::string pending_;
    std::size_t writing_ = 0;
    int failed_ = 0;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace bench
