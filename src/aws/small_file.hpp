// SPDX-License-Identifier: BSL-1.0
// Small files that may hold secrets: shared settings and tokens.
#pragma once

#include "aws/secret_memory.hpp"

#include <cstddef>
#include <string>

namespace codynamo::aws::detail {

struct small_file {
    secret_string text{};
    /// In words; empty when it was read.
    std::string why_not{};
    /// There is no such file, or its folder is none.
    bool missing = false;
};

/// The whole of a file of at most `most` bytes. Only regular files, and the null device as an
/// empty one, are read: a pipe or a terminal would keep the thread waiting for whoever writes to
/// it. A file system that does not answer (NFS) still does.
[[nodiscard]] small_file read_small_file(const std::string& path, std::size_t most);

} // namespace codynamo::aws::detail
