// SPDX-License-Identifier: BSL-1.0
// What the clients of a workload have begun, written and found, and what of it cannot be true.
#pragma once

#include <codynamo/cache.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/testing/cache_history.hpp>
#include <codynamo/testing/cache_workload.hpp>
#include <codynamo/testing/seeded_random.hpp>
#include <codynamo/testing/simulated_dynamodb.hpp>
#include <codynamo/testing/simulation_seeds.hpp>
#include <codynamo/testing/virtual_clock.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing::detail {

/// Between nothing and `most`, both included.
[[nodiscard]] inline std::chrono::microseconds drawn(seeded_random& random,
                                                     std::chrono::microseconds most) {
    return std::chrono::microseconds(random.below(static_cast<std::uint64_t>(most.count()) + 1));
}

/// Values as they are, so that nothing hides what came back.
struct verbatim_serializer {
    [[nodiscard]] std::string serialize(const std::string& value) const { return value; }
    [[nodiscard]] std::string deserialize(std::string_view bytes) const {
        return std::string(bytes);
    }
};
using workload_cache = cache<std::string, verbatim_serializer>;

/// A client of a workload while it lives, and afterwards.
struct workload_client {
    workload_client(virtual_world& world, simulated_dynamodb& server,
                    std::chrono::microseconds skew, unsigned operations)
        : process(world), time(std::make_shared<virtual_clock>(process, skew)),
          connection(server.connect(process)), left(operations) {}

    virtual_process process;
    std::shared_ptr<virtual_clock> time;
    std::shared_ptr<simulated_connection> connection;
    unsigned left; ///< operations not yet begun
    bool done = false;
    std::optional<workload_cache> mine{};
    unsigned lanes = 0;              ///< that have not ended
    std::vector<std::string> busy{}; ///< keys of lanes
};

class workload_record {
public:
    /// All three must outlive it.
    workload_record(virtual_world& world, const cache_workload& workload, simulation_report& report)
        : world_(world), workload_(workload), report_(report) {
        written_.emplace_back(); // number 0 is nothing
    }

    struct value {
        std::string text{};
        std::string key{};
        timestamp expires = timestamp::max();
    };

    void complain(std::string violation) { report_.violations.push_back(std::move(violation)); }

    /// Position of a new operation in the history.
    std::size_t begin(const workload_client& me, std::string of, cache_operation what) {
        recorded_operation one;
        one.key = std::move(of);
        one.client = me.process.id();
        one.what = what;
        one.what.judged = me.time->now();
        one.invoked = world_.tick();
        history_.operations.push_back(std::move(one));
        return history_.operations.size() - 1;
    }
    recorded_operation& finish(const workload_client& me, std::size_t which) {
        recorded_operation& one = history_.operations[which];
        if (one.what.what == cache_operation::kind::read) one.what.judged = me.time->now();
        one.what.latest = world_.wall() + workload_.skew;
        one.returned = world_.tick();
        world_.note(one.what.value);
        return one;
    }

    /// The number of a value that is about to be written, and its lifetime; 0 for none.
    std::pair<std::uint64_t, std::chrono::microseconds> new_value(const workload_client& me,
                                                                  const std::string& of) {
        const std::uint64_t number = written_.size();
        const bool ends = world_.random().chance(0.5) && workload_.longest_life.count() > 0;
        const auto life =
            ends ? drawn(world_.random(), workload_.longest_life) + std::chrono::microseconds(1)
                 : std::chrono::microseconds(0);
        value made{std::to_string(number) + ":", of,
                   ends ? me.time->now() + life : timestamp::max()};
        made.text.append(world_.random().below(40), static_cast<char>('a' + number % 26));
        written_.push_back(std::move(made));
        return {number, life};
    }
    value& written(std::uint64_t number) { return written_[number]; }

    /// A touch may let what is under a key live up to `end`.
    void extend(const std::string& of, timestamp end) {
        timestamp& longest = touched_[of];
        longest = std::max(longest, end);
    }

    /// The number of what was found under a key; complains about what cannot have been.
    std::uint64_t judge(const workload_client& me, const std::string& of,
                        const std::optional<std::string>& found) {
        if (!found) return 0;
        const std::uint64_t number = std::strtoull(found->c_str(), nullptr, 10);
        if (number == 0 || number >= written_.size() || written_[number].text != *found) {
            complain("nobody wrote what was found under " + of + ": " + *found);
            return 0;
        }
        const value& seen = written_[number];
        if (seen.key != of) complain("a value of " + seen.key + " was found under " + of);
        if (std::max(seen.expires, touched_[of]) <= me.time->now())
            complain("an expired value was found under " + of);
        return number;
    }

    /// At the end: whether the history keeps what is promised.
    void check(const std::vector<simulated_change>& changes) {
        history_.attribute(changes);
        report_.checked = history_.operations.size();
        if (workload_.promise >= cache_promise::sessions && !workload_.shared_keys)
            add(history_.check_sessions());
        if (workload_.promise >= cache_promise::linearizable)
            add(history_.check_linearizable_keys(report_.undecided));
    }

private:
    void add(std::vector<std::string> more) {
        for (std::string& one : more)
            complain(std::move(one));
    }

    virtual_world& world_;
    const cache_workload& workload_;
    simulation_report& report_;
    cache_history history_;
    std::vector<value> written_;
    std::map<std::string, timestamp> touched_; // latest end that a touch may have given
};

} // namespace codynamo::testing::detail
