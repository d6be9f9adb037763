// SPDX-License-Identifier: BSL-1.0
// A raw HTTP request as text.
#pragma once

#include <codynamo/aws/sigv4.hpp>

#include <string_view>

namespace tool {

/// Request line, headers, blank line, body; lines end in LF or CRLF. A line that begins with white
/// space continues the header before it. A target may hold spaces. Without a blank line there is no
/// body. Throws errc::invalid_argument naming the line.
[[nodiscard]] codynamo::aws::signable_request parse_request(std::string_view text);

} // namespace tool
