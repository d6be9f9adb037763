// SPDX-License-Identifier: BSL-1.0
// What a cache can be told, and what it counts.
#pragma once

#include <codynamo/environment.hpp>
#include <codynamo/record.hpp>

#include <cstdint>

namespace codynamo {

/// What a read does with stored bytes that the serializer policy refuses.
enum class undecodable {
    /// It fails with errc::deserialize_failed; the message names the key and has the policy's
    /// words.
    error,
    /// It finds nothing, as if the record had expired, and logs a warning; the next set overwrites
    /// the record. For caches whose values can be made again.
    miss
};

struct cache_config {
    /// Lifetime of what is set without one. Zero is for ever; negative is expired at once.
    ttl default_lifetime = for_ever;
    /// The clock decides what is fresh and stamps what is written.
    environment env;
    /// What get, try_get, get_entry and get_many do with such bytes. contains and touch do not look
    /// at the value.
    undecodable on_undecodable = undecodable::error;
};

/// What a cache has done since it was made; copies of a cache count together. A snapshot whose
/// numbers may be a few operations apart from each other.
struct cache_stats {
    std::uint64_t hits = 0;    ///< reads answered with a value, one per key asked for
    std::uint64_t misses = 0;  ///< reads answered with nothing; includes `expired`, and
                               ///< `undecodable` where that is a miss
    std::uint64_t expired = 0; ///< of the misses: a record was there, but no longer valid
    std::uint64_t sets = 0;    ///< values stored
    std::uint64_t erased = 0;  ///< erases carried out, whether there was something to erase or not
    std::uint64_t errors = 0;  ///< failed operations, one per key; cancelled ones do not count
    /// Of the misses or errors: the stored bytes were refused by the serializer policy.
    std::uint64_t undecodable = 0;
};

} // namespace codynamo
