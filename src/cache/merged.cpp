// SPDX-License-Identifier: BSL-1.0
// The batches that fly for several callers.
#include "cache/merged.hpp"

#include "cache/batch_read.hpp"
#include "cache/batch_rounds.hpp"
#include "cache/dynamodb_backend_core.hpp"
#include "cache/fan_out.hpp"

#include <boost/asio/error.hpp>

#include <chrono>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace codynamo::detail {

namespace asio = boost::asio;
using self_ptr = merge_waiter::self_ptr;

namespace {

/// The service does not let us have this operation at all.
bool refuses_operation(const failure& why) noexcept {
    return why.code == errc::access_denied || why.code == errc::unknown_operation;
}

/// It may be one item's fault, or the operation's, so that others may do better on their own.
bool may_concern_one(const failure& why) noexcept {
    return refuses_operation(why) || why.code == errc::validation_failed ||
           why.code == errc::response_too_large || why.code == errc::bad_response ||
           why.code == errc::service_error || why.code == errc::invalid_argument;
}

void note_refusal(dynamodb_backend::core& self, const failure& why, merge_kind kind) {
    batching_state& state = *self.batching;
    batching_state::add(state.fallbacks);
    if (!refuses_operation(why)) return;
    const bool reads = kind == merge_kind::read;
    if (!(reads ? state.reads : state.writes).exchange(false)) return;
    self.warn(std::string(reads ? "BatchGetItem" : "BatchWriteItem") +
              " is refused, so batching is off: " + why.message());
}

class read_flight final : public merge_batch, private batch_reader {
public:
    read_flight() : merge_batch(merge_kind::read) {}

    /// Stays as it is once those who wait for it have been woken.
    [[nodiscard]] result<std::optional<record>>& outcome(std::size_t place) noexcept {
        return outcomes_[place];
    }

private:
    asio::awaitable<void> fly(self_ptr self, gather& where,
                              std::shared_ptr<airborne> token) override {
        self_ = self.get();
        where_ = &where;
        token_ = std::move(token);
        outcomes_.resize(keys().size(), std::optional<record>());
        settled_.resize(keys().size());
        round_.reserve(keys().size());
        if (self->batching->reads) {
            batching_state::add(self->batching->get_batches);
            batching_state::add(self->batching->get_items, keys().size());
            std::optional<failure> why = co_await read_batch(self, keys(), *this, deadline());
            if (why) fail(*why);
        } else {
            end_unsettled(merge_wake::alone);
        }
        token_.reset();
    }

    void fail(const failure& why) {
        const bool alone = may_concern_one(why);
        if (alone) note_refusal(*self_, why, merge_kind::read);
        if (why.code == errc::response_too_large) where_->shrink(merge_kind::read, keys().size());
        for (std::size_t i = 0; !alone && i != settled_.size(); ++i)
            if (!settled_[i]) outcomes_[i] = why;
        end_unsettled(alone ? merge_wake::alone : merge_wake::answered);
    }

    void end_unsettled(merge_wake how) {
        for (std::size_t i = 0; i != settled_.size(); ++i)
            if (!settled_[i]) round_.push_back(i);
        deliver(how);
    }

    void deliver(merge_wake how) {
        const std::size_t count = where_->deliver(*this, round_, how, token_);
        if (how == merge_wake::answered) batching_state::add(self_->batching->gets_merged, count);
        round_.clear();
    }

    void settle(std::size_t key, result<std::optional<record>> outcome) override {
        outcomes_[key] = std::move(outcome);
        settled_[key] = true;
        round_.push_back(key);
    }
    void end_of_round() override { deliver(merge_wake::answered); }
    [[nodiscard]] bool wants(std::size_t key) override { return where_->is_wanted(*this, key); }
    [[nodiscard]] merge_wake abandoned(std::size_t) noexcept override { return merge_wake::alone; }

    dynamodb_backend::core* self_ = nullptr;
    gather* where_ = nullptr;
    std::shared_ptr<airborne> token_;
    std::vector<result<std::optional<record>>> outcomes_;
    std::vector<bool> settled_;
    std::vector<std::size_t> round_; ///< to be delivered
};

class write_flight final : public merge_batch, private batch_writer {
public:
    write_flight() : merge_batch(merge_kind::write) {
        requests_.reserve(write_slice);
        details_.reserve(write_slice);
        outcomes_.resize(write_slice);
        round_.reserve(write_slice);
    }

    [[nodiscard]] const std::optional<failure>& outcome(std::size_t place) const noexcept {
        return outcomes_[place];
    }

private:
    /// Of what is in the request.
    struct detail_of {
        std::size_t place = 0; ///< of the key
        bool settled = false;
        record times{};
        std::chrono::microseconds offset{};
    };

    void load() noexcept override {
        for (std::size_t i = 0; i != keys().size(); ++i) {
            merge_waiter* const last = last_of(i);
            if (!last) continue;
            gathered_write& what = static_cast<merged_write*>(last)->what();
            requests_.push_back(std::move(what.request));
            details_.push_back({i, false, std::move(what.times), what.offset});
        }
    }

    asio::awaitable<void> fly(self_ptr self, gather& where,
                              std::shared_ptr<airborne> token) override {
        self_ = self;
        where_ = &where;
        token_ = std::move(token);
        std::optional<failure> why;
        const bool together = requests_.size() > 1 && self->batching->writes;
        if (together) {
            batching_state::add(self->batching->write_batches);
            batching_state::add(self->batching->write_items, requests_.size());
            why = co_await write_batch(self, requests_, *this, deadline());
        }
        if (!together || (why && may_concern_one(*why))) {
            if (why) note_refusal(*self, *why, merge_kind::write);
            co_await each_alone(unsettled(), false);
        } else if (why) {
            for (const std::size_t i : unsettled())
                end(i, why);
            end_of_round();
        }
        co_await each_alone(std::move(doubtful_), true);
        self_.reset();
        token_.reset();
    }

    [[nodiscard]] std::vector<std::size_t> unsettled() const {
        std::vector<std::size_t> some;
        for (std::size_t i = 0; i != details_.size(); ++i)
            if (!details_[i].settled) some.push_back(i);
        return some;
    }

    /// Writes some of them one by one: for the first time, or again with better times.
    asio::awaitable<void> each_alone(std::vector<std::size_t> some, bool was_stored) {
        co_await fan_out(some.size(), self_->config.batch_concurrency,
                         [&](std::size_t at) { return one_alone(some[at], was_stored); });
    }

    asio::awaitable<void> one_alone(std::size_t at, bool was_stored) {
        const detail_of& one = details_[at];
        dynamodb::call_options rest;
        rest.timeout = rounds::time_left(deadline() - self_->config.env.time->steady_now());
        std::optional<failure> why;
        if (!requests_[at].is_put) {
            why =
                co_await dynamodb_backend::core::remove(self_, std::move(requests_[at].item), rest);
        } else {
            dynamodb::put_item_input in;
            in.table_name = self_->config.table_name;
            in.item = std::move(requests_[at].item);
            why = co_await dynamodb_backend::core::put(self_, in, one.times, one.offset, rest,
                                                       was_stored);
        }
        end(at, std::move(why));
        end_of_round();
    }

    void settle(std::size_t write) override {
        details_[write].settled = true;
        const auto offset = details_[write].offset;
        const bool doubt =
            requests_[write].is_put && (self_->clock_in_doubt() || self_->clock_offset() != offset);
        if (doubt)
            doubtful_.push_back(write);
        else
            end(write, std::nullopt);
    }
    void end(std::size_t write, std::optional<failure> why) {
        outcomes_[details_[write].place] = std::move(why);
        round_.push_back(details_[write].place);
    }
    void end_of_round() override {
        const std::size_t count = where_->deliver(*this, round_, merge_wake::answered, token_);
        batching_state::add(self_->batching->writes_merged, count);
        for (const std::size_t place : round_)
            where_->release(self_, *this, place);
        round_.clear();
    }
    [[nodiscard]] merge_wake abandoned(std::size_t place) noexcept override {
        outcomes_[place] =
            failure{make_error_code(boost::system::errc::not_enough_memory), nullptr};
        return merge_wake::answered;
    }

    self_ptr self_;
    gather* where_ = nullptr;
    std::shared_ptr<airborne> token_;
    std::vector<dynamodb::write_request> requests_;
    std::vector<detail_of> details_;
    std::vector<std::optional<failure>> outcomes_; ///< by place
    std::vector<std::size_t> doubtful_;            ///< stored, perhaps with times by a wrong clock
    std::vector<std::size_t> round_;               ///< places to be delivered
};

} // namespace

batching_stats batching_state::stats() const noexcept {
    const auto of = [](const counter& one) { return one.load(std::memory_order_relaxed); };
    return {of(get_batches), of(get_items),     of(gets_merged), of(write_batches),
            of(write_items), of(writes_merged), of(fallbacks)};
}

std::shared_ptr<merge_batch> make_batch(merge_kind kind) {
    if (kind == merge_kind::read) return std::make_shared<read_flight>();
    return std::make_shared<write_flight>();
}

std::optional<record> merged_read::take() const {
    auto& outcome = static_cast<read_flight&>(batch()).outcome(place());
    if (outcome.has_error()) throw_failure(outcome.error());
    if (is_sole()) return *std::move(outcome);
    return *outcome;
}

std::optional<failure> merged_write::outcome() const {
    return static_cast<write_flight&>(batch()).outcome(place());
}

void throw_unanswered(const dynamodb_backend_config& config, merge_wake why, bool outcome_unknown) {
    if (why == merge_wake::no_memory) throw std::bad_alloc();
    if (why == merge_wake::aborted)
        throw boost::system::system_error(asio::error::operation_aborted);
    diagnostics words;
    words.message = "no answer within " + std::to_string(config.call_timeout.count()) + " ms";
    words.outcome_unknown = outcome_unknown;
    throw_failure(make_failure(errc::timeout, std::move(words)));
}

} // namespace codynamo::detail
