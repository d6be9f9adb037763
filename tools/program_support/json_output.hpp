// SPDX-License-Identifier: BSL-1.0
// --json [FILE]: one JSON object, to a file or to stdout, in both programs.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace support {

/// A handle: copies share one file. Nowhere unless --json was given.
class json_output {
public:
    json_output() = default;

    /// `target`: a file, or "-" for stdout. Nothing is opened yet.
    void set_target(std::string target) { target_ = std::move(target); }
    /// Opens the file and empties it; to be called before any work. Throws codynamo::error with
    /// errc::invalid_argument when that fails.
    void open();

    [[nodiscard]] bool is_wanted() const noexcept { return !target_.empty(); }
    [[nodiscard]] bool is_stdout() const noexcept { return target_ == "-"; }
    /// One line. Throws std::runtime_error when it is not taken whole. Does nothing unless wanted,
    /// or when the file could not be opened.
    void write(std::string_view object) const;

private:
    class file;
    std::string target_;
    std::shared_ptr<file> file_{};
};

/// Adds --json [FILE].
void add_json_option(CLI::App& app, json_output& out);

} // namespace support
