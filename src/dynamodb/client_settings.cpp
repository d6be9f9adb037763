// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/client_settings.hpp"

#include "dynamodb/circuit_breaker.hpp"
#include "dynamodb/hedging.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/profile.hpp>
#include <codynamo/aws/settings.hpp>

#include <utility>

namespace codynamo::dynamodb {
namespace {

void require_timeout(std::chrono::milliseconds value, std::string_view field) {
    if (value.count() > 0 && value <= longest_timeout) return;
    throw error(errc::invalid_argument, std::string(field) + " is " +
                                            std::to_string(value.count()) +
                                            " ms: 1 to 86400000 are allowed");
}

void validate(const client_config& config) {
    require_timeout(config.call_timeout, "call_timeout");
    require_timeout(config.attempt_timeout, "attempt_timeout");
    aws::validate(config.retry);
    validate(config.breaker);
    validate(config.hedging);
}

aws::profile_files files_for(const client_config& config) {
    try {
        return aws::load_profile_files(config.env);
    } catch (const error& why) {
        if (config.region.empty() || config.endpoint.empty()) throw;
        if (config.env.log.wants(log_level::warning)) {
            config.env.log.write(log_level::warning, "going on without the shared files: " +
                                                         why.as_failure().message());
        }
        return {};
    }
}

template <class T>
void fill(std::optional<T>& field, const std::optional<T>& shared, T otherwise) {
    if (!field) field = shared.value_or(otherwise);
}

aws::credentials_provider_ptr default_provider(const client_config& config) {
    aws::source_options options;
    options.env = config.env;
    options.profile = config.profile;
    options.region = config.region;
    options.use_fips = config.use_fips;
    options.use_dualstack = config.use_dualstack;
    options.tls = config.tls;
    options.network = config.network;
    return aws::default_credentials(std::move(options));
}

} // namespace

client_settings resolve_settings(client_config config) {
    validate(config);
    const aws::profile_files files = files_for(config);
    const std::string profile = aws::profile_name(config.env, config.profile);
    const aws::shared_settings shared = aws::read_settings(config.env, files, config.profile);
    config.region = aws::resolve_region(config.region, config.env, files, profile);
    config.endpoint = aws::resolve_endpoint_url(config.endpoint, config.env, files, profile);
    if (config.tls.ca_file.empty()) {
        config.tls.ca_file = shared.ca_bundle;
        config.tls.ca_file_source = shared.ca_bundle_source;
    }
    fill(config.use_fips, shared.use_fips, false);
    fill(config.use_dualstack, shared.use_dualstack, false);
    fill(config.account_id_endpoint_mode, shared.account_id_mode,
         aws::account_id_endpoint_mode::preferred);
    fill(config.retry.spec, shared.spec, aws::retry_spec::v2_0);
    fill(config.retry.mode, shared.mode, aws::retry_mode::standard);
    if (config.retry.max_attempts == 0) config.retry.max_attempts = shared.max_attempts.value_or(0);
    aws::validate(config.retry);
    fill(config.clock_skew_correction,
         shared.disable_clock_skew_correction
             ? std::optional<bool>(!*shared.disable_clock_skew_correction)
             : std::nullopt,
         true);
    if (!config.credentials) config.credentials = default_provider(config);

    aws::endpoint_parameters where;
    where.region = config.region;
    where.use_fips = *config.use_fips;
    where.use_dualstack = *config.use_dualstack;
    where.endpoint = config.endpoint;
    where.mode = *config.account_id_endpoint_mode;
    return {std::move(config), std::move(where)};
}

} // namespace codynamo::dynamodb
