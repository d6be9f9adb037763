// SPDX-License-Identifier: BSL-1.0
// What the programs say of their command lines.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace support {

/// A check of an option: a number from `min` to `max`. The message has the value and the bounds.
template <class Number>
[[nodiscard]] auto in_range(Number min, Number max) {
    return [min, max](const std::string& text) -> std::string {
        Number value{};
        const char* const end = text.data() + text.size();
        const auto [rest, failure] = std::from_chars(text.data(), end, value);
        if (failure == std::errc() && rest == end && value >= min && value <= max) return {};
        const auto shown = [](Number bound) {
            char digits[64];
            char* const limit = digits + sizeof digits;
            if constexpr (std::is_integral_v<Number>)
                return std::string(digits, std::to_chars(digits, limit, bound).ptr);
            else
                return std::string(
                    digits, std::to_chars(digits, limit, bound, std::chars_format::fixed).ptr);
        };
        return "'" + text + "' is not a " +
               (std::is_integral_v<Number> ? "whole number" : "number") + " from " + shown(min) +
               " to " + shown(max);
    };
}

/// The same of any number of that type.
template <class Number>
[[nodiscard]] std::string any_number(const std::string& text) {
    return in_range(std::numeric_limits<Number>::lowest(),
                    std::numeric_limits<Number>::max())(text);
}

/// A program's parser: a verb is required, --version prints the version.
void set_up(CLI::App& app);

/// What is wrong with a command line that `app` has refused, in one sentence that names the word
/// and, where a verb is missing or unknown, the verbs.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

/// The word behind --json where one of `keys` stands behind that: it may be a key too. Empty where
/// there is none.
[[nodiscard]] std::string json_word_before(const std::vector<std::string>& keys, int argc,
                                           char** argv);

/// Whether a refused command line asks for JSON on stdout.
[[nodiscard]] bool wants_json_on_stdout(int argc, char** argv);

} // namespace support
