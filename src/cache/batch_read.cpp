// SPDX-License-Identifier: BSL-1.0
#include "cache/batch_read.hpp"

#include "cache/batch_rounds.hpp"
#include "cache/dynamodb_backend_core.hpp"
#include "cache/record_item.hpp"
#include "dynamodb/client_core.hpp"
#include "dynamodb/json_writer.hpp"
#include "dynamodb/response_checks.hpp"

#include <utility>
#include <vector>

namespace codynamo::detail {

namespace asio = boost::asio;
using core_ptr = std::shared_ptr<dynamodb_backend::core>;

namespace {

/// Written from ready-made pieces, read straight into records.
class batch_call final : public dynamodb::operation_call, private batch_answers {
public:
    /// What is known of a key.
    struct answer {
        bool asked = true; ///< in this round
        bool left = false; ///< unprocessed
        std::optional<result<record>> found{};
    };

    /// Both must outlive the call.
    batch_call(const dynamodb_backend::core& table, const key_list& keys)
        : operation_call(dynamodb::target_of<dynamodb::batch_get_item_input>::value,
                         {.replay_safe = true, .writes = false, .hedgeable = false}),
          table_(table), keys_(keys), answers_(keys.size()) {}

    void encode(std::string& body) const override {
        body += table_.batch_head;
        bool first = true;
        for (std::size_t i = 0; i != answers_.size(); ++i) {
            if (!answers_[i].asked) continue;
            if (!first) body += ',';
            first = false;
            body += table_.key_head;
            dynamodb::append_json_string(body, keys_[i]);
            body += "}}";
        }
        body += table_.batch_tail;
    }
    void decode(std::string_view body) override {
        for (answer& one : answers_) { // an earlier attempt may have failed halfway
            one.left = false;
            one.found.reset();
        }
        decode_batch(table_.config.attributes, body, *this);
    }
    [[nodiscard]] std::string_view table_arn() const noexcept override {
        return dynamodb::arn_or_nothing(table_.config.table_name);
    }

    [[nodiscard]] std::vector<answer>& answers() noexcept { return answers_; }

private:
    [[nodiscard]] bool is_table(std::string_view name) const override {
        return dynamodb::is_same_table(table_.config.table_name, name);
    }
    void found(std::string_view key, result<record> what) override {
        answer& one = asked_for(key);
        if (!one.found) one.found.emplace(std::move(what));
    }
    void consumed(double units) override { table_.consumed.add_read(units); }
    void left(std::string_view key) override { asked_for(key).left = true; }
    /// Another request's answer would make misses of what this one asked for.
    [[nodiscard]] answer& asked_for(std::string_view key) {
        const auto at = keys_.find(key);
        if (at && answers_[*at].asked) return answers_[*at];
        throw error(errc::bad_response, "BatchGetItem response: a key that was not asked for");
    }

    const dynamodb_backend::core& table_;
    const key_list& keys_;
    std::vector<answer> answers_;
};

/// Hands over what has been answered, and picks what is to be asked for in the next round.
std::size_t settle_round(const dynamodb_backend::core& table, batch_call& call, batch_reader& to) {
    std::size_t again = 0;
    auto& answers = call.answers();
    for (std::size_t i = 0; i != answers.size(); ++i) {
        batch_call::answer& one = answers[i];
        if (!one.asked) continue;
        if (one.left && !one.found) {
            one.asked = to.wants(i);
            again += one.asked ? 1 : 0;
            continue;
        }
        one.asked = false;
        if (!one.found) {
            to.settle(i, std::optional<record>()); // asked for and not answered: not there
        } else if (one.found->has_error()) {
            to.settle(i, {boost::system::in_place_error, std::move(*one.found).error()});
        } else {
            record& r = **one.found;
            r.written = by_own_clock(r.written, table.clock_offset());
            to.settle(i, std::optional<record>(std::move(r)));
        }
    }
    to.end_of_round();
    return again;
}

} // namespace

asio::awaitable<std::optional<failure>>
read_batch(core_ptr self, const key_list& keys, batch_reader& to,
           std::optional<std::chrono::steady_clock::time_point> deadline) {
    rounds pauses(self->config, deadline);
    batch_call call(*self, keys);
    std::size_t before = 0;
    for (std::size_t i = 0; i != keys.size(); ++i) {
        call.answers()[i].asked = to.wants(i);
        before += call.answers()[i].asked ? 1 : 0;
    }
    if (before == 0) co_return std::nullopt;
    for (;;) {
        const dynamodb::call_options options = pauses.options();
        std::optional<failure> why = co_await self->client.shared_core()->call(call, options);
        if (why) co_return why;
        if (self->clock_in_doubt()) {
            std::string key(keys[0]);
            co_await dynamodb_backend::core::settle_clock(self, std::move(key));
        }
        const std::size_t left = settle_round(*self, call, to);
        if (left == 0) co_return std::nullopt;
        const bool again = co_await pauses.wait(left < before);
        if (!again) co_return unprocessed(self->config);
        before = left;
    }
}

} // namespace codynamo::detail
