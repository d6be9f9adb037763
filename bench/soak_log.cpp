// SPDX-License-Identifier: BSL-1.0
// Lines of the log, and what they say together.
#include "soak_log.hpp"

#include "program_support/files.hpp"
#include "soak_value.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

std::string finished(std::string line) {
    constexpr std::string_view digits = "0123456789abcdef";
    const std::uint32_t sum = crc32_of(line);
    line += ' ';
    for (unsigned shift = 32; shift > 0; shift -= 4)
        line += digits[(sum >> (shift - 4)) & 15U];
    return line += '\n';
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const auto end = line.find(' ');
        words.push_back(line.substr(0, end));
        line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    }
    return words;
}

template <class Number>
Number number_of(std::string_view word) {
    Number out{};
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), out);
    if (failed != std::errc() || end != word.data() + word.size()) {
        throw std::runtime_error("'" + std::string(word) + "' is no number");
    }
    return out;
}

/// The words of a line without its checksum. Throws std::runtime_error when the checksum differs.
std::vector<std::string_view> checked_words(std::string_view line) {
    const auto last = line.rfind(' ');
    if (last == std::string_view::npos ||
        finished(std::string(line.substr(0, last))) != std::string(line) + "\n") {
        throw std::runtime_error("its checksum is not that of its words");
    }
    return words_of(line.substr(0, last));
}

class parser {
public:
    void line(std::string_view text) {
        const auto words = checked_words(text);
        const std::string_view kind = words.front();
        if (kind == "R" && words.size() == 7) return begin(words);
        if (kind == "E" && words.size() == 2) return end(words);
        if ((kind == "A" || kind == "U" || kind == "F") && words.size() == 4) return write(words);
        throw std::runtime_error("it is no line of a soak's log");
    }

    log_contents take() { return std::move(contents_); }

private:
    void begin(const std::vector<std::string_view>& words) {
        const std::string run(words[1]);
        if (!by_run_.emplace(run, contents_.runs.size()).second) {
            throw std::runtime_error("run " + run + " has begun before");
        }
        logged_run& made = contents_.runs.emplace_back();
        made.header = {run,
                       number_of<std::int64_t>(words[2]),
                       number_of<std::uint32_t>(words[3]),
                       number_of<std::size_t>(words[4]),
                       std::string(words[5]),
                       std::string(words[6])};
    }

    logged_run& run_of(std::string_view run) {
        const auto found = by_run_.find(run);
        if (found == by_run_.end() || contents_.runs[found->second].ended) {
            throw std::runtime_error("run " + std::string(run) + " is not under way");
        }
        return contents_.runs[found->second];
    }

    void end(const std::vector<std::string_view>& words) { run_of(words[1]).ended = true; }

    void write(const std::vector<std::string_view>& words) {
        logged_run& run = run_of(words[1]);
        const auto key = number_of<std::uint32_t>(words[2]);
        const auto version = number_of<std::uint64_t>(words[3]);
        if (key >= run.header.keys) throw std::runtime_error("its run has no such key");
        logged_key& logged = run.keys[key];
        if (version <= newest(logged)) throw std::runtime_error("the key has a newer version");
        switch (words[0].front()) {
        case 'A':
            // What is older must be gone in any case.
            logged = {.acknowledged = version, .unknown = {}, .failed = {}};
            ++run.acknowledged;
            break;
        case 'U':
            logged.unknown.insert(version);
            ++run.unknown;
            break;
        default:
            logged.failed.insert(version);
            ++run.failed;
        }
    }

    static std::uint64_t newest(const logged_key& logged) {
        std::uint64_t version = logged.acknowledged;
        if (!logged.unknown.empty()) version = std::max(version, *logged.unknown.rbegin());
        if (!logged.failed.empty()) version = std::max(version, *logged.failed.rbegin());
        return version;
    }

    log_contents contents_;
    std::map<std::string, std::size_t, std::less<>> by_run_;
};

} // namespace

std::string header_line(const soak_header& header) {
    return finished("R " + header.run + " " + std::to_string(header.unix_ms) + " " +
                    std::to_string(header.keys) + " " + std::to_string(header.value_size) + " " +
                    header.table + " " + header.prefix);
}

std::string write_line(write_outcome outcome, std::string_view run, std::uint32_t key,
                       std::uint64_t version) {
    std::string line(1, static_cast<char>(outcome));
    line.append(" ").append(run).append(" ").append(std::to_string(key));
    return finished(std::move(line.append(" ").append(std::to_string(version))));
}

std::string end_line(std::string_view run) {
    return finished("E " + std::string(run));
}

log_contents parse_log(std::string_view text) {
    parser lines;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) break;
        try {
            lines.line(text.substr(0, end));
        } catch (const std::runtime_error& why) {
            throw std::runtime_error("line " + std::to_string(number) +
                                     " of the log: " + why.what());
        }
        text.remove_prefix(end + 1);
    }
    log_contents contents = lines.take();
    contents.torn = !text.empty();
    return contents;
}

log_contents read_log(const std::string& path) {
    return parse_log(support::read_file(path, "--verify", std::size_t{1} << 30U));
}

} // namespace bench
