// SPDX-License-Identifier: BSL-1.0
// Lists by order of use, threaded through entries by their ids, that know what they weigh.
#pragma once

#include <cstddef>

namespace codynamo::detail {

/// Entries and bytes: what is held, or a bound on it.
struct memory_load {
    std::size_t entries = 0;
    std::size_t bytes = 0;

    [[nodiscard]] bool exceeds(const memory_load& bound) const noexcept {
        return entries > bound.entries || bytes > bound.bytes;
    }
};

/// `Links` is a handle to where entries live: a type `id`, a constant `none`, `operator[](id)` with
/// members `newer` and `older`, and `weight(id)` in bytes. An entry is in at most one list.
template <class Links>
class entry_list {
public:
    using id = typename Links::id;

    void push_newest(Links links, id at) noexcept {
        links[at].newer = Links::none;
        links[at].older = newest_;
        (newest_ == Links::none ? oldest_ : links[newest_].newer) = at;
        newest_ = at;
        add(links.weight(at));
    }
    void remove(Links links, id at) noexcept {
        auto& entry = links[at];
        (entry.newer == Links::none ? newest_ : links[entry.newer].older) = entry.older;
        (entry.older == Links::none ? oldest_ : links[entry.older].newer) = entry.newer;
        --load_.entries;
        load_.bytes -= links.weight(at);
    }
    void make_newest(Links links, id at) noexcept {
        if (at == newest_) return;
        remove(links, at);
        push_newest(links, at);
    }
    /// An entry of it weighed `before` and weighs `after`.
    void reweigh(std::size_t before, std::size_t after) noexcept {
        load_.bytes = load_.bytes - before + after;
    }
    void clear() noexcept { *this = entry_list(); }

    [[nodiscard]] id oldest() const noexcept { return oldest_; }
    /// The oldest one that is not `spared`.
    [[nodiscard]] id oldest_but(Links links, id spared) const noexcept {
        return oldest_ == spared && oldest_ != Links::none ? links[oldest_].newer : oldest_;
    }
    [[nodiscard]] const memory_load& load() const noexcept { return load_; }
    [[nodiscard]] bool empty() const noexcept { return load_.entries == 0; }

private:
    void add(std::size_t weight) noexcept {
        ++load_.entries;
        load_.bytes += weight;
    }

    id newest_ = Links::none;
    id oldest_ = Links::none;
    memory_load load_;
};

} // namespace codynamo::detail
