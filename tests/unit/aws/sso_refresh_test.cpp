// SPDX-License-Identifier: BSL-1.0
// The refresh of a sign-in's token, and the file that it is kept in and others write to as well.
#include "aws/sso_token_file.hpp"
#include "unit/aws/signed_in.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support;
using namespace codynamo::testing_support::sso;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

/// No file can be written beyond so many bytes, be it by root.
class unwritable_files {
public:
    explicit unwritable_files(rlim_t most = 0) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit none = before_;
        none.rlim_cur = most;
        ::setrlimit(RLIMIT_FSIZE, &none);
    }
    unwritable_files(const unwritable_files&) = delete;
    unwritable_files& operator=(const unwritable_files&) = delete;
    ~unwritable_files() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int);
};

} // namespace

TEST_CASE("A session's token is refreshed within five minutes of its end, and kept") {
    for (const char* expires : {ending, ended, "2020-01-01T00:00:00Z"}) {
        INFO(expires);
        const signed_in user(token_json(expires),
                             {answer(200, fresh_json()), answer(200, role_json())});
        CHECK(user.fetch().access_key_id == "ASIAX");
        CHECK(user.services.lines() == std::vector<std::string>{oidc, portal});
        const auto& asked = user.services.requests()[0];
        CHECK(asked.header("content-type") == "application/json");
        CHECK(json::parse(asked.body) ==
              json::parse(R"({"clientId":"client","grantType":"refresh_token",)"
                          R"("refreshToken":"refresh-1","clientSecret":")" +
                          std::string(secrets::key) + "\"}"));
        CHECK(user.services.requests()[1].header("x-amz-sso_bearer_token") == "fresh-token");

        const json::value kept = user.kept();
        CHECK(kept.at("accessToken").as_string() == "fresh-token");
        CHECK(kept.at("expiresAt").as_string() == "2023-11-14T23:13:20Z");
        CHECK(kept.at("refreshToken").as_string() == "refresh-2");
        CHECK(kept.at("registrationExpiresAt").as_string() == "2199-03-06T19:53:17Z");
        CHECK(kept.at("kept") == json::parse(R"({"as":["it","is"]})"));
        namespace fs = std::filesystem;
        const fs::path file = fs::path(user.home.path()) / session_file;
        CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
        CHECK(std::distance(fs::directory_iterator(file.parent_path()), {}) == 1);
    }
}

TEST_CASE("A refresh without another refresh token keeps the one there is") {
    const signed_in user(token_json(ended),
                         {answer(200, fresh_json("")), answer(200, role_json())});
    (void)user.fetch();
    CHECK(user.kept().at("refreshToken").as_string() == "refresh-1");
}

TEST_CASE("A refreshed token lives for 1 s to 366 days, both included") {
    struct row {
        const char* expires_in;
        const char* expires_at; ///< null: refused
    };
    for (const auto& [expires_in, expires_at] :
         {row{"0", nullptr}, row{"1", "2023-11-14T22:13:21Z"},
          row{"31622400", "2024-11-14T22:13:20Z"}, row{"31622401", nullptr}}) {
        INFO(expires_in);
        const signed_in user(token_json(ended),
                             {answer(200, R"({"accessToken":"fresh-token","expiresIn":)" +
                                              std::string(expires_in) + "}"),
                              answer(200, role_json())});
        if (expires_at) {
            CHECK(user.fetch().access_key_id == "ASIAX");
            CHECK(user.kept().at("expiresAt").as_string() == expires_at);
        } else {
            CHECK_THAT(user.refusal(), Catch::Contains("expiresIn is no number in its bounds"));
        }
    }
}

TEST_CASE("A token that cannot be refreshed serves while it is valid") {
    struct row {
        const char* what;
        std::string token;
        std::string session;
        std::vector<testing::fake_response> answers;
        const char* says; // when the token has expired
    };
    const std::string expired_registration = "2023-11-14T22:13:20Z";
    const auto gone = answer(400, R"({"error":"invalid_grant","error_description":"x"})");
    for (const auto& [what, token, session, answers, says] : std::vector<row>{
             {"refused", token_json("@"), "dev", {gone}, "answered 400: invalid_grant"},
             {"no answer", token_json("@"), "dev", {broken(errc::timeout, true)}, "deadline"},
             {"no JSON", token_json("@"), "dev", {answer(200, "x")}, "is not JSON"},
             {"no token", token_json("@"), "dev", {answer(200, "{}")}, "accessToken is missing"},
             {"a bad token",
              token_json("@"),
              "dev",
              {answer(200, R"({"accessToken":"a\r\nb","expiresIn":1})")},
              "control character"},
             {"a bad life",
              token_json("@"),
              "dev",
              {answer(200, R"({"accessToken":"a","expiresIn":-1})")},
              "expiresIn"},
             {"an ended registration",
              token_json("@", expired_registration),
              "dev",
              {},
              "cannot be refreshed"},
             {"nothing to refresh with",
              R"({"accessToken":"a","expiresAt":"@"})",
              "dev",
              {},
              "cannot be refreshed"},
             {"the legacy form", token_json("@"), "", {}, "cannot be refreshed"},
         }) {
        INFO(what);
        for (const char* expires : {ending, ended}) {
            std::string text = token;
            text.replace(text.find('@'), 1, expires);
            const bool still_valid = expires == std::string_view(ending);
            signed_in user(text, answers);
            sso_config config = dev();
            if (session.empty()) {
                config.session.clear();
                config.start_url = "dev";
            }
            if (still_valid) {
                user.services.will_answer(answer(200, role_json()));
                CHECK(user.fetch(config).access_key_id == "ASIAX");
            } else {
                CHECK_THAT(user.refusal(config), Catch::Contains(says) &&
                                                     Catch::Contains("has expired") &&
                                                     Catch::Contains("run `aws sso login`"));
            }
            CHECK(user.services.exhausted());
            CHECK(user.kept().at("expiresAt").as_string() == expires);
        }
    }
}

TEST_CASE("A refresh that another program won is not a failure") {
    signed_in user(token_json(ended), {answer(400, R"({"error":"invalid_grant"})")});
    user.services.will_answer(answer(200, role_json()));
    user.services.before_each_answer([&] { user.home.write(session_file, token_json(valid)); });
    CHECK(user.fetch().access_key_id == "ASIAX");
    CHECK(user.services.exhausted());
}

TEST_CASE("A refresh token is not sent twice when it may have arrived") {
    for (const bool arrived : {false, true}) {
        signed_in user(token_json(ended), {broken(errc::connection_lost, arrived)});
        if (!arrived) {
            user.services.will_answer(answer(200, fresh_json()));
            user.services.will_answer(answer(200, role_json()));
            CHECK(user.fetch().access_key_id == "ASIAX");
        } else {
            (void)user.refusal();
        }
        CHECK(user.services.exhausted());
    }
}

TEST_CASE("A refreshed token that cannot be kept is used all the same") {
    signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
    user.services.before_each_answer(
        [&] { std::filesystem::remove_all(user.home.path() + "/.aws"); });
    CHECK(user.fetch().access_key_id == "ASIAX");
    REQUIRE(user.services.log().size() == 1);
    CHECK_THAT(user.services.log()[0],
               Catch::Contains("not kept") && !Catch::Contains("fresh-token"));
}

TEST_CASE("A sign-in during a refresh is not overwritten, and counts when it is valid") {
    for (const bool is_valid : {true, false}) {
        const std::string theirs = R"({"accessToken":"theirs","expiresAt":")" +
                                   std::string(is_valid ? valid : ended) +
                                   R"(","refreshToken":"refresh-9"})";
        signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
        user.services.before_each_answer([&] { user.home.write(session_file, theirs); });
        CHECK(user.fetch().access_key_id == "ASIAX");
        CHECK(user.kept() == json::parse(theirs));
        CHECK(user.services.requests()[1].header("x-amz-sso_bearer_token") ==
              (is_valid ? "theirs" : "fresh-token"));
        const std::filesystem::path file(user.home.path() + "/" + session_file);
        CHECK(std::distance(std::filesystem::directory_iterator(file.parent_path()), {}) == 1);
    }
}

TEST_CASE("A sign-out during a refresh stays one") {
    signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
    const std::string file = user.home.path() + "/" + session_file;
    user.services.before_each_answer([&] { std::filesystem::remove(file); });
    CHECK(user.fetch().access_key_id == "ASIAX");
    CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("A token that its file does not take is remembered until the file changes") {
    signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
    const auto source = aws::detail::sso_source(dev(), user.services.options());
    const auto fetch = [&] { return test_support::run([&] { return source->fetch(); }); };
    const auto bearer = [&] {
        return std::string(user.services.requests().back().header("x-amz-sso_bearer_token"));
    };
    {
        const unwritable_files all;
        (void)fetch();
        CHECK(bearer() == "fresh-token");
        user.services.will_answer(answer(200, role_json()));
        (void)fetch();
    }
    CHECK(bearer() == "fresh-token");
    CHECK(user.services.lines() == std::vector<std::string>{oidc, portal, portal});
    CHECK(user.kept().at("accessToken").as_string() == secrets::bearer.data());

    // It ends: what is sent is the second refresh token, and the file can be written now.
    user.services.time->advance(1h);
    user.services.will_answer(answer(200, R"({"accessToken":"newest","expiresIn":3600})"));
    user.services.will_answer(answer(200, role_json()));
    (void)fetch();
    CHECK(json::parse(user.services.requests()[3].body).at("refreshToken") == "refresh-2");
    CHECK(user.kept().at("accessToken") == "newest");
    CHECK(user.kept().at("refreshToken") == "refresh-2");
    CHECK(user.kept().at("kept") == json::parse(R"({"as":["it","is"]})"));
}

TEST_CASE("A token is kept whatever error a call before has left") {
    const signed_in user(token_json(ended), {});
    aws::detail::sso_token_file file(user.home.path() + "/" + session_file);
    file.take(fresh_json(), timestamp(1'700'000'000s));
    const unwritable_files long_ones(65536);
    errno = EINTR;
    CHECK(file.save());
    CHECK(user.kept().at("accessToken").as_string() == "fresh-token");
}

TEST_CASE("A remembered token gives way to another sign-in") {
    signed_in user(token_json(ended), {answer(200, fresh_json()), answer(200, role_json())});
    const auto source = aws::detail::sso_source(dev(), user.services.options());
    const auto fetch = [&] { return test_support::run([&] { return source->fetch(); }); };
    {
        const unwritable_files all;
        (void)fetch();
    }
    user.home.write(session_file, std::string(R"({"accessToken":"theirs","expiresAt":")") + valid +
                                      R"(","refreshToken":"refresh-9"})");
    user.services.will_answer(answer(200, role_json()));
    (void)fetch();
    CHECK(user.services.requests().back().header("x-amz-sso_bearer_token") == "theirs");
}

TEST_CASE("A registration that ends at no time does no harm to a token that is valid") {
    const signed_in user(token_json(ending, "soon"), {answer(200, role_json())});
    CHECK(user.fetch().access_key_id == "ASIAX");
    CHECK(user.services.lines() == std::vector<std::string>{portal});
    const signed_in late(token_json(ended, "soon"));
    CHECK_THAT(late.refusal(), Catch::Contains("registrationExpiresAt is not an RFC 3339 time"));
}

TEST_CASE("OIDC's code is not quoted when it repeats what was sent") {
    for (const std::string& sent : {std::string("refresh-1"), std::string(secrets::key)}) {
        const signed_in user(token_json(ended), {answer(400, R"({"error":")" + sent + "\"}")});
        CHECK_THAT(user.refusal(), Catch::Contains("answered 400") && !Catch::Contains(sent));
    }
}

namespace {

/// Does something at each sleep.
class acting_clock final : public clock {
public:
    acting_clock(std::shared_ptr<testing::manual_clock> base, std::function<void(int)> act)
        : base_(std::move(base)), act_(std::move(act)) {}
    [[nodiscard]] timestamp now() const noexcept override { return base_->now(); }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const noexcept override {
        return base_->steady_now();
    }
    [[nodiscard]] boost::asio::awaitable<void>
    sleep_until(std::chrono::steady_clock::time_point when) const override {
        act_(++sleeps_);
        return base_->sleep_until(when);
    }

private:
    const std::shared_ptr<testing::manual_clock> base_;
    const std::function<void(int)> act_;
    mutable int sleeps_ = 0;
};

} // namespace

TEST_CASE("A process whose refresh token another one has used waits for the new token") {
    for (const int written_at : {1, 9, 0}) { // 0: never
        INFO(written_at);
        signed_in user(token_json(ended), {answer(400, R"({"error":"invalid_grant"})")});
        source_options options = user.services.options();
        options.env.time = std::make_shared<acting_clock>(user.services.time, [&](int sleep) {
            if (sleep == written_at) user.home.write(session_file, token_json(valid));
        });
        const auto source = aws::detail::sso_source(dev(), options);
        if (written_at != 0) user.services.will_answer(answer(200, role_json()));
        std::string found;
        try {
            found = test_support::run([&] { return source->fetch(); }).access_key_id;
        } catch (const error& why) {
            CHECK_THAT(why.info().message, Catch::Contains("invalid_grant"));
        }
        CHECK(found == (written_at != 0 ? "ASIAX" : ""));
        CHECK(user.services.exhausted());
        const auto sleeps = user.services.time->sleeps();
        CHECK(sleeps.size() == (written_at != 0 ? static_cast<std::size_t>(written_at) : 10U));
    }
}
