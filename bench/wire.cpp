// SPDX-License-Identifier: BSL-1.0
// Each lane gets the same key over and over, by the public cache, and compares what it gets.
#include "wire.hpp"

#include "measure.hpp"
#include "one_key.hpp"
#include "ticker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace bench {
namespace asio = boost::asio;

namespace {

struct wire_run {
    wire_run(one_key from, const wire_options& options, ticker& looks)
        : target(std::move(from)), measured(options, "wire"), looking(looks),
          lanes(options.concurrency) {}

    one_key target;
    measurement measured;
    ticker& looking;
    unsigned lanes;
};

asio::awaitable<void> lane(wire_run& run) {
    for (;;) {
        const auto begin = steady::now();
        std::string fault = co_await run.target.get();
        const bool good = fault.empty();
        if (!good) run.measured.note_failure(std::move(fault));
        if (!run.measured.record(begin, steady::now(), good)) break;
    }
    if (--run.lanes != 0) co_return;
    run.looking.stop();
    co_await run.target.cache.close();
}

asio::awaitable<void> set_up(const wire_options& options, bool prepare, ticker& looking,
                             std::optional<wire_run>& run) {
    one_key target = co_await one_key::open(options, prepare);
    run.emplace(std::move(target), options, looking);
    const auto executor = co_await asio::this_coro::executor;
    for (unsigned i = 0; i < options.concurrency; ++i) {
        asio::co_spawn(executor, lane(*run), asio::detached);
    }
}

} // namespace

void add_wire_verb_options(CLI::App& app, wire_verb_options& options) {
    add_server_option(app, options.server);
    add_wire_options(app, options);
    app.add_flag("--prepare", options.prepare, prepare_help);
}

int run_wire(const wire_verb_options& given) {
    const interruption signals;
    wire_verb_options options = given;
    const server_under_test server(options.server);
    use_server(options, server);
    if (interruption::came()) return report_nothing_measured(options, "wire");
    asio::io_context context(1);
    std::optional<wire_run> run;
    ticker looking(context, [&run] { return run ? run->measured.look() : !interruption::came(); });
    std::exception_ptr failure;
    asio::co_spawn(context, set_up(options, options.prepare || server.is_spawned(), looking, run),
                   [&](std::exception_ptr thrown) {
                       failure = thrown;
                       if (failure) looking.stop();
                   });
    context.run();
    if (failure) std::rethrow_exception(failure);
    if (!run) return report_nothing_measured(options, "wire");
    return run->measured.report("codynamo: get of " + std::to_string(run->target.expected.size()) +
                                " bytes");
}

} // namespace bench
