// SPDX-License-Identifier: BSL-1.0
// Randomness of which a test knows what comes.
#pragma once

#include <codynamo/environment.hpp>

#include <cstdint>

namespace codynamo::test_support {

/// Always draws the largest jitter.
class longest_jitter final : public random_source {
public:
    std::uint64_t next() noexcept override { return ~std::uint64_t{0}; }
};

} // namespace codynamo::test_support
