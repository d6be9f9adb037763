// SPDX-License-Identifier: BSL-1.0
// What the programs read, and how they fit a line to a terminal.
#include "program_support/command_line.hpp"
#include "program_support/files.hpp"
#include "program_support/terminal.hpp"
#include "support/catch.hpp"

#include <codynamo/error.hpp>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace {

/// A file of this test's.
class test_file {
public:
    explicit test_file(const std::string& content) {
        char name[] = "/tmp/codynamo-test-XXXXXX";
        const int file = ::mkstemp(name);
        if (file < 0) throw std::runtime_error("mkstemp");
        ::close(file);
        path_ = name;
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~test_file() { std::remove(path_.c_str()); }
    test_file(const test_file&) = delete;
    test_file& operator=(const test_file&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

std::string refusal_of(const std::string& path, std::size_t max_bytes = support::unlimited) {
    try {
        (void)support::read_file(path, "VALUE", max_bytes);
    } catch (const codynamo::error& why) {
        CHECK(why.code() == codynamo::errc::invalid_argument);
        return why.what();
    }
    return {};
}

} // namespace

TEST_CASE("a file is read whole, whatever bytes it has") {
    std::string bytes(200'000, '\0');
    for (std::size_t i = 0; i != bytes.size(); ++i)
        bytes[i] = static_cast<char>(i * 7);
    const test_file file(bytes);
    CHECK(support::read_file(file.path(), "VALUE") == bytes);
    CHECK(support::read_file(file.path(), "VALUE", bytes.size()) == bytes);
    CHECK(support::read_file("/dev/null", "VALUE").empty());
}

TEST_CASE("what cannot be read is refused by field, path and reason") {
    CHECK(refusal_of("/tmp") == "VALUE: cannot read '/tmp': Is a directory");
    CHECK(refusal_of("/no/such") == "VALUE: cannot read '/no/such': No such file or directory");
    CHECK(refusal_of("") == "VALUE: cannot read '': No such file or directory");
    const test_file file("12345");
    CHECK(refusal_of(file.path(), 4) ==
          "VALUE: cannot read '" + file.path() + "': it has more than 4 bytes");
    CHECK(refusal_of("/dev/zero", 1000) ==
          "VALUE: cannot read '/dev/zero': it has more than 1000 bytes");
}

TEST_CASE("a line of progress fits the columns that there are") {
    CHECK(support::columns_of("20", 100) == 20);
    CHECK(support::columns_of({}, 100) == 100);
    CHECK(support::columns_of({}, 0) == 80);
    for (const char* odd : {"", "0", "-5", "wide", "20x", "99999999999999999999"})
        CHECK(support::columns_of(odd, 100) == 100);
    CHECK(support::fitted("0123456789", 5) == "0123");
    CHECK(support::fitted("0123456789", 10) == "012345678");
    CHECK(support::fitted("0123456789", 11) == "0123456789");
    CHECK(support::fitted("0123456789", 1).empty());
}

TEST_CASE("a number of an option is refused with its bounds") {
    const auto whole = support::in_range(1U, 64U);
    CHECK(whole("1").empty());
    CHECK(whole("64").empty());
    for (const std::string text : {"0", "65", "-1", "1.5", "", "x", " 1", "1 ", "99999999999"})
        CHECK(whole(text) == "'" + text + "' is not a whole number from 1 to 64");
    const auto real = support::in_range(0.0, 1e9);
    CHECK(real("0.5").empty());
    CHECK(real("1e9").empty());
    for (const std::string text : {"abc", "nan", "inf", "-0.1", "1e10", "1s"})
        CHECK(real(text) == "'" + text + "' is not a number from 0 to 1000000000");
    CHECK(support::any_number<std::uint64_t>("18446744073709551615").empty());
    CHECK_FALSE(support::any_number<std::uint64_t>("-1").empty());
}
