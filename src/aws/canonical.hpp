// SPDX-License-Identifier: BSL-1.0
// The canonical forms of SigV4: path, query and header values.
#pragma once

#include <string>
#include <string_view>

namespace codynamo::aws::detail {

/// Normalised: dot segments and double slashes resolved, then every byte but the unreserved ones
/// and '/' percent-encoded, percent signs included. Else the path as it stands, encoded only where
/// it is not yet.
[[nodiscard]] std::string canonical_path(std::string_view path, bool normalize);

/// Parameters decoded, encoded again in the one canonical way and sorted.
[[nodiscard]] std::string canonical_query(std::string_view query);

/// Folded lines and runs of blanks become one space, none at the ends. Throws
/// errc::invalid_argument naming `name` for any other control character.
[[nodiscard]] std::string canonical_header_value(std::string_view name, std::string_view value);

} // namespace codynamo::aws::detail
