// SPDX-License-Identifier: BSL-1.0
// Where credentials come from, and what happens when they do not.
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/credentials.hpp>
#include <codynamo/testing/manual_clock.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <set>

using namespace codynamo;
using namespace codynamo::aws;
using testing_support::fake_environment;
using testing_support::message_of;
using testing_support::run;
using testing_support::scratch_folder;
using testing_support::variables;

namespace {

/// Answers as it is told, and counts.
class scripted final : public credentials_provider {
public:
    enum class answer { found, unset, broken, cancelled };
    scripted(const char* name, answer what) : what_(what), name_(name) {}

    [[nodiscard]] std::string_view name() const noexcept override { return name_; }
    [[nodiscard]] credentials_ptr current() const override { return known_; }
    [[nodiscard]] boost::asio::awaitable<credentials_ptr> resolve() override {
        ++asked;
        switch (what_) {
        case answer::unset:
            throw not_configured("nothing here");
        case answer::broken:
            throw error(errc::timeout, "the service did not answer");
        case answer::cancelled:
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        case answer::found:
            break;
        }
        known_ = std::make_shared<const credentials>(name_, "secret");
        co_return known_;
    }
    void invalidate(const credentials_ptr& expired) override { invalidated = expired; }
    void abandon_renewal() override { ++abandoned; }
    void set_clock_offset(std::chrono::microseconds ahead) override { offset = ahead; }

    void becomes(answer what) { what_ = what; }
    int asked = 0;
    int abandoned = 0;
    std::chrono::microseconds offset{};
    credentials_ptr invalidated;

private:
    answer what_;
    const char* name_;
    credentials_ptr known_;
};

using answer = scripted::answer;

std::string refusal_of(const credentials_provider_ptr& provider) {
    return message_of(errc::no_credentials, [&] { (void)run(provider->resolve()); });
}

bool is_not_configured(const credentials_provider_ptr& provider) {
    try {
        (void)run(provider->resolve());
    } catch (const not_configured&) {
        return true;
    } catch (const error&) {
    }
    return false;
}

} // namespace

TEST_CASE("credentials copy, move and are exchanged as values") {
    credentials first("id", "a secret that is too long for the small buffer", "token");
    first.account_id = "1";
    first.expires = timestamp(std::chrono::seconds(5));
    credentials second = first;
    CHECK(second.secret_access_key == first.secret_access_key);
    CHECK(second.expires == first.expires);
    credentials third("x", "y");
    third = second;
    CHECK(third.session_token == "token");
    CHECK(second.session_token == "token");
    third = credentials("n", "m");
    CHECK(third.access_key_id == "n");
    CHECK(third.session_token.empty());
    CHECK_FALSE(third.expires);
    const credentials& same = third;
    third = same;
    CHECK(third.secret_access_key == "m");
}

TEST_CASE("a secret is wiped when its credentials go") {
    alignas(credentials) unsigned char place[sizeof(credentials)];
    auto* who = new (place) credentials("id", "short secret", "short token");
    const char* secret = who->secret_access_key.data();
    const char* token = who->session_token.data();
    REQUIRE(std::string(secret, 12) == "short secret");
    who->~credentials();
    // Both fit into the strings' own buffers, which lie in `place` and are still ours to look at.
    std::string left(reinterpret_cast<const char*>(place), sizeof(place));
    CHECK(left.find("secret") == std::string::npos);
    CHECK(left.find("token") == std::string::npos);
    CHECK(secret >= reinterpret_cast<char*>(place));
    CHECK(token >= reinterpret_cast<char*>(place));
}

TEST_CASE("static credentials are at hand at once") {
    const auto provider = static_credentials({"id", "secret", "token"});
    CHECK(provider->name() == "static");
    REQUIRE(provider->current());
    CHECK(provider->current()->session_token == "token");
    CHECK(run(provider->resolve()) == provider->current());
    provider->invalidate(provider->current());
    CHECK(provider->current());
}

TEST_CASE("static credentials that cannot sign are refused without telling them") {
    const credentials bad[] = {{"", "s"},        {"id", ""},           {"evil\n", "s"},
                               {"id", "evil\r"}, {"id", "s", "ev il"}, {"\xc3\xa9vil", "s"}};
    for (const auto& each : bad) {
        const auto message =
            message_of(errc::invalid_argument, [&] { (void)static_credentials(each); });
        CHECK_THAT(message, Catch::StartsWith("credentials: "));
        CHECK(message.find("vil") == std::string::npos);
    }
}

TEST_CASE("the environment gives credentials, is incomplete, or is not configured") {
    const auto full =
        environment_credentials(fake_environment({{"AWS_ACCESS_KEY_ID", " id "},
                                                  {"AWS_SECRET_ACCESS_KEY", "secret\n"},
                                                  {"AWS_SESSION_TOKEN", "token"},
                                                  {"AWS_ACCOUNT_ID", "123"}}));
    CHECK(full->name() == "environment");
    CHECK(full->current() == nullptr);
    const auto found = run(full->resolve());
    CHECK(found->access_key_id == "id");
    CHECK(found->secret_access_key == "secret");
    CHECK(found->session_token == "token");
    CHECK(found->account_id == "123");
    CHECK(full->current() == found);

    struct row {
        variables known;
        const char* message;
        bool unset;
    };
    const row rows[] = {
        {{}, "not configured: AWS_ACCESS_KEY_ID is not set", true},
        {{{"AWS_ACCESS_KEY_ID", " "}, {"AWS_SECRET_ACCESS_KEY", "\t"}},
         "not configured: AWS_ACCESS_KEY_ID is not set",
         true},
        {{{"AWS_ACCESS_KEY_ID", "id"}},
         "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not",
         false},
        {{{"AWS_SECRET_ACCESS_KEY", "evil"}},
         "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not",
         false},
        {{{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "ev\nil"}},
         "environment variables: credentials: secret access key holds a control character",
         false},
    };
    for (const row& each : rows) {
        const auto provider = environment_credentials(fake_environment(each.known));
        CHECK(refusal_of(provider) == each.message);
        CHECK(is_not_configured(provider) == each.unset);
        CHECK(provider->current() == nullptr);
    }
}

TEST_CASE("the environment is read once, and again after its credentials were invalidated") {
    const auto known = std::make_shared<variables>(
        variables{{"AWS_ACCESS_KEY_ID", "one"}, {"AWS_SECRET_ACCESS_KEY", "s"}});
    const auto provider =
        environment_credentials(fake_environment(std::shared_ptr<const variables>(known)));
    const auto first = run(provider->resolve());
    (*known)["AWS_ACCESS_KEY_ID"] = "two";
    CHECK(run(provider->resolve()) == first);
    provider->invalidate(std::make_shared<const credentials>("somebody", "else"));
    CHECK(provider->current() == first);
    provider->invalidate(first);
    CHECK(provider->current() == nullptr);
    CHECK(run(provider->resolve())->access_key_id == "two");
}

TEST_CASE("a chain stays with the first provider that has credentials") {
    const auto unset = std::make_shared<scripted>("unset", answer::unset);
    const auto good = std::make_shared<scripted>("good", answer::found);
    const auto spare = std::make_shared<scripted>("spare", answer::found);
    const auto chain = chain_credentials({unset, good, spare});
    CHECK(chain->current() == nullptr);
    CHECK(run(chain->resolve())->access_key_id == "good");
    CHECK(chain->current() == good->current());
    CHECK(run(chain->resolve())->access_key_id == "good");
    CHECK(unset->asked == 1);
    CHECK(good->asked == 2);
    CHECK(spare->asked == 0);
    chain->invalidate(good->current());
    CHECK(good->invalidated == good->current());
}

TEST_CASE("a chain tells all its providers of the clock, and to abandon a renewal") {
    const auto first = std::make_shared<scripted>("first", answer::unset);
    const auto second = std::make_shared<scripted>("second", answer::found);
    const auto chain = chain_credentials({first, second});
    chain->set_clock_offset(std::chrono::hours(-1));
    CHECK(first->offset == std::chrono::hours(-1));
    CHECK(second->offset == std::chrono::hours(-1));
    CHECK(first->abandoned + second->abandoned == 0);
    chain->abandon_renewal();
    CHECK(first->abandoned == 1);
    CHECK(second->abandoned == 1);
}

TEST_CASE("a broken provider ends the search") {
    const auto unset = std::make_shared<scripted>("unset", answer::unset);
    const auto broken = std::make_shared<scripted>("broken", answer::broken);
    const auto spare = std::make_shared<scripted>("spare", answer::found);
    const auto chain = chain_credentials({unset, broken, spare});
    CHECK(refusal_of(chain) ==
          "unset: not configured: nothing here; broken: the service did not answer");
    CHECK_FALSE(is_not_configured(chain));
    CHECK(spare->asked == 0);
    CHECK(chain->current() == nullptr);
}

TEST_CASE("a chain lists every provider it tried, and is then not configured itself") {
    const auto a = std::make_shared<scripted>("a", answer::unset);
    const auto b = std::make_shared<scripted>("b", answer::unset);
    const auto chain = chain_credentials({a, chain_credentials({b})});
    CHECK(refusal_of(chain) == "no credentials found: a: not configured: nothing here; chain: no "
                               "credentials found: b: not configured: nothing here");
    CHECK(is_not_configured(chain));
    CHECK(refusal_of(chain_credentials({})) == "no credentials found: the chain has no providers");
    CHECK(message_of(errc::invalid_argument, [] { (void)chain_credentials({nullptr}); }) ==
          "credentials chain: a link is null");
}

TEST_CASE("a chain whose provider lost its source searches again") {
    const auto first = std::make_shared<scripted>("first", answer::found);
    const auto second = std::make_shared<scripted>("second", answer::found);
    const auto chain = chain_credentials({first, second});
    CHECK(run(chain->resolve())->access_key_id == "first");
    first->becomes(answer::unset);
    CHECK(run(chain->resolve())->access_key_id == "second");
    first->becomes(answer::broken);
    CHECK(run(chain->resolve())->access_key_id == "second");
}

TEST_CASE("a cancellation passes through a chain untouched") {
    const auto chain = chain_credentials({std::make_shared<scripted>("a", answer::cancelled)});
    try {
        (void)run(chain->resolve());
        FAIL("nothing was thrown");
    } catch (const boost::system::system_error& caught) {
        CHECK(caught.code() == boost::asio::error::operation_aborted);
    }
}

TEST_CASE("AWS_CREDENTIAL_EXPIRATION says when the environment's credentials end") {
    const auto time = std::make_shared<codynamo::testing::manual_clock>();
    struct row {
        const char* expiration;
        /// Empty: they are good.
        const char* refusal;
    };
    const row rows[] = {
        {"2023-11-14T23:13:20Z", ""},
        {" 2023-11-15T00:13:20+01:00 ", ""},
        {"2023-11-14T22:13:19Z", "the credentials expired at 2023-11-14T22:13:19Z, 1 s before they "
                                 "were received; check this machine's clock, and whether "
                                 "environment returns old credentials"},
        {"tomorrow", "AWS_CREDENTIAL_EXPIRATION is no time of the form 2026-01-31T12:00:00Z"},
    };
    for (const row& each : rows) {
        INFO(each.expiration);
        environment env = fake_environment({{"AWS_ACCESS_KEY_ID", "id"},
                                            {"AWS_SECRET_ACCESS_KEY", "secret"},
                                            {"AWS_CREDENTIAL_EXPIRATION", each.expiration}});
        env.time = time;
        const auto provider = environment_credentials(env);
        provider->set_clock_offset({});
        if (*each.refusal) {
            CHECK(refusal_of(provider) == each.refusal);
            CHECK_FALSE(is_not_configured(provider));
        } else {
            CHECK(run(provider->resolve())->expires == timestamp(std::chrono::seconds(1700003600)));
        }
    }
}

TEST_CASE("credentials of the environment that expire are read again, and refused when past") {
    const auto time = std::make_shared<codynamo::testing::manual_clock>();
    const auto known = std::make_shared<variables>(
        variables{{"AWS_ACCESS_KEY_ID", "one"},
                  {"AWS_SECRET_ACCESS_KEY", "s"},
                  {"AWS_CREDENTIAL_EXPIRATION", "2023-11-14T23:13:20Z"}});
    environment env = fake_environment(std::shared_ptr<const variables>(known));
    env.time = time;
    const auto provider = environment_credentials(env);
    provider->set_clock_offset({});
    CHECK(run(provider->resolve())->access_key_id == "one");
    (*known)["AWS_ACCESS_KEY_ID"] = "two";
    (*known)["AWS_CREDENTIAL_EXPIRATION"] = "2023-11-15T00:13:20Z";
    time->advance(std::chrono::minutes(51));
    CHECK(run(provider->resolve())->access_key_id == "two");
    time->advance(std::chrono::hours(2));
    CHECK_THAT(refusal_of(provider),
               Catch::Contains("the credentials expired at 2023-11-15T00:13:20Z"));
}

TEST_CASE("a chain is examined link by link") {
    using links = std::vector<credentials_provider_ptr>;
    const auto unset = std::make_shared<scripted>("unset", answer::unset);
    const auto good = std::make_shared<scripted>("good", answer::found);
    const auto broken = std::make_shared<scripted>("broken", answer::broken);
    const auto said = [](const chain_report& report) {
        std::string all;
        for (const auto& each : report.asked)
            all += each.provider + " = " + each.said + "\n";
        return all;
    };
    const auto found = run(examine_chain(links{unset, good, broken}));
    CHECK(found.provider == "good");
    REQUIRE(found.found);
    CHECK(found.found->access_key_id == "good");
    CHECK(said(found) ==
          "unset = not configured: nothing here\ngood = found\nbroken = not asked\n");
    const auto failed = run(examine_chain(links{unset, broken, good}));
    CHECK_FALSE(failed.found);
    CHECK(failed.provider.empty());
    CHECK(said(failed) == "unset = not configured: nothing here\nbroken = failed: the service did "
                          "not answer\ngood = not asked\n");
    CHECK(broken->asked == 1);
    const auto none = run(examine_chain(links{unset}));
    CHECK_FALSE(none.found);
    CHECK(message_of(errc::invalid_argument, [] { (void)run(examine_chain(links{nullptr})); }) ==
          "credentials chain: a link is null");
}

TEST_CASE("the default chain asks in the order of the SDKs, without the environment for a "
          "profile named in code") {
    const auto names = [](const char* profile) {
        source_options options;
        options.env = fake_environment(variables());
        options.profile = profile;
        std::vector<std::string> all;
        for (const auto& link : default_chain(options))
            all.emplace_back(link->name());
        return all;
    };
    const std::vector<std::string> usual = names("");
    REQUIRE(usual.size() == 5);
    CHECK(usual[0] == "environment");
    CHECK(usual[1] == "profile");
    const std::vector<std::string> named = names("p");
    CHECK(std::set<std::string>(usual.begin(), usual.end()).size() == 5);
    CHECK(named == std::vector<std::string>(usual.begin() + 1, usual.end()));
}

TEST_CASE("a profile named in code without credentials does not mean those of the environment") {
    const testing_support::scratch_folder home;
    home.write(".aws/config", "[profile p]\nregion = eu-west-1\n");
    source_options options;
    options.env = fake_environment({{"HOME", home.path()},
                                    {"AWS_EC2_METADATA_DISABLED", "true"},
                                    {"AWS_ACCESS_KEY_ID", "other"},
                                    {"AWS_SECRET_ACCESS_KEY", "identity"}});
    CHECK(run(default_credentials(options)->resolve())->access_key_id == "other");
    options.profile = "p";
    CHECK_THAT(refusal_of(default_credentials(options)),
               Catch::StartsWith("no credentials found: profile: not configured: "
                                 "profile \"p\" has no credentials; "));
}

TEST_CASE("an exhausted default chain lists all five places with their reasons") {
    source_options options;
    options.env = fake_environment({{"AWS_EC2_METADATA_DISABLED", "true"}});
    const std::string words = refusal_of(default_credentials(options));
    INFO(words);
    CHECK_THAT(words, Catch::StartsWith("no credentials found: environment: not configured: "
                                        "AWS_ACCESS_KEY_ID is not set; profile: not configured: "
                                        "there is no profile \"default\"; "));
    for (const auto& link : default_chain(options))
        CHECK_THAT(words, Catch::Contains(std::string(link->name()) + ": not configured: "));
}
