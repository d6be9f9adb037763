// SPDX-License-Identifier: BSL-1.0
// Lanes that each do one operation after the other; what is read has to be what some lane wrote.
#include "ycsb_run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace bench {
namespace asio = boost::asio;

namespace {

/// Hits of the memory layer do not suspend: every so many operations the others have a turn.
constexpr unsigned operations_a_turn = 64;

} // namespace

ycsb_run::ycsb_run(const ycsb_options& options, ycsb_workload workload,
                   codynamo::dynamodb_backend table, byte_cache cache, ticker& looking)
    : options_(options), workload_(workload), table_(std::move(table)), cache_(std::move(cache)),
      measured_(options.common, "ycsb"), looking_(looking),
      chooser_(workload.keys, options.records), issued_(options.records), random_(options.seed),
      lanes_(options.common.concurrency) {}

void ycsb_run::start(const asio::any_io_executor& executor) {
    for (unsigned i = 0; i < options_.common.concurrency; ++i)
        asio::co_spawn(executor, lane(), asio::detached);
}

asio::awaitable<void> ycsb_run::lane() {
    for (unsigned turn = 1;; ++turn) {
        const ycsb_operation what = workload_.at(uniform_of(random_));
        const auto begin = steady::now();
        std::string fault = co_await operate(what);
        if (!ended(what, begin, std::move(fault))) break;
        if (turn % operations_a_turn == 0) co_await asio::post(asio::use_awaitable);
    }
    if (--lanes_ != 0) co_return;
    looking_.stop();
    co_await cache_.close();
}

bool ycsb_run::ended(ycsb_operation what, steady::time_point begin, std::string fault) {
    const auto now = steady::now();
    const bool good = fault.empty();
    if (!good) measured_.note_failure(std::move(fault));
    const bool counted = measured_.counting();
    const bool more = measured_.record(begin, now, good);
    if (!counted && measured_.counting()) {
        before_ = table_.consumed();
        reads_ = hits_ = 0;
    }
    if (counted && good) latencies_.at(static_cast<std::size_t>(what)).add(now - begin);
    if (counted && !more) after_ = table_.consumed();
    return more;
}

asio::awaitable<std::string> ycsb_run::operate(ycsb_operation what) {
    try {
        if (what == ycsb_operation::insert) {
            co_await insert();
            co_return std::string();
        }
        const std::uint64_t record = chooser_.next(random_);
        if (what != ycsb_operation::update) {
            std::string fault = co_await read(record);
            if (!fault.empty()) co_return fault;
        }
        if (what != ycsb_operation::read) co_await write(record);
        co_return std::string();
    } catch (const std::exception& why) {
        co_return std::string(why.what());
    }
}

asio::awaitable<std::string> ycsb_run::read(std::uint64_t record) {
    std::string key = ycsb_key(record);
    const auto found = co_await cache_.get_entry(key);
    ++reads_;
    if (!found) co_return "no value under " + key;
    if (found->source == "memory") ++hits_;
    const auto version = ycsb_version(found->value, key, options_.value_size);
    if (!version) co_return "another value under " + key;
    // Who did not load the records does not know who else writes them.
    if (options_.load && *version > issued_.at(record))
        co_return "a version of " + key + " that nobody wrote";
    co_return std::string();
}

asio::awaitable<void> ycsb_run::write(std::uint64_t record) {
    std::string key = ycsb_key(record);
    std::string value = ycsb_value(key, ++issued_.at(record), options_.value_size);
    co_await cache_.set(std::move(key), std::move(value));
}

asio::awaitable<void> ycsb_run::insert() {
    const std::uint64_t record = issued_.size();
    issued_.push_back(0);
    co_await write(record);
    // Read only when all before it are there as well.
    inserted_.insert(record);
    while (inserted_.erase(chooser_.records()) != 0)
        chooser_.added();
}

boost::json::object ycsb_run::figures() const {
    boost::json::object made = measured_.figures();
    const double ops = std::max(1.0, made.at("ops").to_number<double>());
    const codynamo::consumed_units after = after_.value_or(table_.consumed());
    const codynamo::consumed_units before = before_.value_or(after);
    const double read = after.read - before.read;
    const double written = after.write - before.write;
    made["consumed_units"] = boost::json::object{{"read", read}, {"write", written}};
    made["units_per_op"] = boost::json::object{{"read", read / ops}, {"write", written / ops}};
    boost::json::object operations;
    for (std::size_t i = 0; i != ycsb_operations; ++i) {
        const histogram& seen = latencies_.at(i);
        if (seen.count() == 0) continue;
        operations[name_of(static_cast<ycsb_operation>(i))] =
            boost::json::object{{"ops", seen.count()}, {"latency_us", latency_figures(seen)}};
    }
    made["operations"] = std::move(operations);
    made["memory_hit_ratio"] = boost::json::value();
    if (options_.memory_layer && reads_ != 0)
        made["memory_hit_ratio"] = static_cast<double>(hits_) / static_cast<double>(reads_);
    return made;
}

} // namespace bench
