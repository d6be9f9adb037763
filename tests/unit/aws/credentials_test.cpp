// SPDX-License-Identifier: BSL-1.0
// Where credentials come from, and what happens when they do not.
#include "support/vectors.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/credentials.hpp>

#include <boost/asio/error.hpp>

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

    void becomes(answer what) { what_ = what; }
    int asked = 0;
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

TEST_CASE("a profile gives credentials, is broken, or is not configured") {
    struct row {
        const char* config;
        const char* credentials;
        variables more;
        const char* profile;
        /// The access key id, or the refusal.
        const char* outcome;
        bool unset;
    };
    constexpr auto keys = "aws_access_key_id = A\naws_secret_access_key = s\n";
    const std::string own = std::string("[profile p]\n") + keys;
    const std::string role = own + "role_arn = arn:x\nsource_profile = p\n";
    const std::string process = own + "credential_process = /bin/x\n";
    const row rows[] = {
        {"", "", {}, "", "not configured: there is no profile \"default\"", true},
        {"[default]\nregion = x\n",
         "",
         {},
         "",
         "not configured: profile \"default\" has no credentials",
         true},
        {own.c_str(), "", {}, "p", "A", false},
        {own.c_str(), "", {{"AWS_PROFILE", "p"}}, "", "A", false},
        {own.c_str(), "[p]\naws_access_key_id = B\n", {}, "p", "B", false},
        {own.c_str(), "", {}, "q", "profile \"q\" does not exist", false},
        {"", "", {{"AWS_PROFILE", "q"}}, "", "profile \"q\" does not exist", false},
        {"",
         "[default]\naws_access_key_id = A\n",
         {},
         "",
         "profile \"default\" has no aws_secret_access_key",
         false},
        {"",
         "[default]\naws_secret_access_key = evil\n",
         {},
         "",
         "profile \"default\" has no aws_access_key_id",
         false},
        {"",
         "[default]\nevil\n",
         {},
         "",
         "credentials file line 2: '=' is missing after the name of a property",
         false},
        {"",
         "[default]\naws_access_key_id = A\naws_secret_access_key =\n a = evil\n",
         {},
         "",
         "profile \"default\": credentials: secret access key holds a control character",
         false},
        {role.c_str(),
         "",
         {},
         "p",
         "profile \"p\" has role_arn: configured but not supported",
         false},
        {process.c_str(),
         "",
         {},
         "p",
         "profile \"p\" has credential_process: configured but not supported",
         false},
        {"[default]\nsso_session = x\n",
         "",
         {},
         "",
         "profile \"default\" has sso_session: configured but not supported",
         false},
    };
    for (const row& each : rows) {
        const scratch_folder home;
        home.write(".aws/config", each.config);
        home.write(".aws/credentials", each.credentials);
        variables known = each.more;
        known["HOME"] = home.path();
        const auto provider = profile_credentials(fake_environment(known), each.profile);
        INFO(each.outcome);
        std::string outcome;
        bool unset = false;
        try {
            outcome = run(provider->resolve())->access_key_id;
        } catch (const error& refused) {
            outcome = refused.info().message;
            unset = dynamic_cast<const not_configured*>(&refused) != nullptr;
            CHECK(refused.code() == errc::no_credentials);
        }
        CHECK(outcome == each.outcome);
        CHECK(unset == each.unset);
    }
}

TEST_CASE("a profile is read once, and again after its credentials were invalidated") {
    const scratch_folder home;
    home.write(".aws/credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = s\n"
                                   "aws_session_token = t\naws_account_id = 7\n");
    const auto provider = profile_credentials(fake_environment({{"HOME", home.path()}}));
    const auto first = run(provider->resolve());
    CHECK(first->session_token == "t");
    CHECK(first->account_id == "7");
    home.write(".aws/credentials", "[default]\naws_access_key_id = B\naws_secret_access_key = s\n");
    CHECK(run(provider->resolve()) == first);
    provider->invalidate(first);
    CHECK(run(provider->resolve())->access_key_id == "B");
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
    CHECK(refusal_of(chain) == "not configured: a: not configured: nothing here; chain: not "
                               "configured: b: not configured: nothing here");
    CHECK(is_not_configured(chain));
    CHECK(refusal_of(chain_credentials({})) == "not configured: the chain has no providers");
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

TEST_CASE("by default the environment comes before the shared files") {
    const scratch_folder home;
    home.write(".aws/credentials", "[default]\naws_access_key_id = F\naws_secret_access_key = s\n");
    CHECK(run(default_credentials(fake_environment({{"HOME", home.path()}}))->resolve())
              ->access_key_id == "F");
    const variables both{
        {"HOME", home.path()}, {"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "s"}};
    CHECK(run(default_credentials(fake_environment(both))->resolve())->access_key_id == "E");
    CHECK_THAT(
        refusal_of(default_credentials(fake_environment(variables()))),
        Catch::StartsWith("not configured: environment: not configured: AWS_ACCESS_KEY_ID") &&
            Catch::Contains("; profile: not configured: there is no profile \"default\""));
}

TEST_CASE("the public chain cases of environment and static profiles pass") {
    const auto suite = testing_support::load_vectors("credentials_vectors.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    for (const auto& each : suite->at("chain_cases").as_array()) {
        std::set<std::string> labels;
        for (const auto& label : each.at("providers").as_array()) {
            labels.emplace(label.as_string());
        }
        labels.erase("env");
        labels.erase("profile_static");
        if (!labels.empty()) {
            tally.skip("needs another provider");
            continue;
        }
        INFO(each.at("name").as_string());
        const scratch_folder root;
        variables known;
        for (const auto& [name, value] : each.at("env").as_object()) {
            known[std::string(name)] = std::string(value.as_string());
        }
        known["HOME"] = root.path() + known["HOME"];
        for (const auto& [path, text] : each.at("files").as_object()) {
            root.write(std::string(path).substr(1), std::string(text.as_string()));
        }
        const auto provider = default_credentials(fake_environment(known));
        const auto* wanted = each.at("expect").as_object().if_contains("credentials");
        if (!wanted) {
            refusal_of(provider);
            tally.pass();
            continue;
        }
        const auto found = run(provider->resolve());
        CHECK(found->access_key_id == wanted->at("access_key_id").as_string());
        CHECK(found->secret_access_key == wanted->at("secret_access_key").as_string());
        const auto* account = wanted->as_object().if_contains("account_id");
        CHECK(found->account_id == (account ? account->as_string() : ""));
        CHECK(found->session_token.empty());
        tally.pass();
    }
    tally.print("credentials_vectors.json, chain");
    CHECK(tally.passed() > 0);
}
