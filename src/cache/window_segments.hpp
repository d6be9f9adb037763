// SPDX-License-Identifier: BSL-1.0
// The segments of W-TinyLFU: a window that everything enters, and a main part that entries enter
// from there if they are used more often than what they would push out.
#pragma once

#include "cache/entry_list.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace codynamo::detail {

/// The order of entries and who leaves; for the entries of a memory, and for those of the small
/// simulations that find the best window. As entry_list's Links, with a member `segment`.
template <class Links>
class window_segments {
public:
    using id = typename Links::id;

    window_segments(Links links, memory_load bound, double window) noexcept
        : links_(links), bound_(bound) {
        set_window(window);
    }

    /// The window's share. What is beyond it moves over by and by, as entries come.
    void set_window(double share) noexcept {
        window_share_ = share;
        window_bound_.entries = std::clamp<std::size_t>(part(bound_.entries, share), 1,
                                                        std::max<std::size_t>(1, bound_.entries));
        window_bound_.bytes = part(bound_.bytes, share);
        protected_bound_.entries =
            part(bound_.entries - std::min(bound_.entries, window_bound_.entries), 0.8);
        protected_bound_.bytes = part(bound_.bytes - window_bound_.bytes, 0.8);
    }
    void set_bound(memory_load bound) noexcept {
        bound_ = bound;
        set_window(window_share_);
    }
    [[nodiscard]] double window() const noexcept { return window_share_; }

    void insert(id at) noexcept {
        put(at, segment::window);
        balance();
    }
    void use(id at) noexcept {
        const segment in = of(at);
        if (in == segment::probation) {
            if (at == candidate_) candidate_ = Links::none;
            move(at, segment::protect);
            balance();
        } else {
            list(in).make_newest(links_, at);
        }
    }
    void remove(id at) noexcept {
        if (at == candidate_) candidate_ = Links::none;
        list(of(at)).remove(links_, at);
    }
    void reweigh(id at, std::size_t before, std::size_t after) noexcept {
        list(of(at)).reweigh(before, after);
        balance();
    }
    void clear() noexcept {
        for (auto& one : lists_)
            one.clear();
        candidate_ = Links::none;
    }
    [[nodiscard]] memory_load load() const noexcept {
        memory_load sum;
        for (const auto& one : lists_) {
            sum.entries += one.load().entries;
            sum.bytes += one.load().bytes;
        }
        return sum;
    }
    [[nodiscard]] memory_load window_load() const noexcept { return lists_[0].load(); }
    [[nodiscard]] bool over() const noexcept { return load().exceeds(bound_); }

    /// Who leaves: of the one that came last from the window and the oldest of the main part the
    /// one that is used less; the resident one when it is a draw, unless `lucky()` says so.
    /// `uses(id)` is how often an entry was used. Never `spared`; `none` when there is no other.
    template <class Uses, class Lucky>
    [[nodiscard]] id victim(Uses&& uses, Lucky&& lucky, id spared) noexcept {
        const id resident = main_victim(spared);
        if (candidate_ == Links::none || candidate_ == spared) {
            return resident != Links::none ? resident
                                           : list(segment::window).oldest_but(links_, spared);
        }
        if (resident == Links::none) return candidate_;
        const auto challenge = uses(candidate_);
        const bool wins = challenge > uses(resident) || (challenge >= warm && lucky());
        return wins ? resident : candidate_;
    }

private:
    enum class segment : std::uint8_t { window, probation, protect };
    /// Moves between segments in one call: enough to keep up, few enough to be bounded.
    static constexpr int most_moves = 4;
    /// A key used as often as this may win although it loses: else whoever knows how to make a
    /// resident look busy keeps others out for ever.
    static constexpr unsigned warm = 6;

    static std::size_t part(std::size_t whole, double share) noexcept {
        const double wanted = std::round(static_cast<double>(whole) * share);
        return wanted >= static_cast<double>(whole) ? whole : static_cast<std::size_t>(wanted);
    }
    [[nodiscard]] entry_list<Links>& list(segment s) noexcept {
        return lists_[static_cast<std::size_t>(s)];
    }
    [[nodiscard]] segment of(id at) const noexcept {
        return static_cast<segment>(links_[at].segment);
    }
    void put(id at, segment to) noexcept {
        links_[at].segment = static_cast<std::uint8_t>(to);
        list(to).push_newest(links_, at);
    }
    void move(id at, segment to) noexcept {
        list(of(at)).remove(links_, at);
        put(at, to);
    }
    void balance() noexcept {
        auto& window = list(segment::window);
        for (int i = 0; i != most_moves; ++i) {
            // The newest one stays in any case: what was just stored can be read.
            if (window.load().entries <= 1 || !window.load().exceeds(window_bound_)) break;
            candidate_ = window.oldest();
            move(candidate_, segment::probation);
        }
        auto& kept = list(segment::protect);
        for (int i = 0; i != most_moves && kept.load().exceeds(protected_bound_); ++i)
            move(kept.oldest(), segment::probation);
    }
    /// The oldest of the main part that is neither the candidate nor spared.
    [[nodiscard]] id main_victim(id spared) noexcept {
        for (const segment each : {segment::probation, segment::protect}) {
            id oldest = list(each).oldest();
            while (oldest != Links::none && (oldest == candidate_ || oldest == spared))
                oldest = links_[oldest].newer;
            if (oldest != Links::none) return oldest;
        }
        return Links::none;
    }

    Links links_;
    memory_load bound_;
    double window_share_ = 0;
    memory_load window_bound_;
    memory_load protected_bound_;
    entry_list<Links> lists_[3];
    id candidate_ = Links::none;
};

} // namespace codynamo::detail
