// SPDX-License-Identifier: BSL-1.0
// The sources that ask over the network, over a real one.
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/harness.hpp"
#include "support/secrets.hpp"
#include "support/stub_server.hpp"
#include "support/tap.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <map>

using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;
namespace secrets = testing_support::secrets;

namespace {

std::string url(std::uint16_t port) {
    return "http://127.0.0.1:" + std::to_string(port);
}

aws::source_options options_with(std::map<std::string, std::string> known) {
    // Whoever lets himself be led through a proxy ends here.
    known.emplace("http_proxy", url(free_port()));
    aws::source_options made;
    made.env = testing_support::tapped();
    made.env.variable = [known](const char* name) -> std::optional<std::string> {
        const auto found = known.find(name);
        return found == known.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    return made;
}

std::string document(const char* token_name) {
    return R"({"Code":"Success","AccessKeyId":"ASIAX","SecretAccessKey":")" +
           std::string(secrets::key) + "\",\"" + token_name + "\":\"" +
           std::string(secrets::token) + R"(","Expiration":"2199-01-01T00:00:00Z"})";
}

std::string answer_metadata(const std::string& request) {
    if (request.starts_with("PUT /latest/api/token "))
        return response(secrets::metadata, 200, "x-aws-ec2-metadata-token-ttl-seconds: 600\r\n");
    if (request.find(secrets::metadata) == std::string::npos) return response("", 401);
    if (request.starts_with("GET /latest/meta-data/iam/security-credentials/ "))
        return response("my-role");
    if (request.starts_with("GET /latest/meta-data/iam/security-credentials/my-role "))
        return response(document("Token"));
    if (request.starts_with("GET /latest/meta-data/placement/region "))
        return response("eu-west-1");
    return response("", 404);
}

std::string answer_sts(const std::string& request) {
    if (request.find("AWS4-HMAC-SHA256 Credential=ASIAX/") == std::string::npos ||
        request.find("\r\n\r\nAction=AssumeRole&") == std::string::npos)
        return response("", 400);
    return response("<AssumeRoleResponse><AssumeRoleResult><Credentials>"
                    "<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>" +
                    std::string(secrets::key) + "</SecretAccessKey><SessionToken>" +
                    std::string(secrets::token) +
                    "</SessionToken><Expiration>2199-01-01T00:00:00Z</Expiration>"
                    "</Credentials></AssumeRoleResult></AssumeRoleResponse>");
}

} // namespace

TEST_CASE("An instance's credentials and region arrive over a real connection") {
    stub_config script;
    script.answer = answer_metadata;
    stub_server server(script);
    boost::asio::io_context io;
    const auto options = options_with({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", url(server.port())}});
    const auto provider = aws::instance_metadata_credentials(options);
    const aws::credentials_ptr found = run(io, provider->resolve());
    CHECK(found->access_key_id == "ASIAX");
    CHECK(found->secret_access_key == secrets::key);
    CHECK(server.connections() == 1);
    CHECK(server.requests() == 3);
    CHECK(run(io, aws::instance_metadata_region(options)) == "eu-west-1");
    // Nothing is left that would keep a program from ending.
    io.restart();
    io.run_for(5s);
    CHECK(io.stopped());
}

TEST_CASE("A role is assumed with a container's credentials over real connections") {
    stub_config agent_script;
    agent_script.answer = [](const std::string& request) {
        return request.find("\r\nAuthorization: " + std::string(secrets::container) + "\r\n") ==
                       std::string::npos
                   ? response("", 401)
                   : response(document("Token"));
    };
    stub_server agent(agent_script);
    stub_config sts_script;
    sts_script.answer = answer_sts;
    stub_server sts(sts_script);
    const auto options =
        options_with({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url(agent.port()) + "/v1/credentials"},
                      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", std::string(secrets::container)},
                      {"AWS_ENDPOINT_URL_STS", url(sts.port())},
                      {"AWS_REGION", "eu-west-1"}});
    aws::assume_role_config role;
    role.role_arn = "arn:aws:iam::123456789012:role/reader";
    const auto provider =
        aws::assume_role_credentials(aws::container_credentials(options), role, options);
    boost::asio::io_context io;
    CHECK(run(io, provider->resolve())->access_key_id == "ASIAROLE");
    CHECK(agent.requests() == 1);
    CHECK(sts.requests() == 1);
}

TEST_CASE("A host where no instance metadata is listens to nobody for long") {
    const black_hole silent;
    boost::asio::io_context io;
    for (const std::uint16_t port : {silent.port(), free_port()}) {
        const auto options = options_with({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", url(port)}});
        const auto provider = aws::instance_metadata_credentials(options);
        const auto start = std::chrono::steady_clock::now();
        CHECK_THROWS_AS(run(io, provider->resolve()), aws::not_configured);
        CHECK(std::chrono::steady_clock::now() - start < 3s);
        CHECK(run(io, aws::instance_metadata_region(options)).empty());
    }
}

TEST_CASE("A role is assumed over TLS with AWS_CA_BUNDLE, and no connection is left") {
    const authority trusted;
    certificate_request names;
    names.addresses = {"127.0.0.1"};
    const certificate own = trusted.issue(names);
    stub_config script;
    script.answer = answer_sts;
    script.tls = std::make_shared<stub_tls>(stub_tls{own.certificate_pem, own.key_pem});
    stub_server sts(script);
    std::map<std::string, std::string> known{
        {"AWS_ENDPOINT_URL_STS", "https://127.0.0.1:" + std::to_string(sts.port())},
        {"AWS_REGION", "eu-west-1"}};
    aws::assume_role_config role;
    role.role_arn = "arn:aws:iam::123456789012:role/reader";
    const auto source =
        aws::static_credentials({"ASIAX", std::string(secrets::key), std::string(secrets::token)});
    boost::asio::io_context io;
    const auto distrustful = aws::assume_role_credentials(source, role, options_with(known));
    CHECK_THROWS_AS(run(io, distrustful->resolve()), error);
    CHECK(sts.requests() == 0);
    const auto before = sts.connections();

    known["AWS_CA_BUNDLE"] = trusted.ca_file();
    const auto provider = aws::assume_role_credentials(source, role, options_with(known));
    const auto first = run(io, provider->resolve());
    CHECK(first->access_key_id == "ASIAROLE");
    provider->invalidate(first);
    CHECK(run(io, provider->resolve())->access_key_id == "ASIAROLE");
    CHECK(sts.requests() == 2);
    CHECK(sts.connections() == before + 2);
}
