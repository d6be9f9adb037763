// SPDX-License-Identifier: BSL-1.0
// A source that is cancelled while it asks ends as cancelled, whatever it was about to make of the
// answer.
#include "aws/assume_role.hpp"
#include "aws/container.hpp"
#include "aws/instance_metadata.hpp"
#include "aws/sso.hpp"
#include "support/scripted_services.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>

#include <functional>
#include <vector>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::aws;
using testing_support::answer;
using testing_support::scratch_folder;
using testing_support::scripted_services;

namespace {

/// How a fetch ends that is cancelled while its n-th request (from 1) is answered.
boost::system::error_code cancelled_at(std::size_t n, scripted_services& services,
                                       aws::detail::credential_source& source) {
    asio::cancellation_signal signal;
    services.before_each_answer([&] {
        if (services.requests().size() == n) signal.emit(asio::cancellation_type::terminal);
    });
    asio::io_context context;
    std::exception_ptr failed;
    asio::co_spawn(
        context, source.fetch(),
        asio::bind_cancellation_slot(
            signal.slot(), [&](std::exception_ptr e, const credentials&) { failed = e; }));
    context.run();
    services.before_each_answer(nullptr);
    if (!failed) return {};
    try {
        std::rethrow_exception(failed);
    } catch (const boost::system::system_error& why) {
        return why.code();
    }
}

} // namespace

TEST_CASE("A cancelled source is neither unset nor broken, and asks no further") {
    scratch_folder home;
    home.write(
        ".aws/sso/cache/34c6fceca75e456f25e7e99531e2425c6c1de443.json",
        R"({"accessToken":"a","expiresAt":"2023-11-14T22:14:20Z","refreshToken":"r",)"
        R"("clientId":"c","clientSecret":"s","registrationExpiresAt":"2199-01-01T00:00:00Z"})");
    using make = std::function<std::shared_ptr<aws::detail::credential_source>(source_options)>;
    struct row {
        const char* name;
        std::size_t at;
        std::size_t requests;
        make source;
    };
    const make metadata = [](source_options options) {
        return aws::detail::instance_metadata_source(std::move(options));
    };
    const make container = [](source_options options) {
        return aws::detail::container_source(std::move(options));
    };
    const make role = [](source_options options) {
        assume_role_config config;
        config.role_arn = "arn:aws:iam::123456789012:role/reader";
        return aws::detail::assume_role_source(static_credentials({"AKIDEXAMPLE", "secret"}),
                                               config, options);
    };
    const make sso = [](source_options options) {
        sso_config config;
        config.session = "dev";
        config.region = "us-east-1";
        config.account_id = "012345678901";
        config.role_name = "Reader";
        return aws::detail::sso_source(config, options);
    };
    for (const auto& [name, at, requests, source] :
         std::vector<row>{{"instance metadata, the token", 1, 1, metadata},
                          {"instance metadata, its repetition", 2, 2, metadata},
                          {"container", 1, 1, container},
                          {"container, its repetition", 2, 2, container},
                          {"role", 1, 1, role},
                          // A refresh token that serves only once must not be lost.
                          {"SSO, all attempts to refresh the token", 1, 3, sso}}) {
        INFO(name);
        scripted_services services({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c"},
                                    {"AWS_REGION", "us-east-1"},
                                    {"HOME", home.path()}},
                                   std::vector<testing::fake_response>(8, answer(500)));
        const auto made = source(services.options());
        CHECK(cancelled_at(at, services, *made) == asio::error::operation_aborted);
        CHECK(services.requests().size() == requests);
    }
}
