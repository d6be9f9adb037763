// SPDX-License-Identifier: BSL-1.0
// From global options to a backend, and from a coroutine to an exit code.
#include "program.hpp"

#include <codynamo/error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <utility>

namespace tool {
namespace asio = boost::asio;

codynamo::dynamodb_backend_config backend_config(const global_options& global) {
    if (global.table.empty()) {
        throw codynamo::error(codynamo::errc::invalid_argument,
                              "which table? Give --table, or set CODYNAMO_TABLE");
    }
    codynamo::dynamodb_backend_config config;
    config.table_name = global.table;
    config.region = global.region;
    config.endpoint = global.endpoint;
    config.profile = global.profile;
    config.tls.ca_file = global.ca_file;
    config.create = false;
    return config;
}

codynamo::aws::source_options source_options_of(const global_options& global) {
    codynamo::aws::source_options options;
    options.profile = global.profile;
    options.region = global.region;
    options.tls.ca_file = global.ca_file;
    return options;
}

int run(asio::awaitable<int> what) {
    asio::io_context context(1);
    int code = exit_failure;
    std::exception_ptr failure;
    asio::co_spawn(context, std::move(what), [&](std::exception_ptr thrown, int returned) {
        failure = thrown;
        code = returned;
        // Idle connections need not be waited for.
        context.stop();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return code;
}

} // namespace tool
