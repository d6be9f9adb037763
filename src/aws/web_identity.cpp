// SPDX-License-Identifier: BSL-1.0
// A token file, exchanged for a role's credentials.
#include "aws/web_identity.hpp"

#include "aws/assume_role.hpp"
#include "aws/network_source.hpp"
#include "aws/profile_paths.hpp"
#include "aws/sts.hpp"
#include "aws/text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace detail {
namespace {

void check(const web_identity_config& config) {
    if (config.token_file.empty())
        throw error(errc::invalid_argument, "web_identity_token_file is empty");
    check_role_arn("role_arn", config.role_arn);
    if (!config.session_name.empty()) check_session_name("role_session_name", config.session_name);
}

/// Without the line end that editors leave.
secret_string read_token(const std::string& path) {
    const secret_string text = read_secret_file(path);
    secret_string token(trim(text.text()));
    const auto& word = token.text();
    if (word.empty() || !std::all_of(word.begin(), word.end(), is_visible)) {
        throw error(errc::no_credentials,
                    "the token in \"" + quotable(path) + "\" is not one word of visible ASCII");
    }
    return token;
}

class web_identity final : public network_source {
public:
    /// Without `config` the environment says.
    web_identity(std::optional<web_identity_config> config, source_options options,
                 std::shared_ptr<source_memory> memory)
        : config_(std::move(config)), options_(std::move(options)),
          memory_(memory ? std::move(memory) : attach_memory(options_)) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "web identity"; }

private:
    [[nodiscard]] asio::awaitable<credentials> ask() override {
        const web_identity_config config = config_ ? *config_ : from_environment();
        const secret_string token = read_token(config.token_file);
        sts_answer answer = co_await call_sts(options_, memory_, form(config, token), nullptr);
        if (answer.refused == "InvalidIdentityToken" || answer.refused == "ExpiredTokenException" ||
            answer.refused == "ExpiredToken") {
            // Somebody may have put a new one there meanwhile.
            const secret_string fresh = read_token(config.token_file);
            if (fresh.text() != token.text())
                answer = co_await call_sts(options_, memory_, form(config, fresh), nullptr);
        }
        if (!answer.refused.empty()) {
            throw error(errc::no_credentials,
                        "role " + quotable(config.role_arn) + " with the token in \"" +
                            quotable(config.token_file) + "\": " + answer.why);
        }
        co_return std::move(answer.found);
    }

    [[nodiscard]] web_identity_config from_environment() const {
        web_identity_config config;
        config.token_file = trimmed_variable(options_.env, "AWS_WEB_IDENTITY_TOKEN_FILE");
        if (config.token_file.empty())
            throw not_configured("AWS_WEB_IDENTITY_TOKEN_FILE is not set");
        config.role_arn = trimmed_variable(options_.env, "AWS_ROLE_ARN");
        if (config.role_arn.empty()) {
            throw error(errc::no_credentials,
                        "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
        }
        check_role_arn("AWS_ROLE_ARN", config.role_arn);
        config.session_name = trimmed_variable(options_.env, "AWS_ROLE_SESSION_NAME");
        if (!config.session_name.empty())
            check_session_name("AWS_ROLE_SESSION_NAME", config.session_name);
        return config;
    }

    [[nodiscard]] text_fields form(const web_identity_config& config,
                                   const secret_string& token) const {
        text_fields fields;
        const auto add = [&](const char* name, const std::string& value) {
            fields.emplace_back(name, secret_string(value));
        };
        add("Action", "AssumeRoleWithWebIdentity");
        add("Version", "2011-06-15");
        add("RoleArn", config.role_arn);
        add("RoleSessionName", session_name_or_default(config.session_name, options_.env));
        add("WebIdentityToken", token.text());
        return fields;
    }

    const std::optional<web_identity_config> config_;
    source_options options_;
    const std::shared_ptr<source_memory> memory_;
};

} // namespace

std::shared_ptr<credential_source> web_identity_source(web_identity_config config,
                                                       source_options options,
                                                       std::shared_ptr<source_memory> memory) {
    check(config);
    return std::make_shared<web_identity>(std::move(config), std::move(options), std::move(memory));
}

std::shared_ptr<credential_source>
environment_web_identity_source(source_options options, std::shared_ptr<source_memory> memory) {
    return std::make_shared<web_identity>(std::nullopt, std::move(options), std::move(memory));
}

} // namespace detail

credentials_provider_ptr web_identity_credentials(source_options options) {
    auto memory = detail::attach_memory(options);
    const environment env = options.env;
    return detail::refreshing(detail::environment_web_identity_source(std::move(options), memory),
                              env, {}, memory);
}

} // namespace codynamo::aws
