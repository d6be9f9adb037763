// SPDX-License-Identifier: BSL-1.0
// Credentials and region of an EC2 instance.
#include "aws/instance_metadata.hpp"

#include "aws/credential_documents.hpp"
#include "aws/instance_metadata_client.hpp"
#include "aws/network_source.hpp"
#include "aws/rule_functions.hpp"
#include "aws/text.hpp"

#include <algorithm>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace detail {
namespace {

constexpr const char* roles_path = "/latest/meta-data/iam/security-credentials/";
constexpr const char* region_path = "/latest/meta-data/placement/region";

metadata_settings enabled_settings(const source_options& options) {
    metadata_settings settings =
        resolve_metadata_settings(options.env, load_profile_files(options.env), options.profile);
    if (settings.disabled) throw not_configured("AWS_EC2_METADATA_DISABLED is true");
    return settings;
}

/// A configured endpoint may be https.
source_options with_authorities(source_options options, const metadata_settings& settings) {
    if (settings.server.tls) options.tls = tls_of(options);
    return options;
}

/// The first line, as far as it is the name of a role; it becomes part of a path.
std::string role_name(std::string_view body) {
    const std::string_view name = trim(body.substr(0, body.find('\n')));
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return is_alphanumeric(c) || std::string_view("_+=,.@-").find(c) != std::string_view::npos;
    });
    return plain && name.size() <= 128 ? std::string(name) : std::string();
}

class instance_metadata final : public network_source {
public:
    instance_metadata(source_options options, std::shared_ptr<source_memory> memory)
        : options_(std::move(options)),
          memory_(memory ? std::move(memory) : attach_memory(options_)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "instance metadata"; }

private:
    [[nodiscard]] asio::awaitable<credentials> ask() override {
        const metadata_settings settings = enabled_settings(options_);
        memory_->set_server(settings.server.authority());
        metadata_client client(with_authorities(options_, settings), settings, sessions_);
        const http_answer roles = co_await client.get(roles_path);
        if (!roles.failure && roles.status == 404)
            throw not_configured("the instance has no role (" + client.outcome(roles) + ")");
        if (!roles.ok())
            throw error(errc::no_credentials, client.outcome(roles) + " when asked for the role");
        const std::string role = role_name(roles.body.text());
        if (role.empty()) {
            throw error(errc::no_credentials, client.outcome(roles) + ", but with no role's name");
        }
        const http_answer answer = co_await client.get(roles_path + role);
        const std::string words =
            client.outcome(answer) + " when asked for the credentials of role " + role;
        if (!answer.ok()) throw error(errc::no_credentials, words);
        try {
            co_return parse_metadata_answer(answer.body.text(), {client.sent_token().text()});
        } catch (const error& why) {
            throw error(errc::no_credentials, words + ": " + why.info().message);
        }
    }

    source_options options_;
    const std::shared_ptr<source_memory> memory_;
    metadata_session_store sessions_;
};

} // namespace

std::shared_ptr<credential_source> instance_metadata_source(source_options options,
                                                            std::shared_ptr<source_memory> memory) {
    return std::make_shared<instance_metadata>(std::move(options), std::move(memory));
}

} // namespace detail

asio::awaitable<std::string> instance_metadata_region(source_options options) {
    try {
        const detail::metadata_settings settings = detail::enabled_settings(options);
        detail::metadata_session_store sessions;
        detail::metadata_client client(detail::with_authorities(options, settings), settings,
                                       sessions);
        const detail::http_answer answer = co_await client.get(detail::region_path);
        if (!answer.failure && answer.status == 404) co_return std::string();
        if (!answer.ok())
            throw error(errc::no_credentials,
                        client.outcome(answer) + " when asked for the region");
        const std::string_view region = detail::trim(answer.body.text());
        if (!detail::is_host_label(region)) {
            throw error(errc::no_credentials,
                        client.outcome(answer) + ", but with no region's name");
        }
        co_return std::string(region);
    } catch (const not_configured&) {
        co_return std::string();
    }
}

credentials_provider_ptr instance_metadata_credentials(source_options options) {
    auto memory = detail::attach_memory(options);
    const environment env = options.env;
    detail::refresh_policy policy;
    policy.static_stability = true;
    return detail::refreshing(detail::instance_metadata_source(std::move(options), memory), env,
                              policy, memory);
}

} // namespace codynamo::aws
