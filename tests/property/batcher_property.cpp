// SPDX-License-Identifier: BSL-1.0
// Random gets and writes that share requests, and random ends of those requests, against a model of
// the table. Also batch_core alone, against a list.
#include "cache/batch_core.hpp"
#include "property/check.hpp"
#include "property/modelled_batcher.hpp"

#include <deque>
#include <ostream>
#include <tuple>
#include <vector>

using namespace codynamo;
using namespace codynamo::property;
using namespace std::chrono_literals;

namespace codynamo::property {

std::ostream& operator<<(std::ostream& out, const batcher_setting& of) {
    return out << (of.batching.mode == batching_mode::on ? "on" : "automatic from ")
               << of.batching.crossover << ", " << of.batching.max_delay.count() << " us, "
               << of.key_count << " keys" << (of.consistent ? ", consistent" : "")
               << (of.is_dropped ? ", dropped at the end" : "");
}

std::ostream& operator<<(std::ostream& out, const batcher_operation& of) {
    constexpr const char* words[] = {"load",      "store",      "discard", "erase", "touch",
                                     "load_many", "store_many", "cancel",  "wait",  "answer"};
    constexpr const char* answers[] = {
        "whole",  "some unprocessed", "internal error", "throttled", "invalid",
        "denied", "missing table",    "foreign key",    "not JSON",  "reset"};
    out << words[of.action];
    if (of.action == batcher_operation::wait)
        return out << ' ' << batcher_waits[of.duration].count() << " us";
    out << ' ' << of.key << ", " << of.size;
    if (of.action == batcher_operation::load_many || of.action == batcher_operation::store_many)
        out << ", callers " << of.callers;
    if (of.action == batcher_operation::answer) out << ", " << answers[static_cast<int>(of.with)];
    return out;
}

} // namespace codynamo::property

namespace {

rc::Gen<batcher_setting> any_setting() {
    return rc::gen::map(
        rc::gen::tuple(rc::gen::element(batching_mode::automatic, batching_mode::on),
                       rc::gen::inRange(1U, 6U), rc::gen::element(1ms, 0ms, 2ms, 1'000ms),
                       rc::gen::element(3U, 1U, 40U, 250U), rc::gen::arbitrary<bool>(),
                       rc::gen::weightedElement<bool>({{3, false}, {1, true}})),
        [](const auto& of) {
            batcher_setting setting;
            setting.batching = {std::get<0>(of), std::get<1>(of), std::get<2>(of)};
            setting.key_count = std::get<3>(of);
            setting.consistent = std::get<4>(of);
            setting.is_dropped = std::get<5>(of);
            return setting;
        });
}

rc::Gen<unsigned> any_size() {
    return rc::gen::weightedOneOf<unsigned>({{20, rc::gen::inRange(0U, 200U)},
                                             {80, rc::gen::inRange(1U, 200U)},
                                             {1, rc::gen::element(350'000U, 409'000U, 410'000U)}});
}

/// Mostly about as long as max_delay.
rc::Gen<unsigned> any_wait() {
    return rc::gen::weightedElement<unsigned>(
        {{2, 0}, {6, 1}, {6, 2}, {6, 3}, {3, 4}, {1, 5}, {1, 6}, {1, 7}});
}

rc::Gen<batcher_operation> any_operation() {
    using enum batcher_operation::kind;
    using enum answer_kind;
    return rc::gen::map(
        rc::gen::tuple(rc::gen::weightedElement<batcher_operation::kind>({{20, load},
                                                                          {20, store},
                                                                          {8, discard},
                                                                          {3, erase},
                                                                          {3, touch},
                                                                          {2, load_many},
                                                                          {1, store_many},
                                                                          {6, cancel},
                                                                          {10, wait},
                                                                          {40, answer}}),
                       rc::gen::inRange(0U, 250U), any_size(), rc::gen::inRange(0U, 130U),
                       any_wait(),
                       rc::gen::weightedElement<answer_kind>({{40, whole},
                                                              {12, some_unprocessed},
                                                              {2, internal_error},
                                                              {2, throttled},
                                                              {2, invalid},
                                                              {1, denied},
                                                              {1, missing_table},
                                                              {2, foreign_key},
                                                              {2, not_json},
                                                              {2, reset}})),
        [](const auto& of) {
            return batcher_operation{std::get<0>(of), std::get<1>(of), std::get<2>(of),
                                     std::get<3>(of), std::get<4>(of), std::get<5>(of)};
        });
}

struct core_bounds {
    unsigned crossover = 1;
    std::size_t items = 1;
    std::size_t bytes = 0;
};
std::ostream& operator<<(std::ostream& out, const core_bounds& of) {
    return out << "crossover " << of.crossover << ", " << of.items << " items, " << of.bytes
               << " bytes";
}

struct core_operation {
    enum kind { arrive, grow, leave, depart, end, shrink };
    kind action = arrive;
    unsigned bytes = 0;
    unsigned passes_ms = 0; ///< before it
};
std::ostream& operator<<(std::ostream& out, const core_operation& of) {
    constexpr const char* words[] = {"arrive", "grow", "leave", "depart", "end", "shrink"};
    return out << words[of.action] << ' ' << of.bytes << " after " << of.passes_ms << " ms";
}

/// batch_core beside a list of the gathered items.
class modelled_core {
public:
    explicit modelled_core(const core_bounds& bounds)
        : bounds_(bounds), core_({bounds.crossover, bounds.items, bounds.bytes, delay}) {}

    void apply(const core_operation& of) {
        now_ += std::chrono::milliseconds(of.passes_ms);
        switch (of.action) {
        case core_operation::arrive:
            arrive(of.bytes);
            break;
        case core_operation::grow:
            if (gathered_.empty()) break;
            if (!core_.can_grow(of.bytes)) {
                depart();
                break;
            }
            core_.grow(of.bytes);
            gathered_.back() += of.bytes;
            break;
        case core_operation::leave:
            if (gathered_.empty()) break;
            core_.left();
            gathered_.pop_front();
            break;
        case core_operation::depart:
            if (!gathered_.empty()) depart();
            break;
        case core_operation::end:
            if (under_way_ == 0) break;
            --under_way_;
            RC_ASSERT(core_.ended() == !gathered_.empty());
            break;
        case core_operation::shrink:
            core_.shrink(of.bytes);
            bounds_.items =
                std::max<std::size_t>(1, std::min<std::size_t>(bounds_.items, of.bytes / 2));
            break;
        }
        check();
    }

private:
    static constexpr auto delay = 20ms;

    void arrive(std::size_t bytes) {
        if (!core_.has_room(bytes)) {
            RC_ASSERT(!gathered_.empty());
            depart();
        }
        const bool goes_alone = under_way_ < bounds_.crossover && gathered_.empty();
        const auto how = core_.arrive(now_, bytes);
        RC_ASSERT((how == detail::batch_core::arrival::alone) == goes_alone);
        if (goes_alone) {
            ++under_way_;
            return;
        }
        if (gathered_.empty()) first_came_ = now_;
        gathered_.push_back(bytes);
        const bool is_full = gathered_.size() >= bounds_.items;
        RC_ASSERT((how == detail::batch_core::arrival::flush) == is_full);
        if (is_full) depart();
    }
    void depart() {
        std::size_t bytes = 0;
        for (const std::size_t each : gathered_)
            bytes += each;
        // An item too large for any batch goes in a batch of its own.
        if (bounds_.bytes != 0 && gathered_.size() > 1) RC_ASSERT(bytes <= bounds_.bytes);
        core_.depart();
        gathered_.clear();
        ++under_way_;
    }
    void check() {
        RC_ASSERT(core_.gathered() == gathered_.size());
        RC_ASSERT(core_.under_way() == under_way_);
        RC_ASSERT(core_.most_items() == bounds_.items);
        RC_ASSERT(core_.due().has_value() == !gathered_.empty());
        if (gathered_.empty()) {
            RC_ASSERT(core_.has_room(1'000'000));
            RC_ASSERT_FALSE(core_.tick(now_ + 1h));
            return;
        }
        RC_ASSERT(*core_.due() == first_came_ + delay);
        RC_ASSERT(core_.tick(now_) == (now_ >= first_came_ + delay));
    }

    core_bounds bounds_;
    detail::batch_core core_;
    detail::batch_core::time_point now_{1h};
    detail::batch_core::time_point first_came_{};
    std::deque<std::size_t> gathered_; ///< their bytes
    std::size_t under_way_ = 0;
};

rc::Gen<core_bounds> any_core_bounds() {
    return rc::gen::map(rc::gen::tuple(rc::gen::inRange(1U, 5U),
                                       rc::gen::element<std::size_t>(3, 1, 25),
                                       rc::gen::element<std::size_t>(0, 1, 1'000)),
                        [](const auto& of) {
                            return core_bounds{std::get<0>(of), std::get<1>(of), std::get<2>(of)};
                        });
}

rc::Gen<core_operation> any_core_operation() {
    using enum core_operation::kind;
    return rc::gen::map(
        rc::gen::tuple(
            rc::gen::weightedElement<core_operation::kind>(
                {{60, arrive}, {6, grow}, {12, leave}, {3, depart}, {30, end}, {1, shrink}}),
            rc::gen::weightedOneOf<unsigned>(
                {{1, rc::gen::just(0U)}, {4, rc::gen::inRange(0U, 1'200U)}}),
            rc::gen::inRange(0U, 15U)),
        [](const auto& of) {
            return core_operation{std::get<0>(of), std::get<1>(of), std::get<2>(of)};
        });
}

} // namespace

TEST_CASE("gets and writes that share requests agree with a model of the table") {
    property::check(
        any_setting(), any_operation(), 10'000,
        [](const batcher_setting& setting, const std::vector<batcher_operation>& operations) {
            modelled_batcher m(setting);
            for (const batcher_operation& each : operations)
                m.apply(each);
            m.finish();
            return operations.size();
        });
}

TEST_CASE("batch_core agrees with a list of the gathered items") {
    property::check(any_core_bounds(), any_core_operation(), 10'000,
                    [](const core_bounds& bounds, const std::vector<core_operation>& operations) {
                        modelled_core m(bounds);
                        for (const core_operation& each : operations)
                            m.apply(each);
                        return operations.size();
                    });
}
