// SPDX-License-Identifier: BSL-1.0
// A table backend in a fake world.
#pragma once

#include "fake_client.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace codynamo::test {

inline dynamodb_backend open(const fake_world& world) {
    return test_support::run(dynamodb_backend::open(world.backend_config()));
}

/// k0, k1, …
inline std::vector<std::string> keys_of(std::size_t count) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < count; ++i)
        keys.push_back("k" + std::to_string(i));
    return keys;
}

} // namespace codynamo::test
