// SPDX-License-Identifier: BSL-1.0
// Lines of progress on a terminal of any width.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace support {

/// Of a terminal: COLUMNS, else what the terminal says, else 80. What is no number above 0 is as if
/// it were not there.
[[nodiscard]] std::size_t columns_of(std::optional<std::string_view> variable, unsigned terminal);

/// The columns of the terminal at stderr.
[[nodiscard]] std::size_t stderr_columns();

/// `line` cut off so that it fits with the cursor behind it: one column less than there are. For
/// ASCII.
[[nodiscard]] std::string fitted(std::string line, std::size_t columns);

/// Whether stderr is a terminal.
[[nodiscard]] bool is_stderr_terminal() noexcept;

/// Replaces the line on stderr; `clear_progress` takes it away.
void show_progress(const std::string& line);
void clear_progress();

} // namespace support
