// SPDX-License-Identifier: BSL-1.0
// From options to a table that is there and has the right key.
#include "soak_table.hpp"

#include "placeholder_credentials.hpp"
#include "run_guard.hpp"
#include "ticker.hpp"

#include <codynamo/error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdio>
#include <exception>
#include <utility>

namespace bench {

namespace asio = boost::asio;
namespace db = codynamo::dynamodb;

namespace {

codynamo::dynamodb_backend_config table_config(const soak_options& options) {
    codynamo::dynamodb_backend_config config;
    config.table_name = options.table;
    config.endpoint = options.endpoint;
    config.region = options.region;
    config.tls.ca_file = options.tls_ca;
    config.create = false;
    // The table's own time to live is the user's business.
    config.attributes.ttl.clear();
    use_placeholder_credentials(config);
    return config;
}

void print_lines(std::FILE* out, const std::string& prefix, const boost::json::object& figures) {
    for (const auto& [name, value] : figures) {
        const std::string label = prefix + std::string(name);
        if (const auto* inner = value.if_object()) {
            print_lines(out, label + " ", *inner);
        } else if (const auto* real = value.if_double()) {
            std::fprintf(out, "  %-32s %14.2f\n", label.c_str(), *real);
        } else if (const auto* text = value.if_string()) {
            std::fprintf(out, "  %-32s %s\n", label.c_str(), text->c_str());
        } else {
            std::fprintf(out, "  %-32s %14s\n", label.c_str(),
                         boost::json::serialize(value).c_str());
        }
    }
}

} // namespace

asio::awaitable<void> ensure_soak_table(const soak_options& options) {
    auto backend = co_await codynamo::dynamodb_backend::open(table_config(options));
    co_await backend.ensure_table();
    co_await backend.close();
}

asio::awaitable<codynamo::dynamodb_backend> open_soak_table(const soak_options& options,
                                                            std::size_t connections) {
    codynamo::dynamodb_backend_config config = table_config(options);
    config.call_timeout = options.call_timeout;
    config.attempt_timeout = options.attempt_timeout;
    // Each worker has a connection of its own.
    config.pool.max_connections = std::max<std::size_t>(connections, 1);
    co_return co_await codynamo::dynamodb_backend::open(std::move(config));
}

db::get_item_input soak_get(const std::string& table, std::string key) {
    db::get_item_input in;
    in.table_name = table;
    in.key.emplace("key", std::move(key));
    in.consistent_read = true;
    return in;
}

db::put_item_input soak_put(const std::string& table, db::item item) {
    db::put_item_input in;
    in.table_name = table;
    in.values.emplace(":version", item.at("version"));
    in.item = std::move(item);
    in.names.emplace("#key", "key");
    in.names.emplace("#version", "version");
    in.condition.expression = "attribute_not_exists(#key) OR #version < :version";
    in.condition.return_item = db::return_values_on_condition_check_failure::all_old;
    return in;
}

bool run_to_end(asio::awaitable<void> work, const std::function<bool()>& may_stop) {
    asio::io_context context(1);
    std::exception_ptr failure;
    bool over = false;
    ticker looking(context, [&] { return !(interruption::came() && may_stop()); });
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown) {
        failure = thrown;
        over = true;
        looking.stop();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return over;
}

void print_figures(const std::string& title, const boost::json::object& figures,
                   const support::json_output& json) {
    std::FILE* out = json.is_stdout() ? stderr : stdout;
    std::fprintf(out, "%s\n", title.c_str());
    print_lines(out, "", figures);
    std::fflush(nullptr);
    json.write(boost::json::serialize(figures));
}

} // namespace bench
