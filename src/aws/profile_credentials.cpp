// SPDX-License-Identifier: BSL-1.0
// Does what a profile asks for: its first credentials, then one role after the other.
#include "aws/assume_role.hpp"
#include "aws/container.hpp"
#include "aws/environment_source.hpp"
#include "aws/instance_metadata.hpp"
#include "aws/network_source.hpp"
#include "aws/process_source.hpp"
#include "aws/profile_paths.hpp"
#include "aws/profile_sources.hpp"
#include "aws/refreshing_provider.hpp"
#include "aws/signing.hpp"
#include "aws/sso.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <chrono>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace {

/// What a `credential_source` names.
std::shared_ptr<detail::credential_source>
source_named(detail::named_source which, const source_options& options,
             const std::shared_ptr<detail::source_memory>& memory) {
    switch (which) {
    case detail::named_source::environment:
        return detail::environment_source(options.env);
    case detail::named_source::ecs_container:
        return detail::container_source(options, memory);
    case detail::named_source::ec2_instance_metadata:
        break;
    }
    return detail::instance_metadata_source(options, memory);
}

/// Null for static keys.
std::shared_ptr<detail::credential_source>
source_of(const detail::first_step& step, const source_options& options,
          const std::shared_ptr<detail::source_memory>& memory) {
    if (const auto* which = std::get_if<detail::named_source>(&step))
        return source_named(*which, options, memory);
    if (const auto* web = std::get_if<detail::web_identity_config>(&step))
        return detail::web_identity_source(*web, options, memory);
    if (const auto* sso = std::get_if<sso_config>(&step)) {
        if (sso->account_id.empty()) {
            throw error(errc::no_credentials, "has an sso_session, but no sso_account_id and "
                                              "sso_role_name: that gives a token, no credentials");
        }
        return detail::sso_source(*sso, options, memory);
    }
    if (const auto* process = std::get_if<detail::process_step>(&step))
        return detail::process_source(process->command, detail::default_process_timeout);
    return nullptr;
}

class profile_source final : public detail::credential_source {
public:
    profile_source(source_options options, std::shared_ptr<detail::source_memory> memory)
        : options_(std::move(options)), memory_(std::move(memory)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "profile"; }

    [[nodiscard]] asio::awaitable<credentials> fetch() override {
        detail::profile_plan plan;
        source_options options = options_;
        options.profile = profile_name(options.env, options.profile);
        read_plan(plan, options.profile);
        std::string stage = stage_of(plan.first_profile);
        failure why;
        try {
            credentials who = co_await first(std::move(plan.first), options, memory_);
            for (std::size_t at = 0; at != plan.roles.size(); ++at) {
                auto source = static_credentials(std::move(who));
                stage = stage_of(plan.role_profiles[at]);
                const auto assumed =
                    detail::assume_role_source(std::move(source), plan.roles[at], options, memory_);
                who = co_await assumed->fetch();
            }
            detail::require_usable(who);
            co_return who;
        } catch (const error& broken) {
            why = broken.as_failure();
        }
        // Somebody asked for it, so what is not configured is broken here.
        diagnostics words = why.info ? *why.info : diagnostics{};
        words.message = stage + why.message();
        throw error(make_failure(make_error_code(errc::no_credentials), std::move(words)));
    }

private:
    static std::string stage_of(const std::string& profile) {
        return "profile \"" + detail::quotable(profile) + "\": ";
    }

    /// Throws not_configured when the profile says nothing of credentials.
    void read_plan(detail::profile_plan& plan, const std::string& profile) const {
        profile_files files;
        try {
            files = load_profile_files(options_.env);
        } catch (const error& malformed) {
            throw error(errc::no_credentials, malformed.info().message);
        }
        const bool named = !options_.profile.empty() ||
                           !detail::trimmed_variable(options_.env, "AWS_PROFILE").empty();
        if (named && !files.find(profile))
            throw error(errc::no_credentials,
                        "profile \"" + detail::quotable(profile) + "\" does not exist");
        const struct wiping {
            profile_files& what;
            ~wiping() { detail::wipe_secrets(what); }
        } at_end{files};
        plan = detail::plan_profile(files, profile);
    }

    static asio::awaitable<credentials> first(detail::first_step step, source_options options,
                                              std::shared_ptr<detail::source_memory> memory) {
        if (const auto* keys = std::get_if<credentials>(&step)) co_return *keys;
        const auto source = source_of(step, options, memory);
        credentials found = co_await source->fetch();
        const auto* process = std::get_if<detail::process_step>(&step);
        if (process && found.account_id.empty()) found.account_id = process->account_id;
        co_return found;
    }

    const source_options options_;
    const std::shared_ptr<detail::source_memory> memory_;
};

} // namespace

credentials_provider_ptr profile_credentials(source_options options) {
    auto memory = detail::attach_memory(options);
    environment env = options.env;
    auto source = std::make_shared<profile_source>(std::move(options), memory);
    return detail::refreshing(std::move(source), std::move(env), {}, memory);
}

} // namespace codynamo::aws
