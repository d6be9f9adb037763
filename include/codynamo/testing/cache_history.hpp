// SPDX-License-Identifier: BSL-1.0
// What the clients of a cache were told, and whether that can be true.
#pragma once

#include <codynamo/environment.hpp>
#include <codynamo/testing/linearizability.hpp>
#include <codynamo/testing/simulated_dynamodb.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing {

/// An operation on one key as the client saw it.
struct cache_operation {
    enum class kind { read, write, erase, touch };
    kind what = kind::read;
    /// What was found or written, by number; 0 is nothing.
    std::uint64_t value = 0;
    /// What erase and touch answered; nullopt when nobody knows, or a repeated attempt may have
    /// met the effect of the first.
    std::optional<bool> answer{};
    /// End of the life that write and touch gave.
    timestamp expires = timestamp::max();
    /// The time by which the client judged what is fresh.
    timestamp judged{};
    /// The latest that any clock may have shown before the end: what had expired by then may have
    /// been gone.
    timestamp latest = timestamp::max();
};

/// One key of a cache: a register whose content may vanish once it has expired.
struct cache_model {
    using operation = cache_operation;
    struct state {
        std::uint64_t value = 0;
        timestamp expires = timestamp::max();
        friend bool operator==(const state&, const state&) = default;
    };

    [[nodiscard]] state initial() const { return {}; }
    [[nodiscard]] std::optional<state> apply(const state& s, const operation& o) const {
        const bool may_be_gone = s.value == 0 || s.expires <= o.latest;
        switch (o.what) {
        case operation::kind::read:
            if (o.value == 0 ? may_be_gone : s.value == o.value && s.expires > o.judged) return s;
            return std::nullopt;
        case operation::kind::write:
            return state{o.value, o.expires};
        case operation::kind::erase:
            if (o.answer && (*o.answer ? s.value == 0 : !may_be_gone)) return std::nullopt;
            return state{};
        case operation::kind::touch:
            if (!o.answer) return s.value == 0 ? s : state{s.value, o.expires};
            if (!*o.answer) return may_be_gone ? std::optional(s) : std::nullopt;
            if (s.value == 0 || s.expires <= o.judged) return std::nullopt;
            return state{s.value, o.expires};
        }
        return std::nullopt;
    }
};

/// An operation with who did it, on what and when, in ticks of the world.
struct recorded_operation {
    std::string key{};
    std::uint64_t client = 0; ///< id of the process
    cache_operation what{};
    std::uint64_t invoked = 0;
    std::uint64_t returned = never;
    /// How often the server carried it out, as far as that is known.
    unsigned executed = 0;
};

/// The operations of all clients. Each client's are sequential, or at least those on one key.
class cache_history {
public:
    std::vector<recorded_operation> operations{};

    /// Tells which changes of the server each operation caused. Operations that were carried out
    /// more than once are then taken for what they are: a retry whose first attempt had been done
    /// takes effect twice, and no client can prevent it.
    void attribute(const std::vector<simulated_change>& changes) {
        for (const simulated_change& one : changes) {
            version made{0, timestamp::max(), one.done, none};
            for (std::size_t i = 0; i != operations.size(); ++i)
                if (caused(operations[i], one)) made.cause = i;
            auto& of_key = versions_[one.key];
            if (made.cause != none) ++operations[made.cause].executed;
            if (one.what == simulated_change::kind::update && !of_key.empty())
                made.value = of_key.back().value;
            if (made.cause != none) {
                const cache_operation& cause = operations[made.cause].what;
                made.expires = cause.expires;
                if (one.what == simulated_change::kind::put) made.value = cause.value;
            }
            of_key.push_back(made);
        }
    }

    /// The history of one key for check_linearizable.
    [[nodiscard]] std::vector<timed_operation<cache_operation>> of_key(std::string_view key) const {
        std::vector<timed_operation<cache_operation>> some;
        for (const recorded_operation& one : operations) {
            if (one.key != key) continue;
            const bool changes = one.what.what != cache_operation::kind::read;
            const bool known = one.returned != never;
            if (!known && !changes) continue;
            some.push_back({one.what, one.invoked, one.returned});
            if (!known) some.back().what.answer.reset();
            cache_operation again = one.what;
            again.answer.reset();
            // Each further effect is one that may come at any time. No two events share a moment,
            // so they are invoked together with the operation but sorted after it.
            const bool in_vain = one.what.answer == false; // a touch that came too late in the end
            for (unsigned n = in_vain ? 0 : 1; n < one.executed && changes; ++n)
                some.push_back({again, one.invoked, never});
        }
        return some;
    }

    [[nodiscard]] std::vector<std::string> keys() const {
        std::vector<std::string> all;
        for (const recorded_operation& one : operations)
            if (std::find(all.begin(), all.end(), one.key) == all.end()) all.push_back(one.key);
        return all;
    }

    /// The sentences that are wrong about linearizability; empty when each key has an order.
    /// `undecided` counts keys whose search was given up.
    [[nodiscard]] std::vector<std::string> check_linearizable_keys(std::uint64_t& undecided) const {
        std::vector<std::string> broken;
        for (const std::string& key : keys()) {
            const auto history = of_key(key);
            const auto report = check_linearizable(cache_model{}, history);
            if (report.verdict == linearizability_verdict::undecided) ++undecided;
            if (report.verdict != linearizability_verdict::not_linearizable) continue;
            std::string words = "key " + key + " is not linearizable:";
            // Those of the longest order that was found, then those that fit nowhere behind it.
            std::vector<bool> placed(history.size());
            for (const std::size_t at : report.order)
                placed[at] = true;
            for (std::size_t i = 0; i != history.size(); ++i) {
                const std::string_view mark = placed[i] ? "\n    " : "\n  ? ";
                words += std::string(mark) + describe(history[i]);
            }
            broken.push_back(std::move(words));
        }
        return broken;
    }

    /// Read your writes and monotonic reads of each client (Terry et al. 1994), against the order
    /// in which the server made its versions: a client that has written or seen a version never
    /// sees an earlier one. Call attribute() before.
    [[nodiscard]] std::vector<std::string> check_sessions() const {
        std::vector<std::string> broken;
        std::map<std::pair<std::uint64_t, std::string>, std::size_t> floors;
        std::vector<const recorded_operation*> by_return;
        for (const recorded_operation& one : operations)
            if (one.returned != never) by_return.push_back(&one);
        std::sort(by_return.begin(), by_return.end(),
                  [](const auto* a, const auto* b) { return a->returned < b->returned; });
        for (const recorded_operation* one : by_return) {
            std::size_t& floor = floors[{one->client, one->key}];
            const auto seen = earliest(*one, floor);
            if (seen) {
                floor = *seen;
            } else if (one->what.what == cache_operation::kind::read) {
                broken.push_back("client " + std::to_string(one->client) + ", key " + one->key +
                                 ": an older version than before: " +
                                 describe({one->what, one->invoked, one->returned}));
            }
        }
        return broken;
    }

    [[nodiscard]] static std::string describe(const timed_operation<cache_operation>& one) {
        constexpr std::string_view names[] = {"read", "write", "erase", "touch"};
        const cache_operation& what = one.what;
        std::string words = "[" + std::to_string(one.invoked) + ", ";
        words += one.returned == never ? "?" : std::to_string(one.returned);
        words += "] ";
        words += names[static_cast<int>(what.what)];
        if (what.value != 0) words += " " + std::to_string(what.value);
        if (what.answer) words += *what.answer ? " yes" : " no";
        const auto since_start = [](timestamp t) {
            return std::to_string((t - virtual_world::epoch).count()) + " us";
        };
        if (what.expires != timestamp::max()) words += ", expires at " + since_start(what.expires);
        words += ", judged at " + since_start(what.judged);
        if (what.latest != timestamp::max()) words += ", over by " + since_start(what.latest);
        return words;
    }

private:
    static constexpr std::size_t none = std::size_t(-1);
    struct version {
        std::uint64_t value;
        timestamp expires;
        std::uint64_t done;
        std::size_t cause;
    };

    static bool caused(const recorded_operation& one, const simulated_change& change) {
        using kind = cache_operation::kind;
        const kind wanted = change.what == simulated_change::kind::put     ? kind::write
                            : change.what == simulated_change::kind::erase ? kind::erase
                                                                           : kind::touch;
        return change.what != simulated_change::kind::expired && one.client == change.client &&
               one.what.what == wanted && one.invoked < change.sent && change.sent < one.returned &&
               one.key == change.key;
    }
    /// The earliest version, not before `floor`, that the operation can have seen or made. Version
    /// 0 is the empty beginning, n the n-th change.
    [[nodiscard]] std::optional<std::size_t> earliest(const recorded_operation& one,
                                                      std::size_t floor) const {
        const auto found = versions_.find(one.key);
        const std::size_t count = found == versions_.end() ? 0 : found->second.size();
        for (std::size_t n = floor; n <= count; ++n) {
            const version v = n == 0 ? version{0, timestamp::max(), 0, none} : found->second[n - 1];
            if (v.done > one.returned) break;
            if (one.what.what != cache_operation::kind::read) {
                if (n > 0 && v.cause != none && &operations[v.cause] == &one) return n;
            } else if (one.what.value == v.value ||
                       (one.what.value == 0 && v.expires <= one.what.latest)) {
                return n;
            }
        }
        return std::nullopt;
    }

    std::map<std::string, std::vector<version>, std::less<>> versions_;
};

} // namespace codynamo::testing
