// SPDX-License-Identifier: BSL-1.0
// From global options to a backend, and from a coroutine to an exit code.
#include "program.hpp"

#include <codynamo/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <exception>
#include <utility>

namespace tool {
namespace asio = boost::asio;

namespace {

/// A coroutine under way, which an interruption cancels.
class verb_run {
public:
    [[nodiscard]] int to_end(asio::awaitable<int> verb) {
        auto end = [this](std::exception_ptr thrown, int returned) {
            failure_ = std::move(thrown);
            code_ = returned;
            // Idle connections need not be waited for.
            context_.stop();
        };
        asio::co_spawn(context_, std::move(verb), asio::bind_cancellation_slot(stop_.slot(), end));
        look_later();
        context_.run();
        if (failure_ && cancelled_) throw support::interrupted();
        if (failure_) std::rethrow_exception(failure_);
        return code_;
    }

private:
    void look_later() {
        timer_.expires_after(std::chrono::milliseconds(50));
        timer_.async_wait([this](boost::system::error_code) {
            if (!support::interruption::came()) return look_later();
            cancelled_ = true;
            stop_.emit(asio::cancellation_type::terminal);
        });
    }

    asio::cancellation_signal stop_;
    asio::io_context context_{1};
    asio::steady_timer timer_{context_};
    std::exception_ptr failure_;
    int code_ = exit_failure;
    bool cancelled_ = false;
};

} // namespace

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

asio::awaitable<codynamo::dynamodb_backend> open_table(program& self) {
    codynamo::dynamodb_backend_config config = backend_config(self.global);
    auto backend = co_await codynamo::dynamodb_backend::open(std::move(config));
    const codynamo::dynamodb::client client = backend.client();
    self.place = client.endpoint().signing_region + " at " + client.endpoint().url();
    co_return backend;
}

codynamo::aws::source_options source_options_of(const global_options& global) {
    codynamo::aws::source_options options;
    options.profile = global.profile;
    options.region = global.region;
    options.tls.ca_file = global.ca_file;
    return options;
}

int run(asio::awaitable<int> verb) {
    return verb_run().to_end(std::move(verb));
}

} // namespace tool
