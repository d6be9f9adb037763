// SPDX-License-Identifier: BSL-1.0
// What goes to stdout and stderr, and in which form.
#pragma once

#include "program_support/json_output.hpp"

#include <codynamo/error.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace tool {

/// Bytes to stdout as they are. Throws std::runtime_error when stdout does not take them.
void print(std::string_view bytes);
/// One JSON value and a line break.
void print_json(const boost::json::value& value);
/// A verb's answer: `text` to stdout unless the JSON goes there, `words` to where --json wants
/// them.
void print_answer(const support::json_output& to, std::string_view text,
                  const boost::json::value& words);
/// The same of a verb whose answer is JSON in any case.
void print_answer(const support::json_output& to, const boost::json::value& words);
/// A sentence for people, on stderr.
void complain(std::string_view sentence);

/// What --json says about a failure.
[[nodiscard]] boost::json::object describe(const codynamo::error& why);
/// The exit code that an error stands for: invalid input is usage, all else failure.
[[nodiscard]] int exit_code_of(const boost::system::error_code& code);

[[nodiscard]] boost::json::value parse_json(std::string_view text);
[[nodiscard]] std::string json_text(const boost::json::value& value);
[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] double in_seconds(std::chrono::microseconds duration);

} // namespace tool
