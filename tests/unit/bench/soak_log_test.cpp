// SPDX-License-Identifier: BSL-1.0
// The soak's log: its lines as text, and its file.
#include "../../../bench/soak_log.hpp"
#include "support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace {

using bench::write_outcome;

const std::string run = "0123456789abcdef";
const bench::soak_header header{run, 1'767'225'600'000, 10, 256, "soak", "codynamo-soak/"};

std::string line(write_outcome outcome, std::uint32_t key, std::uint64_t version) {
    return bench::write_line(outcome, run, key, version);
}

std::string whole_log() {
    return bench::header_line(header) + line(write_outcome::acknowledged, 1, 1) +
           line(write_outcome::unknown, 1, 2) + line(write_outcome::failed, 1, 3) +
           line(write_outcome::failed, 2, 1) + line(write_outcome::acknowledged, 2, 2) +
           bench::end_line(run);
}

/// A file that is gone when the test is over.
class scratch_file {
public:
    scratch_file()
        : path_((std::filesystem::temp_directory_path() /
                 ("codynamo-soak-log." + std::to_string(::getpid())))
                    .string()) {
        std::filesystem::remove(path_);
    }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    ~scratch_file() { std::filesystem::remove(path_); }

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string text() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void set(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

private:
    std::string path_;
};

} // namespace

TEST_CASE("the lines of a soak's log are the documented ones", "[bench]") {
    CHECK(bench::header_line(header) ==
          "R 0123456789abcdef 1767225600000 10 256 soak codynamo-soak/ 4a9cc170\n");
    CHECK(line(write_outcome::acknowledged, 3, 4) == "A 0123456789abcdef 3 4 459c6cf1\n");
    CHECK(bench::end_line(run) == "E 0123456789abcdef 93b05756\n");
}

TEST_CASE("a soak's log says for each key what was acknowledged and what may be", "[bench]") {
    const auto contents = bench::parse_log(whole_log());
    REQUIRE(contents.runs.size() == 1);
    const bench::logged_run& only = contents.runs.front();
    CHECK(only.header == header);
    CHECK(only.ended);
    CHECK_FALSE(contents.torn);
    CHECK((only.acknowledged == 2 && only.unknown == 1 && only.failed == 2));
    CHECK(only.keys.size() == 2);
    CHECK(only.keys.at(1).acknowledged == 1);
    CHECK(only.keys.at(1).unknown == std::set<std::uint64_t>{2});
    CHECK(only.keys.at(1).failed == std::set<std::uint64_t>{3});
    // What is older than an acknowledged version must be gone anyway.
    CHECK(only.keys.at(2).acknowledged == 2);
    CHECK(only.keys.at(2).failed.empty());
}

TEST_CASE("a soak's log cut anywhere is read up to its last whole line", "[bench]") {
    const std::string whole = whole_log();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto contents = bench::parse_log(whole.substr(0, size));
        CAPTURE(size);
        CHECK(contents.torn == (size > 0 && whole[size - 1] != '\n'));
        CHECK((contents.runs.empty() || !contents.runs.front().ended));
    }
}

TEST_CASE("a soak's log with any byte changed is refused", "[bench]") {
    const std::string whole = whole_log();
    for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        CAPTURE(at);
        CHECK_THROWS_AS(bench::parse_log(damaged), std::runtime_error);
    }
}

TEST_CASE("a soak's log that contradicts itself is refused", "[bench]") {
    const std::string begin = bench::header_line(header);
    const std::string first = line(write_outcome::acknowledged, 1, 2);
    const std::string logs[] = {
        first,
        begin + begin,
        begin + first + first,
        begin + first + line(write_outcome::unknown, 1, 1),
        begin + line(write_outcome::failed, 10, 1),
        begin + bench::end_line(run) + first,
        begin + bench::write_line(write_outcome::acknowledged, "fedcba9876543210", 1, 1),
        begin + "\n",
    };
    for (const std::string& log : logs) {
        CAPTURE(log);
        CHECK_THROWS_AS(bench::parse_log(log), std::runtime_error);
    }
}

TEST_CASE("runs append to one log, each after the last whole line of the one before", "[bench]") {
    const scratch_file file;
    std::string expected;
    for (const std::string name : {"aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"}) {
        bench::soak_header mine = header;
        mine.run = name;
        bench::ack_log log(file.path(), mine);
        CHECK_THROWS_WITH(bench::ack_log(file.path(), header), Catch::Contains("another"));
        expected += bench::header_line(mine);
        for (std::uint64_t version = 1; version <= 1000; ++version) {
            const auto added = bench::write_line(write_outcome::acknowledged, name, 1, version);
            log.append(added);
            expected += added;
        }
        log.finish();
        CHECK(log.backlog() == 0);
        CHECK(file.text() == expected);
        file.set(expected + "A aaaaaaaaaaaaaaaa 1 10");
        CHECK(bench::read_log(file.path()).torn);
    }
    CHECK(bench::read_log(file.path()).runs.size() == 3);
}

TEST_CASE("a soak's log is not written into somebody else's file", "[bench]") {
    const scratch_file file;
    bench::soak_header other = header;
    other.table = "other";
    for (const std::string& text :
         {bench::header_line(other), std::string("a diary\n"), std::string("a diary")}) {
        file.set(text);
        CAPTURE(text);
        CHECK_THROWS_AS(bench::ack_log(file.path(), header), std::runtime_error);
        CHECK(file.text() == text);
    }
    file.set("R 0123");
    bench::ack_log(file.path(), header).finish();
    CHECK(file.text() == bench::header_line(header));
}

TEST_CASE("a log that cannot be written stops the soak", "[bench]") {
    if (!std::filesystem::exists("/dev/full")) return;
    CHECK_THROWS_AS(bench::ack_log("/dev/full", header), std::runtime_error);
    CHECK_THROWS_AS(bench::ack_log("/nowhere/at/all", header), std::runtime_error);
    CHECK_THROWS_AS(bench::read_log("/nowhere/at/all"), std::runtime_error);
}
