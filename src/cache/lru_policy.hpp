// SPDX-License-Identifier: BSL-1.0
// Decides which entry leaves when the memory is full: the one unused for longest.
#pragma once

namespace codynamo::detail {

/// What an entry carries for its eviction policy.
struct eviction_hook {
    eviction_hook* newer = nullptr;
    eviction_hook* older = nullptr;
};

/// An eviction policy is told what happens to entries, and names the next victim. Another policy
/// has the same four functions. Not thread-safe: its owner holds a lock.
class lru_policy {
public:
    lru_policy() noexcept { clear(); }
    lru_policy(const lru_policy&) = delete;
    lru_policy& operator=(const lru_policy&) = delete;

    void on_insert(eviction_hook& entry) noexcept {
        entry.newer = &ends_;
        entry.older = ends_.older;
        ends_.older->newer = &entry;
        ends_.older = &entry;
    }
    void on_use(eviction_hook& entry) noexcept {
        on_remove(entry);
        on_insert(entry);
    }
    void on_remove(eviction_hook& entry) noexcept {
        entry.newer->older = entry.older;
        entry.older->newer = entry.newer;
    }
    /// Null when there is no entry.
    [[nodiscard]] eviction_hook* victim() noexcept {
        return ends_.newer == &ends_ ? nullptr : ends_.newer;
    }
    /// Forgets all entries at once.
    void clear() noexcept { ends_.newer = ends_.older = &ends_; }

private:
    /// A ring: its `older` is the newest entry and its `newer` the oldest.
    eviction_hook ends_;
};

} // namespace codynamo::detail
