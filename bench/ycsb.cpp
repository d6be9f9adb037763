// SPDX-License-Identifier: BSL-1.0
// Where the records are, loading them, and what is said of the run.
#include "ycsb.hpp"

#include "program_support/command_line.hpp"
#include "server_under_test.hpp"
#include "ycsb_run.hpp"

#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace bench {
namespace asio = boost::asio;

namespace {

/// Records stored by one call of the load phase.
constexpr std::uint64_t load_slice = 500;

const std::vector<std::pair<std::string, key_distribution>> distributions{
    {"uniform", key_distribution::uniform},
    {"zipfian", key_distribution::zipfian},
    {"latest", key_distribution::latest}};

ycsb_workload workload_of(const ycsb_options& options) {
    ycsb_workload chosen = ycsb_workload::named(options.workload).value();
    for (const auto& [name, which] : distributions)
        if (name == options.distribution) chosen.keys = which;
    return chosen;
}

std::string name_of(key_distribution wanted) {
    return std::ranges::find(distributions, wanted, [](const auto& one) { return one.second; })
        ->first;
}

std::uint64_t memory_records(const ycsb_options& options) {
    const std::uint64_t tenth = std::max<std::uint64_t>(1, options.records / 10);
    return options.memory_records != 0 ? options.memory_records : tenth;
}

codynamo::dynamodb_backend_config table_config(const ycsb_options& options) {
    codynamo::dynamodb_backend_config config = backend_config(options.common);
    config.count_capacity = true;
    config.consistent_read = options.consistent_read;
    config.attributes.ttl.clear();
    config.batching.mode = options.batching == "off"  ? codynamo::batching_mode::off
                           : options.batching == "on" ? codynamo::batching_mode::on
                                                      : codynamo::batching_mode::automatic;
    return config;
}

byte_cache cache_over(const codynamo::dynamodb_backend& table, const ycsb_options& options) {
    if (!options.memory_layer) return byte_cache(table);
    codynamo::memory_backend_config config;
    config.max_entries = memory_records(options);
    config.max_bytes = config.max_entries * (options.value_size + 256);
    return byte_cache(codynamo::layered_backend(codynamo::memory_backend(config), table));
}

/// What was asked for.
boost::json::object description(const ycsb_options& options, double load_units) {
    return {{"workload", options.workload},
            {"distribution", name_of(workload_of(options).keys)},
            {"records", options.records},
            {"value_bytes", options.value_size},
            {"concurrency", options.common.concurrency},
            {"batching", options.batching},
            {"memory_records", options.memory_layer ? memory_records(options) : 0},
            {"consistent_read", options.consistent_read},
            {"seed", options.seed},
            {"load_units", load_units}};
}

/// The whole of it, on one context.
class ycsb {
public:
    ycsb(const ycsb_options& options, asio::io_context& context)
        : options_(options), looking_(context, [this] { return look(); }) {
        asio::co_spawn(context, set_up(), [this](std::exception_ptr thrown) {
            failure_ = thrown;
            if (failure_) looking_.stop();
        });
    }

    [[nodiscard]] int report() const;

private:
    asio::awaitable<void> set_up() {
        auto table = co_await codynamo::dynamodb_backend::open(table_config(options_));
        if (options_.load) co_await load(table);
        load_units_ = table.consumed().write;
        byte_cache cache = cache_over(table, options_);
        run_ = std::make_unique<ycsb_run>(options_, workload_of(options_), table, std::move(cache),
                                          looking_);
        loading_.reset();
        run_->start(co_await asio::this_coro::executor);
    }

    /// Straight into the table: nothing is in memory when the run begins.
    asio::awaitable<void> load(codynamo::dynamodb_backend table) {
        loading_.emplace("load", "records", guard_options{.json = options_.common.json});
        const byte_cache below(table);
        for (loaded_ = 0; loaded_ < options_.records;) {
            std::vector<std::pair<std::string, std::string>> slice;
            const std::uint64_t end = std::min(loaded_ + load_slice, options_.records);
            for (std::uint64_t i = loaded_; i != end; ++i) {
                std::string key = ycsb_key(i);
                std::string value = ycsb_value(key, 0, options_.value_size);
                slice.emplace_back(std::move(key), std::move(value));
            }
            const auto outcomes = co_await below.set_many(std::move(slice));
            for (const auto& one : outcomes)
                if (!one) codynamo::throw_failure(one.error());
            loaded_ = end;
        }
    }

    [[nodiscard]] bool look() {
        if (run_) return run_->look();
        if (!loading_) return !interruption::came();
        return !loading_->look(static_cast<double>(loaded_) / static_cast<double>(options_.records),
                               loaded_);
    }

    void print(const boost::json::object& figures) const;

    const ycsb_options& options_;
    ticker looking_;
    std::optional<run_guard> loading_;
    std::unique_ptr<ycsb_run> run_;
    std::exception_ptr failure_;
    std::uint64_t loaded_ = 0;
    double load_units_ = 0;
};

void ycsb::print(const boost::json::object& figures) const {
    std::FILE* to = run_->measured().lines_to();
    const auto number = [&](const char* group, const char* name) {
        return figures.at(group).at(name).to_number<double>();
    };
    std::fprintf(
        to,
        "YCSB %s, %s: %llu records of %zu bytes, %u in flight, batching %s, %llu of them "
        "in memory\n",
        options_.workload.c_str(), name_of(workload_of(options_).keys).c_str(),
        static_cast<unsigned long long>(options_.records), options_.value_size,
        options_.common.concurrency, options_.batching.c_str(),
        static_cast<unsigned long long>(options_.memory_layer ? memory_records(options_) : 0));
    figure_lines lines(to);
    lines.cost(figures);
    lines.line("read units", number("consumed_units", "read"), 1);
    lines.line("write units", number("consumed_units", "write"), 1);
    lines.line("read units per op", number("units_per_op", "read"), 4);
    lines.line("write units per op", number("units_per_op", "write"), 4);
    if (const auto& ratio = figures.at("memory_hit_ratio"); !ratio.is_null())
        lines.line("hits in memory, share", ratio.to_number<double>(), 4);
    for (const auto& [name, seen] : figures.at("operations").as_object()) {
        const std::string what = name == "read_modify_write" ? "rmw" : std::string(name);
        lines.line(what + "s", seen.at("ops").to_number<double>(), 0);
        lines.latency(what, seen.at("latency_us").as_object());
    }
}

int ycsb::report() const {
    if (failure_) std::rethrow_exception(failure_);
    if (!run_) {
        std::fprintf(stderr, "%llu of %llu records were loaded\n",
                     static_cast<unsigned long long>(loaded_),
                     static_cast<unsigned long long>(options_.records));
        return report_nothing_measured(options_.common, "ycsb", description(options_, load_units_));
    }
    boost::json::object figures = run_->figures();
    for (auto& [name, value] : description(options_, load_units_))
        figures[name] = std::move(value);
    print(figures);
    return run_->measured().finish(figures);
}

} // namespace

void add_ycsb_options(CLI::App& app, ycsb_options& options) {
    options.common.table = "codynamo-ycsb";
    app.add_option("--workload", options.workload,
                   "a: half updates, b: 5 % updates, c: reads, d: reads of the latest and 5 % "
                   "inserts, f: half read-modify-writes")
        ->check(CLI::IsMember({"a", "b", "c", "d", "f"}))
        ->capture_default_str();
    app.add_option("--distribution", options.distribution, "Instead of the workload's own")
        ->check(CLI::IsMember({"zipfian", "uniform", "latest"}));
    add_server_option(app, options.common.server);
    app.add_option("--region", options.common.region,
                   "E.g. eu-central-1; none: from the environment");
    app.add_option("--table", options.common.table, "Name of the table; created when missing")
        ->capture_default_str();
    app.add_option("--tls-ca", options.common.tls_ca, "PEM file of the authorities to trust");
    app.add_option("--records", options.records, "Records loaded")
        ->check(support::in_range(2U, 1'000'000'000U))
        ->capture_default_str();
    app.add_option("--value-size", options.value_size, "Bytes of a value")
        ->check(support::in_range(min_ycsb_value, std::size_t{400'000}))
        ->capture_default_str();
    app.add_option("--concurrency", options.common.concurrency, "Operations in flight")
        ->check(support::in_range(1U, 100'000U))
        ->capture_default_str();
    app.add_option("--batching", options.batching, "Whether operations share requests")
        ->check(CLI::IsMember({"on", "off", "auto"}))
        ->capture_default_str();
    app.add_flag("!--no-memory-layer", options.memory_layer, "The table alone");
    app.add_option("--memory-records", options.memory_records,
                   "Records that the memory layer holds; 0: a tenth of all")
        ->check(support::in_range(0U, 1'000'000'000U))
        ->capture_default_str();
    app.add_flag("--consistent-read", options.consistent_read,
                 "Strongly consistent reads, at twice the price");
    app.add_flag("!--no-load", options.load, "The records are there from an earlier run");
    app.add_option("--seed", options.seed, "Of what is chosen")
        ->check(support::any_number<std::uint64_t>)
        ->capture_default_str();
    add_window_options(app, options.common);
    app.final_callback([&options] {
        if (options.load || !is_spawned_engine(options.common.server)) return;
        throw CLI::ValidationError("--no-load", options.common.server +
                                                    " is started for the run and has no records; "
                                                    "name the server by its URL");
    });
}

int run_ycsb(const ycsb_options& given) {
    const interruption signals;
    ycsb_options options = given;
    const server_under_test server(options.common.server);
    use_server(options.common, server);
    if (interruption::came())
        return report_nothing_measured(options.common, "ycsb", description(options, 0));
    asio::io_context context(1);
    ycsb all(options, context);
    context.run();
    return all.report();
}

} // namespace bench
