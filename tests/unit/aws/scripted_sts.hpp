// SPDX-License-Identifier: BSL-1.0
// A scripted STS: its answers, and a role to ask it for.
#pragma once

#include "aws/assume_role.hpp"
#include "support/run.hpp"
#include "support/scripted_services.hpp"
#include "support/secrets.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace codynamo::testing_support {

inline const std::string arn = "arn:aws:iam::123456789012:role/reader";

inline std::string sts_answer(const std::string& action) {
    return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" +
           action +
           "Result><AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/reader/s</Arn>"
           "</AssumedRoleUser><Credentials><AccessKeyId>"
           "ASIAX</AccessKeyId><SecretAccessKey>" +
           std::string(secrets::key) + "</SecretAccessKey><SessionToken>" +
           std::string(secrets::token) +
           "</SessionToken><Expiration>2023-11-14T23:13:20Z</Expiration></Credentials></" + action +
           "Result></" + action + "Response>";
}

inline testing::fake_response refusal(unsigned status, const std::string& code,
                                      const std::string& message = {}) {
    return answer(status, "<ErrorResponse><Error><Type>Sender</Type><Code>" + code +
                              "</Code><Message>" + message +
                              "</Message></Error><RequestId>r</RequestId></ErrorResponse>");
}

inline testing::fake_response assumed() {
    return answer(200, sts_answer("AssumeRole"));
}

inline testing::fake_response assumed_web() {
    return answer(200, sts_answer("AssumeRoleWithWebIdentity"));
}

/// Hands out "AKIDONE", and "AKIDTWO" once that has expired.
class renewable final : public aws::credentials_provider {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "renewable"; }
    [[nodiscard]] aws::credentials_ptr current() const override { return nullptr; }
    [[nodiscard]] boost::asio::awaitable<aws::credentials_ptr> resolve() override {
        co_return now_;
    }
    void invalidate(const aws::credentials_ptr& expired) override {
        if (expired == now_ && renews) now_ = make("AKIDTWO");
    }
    bool renews = true;

private:
    static aws::credentials_ptr make(const char* id) {
        return std::make_shared<const aws::credentials>(id, std::string(secrets::key),
                                                        std::string(secrets::token));
    }
    aws::credentials_ptr now_ = make("AKIDONE");
};

inline aws::assume_role_config reader() {
    aws::assume_role_config role;
    role.role_arn = arn;
    role.session_name = "session";
    return role;
}

inline aws::credentials
assume(const scripted_services& services, const aws::assume_role_config& role = reader(),
       aws::credentials_provider_ptr source = std::make_shared<renewable>()) {
    const auto made = aws::detail::assume_role_source(std::move(source), role, services.options());
    return test_support::run([&] { return made->fetch(); });
}

/// No message tells what may not be told.
inline std::string refused(const std::function<void()>& call) {
    const std::string words = message_of(errc::no_credentials, call);
    for (const std::string_view secret : secrets::all)
        CHECK(words.find(secret) == std::string::npos);
    return words;
}

} // namespace codynamo::testing_support
