// SPDX-License-Identifier: BSL-1.0
// The invariants of a batcher.
#include "dynamodb/base64.hpp"
#include "property/check.hpp"
#include "property/modelled_batcher.hpp"

#include <algorithm>

namespace codynamo::property {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

bool is_record_of(const record& loaded, const json::object* item) {
    if (!item) return false;
    std::string value;
    if (!dynamodb::decode_base64(item->at("value").at("B").as_string(), value)) return false;
    const std::string_view written = item->at("update_ts").at("N").as_string();
    return loaded.value == value &&
           loaded.written == timestamp(std::chrono::seconds(std::stoll(std::string(written))));
}

} // namespace

/// Stores and discards of one key take effect in the order in which they were begun.
void modelled_batcher::check_changes(const table_request& by,
                                     const std::vector<std::size_t>& before) {
    if (by.source != request_source::store_or_discard) return;
    for (std::size_t i = 0; i != by.keys.size(); ++i) {
        const std::string& key = by.keys[i];
        for (std::size_t n = before[i]; n != server_.versions_of(key).size(); ++n) {
            const std::uint64_t wrote = writer(key, n + 1);
            std::uint64_t& last = last_store_[key];
            if (wrote == 0) {
                RC_ASSERT(!discards_[key].empty());
                RC_ASSERT(*discards_[key].rbegin() > last);
            } else {
                RC_ASSERT(wrote >= last);
                last = wrote;
            }
        }
    }
}

void modelled_batcher::check_success(const call& of) const {
    const std::size_t changes = server_.versions_of(of.key).size();
    // What the table was while the call was under way, or became through it.
    const auto was = [&](std::size_t from, auto holds) {
        for (std::size_t n = from; n <= changes; ++n)
            if (holds(n, writer(of.key, n))) return true;
        return false;
    };
    const auto became = [&](auto holds) { return was(of.versions + 1, holds); };
    const auto is_gone = [](std::size_t, std::uint64_t by) { return by == 0; };
    const auto is_later_store = [&](std::uint64_t by) {
        return by > of.number && kinds_[by] == kind::store;
    };
    const reply& told = *of.state->value;
    RC_ASSERT(!of.excuses.contains(errc::invalid_argument));
    if (of.action == kind::load) {
        RC_ASSERT(was(of.versions, [&](std::size_t n, std::uint64_t by) {
            return told.loaded ? is_record_of(*told.loaded, item(of.key, n)) : by == 0;
        }));
    } else if (of.action ==
               kind::store) { // its own value, or that of a later store in the same request
        const auto discarded = last_discard_.find(of.key);
        const bool may_be_gone = discarded != last_discard_.end() && discarded->second > of.number;
        RC_ASSERT(became([&](std::size_t, std::uint64_t by) {
            return by == of.number || is_later_store(by) || (by == 0 && may_be_gone);
        }));
    } else if (of.action == kind::discard) {
        RC_ASSERT(
            became([&](std::size_t, std::uint64_t by) { return by == 0 || is_later_store(by); }));
    } else if (!told.done) {
        RC_ASSERT(was(of.versions, is_gone));
    } else if (of.action == kind::erase) {
        RC_ASSERT(became([&](std::size_t n, std::uint64_t by) {
            return by == 0 && writer(of.key, n - 1) != 0;
        }));
    } else {
        RC_ASSERT(became([&](std::size_t, std::uint64_t by) { return by == of.number; }));
    }
}

void modelled_batcher::check_failure(const call& of, int code) const {
    const auto failure = static_cast<errc>(code);
    const bool is_late = world_.world.now() - of.started >= 5s; // the timeout of an attempt
    if (code == -1)
        RC_ASSERT(of.is_cancelled);
    else if (failure == errc::timeout)
        RC_ASSERT(is_late);
    else if (failure == errc::conditional_check_failed && of.action == kind::touch)
        RC_ASSERT(is_late); // other touches of the key won every round
    else if (failure == errc::circuit_open)
        RC_ASSERT(has_failed_);
    else
        RC_ASSERT(of.excuses.contains(failure));
}

/// No caller waits longer than max_delay for others, once earlier writes of its key are over.
void modelled_batcher::check_delays() {
    const bool writes_share = world_.backend->batching().fallbacks == 0;
    std::set<std::string> busy = unprocessed_;
    for (const std::size_t number : open_)
        if (requests_[number].source == request_source::store_or_discard)
            busy.insert(requests_[number].keys.begin(), requests_[number].keys.end());
    for (call& caller : calls_) {
        const bool writes = source_of(caller.action) == request_source::store_or_discard;
        if (caller.is_sent || (writes && !writes_share)) continue;
        const bool is_behind = writes && busy.contains(caller.key);
        if (is_behind || caller.was_behind) caller.waits_since = world_.world.now();
        caller.was_behind = is_behind;
        RC_ASSERT(world_.world.now() - caller.waits_since <= setting_.batching.max_delay);
    }
}

void modelled_batcher::finish() {
    if (!setting_.is_dropped) {
        for (int round = 0; round != 100 && !calls_.empty(); ++round) {
            answer_all();
            world_.pass(2s);
            look();
        }
        RC_ASSERT(calls_.empty());
        check_nothing_is_held();
    }
    world_.process.reset();
    RC_ASSERT(world_.world.ready() == 0U);
    RC_ASSERT(world_.world.sleeping() == 0U);
    world_.backend.reset();
    RC_ASSERT(world_.wire.use_count() == 1);
}

/// No request counts as under way, and no key as being written.
void modelled_batcher::check_nothing_is_held() {
    const bool is_automatic = setting_.batching.mode == batching_mode::automatic;
    const unsigned alone = is_automatic ? setting_.batching.crossover : 1;
    const bool waits = world_.backend->batching().fallbacks == 0 &&
                       setting_.batching.max_delay != std::chrono::microseconds(0);
    world_.pass(20s);
    begin(kind::load, 0, 0); // closes the circuit
    answer_all();
    for (const kind action : {kind::load, kind::store}) {
        for (unsigned i = 0; i <= alone; ++i) {
            const std::size_t before = world_.wire->count();
            begin(action, i, 1);
            if (i != alone) RC_ASSERT(world_.wire->count() == before + 1);
            if (i == alone && waits) RC_ASSERT(world_.wire->count() == before);
        }
        answer_all();
        RC_ASSERT(calls_.empty());
    }
    for (unsigned i = 0; i != std::min(setting_.key_count, 12U); ++i) {
        begin(kind::store, i, 1);
        RC_ASSERT(open_.size() == 1U);
        answer_all();
    }
}

} // namespace codynamo::property
