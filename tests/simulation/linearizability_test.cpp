// SPDX-License-Identifier: BSL-1.0
// The checker itself: histories that are known to be right or wrong.
#include "support/catch.hpp"

#include <codynamo/testing/cache_history.hpp>
#include <codynamo/testing/linearizability.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::testing;

namespace {

/// An integer that begins with 0: "w1" writes, "r1" reads.
struct register_model {
    using state = int;
    struct operation {
        bool writes;
        int value;
    };
    [[nodiscard]] state initial() const { return 0; }
    [[nodiscard]] std::optional<state> apply(state s, const operation& o) const {
        if (o.writes) return o.value;
        return s == o.value ? std::optional(s) : std::nullopt;
    }
};

using history = std::vector<timed_operation<register_model::operation>>;

/// One line for each operation, drawn in time: "w1 (--)" begins at the bracket and ends at the
/// other; "(--?" never returns.
history drawn(const std::vector<std::string>& lines) {
    history made;
    for (std::size_t i = 0; i != lines.size(); ++i) {
        const std::string& line = lines[i];
        timed_operation<register_model::operation> one;
        one.what = {line[0] == 'w', line[1] - '0'};
        const std::size_t ends = line.find(')');
        // Unequal moments for equal columns: calls in the order of the lines, before returns.
        one.invoked = line.find('(') * 100 + i;
        if (ends != line.npos) one.returned = ends * 100 + 50 + i;
        made.push_back(one);
    }
    return made;
}

struct row {
    const char* name;
    bool right;
    std::vector<std::string> lines;
};

const row rows[] = {
    {"nothing", true, {}},
    {"a read of the beginning", true, {"r0 ()"}},
    {"a read of what nobody wrote", false, {"r1 ()"}},
    {"one after the other", true, {"w1 ()", "r1   ()"}},
    {"a stale read", false, {"w1 ()", "r0   ()"}},
    {"a read during a write, old", true, {"w1 (--)", "r0  ()"}},
    {"a read during a write, new", true, {"w1 (--)", "r1  ()"}},
    {"new, then old, during a write", false, {"w1 (-------)", "r1  ()", "r0     ()"}},
    {"old, then new, during a write", true, {"w1 (-------)", "r0  ()", "r1     ()"}},
    {"two writes at once, read either", true, {"w1 (--)", "w2 (--)", "r1     ()"}},
    {"two writes at once, both read when both are over",
     false,
     {"w1 (--)", "w2 (--)", "r1     (--)", "r2       (--)"}},
    {"two writes at once, both read meanwhile",
     true,
     {"w1 (------)", "w2 (------)", "r1  ()", "r2    ()"}},
    {"two writes at once, back and forth",
     false,
     {"w1 (--)", "w2 (--)", "r1     ()", "r2       ()", "r1         ()"}},
    {"two writes at once, readers disagree on the order",
     false,
     {"w1 (--------)", "w2 (--------)", "r1  ()", "r2    ()", "r2  ()", "r1    ()"}},
    {"a lost write", false, {"w1 ()", "w2   ()", "r1     ()"}},
    {"an unknown write that was never seen", true, {"w1 (-?", "r0     ()"}},
    {"an unknown write that was seen late", true, {"w1 (-?", "r0     ()", "r1       ()"}},
    {"an unknown write that was seen and gone", false, {"w1 (-?", "r1     ()", "r0       ()"}},
    {"an unknown write between two known ones",
     true,
     {"w1 ()", "w2   (-?", "r2       ()", "w3         ()", "r3            ()"}},
    {"an unknown write that comes after a later one",
     true,
     {"w1 (-?", "w2    ()", "r2      ()", "r1        ()"}},
    {"a write that is read before it begins", false, {"r1 ()", "w1   ()"}},
    {"many unknown writes, one read",
     true,
     {"w1 (?", "w2 (?", "w3 (?", "w4 (?", "w5 (?", "r4    ()"}},
    {"many unknown writes, a read of none of them",
     false,
     {"w1 (?", "w2 (?", "w3 (?", "w4 (?", "w5 (?", "r6    ()"}},
    // Herlihy and Wing 1990, figure 2 as registers: y reads 0 after a complete write.
    {"a read that overlaps the second of two writes",
     true,
     {"w1 ()", "w2   (---)", "r1    ()", "r2         ()"}},
    {"a read that goes back behind the second of two writes",
     false,
     {"w1 ()", "w2   ()", "r1     ()"}},
};

timestamp at(int ms) {
    return timestamp(std::chrono::milliseconds(ms));
}
cache_operation operation(cache_operation::kind what, std::uint64_t value, int judged = 0,
                          int latest = 0, int expires = 1'000'000) {
    cache_operation one;
    one.what = what;
    one.value = value;
    one.judged = at(judged);
    one.latest = at(latest);
    one.expires = at(expires);
    return one;
}
cache_operation told(cache_operation one, bool answer) {
    one.answer = answer;
    return one;
}

} // namespace

TEST_CASE("histories that have an order are told from those that have none") {
    for (const row& one : rows) {
        INFO(one.name);
        const auto report = check_linearizable(register_model{}, drawn(one.lines));
        CHECK((report.verdict == linearizability_verdict::linearizable) == one.right);
        CHECK(report.verdict != linearizability_verdict::undecided);
    }
}

TEST_CASE("the order that is found is one: replaying it gives the answers of the history") {
    for (const row& one : rows) {
        if (!one.right) continue;
        INFO(one.name);
        const history all = drawn(one.lines);
        const auto report = check_linearizable(register_model{}, all);
        int state = 0;
        std::uint64_t latest_invocation = 0;
        for (const std::size_t i : report.order) {
            const auto after = register_model{}.apply(state, all[i].what);
            REQUIRE(after);
            state = *after;
            CHECK(all[i].returned > latest_invocation); // nobody after one that began later than
            latest_invocation = std::max(latest_invocation, all[i].invoked); // it had ended
        }
        const auto completed = std::count_if(all.begin(), all.end(),
                                             [](const auto& o) { return o.returned != never; });
        CHECK(report.order.size() >= static_cast<std::size_t>(completed));
    }
}

TEST_CASE("a search that is bounded says that it was given up") {
    history many;
    for (int i = 0; i != 20; ++i)
        many.push_back({{true, i + 1}, static_cast<std::uint64_t>(i), 1000});
    for (std::size_t i = 0; i != many.size(); ++i)
        many[i].returned += i;
    many.push_back({{false, 99}, 2000, 2001});
    CHECK(check_linearizable(register_model{}, many, 1000).verdict ==
          linearizability_verdict::undecided);
}

TEST_CASE("a key of a cache loses what has expired, and nothing else") {
    using kind = cache_operation::kind;
    const cache_operation write = operation(kind::write, 1, 0, 0, 100);
    const cache_operation for_ever = operation(kind::write, 1);
    const cache_operation nothing_late = operation(kind::read, 0, 90, 100);
    const cache_operation nothing_early = operation(kind::read, 0, 90, 99);
    const cache_operation found = operation(kind::read, 1, 99, 200);
    const cache_operation found_late = operation(kind::read, 1, 100, 200);
    const cache_operation touch = operation(kind::touch, 0, 50, 60, 300);
    const cache_operation erase = operation(kind::erase, 0, 50, 60);
    const struct {
        const char* name;
        bool right;
        std::vector<cache_operation> sequence;
    } sequences[] = {
        {"nothing at first", true, {nothing_early}},
        {"nothing once it may have expired", true, {write, nothing_late}},
        {"nothing too early", false, {write, nothing_early}},
        {"what is fresh", true, {write, found}},
        {"what has expired", false, {write, found_late}},
        {"seen again by a slower clock", true, {write, nothing_late, found}},
        {"touched, then seen later", true, {write, told(touch, true), found_late}},
        {"touched in vain", false, {write, told(touch, false), found}},
        {"touched what is not there", false, {told(touch, true)}},
        {"not touched what is not there", true, {told(touch, false), nothing_early}},
        {"a touch that nobody knows of", true, {write, touch, found_late}},
        {"erased", true, {for_ever, told(erase, true), nothing_early}},
        {"erased, and still there", false, {for_ever, told(erase, true), found}},
        {"erased what was there, denied", false, {for_ever, told(erase, false)}},
        {"erased what was not there", false, {told(erase, true)}},
        {"erased what may have expired, denied",
         true,
         {write, told(operation(kind::erase, 0, 50, 100), false)}},
        {"an erase that nobody knows of", true, {for_ever, erase, nothing_early}},
    };
    for (const auto& one : sequences) {
        INFO(one.name);
        std::vector<timed_operation<cache_operation>> all;
        for (const cache_operation& o : one.sequence)
            all.push_back({o, all.size() * 2 + 1, all.size() * 2 + 2});
        const auto report = check_linearizable(cache_model{}, all);
        CHECK((report.verdict == linearizability_verdict::linearizable) == one.right);
    }
}

TEST_CASE("sessions: a client that has seen or written a version sees no older one") {
    using kind = cache_operation::kind;
    const auto put = [](std::uint64_t client, std::uint64_t sent, std::uint64_t done) {
        return simulated_change{"t", "k", simulated_change::kind::put, client, sent, done};
    };
    const auto done = [](std::uint64_t client, cache_operation what, std::uint64_t from,
                         std::uint64_t to) {
        return recorded_operation{"k", client, what, from, to};
    };
    const auto reads = [](std::uint64_t value) { return operation(kind::read, value); };
    const auto writes = [](std::uint64_t value) { return operation(kind::write, value); };
    // Client 1 writes 1 at tick 3, client 2 writes 2 at tick 13.
    const std::vector<simulated_change> changes = {put(1, 2, 3), put(2, 12, 13)};
    const recorded_operation first = done(1, writes(1), 1, 5);
    const recorded_operation second = done(2, writes(2), 11, 15);
    const struct {
        const char* name;
        bool right;
        std::vector<recorded_operation> after;
    } rows_of_sessions[] = {
        {"an old version for who knows no better", true, {done(3, reads(1), 20, 21)}},
        {"nothing for who knows no better", true, {done(3, reads(0), 20, 21)}},
        {"forward", true, {done(3, reads(1), 20, 21), done(3, reads(2), 22, 23)}},
        {"backward", false, {done(3, reads(2), 20, 21), done(3, reads(1), 22, 23)}},
        {"backward, of another client",
         true,
         {done(3, reads(2), 20, 21), done(4, reads(1), 22, 23)}},
        {"backward to nothing", false, {done(3, reads(1), 20, 21), done(3, reads(0), 22, 23)}},
        {"one's own write", true, {done(1, reads(1), 20, 21)}},
        {"older than one's own write", false, {done(2, reads(1), 20, 21)}},
        {"newer than one's own write", true, {done(1, reads(2), 20, 21)}},
        {"not yet written", false, {done(3, reads(2), 7, 8)}},
    };
    for (const auto& one : rows_of_sessions) {
        INFO(one.name);
        cache_history all;
        all.operations = {first, second};
        for (const auto& more : one.after)
            all.operations.push_back(more);
        all.attribute(changes);
        CHECK(all.check_sessions().empty() == one.right);
    }
}
