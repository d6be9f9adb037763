// SPDX-License-Identifier: BSL-1.0
// Roles assumed with the credentials of others, over a scripted STS.
#include "unit/aws/scripted_sts.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;
using namespace codynamo::testing_support;

namespace {

class unset final : public credentials_provider {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "nobody"; }
    [[nodiscard]] credentials_ptr current() const override { return nullptr; }
    [[nodiscard]] boost::asio::awaitable<credentials_ptr> resolve() override {
        throw not_configured("nothing here");
        co_return nullptr;
    }
};

/// Waits until it is cancelled, or also then.
class silent final : public credentials_provider {
public:
    explicit silent(bool listens) : listens_(listens) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "silent"; }
    [[nodiscard]] credentials_ptr current() const override { return nullptr; }
    [[nodiscard]] boost::asio::awaitable<credentials_ptr> resolve() override {
        namespace asio = boost::asio;
        if (!listens_)
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        asio::steady_timer never(co_await asio::this_coro::executor,
                                 asio::steady_timer::time_point::max());
        co_await never.async_wait(asio::deferred);
        co_return nullptr;
    }

private:
    const bool listens_;
};

} // namespace

TEST_CASE("A source that never comes up with credentials is waited for no longer than a minute") {
    for (const bool listens : {true, false}) {
        scripted_services services({{"AWS_REGION", "us-east-1"}}, {});
        const auto provider = assume_role_credentials(std::make_shared<silent>(listens), reader(),
                                                      services.options());
        boost::asio::io_context context;
        std::exception_ptr failed;
        boost::asio::co_spawn(context, provider->resolve(),
                              [&](std::exception_ptr e, const credentials_ptr&) { failed = e; });
        while (!failed && context.run_one_for(10s) != 0) {
        }
        REQUIRE(failed);
        CHECK_THAT(message_of(errc::no_credentials, [&] { std::rethrow_exception(failed); }),
                   Catch::Contains("silent") && Catch::Contains("within 60 s"));
        CHECK(services.time->sleeps() == std::vector<std::chrono::microseconds>{1s, 59s});
    }
}

TEST_CASE("STS is trusted by the configured authorities") {
    const variables known{{"AWS_REGION", "us-east-1"}, {"AWS_CA_BUNDLE", "/no/such/bundle"}};
    scripted_services services(known);
    source_options options = services.options();
    options.connect = nullptr; // never gets as far as to connect
    const auto source =
        aws::detail::assume_role_source(std::make_shared<renewable>(), reader(), options);
    CHECK_THAT(message_of(errc::no_credentials,
                          [&] { (void)test_support::run([&] { return source->fetch(); }); }),
               Catch::Contains("/no/such/bundle"));
}

TEST_CASE("A role is assumed by a signed form") {
    scripted_services services({{"AWS_REGION", "eu-west-1"}}, {assumed()});
    const credentials found = assume(services);
    CHECK(found.access_key_id == "ASIAX");
    CHECK(found.secret_access_key == secrets::key);
    CHECK(found.session_token == secrets::token);
    CHECK(found.account_id == "123456789012");
    CHECK(found.expires == timestamp(1'700'003'600s));
    CHECK(services.lines() ==
          std::vector<std::string>{"POST https://sts.eu-west-1.amazonaws.com/"});
    const auto& sent = services.requests()[0];
    CHECK(sent.body == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"
                       "123456789012%3Arole%2Freader&RoleSessionName=session");
    CHECK(sent.header("content-type") == "application/x-www-form-urlencoded");
    CHECK(sent.header("x-amz-date") == "20231114T221320Z");
    CHECK(sent.header("x-amz-security-token") == secrets::token);
    CHECK_THAT(std::string(sent.header("authorization")),
               Catch::StartsWith("AWS4-HMAC-SHA256 Credential=AKIDONE/20231114/eu-west-1/sts/"
                                 "aws4_request, SignedHeaders=content-type;host;x-amz-date;"
                                 "x-amz-security-token, Signature="));
}

TEST_CASE("What a role is asked for goes into the form") {
    scripted_services services({{"AWS_REGION", "us-east-1"}}, {assumed()});
    assume_role_config role;
    role.role_arn = arn;
    role.external_id = "id:1/2";
    role.duration = 15min;
    (void)assume(services, role);
    const auto& body = services.requests()[0].body;
    CHECK_THAT(body, Catch::Contains("&RoleSessionName=codynamo-1700000000000&"));
    CHECK_THAT(body, Catch::Contains("&DurationSeconds=900&ExternalId=id%3A1%2F2"));
}

TEST_CASE("Expired source credentials are renewed, and the role is asked for once more") {
    for (const char* code : {"ExpiredToken", "ExpiredTokenException"}) {
        scripted_services services({{"AWS_REGION", "us-east-1"}}, {refusal(403, code), assumed()});
        CHECK(assume(services).access_key_id == "ASIAX");
        CHECK_THAT(std::string(services.requests()[1].header("authorization")),
                   Catch::Contains("AKIDTWO"));
        CHECK(services.exhausted());
    }
    scripted_services stuck({{"AWS_REGION", "us-east-1"}}, {refusal(403, "ExpiredToken")});
    const auto source = std::make_shared<renewable>();
    source->renews = false;
    refused([&] { (void)assume(stuck, reader(), source); });
    CHECK(stuck.exhausted());
}

TEST_CASE("A role without source credentials is a failure and not merely unset") {
    scripted_services services({{"AWS_REGION", "us-east-1"}}, {});
    try {
        (void)assume(services, reader(), std::make_shared<unset>());
        FAIL("nothing was thrown");
    } catch (const not_configured&) {
        FAIL("it counts as not configured");
    } catch (const error& why) {
        CHECK_THAT(why.info().message, Catch::Contains(arn) && Catch::Contains("nobody") &&
                                           Catch::Contains("nothing here"));
    }
    CHECK(services.requests().empty());
}

TEST_CASE("A role that STS would refuse is refused first, by field and value") {
    struct row {
        std::function<void(assume_role_config&)> spoil;
        const char* says;
    };
    using role = assume_role_config;
    for (const auto& [spoil, says] : std::vector<row>{
             {[](role& r) { r.role_arn = ""; }, "role_arn = \"\""},
             {[](role& r) { r.role_arn = "arn:aws:iam::1:ro"; }, "20 to 2048"},
             {[](role& r) { r.role_arn = std::string(2049, 'a'); }, "20 to 2048"},
             {[](role& r) { r.role_arn = "role/reader-of-everything"; }, "is no ARN"},
             {[](role& r) { r.role_arn += "\r\nX"; }, "role/reader??X\": is no ARN"},
             {[](role& r) { r.session_name = "x"; }, "session_name = \"x\": must have 2 to 64"},
             {[](role& r) { r.session_name = std::string(65, 'x'); }, "2 to 64"},
             {[](role& r) { r.session_name = "a b"; }, "session_name = \"a b\""},
             {[](role& r) { r.session_name = "a\nb"; }, "session_name = \"a?b\""},
             {[](role& r) { r.external_id = "x"; }, "external_id: must have 2"},
             {[](role& r) { r.external_id = "s3cret b"; }, "external_id: must be made of"},
             {[](role& r) { r.duration = 899s; }, "duration = 899 s"},
             {[](role& r) { r.duration = 43'201s; }, "43200 s"},
             {[](role& r) { r.duration = -1s; }, "duration = -1 s"},
         }) {
        assume_role_config given = reader();
        spoil(given);
        const std::string words = message_of(errc::invalid_argument, [&] {
            (void)assume_role_credentials(std::make_shared<renewable>(), given, source_options());
        });
        CHECK_THAT(words, Catch::Contains(says) && !Catch::Contains("s3cret"));
    }
    message_of(errc::invalid_argument,
               [] { (void)assume_role_credentials(nullptr, reader(), source_options()); });
    assume_role_config most = reader();
    most.session_name = "aZ9_=,.@-+";
    most.external_id = "a:b/c";
    most.duration = 12h;
    CHECK(assume_role_credentials(std::make_shared<renewable>(), most, source_options())->name() ==
          "assume role");
}

TEST_CASE("Assumed credentials are kept until they are about to expire") {
    scripted_services services({{"AWS_REGION", "us-east-1"}}, {assumed()});
    const auto provider =
        assume_role_credentials(std::make_shared<renewable>(), reader(), services.options());
    for (int n = 0; n != 3; ++n) {
        const credentials_ptr found = test_support::run([&] { return provider->resolve(); });
        CHECK(found->access_key_id == "ASIAX");
    }
    CHECK(services.requests().size() == 1);
}
