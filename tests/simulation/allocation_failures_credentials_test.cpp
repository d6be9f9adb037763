// SPDX-License-Identifier: BSL-1.0
// Each allocation fails once while two calls wait for the same credentials. Each call ends once,
// with credentials or std::bad_alloc. A failed allocation does not count as a failure of the
// source: there is no back-off, and the next call returns credentials. Nothing leaks.
#include "allocation_checks.hpp"
#include "allocation_failures.hpp"
#include "strand_allocations.hpp"
#include "support/catch.hpp"
#include "unit/aws/scripted_sts.hpp"
#include "unit/aws/signed_in.hpp"
#include "unit/client/fake_client.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/detail/recycled.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing_support;
using test::failing_allocation;
using test::run_all;

namespace {

std::string keys_json() {
    return R"({"Code":"Success","AccessKeyId":"ASIAX","SecretAccessKey":")" +
           std::string(secrets::key) + R"(","Token":")" + std::string(secrets::token) +
           R"(","Expiration":"2023-11-14T23:13:20Z"})";
}

/// The answers of all servers.
fake_response serve(const fake_request& request) {
    const std::string line = request.head.substr(0, request.head.find("\r\n"));
    const auto asks = [&](const char* words) {
        return line.find(words) != line.npos || request.body.find(words) != request.body.npos;
    };
    if (asks("Action=AssumeRoleWithWebIdentity")) return assumed_web();
    if (asks("Action=AssumeRole")) return assumed();
    if (asks("/latest/api/token"))
        return answer(200, "metadata-token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
    if (asks("/security-credentials/ ")) return answer(200, "a-role-with-a-name");
    if (asks("/security-credentials/a-role")) return answer(200, keys_json());
    if (asks("/federation/credentials")) return answer(200, sso::role_json());
    if (asks("/token")) return answer(200, sso::fresh_json());
    if (asks("/container-keys")) return answer(200, keys_json());
    return answer(404);
}

using make_provider = std::function<aws::credentials_provider_ptr(aws::source_options)>;

/// The result of one call.
struct ending {
    int times = 0;
    std::string key{};
    bool out_of_memory = false;
    std::string other{};
};

asio::awaitable<void> ask(aws::credentials_provider_ptr whom, ending& end) {
    try {
        const aws::credentials_ptr got = co_await whom->resolve();
        end.key = got->access_key_id;
    } catch (const std::bad_alloc&) {
        end.out_of_memory = true;
    } catch (const std::exception& e) {
        end.other = e.what();
    }
    ++end.times;
}

bool can_fail(void* strands, std::size_t bytes) noexcept {
    return !static_cast<test::strand_allocations*>(strands)->is_fatal(bytes) &&
           !test::is_for_executor(bytes);
}

/// Runs all that is due while the n-th allocation fails; false when there were fewer.
bool run_failing(asio::io_context& context, std::size_t n) {
    detail::free_kept_frames();
    test::strand_allocations strands;
    const failing_allocation failure(n, can_fail, &strands);
    run_all(context);
    return failure.happened();
}

/// Whether there were so many allocations.
bool fail_allocation(const make_provider& make, const scripted_services& services, std::size_t n) {
    aws::source_options options = services.options();
    options.connect = [](const net::origin&) {
        return std::make_shared<testing::fake_transport>(serve);
    };
    const aws::credentials_provider_ptr provider = make(std::move(options));
    asio::io_context context(1);
    ending ends[3];
    const auto ask_for = [&](ending& end) {
        asio::co_spawn(context, ask(provider, end), [](std::exception_ptr) {});
    };
    ask_for(ends[0]);
    ask_for(ends[1]);
    const bool happened = run_failing(context, n);
    ask_for(ends[2]);
    run_all(context);
    for (const ending& end : ends) {
        CHECK(end.times == 1);
        CHECK(end.other == "");
        CHECK(end.out_of_memory != (end.key == "ASIAX"));
    }
    CHECK(ends[2].key == "ASIAX");
    return happened;
}

void fail_allocations(const char* name, const scripted_services& services,
                      const make_provider& make, test::heap_use use = test::heap_use::one_thread) {
    test::check_replays(
        name, 10, [&](std::size_t n) { return fail_allocation(make, services, n); }, use);
}

/// Sends one request and records how it ended.
asio::awaitable<void> send_request(dynamodb::client db, ending& end) {
    try {
        const auto got = co_await db.attempt(test::get_request());
        end.key = got ? "ASIAX" : got.error().message();
    } catch (const std::bad_alloc&) {
        end.out_of_memory = true;
    }
    ++end.times;
}

/// As fail_allocation(), for requests of a client that wait for the credentials.
bool fail_allocation_of_request(const scripted_services& services, std::size_t n) {
    aws::source_options options = services.options();
    options.connect = [](const net::origin&) {
        return std::make_shared<testing::fake_transport>(serve);
    };
    test::fake_world world(test::script({test::answer("{}")}));
    world.credentials = aws::instance_metadata_credentials(std::move(options));
    const dynamodb::client db(world.client_config());
    asio::io_context context(1);
    ending ends[2];
    asio::co_spawn(context, send_request(db, ends[0]), [](std::exception_ptr) {});
    const bool happened = run_failing(context, n);
    asio::co_spawn(context, send_request(db, ends[1]), [](std::exception_ptr) {});
    run_all(context);
    for (const ending& end : ends) {
        CHECK(end.times == 1);
        CHECK((end.out_of_memory ? "ASIAX" : end.key) == "ASIAX");
    }
    CHECK_FALSE(ends[1].out_of_memory);
    return happened;
}

} // namespace

TEST_CASE("credentials of a server survive every failing allocation") {
    const scratch_folder home;
    home.write("token", "a-token-of-the-identity-provider");
    scripted_services services({{"HOME", home.path()}, {"AWS_REGION", "us-east-2"}});
    fail_allocations("instance metadata", services, aws::instance_metadata_credentials);

    services.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/container-keys");
    services.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home.path() + "/token");
    fail_allocations("container", services, aws::container_credentials);

    services.set("AWS_WEB_IDENTITY_TOKEN_FILE", home.path() + "/token");
    services.set("AWS_ROLE_ARN", arn);
    fail_allocations("web identity", services, aws::web_identity_credentials);

    fail_allocations("assumed role", services, [](aws::source_options options) {
        return aws::assume_role_credentials(std::make_shared<renewable>(), reader(),
                                            std::move(options));
    });
}

TEST_CASE("credentials of profiles and of a sign-in survive every failing allocation") {
    sso::signed_in user(sso::token_json(sso::ending));
    user.services.set("AWS_REGION", "us-east-2");
    fail_allocations("a sign-in that is refreshed", user.services, [](aws::source_options options) {
        return aws::sso_credentials(sso::dev(), std::move(options));
    });

    user.home.write(".aws/config", "[profile role]\nrole_arn = " + arn +
                                       "\nsource_profile = keys\n[profile keys]\n"
                                       "aws_access_key_id = AKID\naws_secret_access_key = " +
                                       std::string(secrets::key) + "\n");
    user.services.set("AWS_PROFILE", "role");
    fail_allocations("a role of a profile", user.services, aws::profile_credentials);
    user.services.unset("AWS_PROFILE");
    user.services.set("AWS_EC2_METADATA_DISABLED", "true");
    user.services.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/container-keys");
    fail_allocations("the default chain", user.services, aws::default_credentials);
}

TEST_CASE("credentials of a program survive every failing allocation") {
    const scripted_services services;
    const std::string command =
        "echo '{\"Version\":1,\"AccessKeyId\":\"ASIAX\",\"SecretAccessKey\":\"" +
        std::string(secrets::key) + "\"}'";
    const auto make = [&](aws::source_options options) {
        return aws::process_credentials(command, std::move(options));
    };
    fail_allocations("a program", services, make, test::heap_use::several_threads);
}

TEST_CASE("requests that wait for credentials survive every failing allocation") {
    const scripted_services services({{"HOME", "/nowhere"}}, {});
    test::check_replays("a request that waits", 50,
                        [&](std::size_t n) { return fail_allocation_of_request(services, n); });
}
