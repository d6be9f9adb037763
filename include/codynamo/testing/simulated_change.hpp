// SPDX-License-Identifier: BSL-1.0
// What a simulated DynamoDB tells of its own: every change of an item.
#pragma once

#include <cstdint>
#include <string>

namespace codynamo::testing {

/// A change that the server made.
struct simulated_change {
    enum class kind { put, erase, update, expired };
    std::string table{};
    std::string key{}; ///< the text of the hash key
    kind what = kind::put;
    std::uint64_t client = 0; ///< id of the process that asked for it; 0 for none
    std::uint64_t sent = 0;   ///< tick at which the request was sent
    std::uint64_t done = 0;   ///< tick at which it took effect
};

} // namespace codynamo::testing
