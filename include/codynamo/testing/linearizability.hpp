// SPDX-License-Identifier: BSL-1.0
// Whether a concurrent history has an order in which a sequential object would have given the same
// answers (Herlihy and Wing 1990).
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace codynamo::testing {

/// The moment of an event that never came.
inline constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

/// An operation between its invocation and its return. Moments are any numbers that order the
/// events of a history; no two events share one. One that returned `never` has an unknown outcome:
/// it may have taken effect at any time after its invocation, or not at all.
template <class Operation>
struct timed_operation {
    Operation what;
    std::uint64_t invoked = 0;
    std::uint64_t returned = never;
};

/// What a single-threaded object does: `apply` gives the state after an operation, or nullopt when
/// in this state the operation could not have had the outcome that it had.
template <class Model>
concept sequential_model =
    requires(const Model& m, const typename Model::state& s, const typename Model::operation& o) {
        { m.initial() } -> std::same_as<typename Model::state>;
        { m.apply(s, o) } -> std::same_as<std::optional<typename Model::state>>;
        requires std::equality_comparable<typename Model::state>;
    };

enum class linearizability_verdict {
    linearizable,
    not_linearizable,
    undecided, ///< the bound was reached
};

struct linearizability_report {
    linearizability_verdict verdict = linearizability_verdict::linearizable;
    /// The order found, as positions in the history; of a history that has none, the longest
    /// beginning of one. The first completed operation that is missing is where to look.
    std::vector<std::size_t> order{};
    std::uint64_t states = 0; ///< configurations looked at
};

namespace detail {

/// The search of Wing and Gong (1993) with Lowe's (2017) memory of configurations already met, on
/// a list of events as in Porcupine (Athalye): depth first, an operation is taken before anything
/// that was invoked after its return.
template <sequential_model Model>
class linearizability_search {
public:
    using operation = timed_operation<typename Model::operation>;
    using state = typename Model::state;

    linearizability_search(const Model& model, const std::vector<operation>& history,
                           std::uint64_t most)
        : model_(model), history_(history), most_(most), taken_((history.size() + 63) / 64) {
        link_events();
    }

    linearizability_report run() {
        linearizability_report report;
        state now = model_.initial();
        for (std::size_t at = next_[head];;) {
            if (left_ == 0) return finish(report, linearizability_verdict::linearizable);
            if (at != end && is_call(at)) {
                const std::size_t op = at / 2 - 1;
                std::optional<state> after = model_.apply(now, history_[op].what);
                if (after && remember(op, *after)) {
                    if (++report.states > most_)
                        return finish(report, linearizability_verdict::undecided);
                    path_.push_back({op, std::move(now)});
                    now = std::move(*after);
                    take(op);
                    at = next_[head];
                } else {
                    at = next_[at];
                }
                continue;
            }
            // Somebody returned before it was taken, or nobody is left to try: back.
            if (path_.size() > longest_.size() || longest_.empty()) keep_longest();
            if (path_.empty()) return finish(report, linearizability_verdict::not_linearizable);
            const std::size_t op = path_.back().first;
            now = std::move(path_.back().second);
            path_.pop_back();
            untake(op);
            at = next_[call_of(op)];
        }
    }

private:
    // Events are numbered: 2(op + 1) is a call, 2(op + 1) + 1 its return; 0 is the head, 1 the end.
    static constexpr std::size_t head = 0;
    static constexpr std::size_t end = 1;
    static std::size_t call_of(std::size_t op) noexcept { return 2 * (op + 1); }
    static std::size_t return_of(std::size_t op) noexcept { return 2 * (op + 1) + 1; }
    static bool is_call(std::size_t event) noexcept { return event % 2 == 0; }

    void link_events() {
        std::vector<std::pair<std::uint64_t, std::size_t>> events;
        for (std::size_t i = 0; i != history_.size(); ++i) {
            events.emplace_back(history_[i].invoked, call_of(i));
            if (history_[i].returned == never) continue;
            events.emplace_back(history_[i].returned, return_of(i));
            ++left_;
        }
        std::sort(events.begin(), events.end());
        next_.assign(2 * (history_.size() + 1), end);
        previous_.assign(2 * (history_.size() + 1), head);
        std::size_t last = head;
        for (const auto& [when, event] : events) {
            next_[last] = event;
            previous_[event] = last;
            last = event;
        }
        next_[last] = end;
        previous_[end] = last;
    }
    void unlink(std::size_t event) {
        next_[previous_[event]] = next_[event];
        previous_[next_[event]] = previous_[event];
    }
    void relink(std::size_t event) {
        next_[previous_[event]] = event;
        previous_[next_[event]] = event;
    }
    void take(std::size_t op) {
        unlink(call_of(op));
        if (history_[op].returned != never) {
            unlink(return_of(op));
            --left_;
        }
        taken_[op / 64] |= std::uint64_t{1} << (op % 64);
    }
    void untake(std::size_t op) {
        taken_[op / 64] &= ~(std::uint64_t{1} << (op % 64));
        if (history_[op].returned != never) {
            relink(return_of(op));
            ++left_;
        }
        relink(call_of(op));
    }
    /// False when this configuration has been met before.
    bool remember(std::size_t op, const state& after) {
        std::vector<std::uint64_t> with = taken_;
        with[op / 64] |= std::uint64_t{1} << (op % 64);
        std::uint64_t hash = 0xCBF29CE484222325ULL;
        for (const std::uint64_t word : with)
            hash = (hash ^ word ^ (word >> 31U)) * 0x9E3779B97F4A7C15ULL;
        for (auto [at, last] = met_.equal_range(hash); at != last; ++at)
            if (at->second.first == with && at->second.second == after) return false;
        met_.emplace(hash, std::pair(std::move(with), after));
        return true;
    }
    void keep_longest() {
        longest_.clear();
        for (const auto& [op, before] : path_)
            longest_.push_back(op);
    }
    linearizability_report finish(linearizability_report report, linearizability_verdict verdict) {
        report.verdict = verdict;
        if (verdict == linearizability_verdict::linearizable) keep_longest();
        report.order = std::move(longest_);
        return report;
    }

    const Model& model_;
    const std::vector<operation>& history_;
    std::uint64_t most_;
    std::vector<std::uint64_t> taken_;
    std::vector<std::size_t> next_, previous_;
    std::size_t left_ = 0; // completed operations that are not taken
    std::vector<std::pair<std::size_t, state>> path_;
    std::vector<std::size_t> longest_;
    std::unordered_multimap<std::uint64_t, std::pair<std::vector<std::uint64_t>, state>> met_;
};

} // namespace detail

/// Checks one object's history. Linearizability is local: a history of many keys is linearizable
/// when that of each key is, so check them one by one. Exponential in the number of operations
/// that overlap at the worst; `most_states` bounds time and memory.
template <sequential_model Model>
[[nodiscard]] linearizability_report
check_linearizable(const Model& model,
                   const std::vector<timed_operation<typename Model::operation>>& history,
                   std::uint64_t most_states = 2'000'000) {
    return detail::linearizability_search<Model>(model, history, most_states).run();
}

} // namespace codynamo::testing
