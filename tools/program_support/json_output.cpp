// SPDX-License-Identifier: BSL-1.0
#include "program_support/json_output.hpp"

#include <codynamo/error.hpp>

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace support {

class json_output::file {
public:
    explicit file(int number) : number_(number) {}
    ~file() { ::close(number_); }
    file(const file&) = delete;
    file& operator=(const file&) = delete;
    [[nodiscard]] int get() const noexcept { return number_; }

private:
    int number_;
};

void json_output::open() {
    if (!is_wanted() || is_stdout()) return;
    const int opened = ::open(target_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (opened < 0) {
        throw codynamo::error(codynamo::errc::invalid_argument,
                              "--json: cannot write to '" + target_ +
                                  "': " + std::generic_category().message(errno));
    }
    file_ = std::make_shared<file>(opened);
}

void json_output::write(std::string_view object) const {
    if (!is_wanted() || (!is_stdout() && !file_)) return;
    std::string line(object);
    line += '\n';
    const int to = file_ ? file_->get() : STDOUT_FILENO;
    for (std::string_view rest = line; !rest.empty();) {
        const auto written = ::write(to, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            throw std::runtime_error("--json: cannot write to " +
                                     (file_ ? "'" + target_ + "'" : std::string("stdout")) + ": " +
                                     std::generic_category().message(errno));
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

void add_json_option(CLI::App& app, json_output& out) {
    const auto take = [&out](const CLI::results_t& words) {
        const bool named = !words.empty() && !words.front().empty() && words.front() != "{}";
        out.set_target(named ? words.front() : "-");
        return true;
    };
    app.add_option("--json", take,
                   "Write one JSON object to FILE; without FILE or with '-' to stdout")
        ->type_name("[FILE]")
        ->expected(0, 1);
}

} // namespace support
