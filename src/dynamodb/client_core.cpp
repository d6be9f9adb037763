// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/client_core.hpp"

#include "dynamodb/codec.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace codynamo::dynamodb {

namespace asio = boost::asio;

namespace {

/// Enough for anybody, and far from where time points overflow.
constexpr std::chrono::milliseconds longest_timeout = std::chrono::hours(24);

void require_timeout(std::chrono::milliseconds value, std::string_view field) {
    if (value.count() > 0 && value <= longest_timeout) return;
    throw error(errc::invalid_argument, std::string(field) + " is " +
                                            std::to_string(value.count()) +
                                            " ms: 1 to 86400000 are allowed");
}

aws::endpoint endpoint_for(const client_config& config) {
    aws::profile_files files;
    // A broken profile file is no concern of somebody who gave region and endpoint himself.
    if (config.region.empty() || config.endpoint.empty()) {
        files = aws::load_profile_files(config.env);
    }
    const std::string profile = aws::profile_name(config.env, config.profile);
    const std::string region = aws::resolve_region(config.region, config.env, files, profile);
    const std::string url = aws::resolve_endpoint_url(config.endpoint, config.env, files, profile);
    return aws::resolve_endpoint(region, url);
}

client_config checked(client_config config) {
    require_timeout(config.call_timeout, "call_timeout");
    require_timeout(config.attempt_timeout, "attempt_timeout");
    aws::validate(config.retry);
    if (!config.credentials) {
        config.credentials = aws::default_credentials(config.env, config.profile);
    }
    return config;
}

} // namespace

/// Signs and encodes when the connection is there; decodes while the response is still in the
/// connection's buffer.
class client::core::attempt_exchange final : public net::exchange {
public:
    attempt_exchange(core& owner, operation_call& what) noexcept : owner_(owner), what_(what) {}

    void use(aws::credentials_ptr who) noexcept { who_ = std::move(who); }
    [[nodiscard]] const aws::credentials_ptr& who() const noexcept { return who_; }
    [[nodiscard]] attempt_outcome take_outcome() noexcept { return std::exchange(outcome_, {}); }

    void write(std::string& head, std::string& body) override {
        what_.encode(body);
        const auto now = std::chrono::floor<std::chrono::seconds>(owner_.env().time->now());
        owner_.signer_.write_head(head, what_.target(), body, who_, now);
    }

    void read(const net::response_view& response) override {
        outcome_.maybe_executed = response.status < 400 || response.status >= 500;
        if (response.status == 200) {
            try {
                check_crc32(response);
                what_.decode(response.body);
            } catch (...) {
                outcome_.why = with_response(current_failure(), response);
            }
            return;
        }
        try {
            check_crc32(response);
            outcome_.why = decode_failure(response);
        } catch (...) {
            outcome_.why = with_response(current_failure(), response);
        }
        outcome_.retry_after = response.header("x-amz-retry-after");
    }

private:
    static failure with_response(const failure& why, const net::response_view& response) {
        diagnostics words = why.info ? *why.info : diagnostics{};
        words.http_status = response.status;
        words.request_id = response.header("x-amzn-requestid");
        return make_failure(why.code, std::move(words));
    }

    core& owner_;
    operation_call& what_;
    aws::credentials_ptr who_;
    attempt_outcome outcome_;
};

client::core::core(client_config config)
    : config_(checked(std::move(config))), endpoint_(endpoint_for(config_)),
      signer_(endpoint_.server.authority(), {endpoint_.signing_region, endpoint_.signing_service}),
      quota_(config_.retry.quota) {
    if (!config_.transport) {
        config_.transport =
            net::make_transport(endpoint_.server, config_.pool, config_.tls, config_.env);
    }
}

asio::awaitable<std::optional<failure>> client::core::call(operation_call& what,
                                                           call_options options) {
    if (closed_.load(std::memory_order_relaxed)) {
        co_return make_failure(errc::closed, "the client is closed");
    }
    const clock& time = *config_.env.time;
    const auto timeout = options.timeout.count() > 0 ? std::min(options.timeout, longest_timeout)
                                                     : config_.call_timeout;
    const bool replay_safe =
        options.replay == replay::automatic ? what.replay_safe() : options.replay == replay::safe;
    request_fsm machine(config_.retry, quota_,
                        {time.steady_now() + timeout, config_.attempt_timeout, replay_safe});
    attempt_exchange one(*this, what);

    request_action next = machine.start();
    for (;;) {
        switch (next.what) {
        case request_action::kind::refresh_credentials:
            config_.credentials->invalidate(one.who());
            [[fallthrough]];
        case request_action::kind::credentials: {
            std::optional<failure> none;
            aws::credentials_ptr who = config_.credentials->current();
            if (!who) {
                try {
                    who = co_await config_.credentials->resolve();
                } catch (const boost::system::system_error& why) {
                    if (why.code() == asio::error::operation_aborted) throw;
                    none = current_failure();
                }
            }
            one.use(std::move(who));
            next = machine.on_credentials(time.steady_now(), std::move(none));
            break;
        }
        case request_action::kind::send: {
            net::send_options sending{next.until, replay_safe};
            net::send_outcome sent;
            std::optional<failure> unsent;
            try {
                sent = co_await config_.transport->send(one, sending);
            } catch (const error& why) {
                unsent = why.as_failure();
            }
            if (unsent) co_return unsent; // the request itself cannot be written
            attempt_outcome outcome = one.take_outcome();
            if (sent.code) {
                outcome.why = make_failure(sent.code, std::move(sent.message));
                outcome.maybe_executed = sent.sent;
            }
            if (outcome.why) log_attempt(what, outcome);
            next = machine.on_attempt(time.steady_now(), std::move(outcome),
                                      config_.env.random->uniform());
            break;
        }
        case request_action::kind::sleep:
            co_await time.sleep_until(next.until);
            next = machine.on_slept();
            break;
        case request_action::kind::done:
            co_return machine.result();
        }
    }
}

asio::awaitable<void> client::core::close() {
    closed_.store(true, std::memory_order_relaxed);
    co_await config_.transport->close();
}

void client::core::log_attempt(const operation_call& what, const attempt_outcome& outcome) const {
    if (!config_.env.log.wants(log_level::info)) return;
    config_.env.log.write(log_level::info,
                          std::string(what.target()) + " failed: " + outcome.why->message());
}

} // namespace codynamo::dynamodb
