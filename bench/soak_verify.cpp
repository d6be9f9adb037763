// SPDX-License-Identifier: BSL-1.0
// Reads back every key that a log names, by strongly consistent reads, and judges each.
#include "run_guard.hpp"
#include "server_under_test.hpp"
#include "soak.hpp"
#include "soak_judge.hpp"
#include "soak_log.hpp"
#include "soak_table.hpp"

#include <codynamo/dynamodb/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

namespace bench {

namespace asio = boost::asio;
namespace db = codynamo::dynamodb;

namespace {

constexpr unsigned lanes = 32;

class verification {
public:
    verification(const soak_options& options, db::client client, log_contents log)
        : options_(options), client_(std::move(client)), log_(std::move(log)) {
        rewind();
    }

    asio::awaitable<void> run() {
        co_await for_all_keys(&verification::check);
        if (!options_.erase || exit_code() != 0) co_return;
        add_unlogged_keys();
        rewind();
        co_await for_all_keys(&verification::erase);
    }

    [[nodiscard]] boost::json::object report() const {
        std::uint64_t acknowledged = 0;
        std::uint64_t unknown = 0;
        std::uint64_t ended = 0;
        for (const logged_run& run : log_.runs) {
            acknowledged += run.acknowledged;
            unknown += run.unknown;
            ended += run.ended ? 1 : 0;
        }
        return {{"acknowledged", acknowledged},
                {"unknown", unknown},
                {"lost", count(key_verdict::lost)},
                {"wrong", count(key_verdict::wrong)},
                {"unreadable", unreadable_},
                {"keys", std::accumulate(verdicts_.begin(), verdicts_.end(), unreadable_)},
                {"as_acknowledged", count(key_verdict::as_acknowledged)},
                {"newer", count(key_verdict::newer)},
                {"nothing", count(key_verdict::nothing)},
                {"erased", erased_},
                {"runs", log_.runs.size()},
                {"runs_ended", ended},
                {"torn_line", log_.torn}};
    }

    [[nodiscard]] int exit_code() const {
        if (count(key_verdict::lost) + count(key_verdict::wrong) > 0) return 1;
        return unreadable_ > 0 ? 3 : 0;
    }

private:
    static constexpr std::uint64_t most_words = 10; // each

    using visit = asio::awaitable<void> (verification::*)(const logged_run&, std::uint32_t,
                                                          const logged_key&);

    /// A run that was killed may have written more keys than it could log.
    void add_unlogged_keys() {
        for (logged_run& run : log_.runs) {
            if (run.ended) continue;
            for (std::uint32_t key = 0; key < run.header.keys; ++key)
                run.keys[key];
        }
    }

    void rewind() {
        run_ = log_.runs.begin();
        if (run_ != log_.runs.end()) key_ = run_->keys.begin();
    }

    asio::awaitable<void> for_all_keys(visit what) {
        const auto executor = co_await asio::this_coro::executor;
        const codynamo::environment env;
        busy_ = lanes;
        for (unsigned i = 0; i < lanes; ++i) {
            asio::co_spawn(executor, lane(what), [this](std::exception_ptr thrown) {
                --busy_;
                if (!failure_) failure_ = thrown;
            });
        }
        while (busy_ > 0) {
            const auto soon = env.time->steady_now() + std::chrono::milliseconds(10);
            co_await env.time->sleep_until(soon);
        }
        if (failure_) std::rethrow_exception(failure_);
    }

    asio::awaitable<void> lane(visit what) {
        while (!failure_ && run_ != log_.runs.end()) {
            if (key_ == run_->keys.end()) {
                if (++run_ != log_.runs.end()) key_ = run_->keys.begin();
                continue;
            }
            const logged_run& run = *run_;
            const auto& [key, logged] = *key_++;
            co_await (this->*what)(run, key, logged);
        }
    }

    asio::awaitable<void> check(const logged_run& run, std::uint32_t key,
                                const logged_key& logged) {
        const soak_identity who{run.header.run, key, 0};
        const std::string name = soak_key(run.header.prefix, who.run, key);
        auto in = soak_get(options_.table, name);
        const auto answer = co_await client_.attempt(std::move(in));
        if (!answer) {
            if (++unreadable_ <= most_words) complain(name, answer.error().message());
            co_return;
        }
        const key_verdict verdict =
            judge_key(answer->item, run.header.prefix, who, logged, run.ended);
        ++verdicts_.at(static_cast<std::size_t>(verdict));
        if (verdict == key_verdict::lost || verdict == key_verdict::wrong) {
            explain(name, verdict, answer->item, run, who, logged);
        }
    }

    void explain(const std::string& name, key_verdict verdict, const std::optional<db::item>& found,
                 const logged_run& run, const soak_identity& who, const logged_key& logged) {
        const auto faults = count(key_verdict::lost) + count(key_verdict::wrong);
        if (faults == most_words + 1) complain("there are more", "see the figures");
        if (faults > most_words) return;
        std::string there = "nothing";
        if (found) {
            const auto version = soak_version(*found, run.header.prefix, who);
            there = version ? "version " + std::to_string(*version) : "damaged bytes";
        }
        complain(name, std::string(verdict == key_verdict::lost ? "lost" : "wrong") +
                           ": acknowledged was version " + std::to_string(logged.acknowledged) +
                           ", there is " + there);
    }

    static void complain(const std::string& name, const std::string& what) {
        std::fprintf(stderr, "codynamo-bench: %s: %s\n", name.c_str(), what.c_str());
    }

    asio::awaitable<void> erase(const logged_run& run, std::uint32_t key, const logged_key&) {
        db::delete_item_input in;
        in.table_name = options_.table;
        in.key.emplace("key", soak_key(run.header.prefix, run.header.run, key));
        co_await client_.delete_item(std::move(in));
        ++erased_;
    }

    [[nodiscard]] std::uint64_t count(key_verdict verdict) const {
        return verdicts_.at(static_cast<std::size_t>(verdict));
    }

    const soak_options& options_;
    db::client client_;
    log_contents log_;
    std::vector<logged_run>::const_iterator run_;
    std::map<std::uint32_t, logged_key>::const_iterator key_;
    std::array<std::uint64_t, 5> verdicts_{};
    std::uint64_t unreadable_ = 0;
    std::uint64_t erased_ = 0;
    unsigned busy_ = 0;
    std::exception_ptr failure_;
};

asio::awaitable<void> verify(const soak_options& options, log_contents log,
                             std::optional<verification>& it) {
    // Not created: that would hide that it is gone.
    auto backend = co_await open_soak_table(options, lanes);
    it.emplace(options, backend.client(), std::move(log));
    co_await it->run();
    co_await backend.close();
}

/// What was read and erased by now, all of it or not.
void print_report(const soak_options& options, const server_under_test& server,
                  const std::optional<verification>& it) {
    boost::json::object figures = it ? it->report() : boost::json::object();
    figures["interrupted"] = interruption::came();
    figures["server"] = server.description();
    print_figures("verification of table " + options.table, figures, options.json);
}

} // namespace

int verify_soak(const soak_options& given) {
    const interruption signals;
    soak_options options = given;
    log_contents log = read_log(options.verify);
    if (log.runs.empty()) throw std::runtime_error(options.verify + " has no run in it");
    for (const logged_run& run : log.runs) {
        if (run.header.table == options.table) continue;
        throw std::runtime_error("run " + run.header.run + " was of table " + run.header.table);
    }
    const server_under_test server(options.server);
    options.endpoint = server.endpoint();
    std::optional<verification> it;
    bool over = false;
    try {
        over = run_to_end(verify(options, std::move(log), it), [] { return true; });
    } catch (...) {
        if (it) print_report(options, server, it);
        throw;
    }
    print_report(options, server, it);
    const int code = it ? it->exit_code() : 0;
    return over || code == 1 ? code : support::exit_interrupted;
}

} // namespace bench
