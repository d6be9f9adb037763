// SPDX-License-Identifier: BSL-1.0
#include "program_support/terminal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace support {

std::size_t columns_of(std::optional<std::string_view> variable, unsigned terminal) {
    unsigned columns = 0;
    if (variable) {
        const char* const end = variable->data() + variable->size();
        const auto [rest, failure] = std::from_chars(variable->data(), end, columns);
        if (failure != std::errc() || rest != end) columns = 0;
    }
    if (columns == 0) columns = terminal;
    return columns == 0 ? 80 : columns;
}

std::size_t stderr_columns() {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing of these programs writes to it
    const char* const variable = std::getenv("COLUMNS");
    return columns_of(variable ? std::optional<std::string_view>(variable) : std::nullopt,
                      known ? size.ws_col : 0);
}

std::string fitted(std::string line, std::size_t columns) {
    line.resize(std::min(line.size(), columns - 1));
    return line;
}

bool is_stderr_terminal() noexcept {
    return ::isatty(STDERR_FILENO) == 1;
}

void show_progress(const std::string& line) {
    // To its beginning, and clear what a longer one left.
    std::fprintf(stderr, "\r%s\x1b[K", fitted(line, stderr_columns()).c_str());
    std::fflush(stderr);
}

void clear_progress() {
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
}

} // namespace support
