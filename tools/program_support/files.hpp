// SPDX-License-Identifier: BSL-1.0
// The one way in which the programs read files and stdin. Streams do not tell a directory or a
// descriptor that cannot be read from an empty file; read(2) does.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace support {

inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// All bytes of a file. Throws codynamo::error with errc::invalid_argument, "FIELD: cannot read
/// 'PATH': REASON", when it cannot be opened or read to its end, is a directory, or has more than
/// `max_bytes`; throws interrupted when an interruption comes while it waits for bytes.
[[nodiscard]] std::string read_file(const std::string& path, std::string_view field,
                                    std::size_t max_bytes = unlimited);

/// The same of stdin.
[[nodiscard]] std::string read_stdin(std::string_view field, std::size_t max_bytes = unlimited);

/// Keeps 0, 1 and 2 from being given to a socket or file when the program was started without
/// them: reading from a closed stdin and writing to a closed stdout or stderr go on failing.
/// To be called before anything is opened.
void reserve_standard_descriptors() noexcept;

} // namespace support
