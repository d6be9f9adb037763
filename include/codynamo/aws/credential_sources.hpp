// SPDX-License-Identifier: BSL-1.0
// Where an AWS SDK would look for credentials, one function for each place. All of them cache what
// they find and refresh it before it expires, once for all who ask.
//
// What every provider here has in common. Thread-safe. resolve() throws not_configured when the
// place is not set up, and errc::no_credentials with host, status and the service's own words when
// it is and fails; never with a secret. Sources that ask a server take at most 64 KiB of
// answer, wait at most 30 s for each request and its repetitions, and leave no connection
// open. The file of authorities is read for the first request over TLS to each server (in the
// thread that fetches, some 30 ms for a system's whole store) and remembered by the provider, as
// are proxies; container and instance metadata within a profile read theirs at each fetch. Settings
// and small files (shared files, tokens; at most 1 MiB and 64 KiB) are read in the thread that
// fetches, at each fetch, so that what rotates is noticed. Order and rules: AWS SDKs and Tools
// Reference Guide, "Standardized credential providers".
#pragma once

#include <codynamo/aws/credentials.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/export.hpp>
#include <codynamo/net/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace codynamo::aws {

/// What the sources have in common.
struct source_options {
    environment env{};
    /// Of the shared files. Empty: AWS_PROFILE, else "default".
    std::string profile{};
    /// Of STS. Empty: AWS_REGION, AWS_DEFAULT_REGION, the profile. SSO has a region of its own.
    std::string region{};
    /// Of STS, SSO and OIDC. nullopt: AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT or the
    /// profile's keys. Both are refused beside a configured endpoint.
    std::optional<bool> use_fips{};
    std::optional<bool> use_dualstack{};
    /// An empty ca_file: AWS_CA_BUNDLE, the profile's ca_bundle, else the system's.
    net::tls_config tls{};
    net::network_config network{};
    /// Makes the way to a server, once for each fetch, and is let go of afterwards without being
    /// closed; empty makes a real one with `tls` and `network`. For tests.
    std::function<std::shared_ptr<net::transport>(const net::origin&)> connect{};
};

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_ACCOUNT_ID,
/// AWS_CREDENTIAL_EXPIRATION. Blank counts as not set; one of the first two without the other is a
/// failure. Read once, and again after invalidate().
[[nodiscard]] CODYNAMO_API credentials_provider_ptr environment_credentials(environment env);

/// Whatever the profile asks for: role_arn with source_profile (chains of them) or
/// credential_source, else web identity, SSO, credential_process, static keys, in this order.
/// Reads the shared files (a few kilobytes) in the calling thread at each refresh, and runs a
/// credential_process for at most 60 s. A profile that was named but is not there is a failure;
/// `login_session` and `mfa_serial` are refused as not supported.
[[nodiscard]] CODYNAMO_API credentials_provider_ptr profile_credentials(source_options options);

/// AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME: STS
/// AssumeRoleWithWebIdentity, unsigned. The token file is read at each refresh, and once more when
/// STS refuses the token. STS is that of the region, or AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, or
/// what the profile says; attempts by AWS_MAX_ATTEMPTS or the profile, else 3.
[[nodiscard]] CODYNAMO_API credentials_provider_ptr
web_identity_credentials(source_options options);

/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI (ECS), else AWS_CONTAINER_CREDENTIALS_FULL_URI (EKS Pod
/// Identity and others): https, or http to loopback, 169.254.170.2, 169.254.170.23 and
/// [fd00:ec2::23] only. AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, else
/// AWS_CONTAINER_AUTHORIZATION_TOKEN, is sent as it is; a line break in it is refused. Never
/// through a proxy. 2 s to connect, 7 s for an attempt, 3 attempts.
[[nodiscard]] CODYNAMO_API credentials_provider_ptr container_credentials(source_options options);

/// The instance metadata service of EC2, version 2 only. AWS_EC2_METADATA_DISABLED=true switches it
/// off; AWS_EC2_METADATA_SERVICE_ENDPOINT and AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE or the
/// profile's keys move it; AWS_METADATA_SERVICE_TIMEOUT (1 s) and AWS_METADATA_SERVICE_NUM_ATTEMPTS
/// (4) bound it. A host that does not answer is not configured, after one attempt. Never through a
/// proxy. Goes on with what it has when the service fails ("static stability").
[[nodiscard]] CODYNAMO_API credentials_provider_ptr
instance_metadata_credentials(source_options options);

/// The region of the instance that this program runs on, by the same service and settings. Empty
/// when it is switched off, out of reach (known after the time-out, 1 s) or has none. Making a
/// client does no network I/O and so does not look here: a program that is to do without AWS_REGION
/// and the like calls this first, and puts what it gets into the client's config and into
/// source_options::region. Nothing is cached. Throws errc::no_credentials when the service is there
/// and fails or answers nonsense, errc::invalid_argument naming a setting that makes none.
/// Cancellation: terminal, partial and total.
[[nodiscard]] CODYNAMO_API boost::asio::awaitable<std::string>
instance_metadata_region(source_options options);

/// What a program of the user's prints as JSON, at most 64 KiB of it. It is run by `/bin/sh -c` in
/// the environment of this process, with nothing for standard input and its standard error thrown
/// away; what it prints is never logged and in no message. A thread of its own waits for it, not
/// the executor. It is killed with its process group when it takes longer than `timeout` (1 ms to
/// 10 min of real time, whatever the clock of `options` says) or when the execution context that
/// waits for it is destroyed; a second later it is given up even if it cannot be killed (it runs as
/// another user, or hangs in the kernel), and with four of those no more are started. In a program
/// that ignores SIGCHLD or waits for all children itself the exit code is lost: what was printed
/// counts, if it is complete and well-formed, and what outlives the shell is not killed. Throws
/// errc::invalid_argument when command or time-out cannot be.
[[nodiscard]] CODYNAMO_API credentials_provider_ptr
process_credentials(std::string command, source_options options,
                    std::chrono::milliseconds timeout = std::chrono::seconds(60));

struct assume_role_config {
    /// 20 to 2048 characters, "arn:aws:iam::123456789012:role/name".
    std::string role_arn{};
    /// 2 to 64 of letters, digits and `_+=,.@-`. Empty makes one from the time.
    std::string session_name{};
    /// 2 to 1224 of letters, digits and `_+=,.@:/-`. Empty: none.
    std::string external_id{};
    /// 15 min to 12 h. STS refuses more than the role allows, and more than an hour for a role that
    /// was assumed with another role's credentials.
    std::chrono::seconds duration{3600};
};

/// STS AssumeRole, signed with the credentials of `source`; when STS says that they have expired
/// they are invalidated, and it is asked once more with others. A source that is not configured, or
/// has not come up with credentials after 60 s, is a failure here. STS is found as for
/// web_identity_credentials. Throws errc::invalid_argument naming field and value when the role is
/// out of bounds or `source` is null.
[[nodiscard]] CODYNAMO_API credentials_provider_ptr assume_role_credentials(
    credentials_provider_ptr source, assume_role_config role, source_options options);

struct sso_config {
    /// Names the token's file where there is no session; may then not be empty.
    std::string start_url{};
    /// Of the portal and OIDC.
    std::string region{};
    /// Digits, at most 12.
    std::string account_id{};
    /// 1 to 64 of letters, digits and `_+=,.@-`.
    std::string role_name{};
    /// Name of the sso-session, whose token can be refreshed; empty for the legacy form.
    std::string session{};
};

/// The token that `aws sso login` left in ~/.aws/sso/cache, exchanged for the role's credentials;
/// a session's token is refreshed through OIDC within five minutes of its end, and its file then
/// replaced (mode 0600, synced to disk in the thread that fetches: milliseconds, about once an
/// hour), unless somebody has signed in meanwhile or the file cannot be written; the provider then
/// remembers the token. Endpoints can be configured as AWS_ENDPOINT_URL_SSO and
/// AWS_ENDPOINT_URL_SSO_OIDC. Throws errc::invalid_argument naming field and value.
[[nodiscard]] CODYNAMO_API credentials_provider_ptr sso_credentials(sso_config config,
                                                                    source_options options);

/// The links of the default chain: environment, profile, web identity from the environment,
/// container, instance metadata. A profile that is named in `options` leaves the environment out,
/// as botocore does: should it have no credentials, those of the variables are not taken instead.
[[nodiscard]] CODYNAMO_API std::vector<credentials_provider_ptr>
default_chain(source_options options);

/// What a client uses when it is given none: chain_credentials(default_chain(options)).
[[nodiscard]] CODYNAMO_API credentials_provider_ptr default_credentials(source_options options);

} // namespace codynamo::aws
