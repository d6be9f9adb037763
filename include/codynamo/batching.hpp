// SPDX-License-Identifier: BSL-1.0
// When gets and sets that are under way at once share a request.
#pragma once

#include <chrono>
#include <cstdint>

namespace codynamo {

enum class batching_mode {
    off,       ///< each get is a GetItem, each set a PutItem
    on,        ///< whatever comes while anything is under way is gathered
    automatic, ///< whatever comes while `crossover` requests are under way is gathered
};

/// Gets (of one backend, in one execution context) that have to wait are sent as one BatchGetItem,
/// sets and discards likewise as one BatchWriteItem. Nothing waits while little is under way, and
/// what waits goes when any request of its kind has ended, when it fills a batch (100 keys to read,
/// 25 to write, 8 MB), or when the oldest has waited for `max_delay`. Each caller keeps his own
/// deadline, cancellation and error. Whatever has a condition, and an erase, which has to say
/// whether there was a record, always goes alone.
///
/// Capacity units are the same, requests are fewer. A policy that allows GetItem and not
/// BatchGetItem (or PutItem and not BatchWriteItem) is noticed at the first batch: its callers go
/// alone, so do all others from then on, and the log has one warning.
struct batching_config {
    batching_mode mode = batching_mode::automatic;
    /// How many requests of a kind may be under way before the next one is gathered; for
    /// `automatic` only. 1 to 10000. Small: fewer and larger batches, less work per item, longer
    /// waits when the server is slow. Large: nothing is merged unless much is under way. The
    /// default is where merging begins to save work without making anybody slower
    /// (docs/performance.md).
    unsigned crossover = 4;
    /// The longest that a get or set waits for company; 0 to 1 s. 0: what would have to wait goes
    /// as a batch of whatever came with it in the same turn. It bounds what one stalled request can
    /// do to others.
    std::chrono::microseconds max_delay{1'000};
};

/// Totals of one backend since it was opened.
struct batching_stats {
    std::uint64_t get_batches = 0;   ///< BatchGetItem requests made of single gets
    std::uint64_t get_items = 0;     ///< keys in them
    std::uint64_t gets_merged = 0;   ///< gets that were answered by them; more where keys coincide
    std::uint64_t write_batches = 0; ///< BatchWriteItem requests made of single sets and discards
    std::uint64_t write_items = 0;   ///< keys in them
    std::uint64_t writes_merged = 0; ///< sets and discards that shared a request
    std::uint64_t fallbacks = 0;     ///< batches that were refused, so that their items went alone
};

} // namespace codynamo
