// SPDX-License-Identifier: BSL-1.0
// The public credential vectors: whole chains with recorded servers, and plans of profiles.
#include "aws/profile_paths.hpp"
#include "aws/profile_sources.hpp"
#include "aws/sso_token.hpp"
#include "support/scripted_services.hpp"
#include "support/vectors.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/profile.hpp>

#include <algorithm>
#include <set>

using namespace codynamo;
using namespace codynamo::aws;
using testing_support::fake_environment;
using testing_support::run;
using testing_support::scratch_folder;
using testing_support::variables;
namespace json = boost::json;

namespace {

std::string text_of(const json::value& value) {
    return std::string(value.as_string());
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
        text.replace(at, what.size(), by);
    return text;
}

/// Method and URL, the query's parts in alphabetical order.
std::string normal_line(const std::string& method, const std::string& url) {
    const auto question = url.find('?');
    std::string path = url.substr(0, question);
    if (std::count(path.begin(), path.end(), '/') == 2) path += '/';
    std::set<std::string> parts;
    std::string rest = question == std::string::npos ? std::string() : url.substr(question + 1);
    while (!rest.empty()) {
        const auto end = rest.find('&');
        parts.insert(rest.substr(0, end));
        rest = end == std::string::npos ? std::string() : rest.substr(end + 1);
    }
    for (const auto& part : parts)
        path += " " + part;
    return method + " " + path;
}

std::string decoded(const std::string& text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && at + 2 < text.size()) {
            plain += static_cast<char>(std::stoi(text.substr(at + 1, 2), nullptr, 16));
            at += 2;
        } else {
            plain += text[at] == '+' ? ' ' : text[at];
        }
    }
    return plain;
}

std::map<std::string, std::string> form_of(const std::string& body) {
    std::map<std::string, std::string> fields;
    std::string rest = body;
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const std::string part = rest.substr(0, end);
        const auto equals = part.find('=');
        fields[decoded(part.substr(0, equals))] = decoded(part.substr(equals + 1));
        rest = end == std::string::npos ? std::string() : rest.substr(end + 1);
    }
    return fields;
}

/// The recordings of upstream, which compares no signatures, are of other runs in a few cases.
bool has_foreign_scope(const std::string& name) {
    return name == "ecs_assume_role" || name == "region_override";
}

bool has_foreign_token(const std::string& name) {
    return name == "ecs_assume_role" || name == "web_identity_token_source_profile";
}

/// "access key/region/service" of an Authorization header or a recorded scope.
std::string scope_without_date(std::string_view scope) {
    constexpr std::string_view prefix = "Credential=";
    if (const auto at = scope.find(prefix); at != scope.npos)
        scope.remove_prefix(at + prefix.size());
    scope = scope.substr(0, scope.find(','));
    const auto first = scope.find('/');
    const auto second = scope.find('/', first + 1);
    if (second == scope.npos) return "none";
    return std::string(scope.substr(0, first)) + std::string(scope.substr(second));
}

void check_request(const std::string& name, const json::object& wanted,
                   const codynamo::testing::fake_request& seen) {
    if (const auto* headers = wanted.if_contains("headers")) {
        for (const auto& [header, value] : headers->as_object()) {
            if (header == "x-amz-security-token" && has_foreign_token(name)) continue;
            INFO(header);
            std::string given(seen.header(header));
            // A charset may stand behind it.
            if (header == "content-type") given = given.substr(0, given.find(';'));
            // One recording has a whole URL for a host.
            CHECK(given == replaced(text_of(value), header == "host" ? "http://" : "\n", ""));
        }
    }
    const auto* scope = wanted.if_contains("sigv4_credential_scope");
    if (scope && !has_foreign_scope(name))
        CHECK(scope_without_date(seen.header("authorization")) ==
              scope_without_date(text_of(*scope)));
    if (const auto* form = wanted.if_contains("form")) {
        const auto fields = form_of(seen.body);
        for (const auto& [field, value] : form->as_object()) {
            INFO(field);
            REQUIRE(fields.contains(std::string(field)));
            if (value != "*") CHECK(fields.at(std::string(field)) == text_of(value));
        }
    }
}

/// A chain case in a world of its own.
class chain_case {
public:
    explicit chain_case(const json::object& all)
        : all_(all), name_(text_of(all.at("name"))), services_(known(), answers()) {
        for (const auto& [path, text] : all_.at("files").as_object()) {
            home_.write(std::string(path).substr(1), replaced(text_of(text), "= /token.jwt",
                                                              "= " + home_.path() + "/token.jwt"));
        }
        services_.time = std::make_shared<codynamo::testing::manual_clock>(present());
    }

    [[nodiscard]] source_options options() const { return services_.options(); }
    [[nodiscard]] const json::object& expect() const { return all_.at("expect").as_object(); }

    void check_requests() const {
        const auto& wanted = all_.at("http").as_array();
        REQUIRE(services_.lines().size() == wanted.size());
        for (std::size_t i = 0; i != wanted.size(); ++i) {
            const auto& request = wanted[i].at("request").as_object();
            const std::string& line = services_.lines()[i];
            const auto space = line.find(' ');
            CHECK(normal_line(line.substr(0, space), line.substr(space + 1)) ==
                  normal_line(text_of(request.at("method")), text_of(request.at("uri"))));
            check_request(name_, request, services_.requests()[i]);
        }
    }

private:
    [[nodiscard]] variables known() const {
        variables all;
        for (const auto& [name, value] : all_.at("env").as_object()) {
            std::string text = text_of(value);
            const bool is_path = name == "HOME" || name.ends_with("_FILE");
            all[std::string(name)] = is_path ? home_.path() + text : text;
        }
        if (const auto* retries = all_.if_contains("retries"); retries && *retries == "disabled")
            all["AWS_MAX_ATTEMPTS"] = "1";
        return all;
    }

    [[nodiscard]] std::vector<codynamo::testing::fake_response> answers() const {
        std::vector<codynamo::testing::fake_response> all;
        for (const auto& each : all_.at("http").as_array()) {
            const auto& response = each.at("response").as_object();
            codynamo::testing::fake_response made;
            made.status = response.at("status").to_number<unsigned>();
            if (const auto* body = response.if_contains("body")) made.body = text_of(*body);
            if (const auto* headers = response.if_contains("headers")) {
                for (const auto& [header, value] : headers->as_object())
                    made.headers.emplace_back(header, text_of(value));
            }
            all.push_back(std::move(made));
        }
        return all;
    }

    /// The recorded credentials have expired long since.
    [[nodiscard]] timestamp present() const {
        const auto* clock = all_.if_contains("clock");
        if (clock && clock->is_string()) {
            REQUIRE(*clock == "1970-01-01T00:00:00Z");
            return timestamp();
        }
        const auto* wanted = expect().if_contains("credentials");
        const auto* expiry = wanted ? wanted->as_object().if_contains("expiry") : nullptr;
        if (!expiry) return timestamp(std::chrono::seconds(1'200'000'000));
        return timestamp(std::chrono::seconds(expiry->to_number<std::int64_t>() - 3600));
    }

    const json::object& all_;
    const std::string name_;
    const scratch_folder home_;
    testing_support::scripted_services services_;
};

void check_credentials(const json::object& wanted, const credentials& found) {
    const auto text = [&](const char* key) {
        const auto* value = wanted.if_contains(key);
        return value ? text_of(*value) : std::string();
    };
    CHECK(found.access_key_id == text("access_key_id"));
    CHECK(found.secret_access_key == text("secret_access_key"));
    CHECK(found.session_token == text("session_token"));
    CHECK(found.account_id == text("account_id"));
    const auto* expiry = wanted.if_contains("expiry");
    REQUIRE(found.expires.has_value() == (expiry != nullptr));
    if (expiry) {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(*found.expires);
        CHECK(seconds.time_since_epoch().count() == expiry->to_number<std::int64_t>());
    }
}

void run_token_case(const chain_case& each) {
    const source_options options = each.options();
    const auto files = load_profile_files(options.env);
    const auto plan = detail::plan_profile(files, profile_name(options.env, {}));
    const auto token = run(detail::resolve_sso_token(std::get<sso_config>(plan.first), options));
    const auto& wanted = each.expect().at("token").as_object();
    CHECK(token.access_token.text() == wanted.at("token").as_string());
    CHECK(wanted.at("expiration").as_string() == "2080-10-16T03:56:45Z");
    CHECK(token.expires == timestamp(std::chrono::seconds(3496276605)));
}

void run_credentials_case(const chain_case& each, bool whole_chain) {
    const auto provider =
        whole_chain ? default_credentials(each.options()) : profile_credentials(each.options());
    const auto* wanted = each.expect().if_contains("credentials");
    try {
        const auto found = run(provider->resolve());
        if (wanted)
            check_credentials(wanted->as_object(), *found);
        else
            FAIL_CHECK("there are credentials: " << found->access_key_id);
    } catch (const error& why) {
        INFO(why.what());
        CHECK(why.code() == errc::no_credentials);
        CHECK(wanted == nullptr);
    }
}

std::string word(const json::object& from, const char* key) {
    const auto* value = from.if_contains(key);
    return value ? text_of(*value) : std::string();
}

/// What a plan is in the vectors' words, one line for each step.
std::string lines_of(const detail::profile_plan& plan) {
    std::string out;
    if (const auto* keys = std::get_if<credentials>(&plan.first)) {
        out = "AccessKey " + keys->access_key_id + " " + keys->secret_access_key + " " +
              keys->account_id;
    } else if (const auto* named = std::get_if<detail::named_source>(&plan.first)) {
        constexpr const char* names[] = {"Environment", "EcsContainer", "Ec2InstanceMetadata"};
        out = std::string("NamedSource ") + names[static_cast<int>(*named)];
    } else if (const auto* web = std::get_if<detail::web_identity_config>(&plan.first)) {
        out = "WebIdentityToken " + web->role_arn + " " + web->token_file + " " + web->session_name;
    } else if (const auto* sso = std::get_if<sso_config>(&plan.first)) {
        out = "Sso " + sso->account_id + " " + sso->region + " " + sso->role_name + " " +
              sso->start_url + " " + sso->session;
    }
    for (const auto& role : plan.roles)
        out += "\nAssumeRole " + role.role_arn + " " + role.external_id + " " + role.session_name;
    return out;
}

std::string lines_of(const json::array& chain) {
    std::string out;
    for (const auto& step : chain) {
        const auto& [kind, value] = *step.as_object().begin();
        if (!out.empty()) out += "\n";
        out += std::string(kind);
        if (value.is_string()) {
            out += " " + text_of(value);
            continue;
        }
        const std::map<std::string_view, std::vector<const char*>> keys{
            {"AccessKey", {"access_key_id", "secret_access_key", "account_id"}},
            {"AssumeRole", {"role_arn", "external_id", "role_session_name"}},
            {"WebIdentityToken", {"role_arn", "web_identity_token_file", "role_session_name"}},
            {"Sso",
             {"sso_account_id", "sso_region", "sso_role_name", "sso_start_url", "sso_session"}}};
        for (const char* key : keys.at(kind))
            out += " " + word(value.as_object(), key);
    }
    return out;
}

void fill(std::map<std::string, profile_section, std::less<>>& sections, const json::value* from) {
    if (!from) return;
    for (const auto& [name, properties] : from->as_object()) {
        auto& section = sections[std::string(name)];
        for (const auto& [key, value] : properties.as_object())
            section[std::string(key)] = text_of(value);
    }
}

} // namespace

TEST_CASE("the public chain cases pass from files and variables to recorded requests") {
    const auto suite = testing_support::load_vectors("credentials_vectors.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    for (const auto& each : suite->at("chain_cases").as_array()) {
        const auto& all = each.as_object();
        INFO(text_of(all.at("suite")) << ": " << text_of(all.at("name")));
        const chain_case world(all);
        const auto kind = text_of(all.at("suite"));
        if (kind == "sso_token_provider")
            run_token_case(world);
        else
            run_credentials_case(world, kind == "default_chain");
        world.check_requests();
        tally.pass();
    }
    tally.print("credentials_vectors.json, chain_cases");
    CHECK(tally.passed() == 50);
}

TEST_CASE("the public profiles with roles become the chains they should") {
    const auto suite = testing_support::load_vectors("credentials_vectors.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    for (const auto& each : suite->at("assume_role_profile_cases").as_array()) {
        INFO(text_of(each.at("docs")));
        const auto& input = each.at("input").as_object();
        profile_files files;
        fill(files.profiles, &input.at("profiles"));
        fill(files.sso_sessions, input.if_contains("sso_sessions"));
        const auto* chain = each.at("output").as_object().if_contains("ProfileChain");
        std::string got;
        try {
            got = lines_of(detail::plan_profile(files, text_of(input.at("selected_profile"))));
        } catch (const error& refused) {
            CHECK(refused.code() == errc::no_credentials);
            got = "error";
        }
        CHECK(got == (chain ? lines_of(chain->as_array()) : "error"));
        tally.pass();
    }
    tally.print("credentials_vectors.json, assume_role_profile_cases");
    CHECK(tally.passed() == 28);
}

TEST_CASE("the public cases of file locations pass") {
    const auto suite = testing_support::load_vectors("credentials_vectors.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    for (const auto& each : suite->at("file_location_cases").as_array()) {
        if (each.at("platform") != "linux") {
            tally.skip("Windows");
            continue;
        }
        INFO(text_of(each.at("name")));
        variables known;
        for (const auto& [name, value] : each.at("environment").as_object())
            known[std::string(name)] = text_of(value);
        const environment env = fake_environment(known);
        CHECK(detail::config_file_path(env) == each.at("configLocation").as_string());
        CHECK(detail::credentials_file_path(env) == each.at("credentialsLocation").as_string());
        if (const auto* profile = each.as_object().if_contains("profile"))
            CHECK(profile_name(env, {}) == profile->as_string());
        tally.pass();
    }
    tally.print("credentials_vectors.json, file_location_cases");
    CHECK(tally.passed() == 4);
}
