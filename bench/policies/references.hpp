// SPDX-License-Identifier: BSL-1.0
// Policies that the memory's are compared with, in their plainest form: keys are numbers from 0 on,
// an entry weighs 1, and a miss inserts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using key_number = std::uint32_t;

/// A sequence of gets; its keys are 0 … distinct − 1.
struct key_trace {
    std::string name;
    std::vector<key_number> keys;
    std::size_t distinct = 0;
};

class reference_policy {
public:
    virtual ~reference_policy() = default;
    /// Whether it hits; the key is held afterwards, or not, as the policy likes.
    [[nodiscard]] virtual bool access(key_number key) = 0;
};

/// "lru", "sieve" (Zhang et al., 2024), "s3-fifo" (Yang et al., 2023: 10 % small queue, two uses
/// promote, exact ghosts), "arc" (Megiddo and Modha, 2003), "w-tinylfu-1" and "w-tinylfu-20"
/// (Einziger et al., 2017: fixed windows of 1 and 20 %, sketch and sample as Caffeine's), "optimum"
/// (Belady, 1966: evicts what is used furthest in the future; may bypass).
/// Throws std::invalid_argument for another name.
[[nodiscard]] std::unique_ptr<reference_policy>
make_reference(std::string_view name, const key_trace& trace, std::size_t capacity);

} // namespace bench
