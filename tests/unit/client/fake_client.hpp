// SPDX-License-Identifier: BSL-1.0
// A client and a table backend on a server that is a function, in time that a test controls.
#pragma once

#include "support/log_lines.hpp"
#include "support/longest_jitter.hpp"
#include "support/run.hpp"
#include "support/secrets.hpp"
#include "support/tap.hpp"

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/testing/fake_transport.hpp>
#include <codynamo/testing/manual_clock.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace codynamo::test {

using testing::fake_request;
using testing::fake_response;

/// The world of one test.
struct fake_world {
    explicit fake_world(testing::fake_transport::server server)
        : transport(std::make_shared<testing::fake_transport>(std::move(server))) {
        env.time = time;
        env.random = std::make_shared<test_support::longest_jitter>();
        env.log.level = log_level::debug;
        env.log.sink = log.sink();
        // Or the default credentials would ask the machine who it is.
        env.variable = [](const char* name) -> std::optional<std::string> {
            if (std::string_view(name) == "AWS_EC2_METADATA_DISABLED") return "true";
            return std::nullopt;
        };
        env = testing_support::tapped(std::move(env));
    }

    [[nodiscard]] dynamodb::client_config client_config() const {
        dynamodb::client_config config;
        config.region = "us-east-1";
        config.endpoint = "http://fake";
        config.credentials = credentials;
        config.env = env;
        config.transport = transport;
        return config;
    }

    [[nodiscard]] dynamodb_backend_config backend_config() const {
        dynamodb_backend_config config;
        config.table_name = "cache";
        config.region = "us-east-1";
        config.endpoint = "http://fake";
        config.credentials = credentials;
        config.env = env;
        config.transport = transport;
        config.create = false;
        return config;
    }

    /// The operations asked for, in order.
    [[nodiscard]] std::vector<std::string> operations() const {
        std::vector<std::string> names;
        for (const fake_request& one : transport->requests())
            names.emplace_back(one.operation());
        return names;
    }

    /// Half a second past a full one, so that a wait of just under a second shows in a signature.
    std::shared_ptr<testing::manual_clock> time = std::make_shared<testing::manual_clock>(
        timestamp(std::chrono::milliseconds(1'700'000'000'500)));
    testing_support::log_lines log;
    std::shared_ptr<testing::fake_transport> transport;
    aws::credentials_provider_ptr credentials =
        aws::static_credentials({"AKIDEXAMPLE", std::string(testing_support::secrets::key)});
    environment env{};
};

/// Answers one after the other; the last one for ever.
inline testing::fake_transport::server script(std::vector<fake_response> answers) {
    return [answers = std::move(answers), at = std::make_shared<std::size_t>(0)](
               const fake_request&) { return answers[std::min((*at)++, answers.size() - 1)]; };
}

inline fake_response answer(std::string body, unsigned status = 200) {
    fake_response response;
    response.status = status;
    response.body = std::move(body);
    response.headers = {{"x-amzn-RequestId", "request-1"}};
    return response;
}

inline fake_response service_error(const std::string& code, unsigned status = 400,
                                   const std::string& message = "words of the service") {
    return answer(R"({"__type":"com.amazonaws.dynamodb.v20120810#)" + code + R"(","message":")" +
                      message + R"("})",
                  status);
}

/// A signature is refused for its date.
inline fake_response date_refused() {
    return service_error("InvalidSignatureException", 403,
                         "Signature expired: 20231114T221320Z is now earlier than "
                         "20231114T230820Z (20231114T231320Z - 5 min.)");
}

/// The connection broke, after or before the request went out.
inline fake_response lost(bool sent = true) {
    return fake_response::network_error(make_error_code(errc::connection_lost), sent);
}

inline fake_response dated(fake_response of, std::string date) {
    of.headers.emplace_back("Date", std::move(date));
    return of;
}

/// An environment's variables.
struct variables : std::map<std::string, std::string> {
    using map::map;
    std::optional<std::string> operator()(const char* name) const {
        const auto found = find(name);
        return found == end() ? std::nullopt : std::optional(found->second);
    }
};

inline dynamodb::get_item_input get_request() {
    dynamodb::get_item_input in;
    in.table_name = "cache";
    in.key.emplace("k", "hello");
    return in;
}

/// The failure of one GetItem; success is no error code.
inline failure outcome_of(dynamodb::client& db, dynamodb::call_options options = {}) {
    const auto got = test_support::run(db.attempt(get_request(), options));
    return got ? failure{} : got.error();
}

} // namespace codynamo::test
