// SPDX-License-Identifier: BSL-1.0
// Secrets are overwritten before their memory goes back to the heap: whatever is done here, no
// freed block holds a third of one.
#include "aws/credential_documents.hpp"
#include "aws/wipe.hpp"
#include "net/wipe.hpp"
#include "secrets/freed_memory.hpp"
#include "secrets/still.hpp"
#include "support/catch.hpp"
#include "support/secrets.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/profile.hpp>
#include <codynamo/aws/sigv4.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace codynamo;
namespace secrets = codynamo::testing_support::secrets;
using testing_support::answer;
using testing_support::scratch;
using testing_support::still_text;
using testing_support::still_transport;
using testing_support::watch;
using testing_support::with_variables;

namespace {

aws::credentials made() {
    return {"AKIDEXAMPLE", std::string(secrets::key), std::string(secrets::token)};
}

constexpr auto sunday = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);

aws::credentials_ptr resolved(const aws::credentials_provider_ptr& provider) {
    asio::io_context context;
    aws::credentials_ptr found;
    std::exception_ptr failed;
    asio::co_spawn(context, provider->resolve(),
                   [&](std::exception_ptr why, aws::credentials_ptr got) {
                       failed = why;
                       found = std::move(got);
                   });
    context.run();
    if (failed) std::rethrow_exception(failed);
    return found;
}

/// Resolves, hands out once more, drops, and resolves again.
void use(const aws::credentials_provider_ptr& provider) {
    const auto first = resolved(provider);
    CHECK(first->secret_access_key == secrets::key);
    CHECK(resolved(provider) == first);
    provider->invalidate(first);
    CHECK(resolved(provider)->secret_access_key == secrets::key);
}

const still_text<> process_document(R"({"Version":1,"AccessKeyId":"AKIDEXAMPLE",)",
                                    R"("SecretAccessKey":")", secrets::key, R"(","SessionToken":")",
                                    secrets::token, R"("})");
const still_text<> metadata_document(R"({"Code":"Success","AccessKeyId":"AKIDEXAMPLE",)",
                                     R"("SecretAccessKey":")", secrets::key, R"(","Token":")",
                                     secrets::token, R"(","Expiration":"2099-01-01T00:00:00Z"})");
const still_text<> sso_document(R"({"roleCredentials":{"accessKeyId":"AKIDEXAMPLE",)",
                                R"("secretAccessKey":")", secrets::key, R"(","sessionToken":")",
                                secrets::token, R"(","expiration":4070908800000}})");

} // namespace

TEST_CASE("a freed secret is noticed, and a wiped one is not") {
    const auto before = testing_support::freed_with_secret();
    const auto blocks = testing_support::freed();
    { const std::string leaked(secrets::key); }
    CHECK(testing_support::freed() > blocks);
    CHECK(testing_support::freed_with_secret() == before + 1);
    const watch next;
    {
        std::string wiped(secrets::key);
        std::fill(wiped.begin(), wiped.end(), 'x');
    }
    CHECK(next.leaks() == 0);
}

TEST_CASE("credentials leave nothing behind when they are copied, moved, assigned and dropped") {
    const watch seen;
    {
        aws::credentials one = made();
        aws::credentials copy = one;
        const aws::credentials moved = std::move(one);
        copy = moved;
        one = made();
        copy = std::move(one);
        one = aws::credentials("short", "secret", "token");
        std::vector<aws::credentials> many(3, copy);
        many.insert(many.begin(), moved);
        many.resize(64, moved);
        const auto shared = std::make_shared<const aws::credentials>(many.back());
        CHECK(shared->session_token == secrets::token);
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("providers leave nothing behind when they hand out, refuse and end") {
    const watch seen;
    {
        use(aws::static_credentials(made()));
        use(aws::chain_credentials(
            {aws::environment_credentials(with_variables({})), aws::static_credentials(made())}));
        CHECK_THROWS_AS(aws::static_credentials({"", std::string(secrets::key)}), error);
        static const still_text<> with_line_end(secrets::token, "\n");
        aws::credentials bad("AKIDEXAMPLE", std::string(secrets::key),
                             std::string(with_line_end.view()));
        CHECK_THROWS_AS(aws::static_credentials(std::move(bad)), error);
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("the environment's secrets are not left in the text they came in") {
    const watch seen;
    static const still_text<> key(" ", secrets::key, "\t"), token(secrets::token);
    {
        use(aws::environment_credentials(
            with_variables({{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                            {"AWS_SECRET_ACCESS_KEY", key.view().data()},
                            {"AWS_SESSION_TOKEN", token.view().data()}})));
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("a profile's secrets are not left in the text of the file or the sections made of it") {
    static const still_text<65536> file(
        "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = x\n",
        "aws_secret_access_key = ", secrets::key, "\naws_secret_access_key = ", secrets::key,
        "\naws_session_token = ", secrets::token, "\n[other]\naws_session_token = ", secrets::token,
        "\n ", secrets::token, "\n", std::string(20'000, '#'), "\n");
    const scratch folder;
    const auto path = folder.write("credentials", file.view());
    const watch seen;
    {
        aws::source_options options;
        options.env = with_variables({{"AWS_SHARED_CREDENTIALS_FILE", path.c_str()}});
        use(aws::profile_credentials(options));
        auto files = aws::load_profile_files(options.env);
        const auto copy = files;
        files = copy;
        files = aws::profile_files();
        CHECK(copy.profiles.size() == 2);
        CHECK_THROWS_AS(aws::parse_profile_files("", file.view().substr(3)), error);
        CHECK_THROWS_AS(aws::parse_profile_files(file.view(), "[default]\naws_session_token\n"),
                        error);
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("the documents that bring credentials leave nothing behind, whole or broken") {
    const watch seen;
    {
        CHECK(aws::detail::parse_process_document(process_document.view()).secret_access_key ==
              secrets::key);
        CHECK(aws::detail::parse_metadata_document(metadata_document.view()).session_token ==
              secrets::token);
        CHECK(aws::detail::parse_sso_document(sso_document.view()).session_token == secrets::token);
        for (std::size_t cut = 0; cut < process_document.view().size(); cut += 7) {
            CHECK_THROWS_AS(
                aws::detail::parse_process_document(process_document.view().substr(0, cut)), error);
            CHECK_THROWS_AS(aws::detail::parse_sso_document(sso_document.view().substr(0, cut)),
                            error);
        }
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("what a container's server answers is not left in the buffers it came in") {
    const watch seen;
    {
        aws::source_options options;
        options.env =
            with_variables({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/role"},
                            {"AWS_CONTAINER_AUTHORIZATION_TOKEN", secrets::container.data()}});
        options.connect = [](const net::origin&) {
            return std::make_shared<still_transport>(
                [](std::string_view) { return metadata_document.view(); });
        };
        use(aws::container_credentials(options));
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("what the instance metadata service answers, its token too, is not left behind") {
    const watch seen;
    {
        aws::source_options options;
        options.env = with_variables({});
        options.connect = [](const net::origin&) {
            return std::make_shared<still_transport>([](std::string_view head) {
                if (head.starts_with("PUT ")) return secrets::metadata;
                CHECK(head.find(secrets::metadata) != std::string_view::npos);
                return head.find("security-credentials/ ") != std::string_view::npos
                           ? std::string_view("role")
                           : metadata_document.view();
            });
        };
        use(aws::instance_metadata_credentials(options));
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("what a program prints is not left in the buffers it came in") {
    const scratch folder;
    const auto path = folder.write("document", process_document.view());
    const watch seen;
    {
        aws::source_options options;
        options.env = with_variables({});
        use(aws::process_credentials("cat '" + path + "'", options));
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("signing leaves neither the secret key nor the token behind") {
    const watch seen;
    for (const bool omit : {false, true}) {
        const aws::signable_request request{
            "POST", "/?Action=AssumeRole", {{"Host", "example.com"}, {"A", "b"}}, "{}"};
        aws::signing_options options;
        options.omit_session_token = omit;
        auto out = aws::sign(request, made(), {"us-east-1", "sts"}, sunday, options);
        CHECK((out.canonical_request.find(secrets::token) != std::string::npos) == !omit);
        // These are the caller's.
        aws::detail::wipe(out.canonical_request);
        for (auto& [name, value] : out.added_headers)
            aws::detail::wipe(value);
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("the signer of requests leaves no token behind, of whatever length they come") {
    static const still_text<4096> longer(secrets::token, std::string(3000, 'x'));
    const watch seen;
    {
        aws::json_request_signer signer("example.com", {"us-east-1", "dynamodb"});
        std::string head;
        const aws::detail::wipe_at_end wiped(head);
        for (int hours = 0; hours < 72; hours += 8) {
            const auto token = hours % 16 == 0 ? secrets::token : longer.view();
            const auto who = std::make_shared<const aws::credentials>(
                "AKIDEXAMPLE", std::string(secrets::key), std::string(token));
            const auto size = head.size();
            signer.write_head(head, "DynamoDB_20120810.GetItem", "{}", who,
                              sunday + std::chrono::hours(hours));
            CHECK(head.find(token, size) != std::string::npos);
        }
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("a connection leaves nothing of its requests and responses behind") {
    const watch seen;
    // Within the first buffer, beyond it, and so large that the next exchange gives it back.
    for (const std::size_t more : {0, 30'000, 600'000}) {
        const std::string filling(more, '#');
        aws::json_request_signer signer("example.com", {"us-east-1", "dynamodb"});
        const auto who = std::make_shared<const aws::credentials>(made());
        net::wire wire({false, "example.com", 80}, net::pool_config(), nullptr);
        wire.reset();
        for (int round = 0; round < 3; ++round) {
            wire.begin();
            signer.write_head(wire.head(), "DynamoDB_20120810.PutItem", "{}", who, sunday);
            net::reserve_wiping(wire.body(), secrets::bearer.size() + more);
            wire.body().append(secrets::bearer).append(filling);
            REQUIRE(wire.request());
            CHECK(wire.unsent()[0].find(secrets::token) != std::string_view::npos);
            CHECK(answer(wire, metadata_document.view(), filling).body.size() >= more);
        }
    }
    CHECK(seen.leaks() == 0);
}

TEST_CASE("a request that is put together for TLS leaves nothing behind") {
    const auto context = net::make_tls_context(net::tls_config());
    const watch seen;
    {
        aws::json_request_signer signer("example.com", {"us-east-1", "dynamodb"});
        net::wire wire({true, "example.com", 443}, net::pool_config(), context);
        wire.reset();
        wire.begin();
        signer.write_head(wire.head(), "DynamoDB_20120810.PutItem", "{}",
                          std::make_shared<const aws::credentials>(made()), sunday);
        wire.body().assign(8'000, '#');
        CHECK_FALSE(wire.request()); // there was no handshake
    }
    CHECK(seen.leaks() == 0);
}
