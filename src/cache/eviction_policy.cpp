// SPDX-License-Identifier: BSL-1.0
#include "cache/eviction_policy.hpp"

#include "cache/lru_policy.hpp"
#include "cache/s3_fifo_policy.hpp"
#include "cache/w_tinylfu_policy.hpp"

namespace codynamo::detail {

std::unique_ptr<eviction_policy> make_eviction_policy(memory_eviction which,
                                                      const memory_table& table,
                                                      const memory_load& bound,
                                                      std::uint64_t seed) {
    switch (which) {
    case memory_eviction::lru:
        return std::make_unique<lru_policy>(table);
    case memory_eviction::s3_fifo:
        return std::make_unique<s3_fifo_policy>(table, bound);
    case memory_eviction::w_tinylfu:
        break;
    }
    return std::make_unique<w_tinylfu_policy>(table, bound, seed);
}

} // namespace codynamo::detail
