// SPDX-License-Identifier: BSL-1.0
// What the sources that ask over the network share: one kind of error, one way to read settings.
#pragma once

#include "aws/refreshing_provider.hpp"
#include "aws/secret_memory.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/endpoint.hpp>
#include <codynamo/aws/profile.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::aws::detail {

/// A source whose every failure is errc::no_credentials: what it asks for throws
/// errc::invalid_argument for a bad setting and the codes of the network for a bad connection.
class network_source : public credential_source {
public:
    [[nodiscard]] boost::asio::awaitable<credentials> fetch() final;

private:
    /// Throws not_configured, any other error, or a cancellation.
    [[nodiscard]] virtual boost::asio::awaitable<credentials> ask() = 0;
};

/// One regional service that a source asks.
struct service_identity {
    credential_service rules;
    std::string_view variable;    ///< "SSO", of AWS_ENDPOINT_URL_SSO
    std::string_view section_key; ///< "sso", of a services section
};

/// What the shared settings say about asking a regional service.
struct service_settings {
    endpoint where;
    /// First attempt included.
    unsigned max_attempts = 3;
    net::tls_config tls{};
    /// Unless AWS_DISABLE_CLOCK_SKEW_CORRECTION or the profile forbids it.
    bool learns_clock = true;
};

/// AWS_ENDPOINT_URL_<variable>, AWS_ENDPOINT_URL, the profile's services section, its endpoint_url;
/// empty when there is none or they are to be ignored. Throws errc::invalid_argument when the
/// services section is not there.
[[nodiscard]] std::string configured_service_url(const service_identity& service,
                                                 const environment& env, const profile_files& files,
                                                 std::string_view profile);

/// Where the service is for `region`, or for the region of the options and the shared settings when
/// it is empty. Reads the shared files. Throws errc::invalid_argument.
[[nodiscard]] service_settings settings_of(const service_identity& service,
                                           const source_options& options, std::string_view region);

/// That of the options; an empty ca_file becomes AWS_CA_BUNDLE or the profile's ca_bundle. Reads
/// the shared files when neither options nor variable say. Throws errc::invalid_argument.
[[nodiscard]] net::tls_config tls_of(const source_options& options);

/// The text of a small file that holds a secret, as it is. Throws errc::no_credentials with path
/// and reason when it cannot be read, is no regular file or is larger than 64 KiB.
[[nodiscard]] secret_string read_secret_file(const std::string& path);

/// For messages: control characters and bytes that are not ASCII become '?', and it ends after
/// `most` characters.
[[nodiscard]] std::string quotable(std::string_view text, std::size_t most = 300);

/// Throws errc::invalid_argument: the field, its value and the reason.
[[noreturn]] void refuse_argument(std::string_view field, std::string_view value,
                                  std::string_view reason);

/// What a service said, for a message: "Code: words". Code and words are left out when they
/// repeat one of the secrets (see repeats_secret).
[[nodiscard]] std::string service_words(std::string_view code, std::string_view message,
                                        const std::vector<std::string_view>& secrets);

} // namespace codynamo::aws::detail
