// SPDX-License-Identifier: BSL-1.0
// Where a program's credentials are from that says nothing about it.
#include <codynamo/aws/credential_sources.hpp>

#include <utility>

namespace codynamo::aws {

std::vector<credentials_provider_ptr> default_chain(source_options options) {
    std::vector<credentials_provider_ptr> links;
    // Who names a profile does not mean the environment, not even when the profile has nothing.
    if (options.profile.empty()) links.push_back(environment_credentials(options.env));
    links.push_back(profile_credentials(options));
    links.push_back(web_identity_credentials(options));
    links.push_back(container_credentials(options));
    links.push_back(instance_metadata_credentials(std::move(options)));
    return links;
}

credentials_provider_ptr default_credentials(source_options options) {
    return chain_credentials(default_chain(std::move(options)));
}

} // namespace codynamo::aws
