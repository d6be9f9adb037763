// SPDX-License-Identifier: BSL-1.0
// A home folder with somebody's sign-in to SSO, and the scripted servers that honour it.
#pragma once

#include "aws/sso.hpp"
#include "support/run.hpp"
#include "support/scripted_services.hpp"
#include "support/secrets.hpp"

#include <boost/json.hpp>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing_support::sso {

inline const std::string portal =
    "GET https://portal.sso.us-east-2.amazonaws.com/federation/credentials"
    "?role_name=Reader&account_id=012345678901";
inline const std::string oidc = "POST https://oidc.us-east-2.amazonaws.com/token";
// SHA-1 of "dev" and of "https://d-abc123.awsapps.com/start".
inline const std::string session_file =
    ".aws/sso/cache/34c6fceca75e456f25e7e99531e2425c6c1de443.json";
inline constexpr const char* valid = "2023-11-14T23:13:20Z";  // in an hour
inline constexpr const char* ending = "2023-11-14T22:18:20Z"; // in five minutes
inline constexpr const char* ended = "2023-11-14T22:13:20Z";  // now

inline aws::sso_config dev() {
    aws::sso_config config;
    config.start_url = "https://d-abc123.awsapps.com/start";
    config.region = "us-east-2";
    config.account_id = "012345678901";
    config.role_name = "Reader";
    config.session = "dev";
    return config;
}

inline std::string token_json(const std::string& expires,
                              const std::string& registration = "2199-03-06T19:53:17Z") {
    return R"({"accessToken":")" + std::string(secrets::bearer) + R"(","expiresAt":")" + expires +
           R"(","refreshToken":"refresh-1","clientId":"client","clientSecret":")" +
           std::string(secrets::key) + R"(","registrationExpiresAt":")" + registration +
           R"(","region":"us-east-2","kept":{"as":["it","is"]}})";
}

inline std::string role_json() {
    return R"({"roleCredentials":{"accessKeyId":"ASIAX","secretAccessKey":")" +
           std::string(secrets::key) + R"(","sessionToken":")" + std::string(secrets::token) +
           R"(","expiration":1700003600000}})";
}

inline std::string fresh_json(const std::string& more = R"(,"refreshToken":"refresh-2")") {
    return R"({"accessToken":"fresh-token","expiresIn":3600,"tokenType":"Bearer")" + more + "}";
}

/// A home folder with a sign-in, and the servers.
struct signed_in {
    explicit signed_in(const std::string& token, std::vector<testing::fake_response> answers = {})
        : services({}, std::move(answers)) {
        services.set("HOME", home.path());
        if (!token.empty()) home.write(session_file, token);
    }

    aws::credentials fetch(const aws::sso_config& config = dev()) const {
        const auto source = aws::detail::sso_source(config, services.options());
        return test_support::run([&] { return source->fetch(); });
    }

    std::string refusal(const aws::sso_config& config = dev()) const {
        const std::string words = message_of(errc::no_credentials, [&] { (void)fetch(config); });
        for (const std::string_view secret : secrets::all)
            CHECK(words.find(secret) == std::string::npos);
        CHECK(words.find("refresh-1") == std::string::npos);
        return words;
    }

    [[nodiscard]] boost::json::value kept() const {
        std::ifstream in(home.path() + "/" + session_file, std::ios::binary);
        return boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
    }

    scratch_folder home;
    scripted_services services;
};

} // namespace codynamo::testing_support::sso
