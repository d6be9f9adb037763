// SPDX-License-Identifier: BSL-1.0
// endpoint: where the requests of the other verbs go, found the way a client finds it.
#include "output.hpp"
#include "program.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/endpoint.hpp>
#include <codynamo/aws/settings.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tool {
namespace asio = boost::asio;
namespace json = boost::json;
namespace aws = codynamo::aws;

namespace {

struct endpoint_options {
    std::optional<bool> fips;
    std::optional<bool> dualstack;
    std::optional<std::string> account_id;
    std::string account_id_mode;
    std::vector<std::string> resource_arns;
};

/// Throws errc::invalid_argument.
aws::account_id_endpoint_mode mode_of(const std::string& word,
                                      const aws::shared_settings& settings) {
    using mode = aws::account_id_endpoint_mode;
    if (word.empty()) return settings.account_id_mode.value_or(mode::preferred);
    if (word == "preferred") return mode::preferred;
    if (word == "disabled") return mode::disabled;
    if (word == "required") return mode::required;
    throw codynamo::error(codynamo::errc::invalid_argument,
                          "--account-id-endpoint-mode: '" + word +
                              "' is none of preferred, disabled and required");
}

/// What is given, else what environment and profile say, as a client has it; without the account
/// of the credentials.
aws::endpoint_parameters parameters_of(const global_options& global,
                                       const endpoint_options& options) {
    const codynamo::environment env;
    const auto files = aws::load_profile_files(env);
    const std::string profile = aws::profile_name(env, global.profile);
    const auto settings = aws::read_settings(env, files, profile);
    aws::endpoint_parameters of;
    of.region = aws::resolve_region(global.region, env, files, profile);
    of.use_fips = options.fips.value_or(settings.use_fips.value_or(false));
    of.use_dualstack = options.dualstack.value_or(settings.use_dualstack.value_or(false));
    of.endpoint = aws::resolve_endpoint_url(global.endpoint, env, files, profile);
    of.mode = mode_of(options.account_id_mode, settings);
    // An id that is given and empty is a wrong one, not one that is not known.
    if (options.account_id) of.account_id = options.account_id->empty() ? " " : *options.account_id;
    const auto& arns = options.resource_arns;
    if (!arns.empty()) {
        of.resource_arn = arns.front();
        of.resource_arns.assign(arns.begin() + 1, arns.end());
    } else {
        of.resource_arn = global.table;
    }
    return of;
}

/// Where the host may depend on the account, it is that of the credentials, which may have to be
/// fetched. Empty where there are none: then a request is not sent at all.
asio::awaitable<std::string> account_of_credentials(const global_options& global,
                                                    const aws::endpoint_parameters& of) {
    aws::source_options options = source_options_of(global);
    options.use_fips = of.use_fips;
    options.use_dualstack = of.use_dualstack;
    try {
        const auto provider = aws::default_credentials(std::move(options));
        const auto found = co_await provider->resolve();
        co_return found->account_id;
    } catch (const codynamo::error& why) {
        complain("the account is unknown: " + std::string(why.what()));
        co_return std::string();
    }
}

asio::awaitable<int> endpoint(program& self, std::shared_ptr<endpoint_options> options) {
    aws::endpoint_parameters of = parameters_of(self.global, *options);
    const bool by_account =
        of.endpoint.empty() && of.mode != aws::account_id_endpoint_mode::disabled;
    if (by_account && !options->account_id) {
        // What the rules refuse whatever the account is refused without asking for it.
        aws::endpoint_parameters any = of;
        any.mode = aws::account_id_endpoint_mode::disabled;
        (void)aws::resolve_endpoint(any);
        of.account_id = co_await account_of_credentials(self.global, of);
    }
    const auto found = aws::resolve_endpoint(of);
    print_answer(self.global.json, json::object{{"url", found.url()},
                                                {"signing_region", found.signing_region},
                                                {"signing_service", found.signing_service}});
    co_return exit_ok;
}

/// This verb prints JSON in any case, refusals too.
int run_endpoint(program& self, const std::shared_ptr<endpoint_options>& options) {
    try {
        return run(endpoint(self, options));
    } catch (const codynamo::error& why) {
        if (!self.global.json.is_stdout()) print_json(describe(why));
        throw;
    }
}

} // namespace

void add_endpoint_verb(CLI::App& app, program& self) {
    const auto options = std::make_shared<endpoint_options>();
    auto* verb = app.add_subcommand(
        "endpoint", "Where requests would go, and what they would be signed for; prints JSON");
    // Not as flags of optional values, which CLI11 sets to false when they are not given.
    verb->add_flag_function(
        "--fips", [options](std::int64_t count) { options->fips = count > 0; },
        "FIPS endpoint (else AWS_USE_FIPS_ENDPOINT)");
    verb->add_flag_function(
        "--dualstack", [options](std::int64_t count) { options->dualstack = count > 0; },
        "IPv4 and IPv6 endpoint (else AWS_USE_DUALSTACK_ENDPOINT)");
    verb->add_option("--account-id", options->account_id,
                     "Account of the credentials (else that of the credentials that are found)");
    verb->add_option("--account-id-endpoint-mode", options->account_id_mode,
                     "preferred, disabled or required (else AWS_ACCOUNT_ID_ENDPOINT_MODE)");
    verb->add_option("--resource-arn", options->resource_arns,
                     "ARN of the request's table (else --table); more of them are those of its "
                     "batch, of which only the first counts")
        ->expected(1)
        ->take_all();
    verb->callback([&self, options] {
        self.chosen = [&self, options] { return run_endpoint(self, options); };
    });
}

} // namespace tool
