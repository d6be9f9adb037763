// SPDX-License-Identifier: BSL-1.0
// The key of a keyed hash.
#pragma once

#include <cstdint>

namespace codynamo::detail {

/// Random, so that keys cannot be chosen to collide.
struct hash_seed {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
};

} // namespace codynamo::detail
