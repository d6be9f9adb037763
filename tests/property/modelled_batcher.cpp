// SPDX-License-Identifier: BSL-1.0
#include "property/modelled_batcher.hpp"

#include "cache/dynamodb_batch.hpp"
#include "cache/key_list.hpp"
#include "property/check.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

namespace codynamo::property {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

/// Less by a few times a value's share of the item.
constexpr std::size_t most_value_bytes = 409'500;

std::string key_of(unsigned number) {
    return "k" + std::to_string(number);
}

timestamp time_of(std::uint64_t number) {
    return timestamp(std::chrono::seconds(first_write_second + number));
}

} // namespace

modelled_batcher::modelled_batcher(const batcher_setting& setting)
    : setting_(setting), world_(setting.batching, setting.consistent) {
    world_.wire->keep_deadlines();
}

request_source modelled_batcher::source_of(kind action) noexcept {
    if (action == kind::load) return request_source::load;
    if (action == kind::erase) return request_source::erase;
    return action == kind::touch ? request_source::touch : request_source::store_or_discard;
}

void modelled_batcher::apply(const batcher_operation& of) {
    const unsigned key = of.key % setting_.key_count;
    switch (of.action) {
    case kind::load_many:
    case kind::store_many:
        for (unsigned i = 0; i != of.callers; ++i)
            begin(of.action == kind::load_many ? kind::load : kind::store,
                  (key + i) % setting_.key_count, of.size);
        break;
    case kind::cancel:
        cancel(of.key);
        break;
    case kind::wait:
        world_.pass(batcher_waits[of.duration]);
        look();
        break;
    case kind::answer:
        answer(of.key, of.with, of.size);
        break;
    default:
        begin(of.action, key, of.size);
        break;
    }
    check_delays();
}

asio::awaitable<modelled_batcher::reply> modelled_batcher::start(dynamodb_backend backend,
                                                                 kind action, std::string key,
                                                                 std::uint64_t number,
                                                                 std::size_t size) {
    reply outcome;
    if (action == kind::load) {
        outcome.loaded = co_await backend.load(std::move(key));
    } else if (action == kind::store) {
        record r;
        r.value.assign(size, static_cast<char>('a' + number % 26));
        r.written = time_of(number);
        co_await backend.store(std::move(key), std::move(r));
    } else if (action == kind::discard) {
        co_await backend.discard(std::move(key));
    } else if (action == kind::erase) {
        outcome.done = co_await backend.erase(std::move(key));
    } else {
        outcome.done = co_await backend.touch(std::move(key), time_of(number), for_ever);
    }
    co_return outcome;
}

void modelled_batcher::begin(kind action, unsigned key, std::size_t size) {
    call caller;
    caller.action = action;
    caller.key = key_of(key);
    caller.number = kinds_.size();
    caller.versions = server_.versions_of(caller.key).size();
    caller.started = caller.waits_since = world_.world.now();
    kinds_.push_back(action);
    if (action == kind::store && size > most_value_bytes)
        caller.excuses.insert(errc::invalid_argument);
    if (action == kind::discard) {
        discards_[caller.key].insert(caller.number);
        last_discard_[caller.key] = caller.number;
    }
    caller.state =
        world_.spawn_in<reply>(start(*world_.backend, action, caller.key, caller.number, size));
    calls_.push_back(std::move(caller));
    world_.settle();
    look();
}

void modelled_batcher::cancel(unsigned which) {
    using enum asio::cancellation_type;
    if (calls_.empty()) return;
    call& caller = calls_[which % calls_.size()];
    caller.is_cancelled = true;
    const bool may_be_on_its_way = caller.is_sent || world_.backend->batching().fallbacks != 0;
    if (caller.action == kind::store && !may_be_on_its_way) withdrawn_.insert(caller.number);
    caller.state->signal.emit(which % 3 == 0 ? terminal : which % 3 == 1 ? partial : total);
    world_.settle();
    RC_ASSERT(caller.state->ended);
    look();
}

void modelled_batcher::answer(unsigned which, answer_kind how, unsigned choice) {
    if (open_.empty()) return;
    const auto at = open_.begin() + which % static_cast<unsigned>(open_.size());
    const std::size_t number = *at;
    open_.erase(at);
    const table_request& about = requests_[number];
    const std::vector<std::size_t> before = changes_of(about.keys);
    std::vector<std::string> left;
    auto response = server_.answer(world_.wire->request(number), how, choice, left);
    if (how != answer_kind::whole) {
        has_failed_ = has_failed_ || how != answer_kind::some_unprocessed;
        const auto& concerned = how == answer_kind::some_unprocessed ? left : about.keys;
        for (call& caller : calls_)
            if (caller.is_sent && source_of(caller.action) == about.source &&
                std::find(concerned.begin(), concerned.end(), caller.key) != concerned.end())
                caller.excuses.insert(errc_of(how));
    }
    if (about.source == request_source::store_or_discard) {
        for (const std::string& each : about.keys)
            unprocessed_.erase(each);
        unprocessed_.insert(left.begin(), left.end());
    }
    world_.wire->answer(number, std::move(response));
    world_.settle();
    RC_ASSERT(world_.wire->has_ended(number));
    check_changes(about, before);
    look();
}

void modelled_batcher::answer_all() {
    while (!open_.empty())
        answer(0, answer_kind::whole, 0);
}

void modelled_batcher::look() {
    while (requests_.size() != world_.wire->count())
        note_request(requests_.size());
    note_dropped();
    note_ended();
}

void modelled_batcher::note_request(std::size_t number) {
    const table_request& request =
        requests_.emplace_back(parse_request(world_.wire->request(number)));
    const bool writes = request.source == request_source::store_or_discard;
    const std::size_t most = request.source == request_source::load ? detail::key_list::most
                             : writes                               ? detail::write_slice
                                                                    : 1;
    RC_ASSERT(!request.keys.empty());
    RC_ASSERT(request.keys.size() <= (request.is_batch ? most : 1));
    RC_ASSERT(std::set<std::string>(request.keys.begin(), request.keys.end()).size() ==
              request.keys.size());
    if (writes) RC_ASSERT(request.value_bytes <= detail::write_slice_bytes);
    for (const std::size_t other : open_) {
        if (!writes || world_.wire->has_ended(other)) continue;
        if (requests_[other].source != request_source::store_or_discard) continue;
        for (const std::string& key : request.keys)
            RC_ASSERT(!requests_[other].has(key));
    }
    for (std::size_t i = 0; i != request.keys.size(); ++i) {
        const std::string& written = request.written[i];
        const std::uint64_t by = written.empty() ? 0 : std::stoull(written) - first_write_second;
        RC_ASSERT(!withdrawn_.contains(by));
        for (call& caller : calls_)
            if (caller.key == request.keys[i] && source_of(caller.action) == request.source &&
                (by == 0 || caller.number <= by))
                caller.is_sent = true;
    }
    open_.push_back(number);
}

void modelled_batcher::note_dropped() {
    for (std::size_t i = 0; i != open_.size();) {
        const std::size_t number = open_[i];
        if (!world_.wire->has_ended(number)) {
            ++i;
            continue;
        }
        open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
        has_failed_ = true; // or has been cancelled
        if (number % 2 == 0) continue;
        const auto before = changes_of(requests_[number].keys);
        server_.apply(world_.wire->request(number));
        check_changes(requests_[number], before);
    }
}

void modelled_batcher::note_ended() {
    for (const call& caller : calls_) {
        if (!caller.state->ended) continue;
        const int code = caller.state->code();
        if (code == 0)
            check_success(caller);
        else
            check_failure(caller, code);
        if (code == 0 && caller.action == kind::discard) discards_[caller.key].erase(caller.number);
    }
    std::erase_if(calls_, [](const call& caller) { return caller.state->ended; });
}

std::vector<std::size_t> modelled_batcher::changes_of(const std::vector<std::string>& keys) const {
    std::vector<std::size_t> counts;
    for (const std::string& key : keys)
        counts.push_back(server_.versions_of(key).size());
    return counts;
}

const json::object* modelled_batcher::item(const std::string& key, std::size_t changes) const {
    if (changes == 0) return nullptr;
    const auto& version = server_.versions_of(key)[changes - 1];
    return version.item ? &*version.item : nullptr;
}

std::uint64_t modelled_batcher::writer(const std::string& key, std::size_t changes) const {
    const json::object* const present = item(key, changes);
    if (!present) return 0;
    const std::string_view written = present->at("update_ts").at("N").as_string();
    return std::stoull(std::string(written)) - first_write_second;
}

} // namespace codynamo::property
