// SPDX-License-Identifier: BSL-1.0
// Credentials in environment variables.
#include "aws/credential_documents.hpp"
#include "aws/environment_source.hpp"
#include "aws/profile_paths.hpp"
#include "aws/signing.hpp"
#include "aws/source_memory.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw error(errc::no_credentials, what);
}

std::optional<timestamp> expiry_in(const environment& env) {
    const std::string text = detail::trimmed_variable(env, "AWS_CREDENTIAL_EXPIRATION");
    if (text.empty()) return std::nullopt;
    try {
        return detail::parse_rfc3339(text);
    } catch (const error&) {
        fail("AWS_CREDENTIAL_EXPIRATION is no time of the form 2026-01-31T12:00:00Z");
    }
}

credentials read_environment(const environment& env) {
    credentials found(detail::trimmed_variable(env, "AWS_ACCESS_KEY_ID"),
                      detail::trimmed_variable(env, "AWS_SECRET_ACCESS_KEY"),
                      detail::trimmed_variable(env, "AWS_SESSION_TOKEN"));
    found.account_id = detail::trimmed_variable(env, "AWS_ACCOUNT_ID");
    const bool id = !found.access_key_id.empty();
    const bool secret = !found.secret_access_key.empty();
    if (!id && !secret) throw not_configured("AWS_ACCESS_KEY_ID is not set");
    if (!secret) fail("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
    if (!id) fail("AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not");
    found.expires = expiry_in(env);
    try {
        detail::require_usable(found);
    } catch (const error& refused) {
        fail("environment variables: " + refused.info().message);
    }
    return found;
}

class variables_source final : public detail::credential_source {
public:
    explicit variables_source(environment env) : env_(std::move(env)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "environment"; }
    [[nodiscard]] asio::awaitable<credentials> fetch() override {
        co_return read_environment(env_);
    }

private:
    const environment env_;
};

} // namespace

std::shared_ptr<detail::credential_source> detail::environment_source(environment env) {
    return std::make_shared<variables_source>(std::move(env));
}

credentials_provider_ptr environment_credentials(environment env) {
    source_options options;
    options.env = std::move(env);
    auto memory = detail::attach_memory(options);
    auto source = detail::environment_source(options.env);
    return detail::refreshing(std::move(source), std::move(options.env), {}, std::move(memory));
}

} // namespace codynamo::aws
