// SPDX-License-Identifier: BSL-1.0
// GetRoleCredentials of the SSO portal.
#include "aws/sso.hpp"

#include "aws/credential_documents.hpp"
#include "aws/http_fetch.hpp"
#include "aws/json_document.hpp"
#include "aws/network_source.hpp"
#include "aws/rule_functions.hpp"
#include "aws/sso_token.hpp"
#include "aws/text.hpp"

#include <algorithm>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace detail {
namespace {

constexpr service_identity portal{credential_service::sso, "SSO", "sso"};

bool is_role_char(char c) noexcept {
    return is_alphanumeric(c) || std::string_view("_+=,.@-").find(c) != std::string_view::npos;
}

class sso final : public network_source {
public:
    sso(sso_config config, source_options options, std::shared_ptr<source_memory> memory)
        : config_(std::move(config)), options_(std::move(options)),
          memory_(memory ? std::move(memory) : attach_memory(options_)) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "SSO"; }

private:
    [[nodiscard]] asio::awaitable<credentials> ask() override {
        sso_token token = co_await resolve_sso_token(config_, options_, memory_);
        const service_settings settings = settings_of(portal, options_, config_.region);
        http_request request;
        text_fields query;
        query.emplace_back("role_name", secret_string(config_.role_name));
        query.emplace_back("account_id", secret_string(config_.account_id));
        request.target = "/federation/credentials?" + form_encode(query).text();
        request.headers.emplace_back("Accept", secret_string("application/json"));
        request.headers.emplace_back("x-amz-sso_bearer_token", token.access_token);
        fetch_limits limits;
        limits.attempts = settings.max_attempts;
        source_options asked = options_;
        asked.tls = settings.tls;
        http_fetcher server(asked, settings.where.server, limits, false, memory_);
        const auto used = memory_->skew()->offset();
        const http_answer answer = co_await server.fetch(std::move(request), is_transient);
        if (settings.learns_clock && answer.ok() && answer.clock_error)
            (void)memory_->skew()->learn(*answer.clock_error + used, answer.when);
        const std::string label = "SSO at " + settings.where.server.authority() + ": ";
        if (!answer.ok()) {
            throw error(errc::no_credentials,
                        label + answer.outcome() + refusal_of(answer, token.access_token.text()));
        }
        try {
            credentials found = parse_sso_document(answer.body.text());
            found.account_id = config_.account_id;
            co_return found;
        } catch (const error& why) {
            throw error(errc::no_credentials, label + why.info().message);
        }
    }

    [[nodiscard]] std::string refusal_of(const http_answer& answer, std::string_view token) const {
        if (answer.failure) return {};
        std::string words;
        try {
            const json_document from(answer.body.text(), "the answer");
            std::string_view code = answer.header("x-amzn-errortype");
            code = code.substr(0, code.find(':'));
            words = service_words(code, from.words(from.top(), "message"), {token});
        } catch (const error&) {
            // A proxy's page, perhaps; the status has to do.
        }
        if (!words.empty()) words.insert(0, ": ");
        if (answer.status == 401) words += "; run `aws sso login`";
        return words + " (role " + config_.role_name + " of account " + config_.account_id + ")";
    }

    const sso_config config_;
    source_options options_;
    const std::shared_ptr<source_memory> memory_;
};

} // namespace

void check(const sso_config& config) {
    const auto visible = [](std::string_view text) {
        return std::all_of(text.begin(), text.end(), is_visible);
    };
    if (config.session.empty() && config.start_url.empty())
        throw error(errc::invalid_argument, "sso_start_url is empty");
    if (!visible(config.start_url))
        refuse_argument("sso_start_url", config.start_url, "must be made of visible ASCII");
    if (!is_host_label(config.region))
        refuse_argument("sso_region", config.region, "must be the name of a region");
    const bool digits = std::all_of(config.account_id.begin(), config.account_id.end(), is_digit);
    if (!digits || config.account_id.empty() || config.account_id.size() > 12)
        refuse_argument("sso_account_id", config.account_id, "must be digits, at most 12 of them");
    const bool named = std::all_of(config.role_name.begin(), config.role_name.end(), is_role_char);
    if (!named || config.role_name.empty() || config.role_name.size() > 64) {
        refuse_argument("sso_role_name", config.role_name,
                        "must be 1 to 64 of letters, digits and _+=,.@-");
    }
}

std::shared_ptr<credential_source> sso_source(sso_config config, source_options options,
                                              std::shared_ptr<source_memory> memory) {
    check(config);
    return std::make_shared<sso>(std::move(config), std::move(options), std::move(memory));
}

} // namespace detail

credentials_provider_ptr sso_credentials(sso_config config, source_options options) {
    auto memory = detail::attach_memory(options);
    const environment env = options.env;
    return detail::refreshing(detail::sso_source(std::move(config), std::move(options), memory),
                              env, {}, memory);
}

} // namespace codynamo::aws
