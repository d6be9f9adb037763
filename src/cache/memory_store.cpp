// SPDX-License-Identifier: BSL-1.0
#include "cache/memory_store.hpp"

#include <algorithm>
#include <vector>

namespace codynamo::detail {

shared_record memory_store::find(std::string_view key, timestamp now) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) return nullptr;
    if (!is_fresh(*at->second.kept, now)) {
        remove(at);
        return nullptr;
    }
    policy_.on_use(at->second);
    return at->second.kept;
}

shared_record memory_store::look(std::string_view key) const {
    const auto at = entries_.find(key);
    return at == entries_.end() ? nullptr : at->second.kept;
}

void memory_store::put(std::string&& key, shared_record r) {
    const std::size_t needed = cost(key, *r);
    if (needed > max_bytes_) {
        erase(key);
        return;
    }
    const auto [at, fresh] = entries_.try_emplace(std::move(key));
    slot& kept_at = at->second;
    if (fresh) {
        kept_at.key = &at->first;
        policy_.on_insert(kept_at);
    } else {
        bytes_ -= cost(at->first, *kept_at.kept);
        policy_.on_use(kept_at);
    }
    kept_at.kept = std::move(r);
    bytes_ += needed;
    make_room();
}

bool memory_store::erase(std::string_view key) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) return false;
    remove(at);
    return true;
}

memory_stats memory_store::stats() const noexcept {
    return {.entries = entries_.size(), .bytes = bytes_, .evicted = evicted_};
}

bool memory_store::drop_expired(sweep& s, timestamp now, std::size_t slice) {
    if (s.buckets != entries_.bucket_count()) {
        s.buckets = entries_.bucket_count();
        s.bucket = 0;
        s.done = {.scanned = s.done.deleted, .deleted = s.done.deleted, .kept = 0};
    }
    const std::size_t end = std::min(s.buckets, s.bucket + slice);
    std::vector<const std::string*> expired;
    for (; s.bucket != end; ++s.bucket) {
        for (auto at = entries_.begin(s.bucket); at != entries_.end(s.bucket); ++at) {
            ++s.done.scanned;
            if (is_fresh(*at->second.kept, now))
                ++s.done.kept;
            else
                expired.push_back(&at->first);
        }
    }
    for (const std::string* key : expired) {
        remove(entries_.find(*key));
        ++s.done.deleted;
    }
    return s.bucket != s.buckets;
}

void memory_store::remove(table::iterator at) noexcept {
    bytes_ -= cost(at->first, *at->second.kept);
    policy_.on_remove(at->second);
    entries_.erase(at);
}

void memory_store::make_room() noexcept {
    while (bytes_ > max_bytes_ || entries_.size() > max_entries_) {
        const auto& victim = static_cast<slot&>(*policy_.victim());
        remove(entries_.find(*victim.key));
        ++evicted_;
    }
}

} // namespace codynamo::detail
