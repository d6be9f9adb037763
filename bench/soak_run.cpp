// SPDX-License-Identifier: BSL-1.0
// Writers that each own some keys, readers that read any of them, and a ticker that looks after the
// time, the signals and the samples. One thread, and the log's.
#include "program_support/terminal.hpp"
#include "run_guard.hpp"
#include "server_under_test.hpp"
#include "soak.hpp"
#include "soak_judge.hpp"
#include "soak_log.hpp"
#include "soak_meter.hpp"
#include "soak_table.hpp"

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <fstream>
#include <optional>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace bench {

namespace asio = boost::asio;
namespace db = codynamo::dynamodb;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

/// After a failure, so that a server that refuses everything is not stormed.
constexpr auto pause_after_failure = 200ms;
/// Writers wait while more of the log than that is not on the disk.
constexpr std::size_t most_backlog = 4U << 20U;
constexpr auto tick = 100ms;

struct key_state {
    std::uint64_t issued = 0;
    std::uint64_t acknowledged = 0;
};

class soak {
public:
    soak(const soak_options& options, db::client client, soak_header header, std::ofstream series)
        : options_(options), client_(std::move(client)), header_(std::move(header)),
          log_(options.ack_log, header_), keys_(options.keys), written_(options.writers),
          random_(std::random_device{}()), begin_(steady::now()), end_(begin_ + planned(options)),
          meter_(begin_, planned(options)), series_(std::move(series)) {}

    /// Until the time is over or somebody stops it; rethrows what a worker could not go on after.
    asio::awaitable<void> run() {
        const auto executor = co_await asio::this_coro::executor;
        for (unsigned i = 0; i < options_.writers; ++i)
            start(executor, writer(i));
        for (unsigned i = 0; i < options_.readers; ++i)
            start(executor, reader());
        const auto step = std::min<steady::duration>(tick, options_.series_interval);
        for (auto next = steady::now() + step; workers_ > 0; next += step) {
            co_await clock().sleep_until(next);
            look_around();
        }
        if (failure_) std::rethrow_exception(failure_);
        log_.append(end_line(header_.run));
        log_.finish();
    }

    [[nodiscard]] boost::json::object report() const {
        boost::json::object figures = meter_.report(steady::now());
        figures["run"] = header_.run;
        figures["interrupted"] = interrupted_;
        return figures;
    }
    [[nodiscard]] int exit_code() const {
        if (meter_.wrong_reads() + meter_.wrong_writes() > 0) return 1;
        if (interrupted_) return support::exit_interrupted;
        return meter_.acknowledged() > 0 ? 0 : 3;
    }

private:
    static steady::duration planned(const soak_options& options) {
        return std::chrono::duration_cast<steady::duration>(
            std::chrono::duration<double>(options.seconds));
    }

    [[nodiscard]] const codynamo::clock& clock() const { return *env_.time; }

    template <class Executor>
    void start(const Executor& executor, asio::awaitable<void> worker) {
        ++workers_;
        asio::co_spawn(executor, std::move(worker), [this](std::exception_ptr thrown) {
            --workers_;
            if (!thrown) return;
            stopping_ = true;
            if (!failure_) failure_ = thrown;
        });
    }

    asio::awaitable<void> pause(steady::duration time) {
        co_await clock().sleep_until(steady::now() + time);
    }

    /// Its keys are `self`, `self` + writers, and so on, each in its turn.
    asio::awaitable<void> writer(unsigned self) {
        for (std::uint64_t turn = 0; !stopping_; ++turn) {
            const bool good = co_await write(self + key_of_turn(self, turn));
            written_[self] = std::min<std::uint64_t>(turn + 1, keys_per_writer(self));
            if (!good) co_await pause(pause_after_failure);
            while (log_.backlog() > most_backlog && !stopping_)
                co_await pause(5ms);
        }
    }

    [[nodiscard]] std::uint64_t keys_per_writer(unsigned self) const {
        return (keys_.size() - self - 1) / options_.writers + 1;
    }
    [[nodiscard]] std::uint32_t key_of_turn(unsigned self, std::uint64_t turn) const {
        return static_cast<std::uint32_t>(turn % keys_per_writer(self) * options_.writers);
    }

    asio::awaitable<bool> write(std::uint32_t key) {
        key_state& state = keys_[key];
        const soak_identity who{header_.run, key, ++state.issued};
        auto in = soak_put(options_.table, soak_item(header_.prefix, who, options_.value_size));
        // Twice is once: see judge_write().
        const db::call_options twice_is_once{.timeout = 0ms, .replay = db::replay::safe};
        const auto answer = co_await client_.attempt(std::move(in), twice_is_once);
        std::optional<write_outcome> outcome = write_outcome::acknowledged;
        if (!answer) outcome = judge_write(answer.error(), header_.prefix, who);
        if (!outcome) meter_.write_contradicted();
        const write_outcome known = outcome.value_or(write_outcome::unknown);
        meter_.write_ended(steady::now(), known);
        log_.append(write_line(known, who.run, key, who.version));
        if (known != write_outcome::acknowledged) meter_.failed("write", answer.error().code);
        if (known == write_outcome::acknowledged) state.acknowledged = who.version;
        co_return known == write_outcome::acknowledged;
    }

    asio::awaitable<void> reader() {
        while (!stopping_) {
            const bool good = co_await read(any_key());
            if (!good) co_await pause(pause_after_failure);
        }
    }

    /// One that has been written, if there is any.
    std::uint32_t any_key() {
        const auto self = static_cast<unsigned>(random_() % options_.writers);
        const std::uint64_t turn = random_() % std::max<std::uint64_t>(written_[self], 1);
        return self + key_of_turn(self, turn);
    }

    asio::awaitable<bool> read(std::uint32_t key) {
        const std::uint64_t acknowledged = keys_[key].acknowledged;
        const soak_identity who{header_.run, key, 0};
        auto in = soak_get(options_.table, soak_key(header_.prefix, who.run, key));
        const auto answer = co_await client_.attempt(std::move(in));
        if (!answer) {
            meter_.failed("read", answer.error().code);
            co_return false;
        }
        const read_verdict verdict =
            judge_read(answer->item, header_.prefix, who, acknowledged, keys_[key].issued);
        meter_.read_ended(steady::now(), verdict);
        if (verdict != read_verdict::good && verdict != read_verdict::absent) complain(key);
        co_return true;
    }

    void complain(std::uint32_t key) {
        if (meter_.wrong_reads() > 10) return;
        std::fprintf(stderr, "codynamo-bench: wrong read of %s\n",
                     soak_key(header_.prefix, header_.run, key).c_str());
    }

    void look_around() {
        const auto now = steady::now();
        if (now >= end_) stopping_ = true;
        if (!interrupted_ && interruption::came()) interrupted_ = stopping_ = true;
        if (now >= next_sample_) {
            meter_.sample(now, footprint::now());
            if (may_show_progress(options_.json)) show_progress(now);
            next_sample_ += 1s;
        }
        if (series_.is_open() && now >= next_line_) {
            write_series();
            next_line_ += options_.series_interval;
        }
    }

    void write_series() {
        const auto unix_time = std::chrono::system_clock::now().time_since_epoch();
        boost::json::object line = meter_.take_interval();
        line["unix_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(unix_time).count();
        series_ << boost::json::serialize(line) << '\n' << std::flush;
        if (!series_)
            throw std::runtime_error("--series: cannot write to '" + options_.series + "'");
    }

    void show_progress(steady::time_point now) {
        const std::uint64_t done = meter_.acknowledged() + meter_.reads();
        char line[128];
        std::snprintf(line, sizeof line, "%6.0f s %8llu/s %12llu acknowledged %8llu errors",
                      std::chrono::duration<double>(now - begin_).count(),
                      static_cast<unsigned long long>(done - shown_),
                      static_cast<unsigned long long>(meter_.acknowledged()),
                      static_cast<unsigned long long>(meter_.errors()));
        std::fprintf(stderr, "%s\n", support::fitted(line, support::stderr_columns()).c_str());
        shown_ = done;
    }

    const soak_options& options_;
    codynamo::environment env_;
    db::client client_;
    soak_header header_;
    ack_log log_;
    std::vector<key_state> keys_;
    /// How many of its keys a writer has been at.
    std::vector<std::uint64_t> written_;
    std::mt19937_64 random_;
    steady::time_point begin_;
    steady::time_point end_;
    steady::time_point next_sample_ = begin_;
    steady::time_point next_line_ = begin_ + options_.series_interval;
    soak_meter meter_;
    std::ofstream series_;
    std::exception_ptr failure_;
    unsigned workers_ = 0;
    std::uint64_t shown_ = 0;
    bool stopping_ = false;
    bool interrupted_ = false;
};

std::string fresh_run_name() {
    std::random_device random;
    char name[17];
    std::snprintf(name, sizeof name, "%08x%08x", random(), random());
    return name;
}

soak_header header_for(const soak_options& options) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {fresh_run_name(), std::chrono::duration_cast<std::chrono::milliseconds>(now).count(),
            options.keys,     options.value_size,
            options.table,    options.key_prefix};
}

std::string title_of(const soak_options& options) {
    return "soak of table " + options.table;
}

asio::awaitable<void> soak_table(const soak_options& options, std::ofstream series,
                                 std::optional<soak>& it) {
    const std::size_t connections = options.writers + options.readers;
    co_await ensure_soak_table(options);
    auto backend = co_await open_soak_table(options, connections);
    it.emplace(options, backend.client(), header_for(options), std::move(series));
    co_await it->run();
    co_await backend.close();
}

/// Nowhere without --series. Throws errc::invalid_argument.
std::ofstream open_series(const std::string& path) {
    std::ofstream series;
    if (path.empty()) return series;
    series.open(path);
    if (!series) {
        throw codynamo::error(codynamo::errc::invalid_argument,
                              "--series: cannot write to '" + path +
                                  "': " + std::generic_category().message(errno));
    }
    return series;
}

} // namespace

int run_soak(const soak_options& given) {
    const interruption signals;
    soak_options options = given;
    std::ofstream series = open_series(options.series);
    const server_under_test server(options.server);
    options.endpoint = server.endpoint();
    std::optional<soak> it;
    // Once it has begun, the soak ends by itself: what is on its way is waited for and logged.
    if (!interruption::came() &&
        run_to_end(soak_table(options, std::move(series), it), [&it] { return !it; })) {
        boost::json::object figures = it->report();
        figures["server"] = server.description();
        print_figures(title_of(options), figures, options.json);
        return it->exit_code();
    }
    print_figures(title_of(options), {{"interrupted", true}, {"server", server.description()}},
                  options.json);
    return support::exit_interrupted;
}

} // namespace bench
