// SPDX-License-Identifier: BSL-1.0
// The public cases of the endpoint rules, all but those of vector search.
#include "support/vectors.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/endpoint.hpp>

#include <string_view>
#include <utility>

using namespace codynamo;
using namespace codynamo::aws;
namespace json = boost::json;

namespace {

std::string text(const json::object& params, std::string_view name) {
    const auto* found = params.if_contains(name);
    return found ? std::string(found->as_string()) : std::string();
}

bool on(const json::object& params, std::string_view name) {
    const auto* found = params.if_contains(name);
    return found && found->as_bool();
}

account_id_endpoint_mode mode_of(const json::object& params) {
    const auto word = text(params, "AccountIdEndpointMode");
    if (word == "preferred") return account_id_endpoint_mode::preferred;
    if (word == "required") return account_id_endpoint_mode::required;
    CHECK((word.empty() || word == "disabled"));
    return account_id_endpoint_mode::disabled;
}

endpoint_parameters parameters_of(const json::object& params) {
    endpoint_parameters of;
    of.region = text(params, "Region");
    of.use_fips = on(params, "UseFIPS");
    of.use_dualstack = on(params, "UseDualStack");
    of.endpoint = text(params, "Endpoint");
    of.account_id = text(params, "AccountId");
    // Here an empty id is one that is not known. These cases want one that is known and wrong.
    if (of.account_id.empty() && params.contains("AccountId")) of.account_id = " ";
    of.mode = mode_of(params);
    of.resource_arn = text(params, "ResourceArn");
    if (const auto* list = params.if_contains("ResourceArnList")) {
        for (const auto& arn : list->as_array())
            of.resource_arns.emplace_back(arn.as_string());
    }
    return of;
}

/// Which words of ours say what the rule set's error says.
std::string_view our_words(std::string_view theirs) {
    constexpr std::pair<std::string_view, std::string_view> table[] = {
        {"FIPS and custom endpoint", "FIPS and a custom endpoint"},
        {"Dualstack and custom endpoint", "dualstack and a custom endpoint"},
        {"FIPS and local", "FIPS and the local endpoint"},
        {"Dualstack and local", "dualstack and the local endpoint"},
        {"Endpoint override is not supported for dual-stack", "dualstack one"},
        {"required and FIPS is enabled", "required and FIPS is on"},
        {"not supported in this partition", "has no endpoints of accounts"},
        {"no AccountID was provided", "the account id is not known"},
        {"account ID parameter is invalid", "the account id of the credentials is no host label"},
        {"Missing Region", "region is missing"},
    };
    for (const auto& [known, ours] : table) {
        if (theirs.find(known) != std::string_view::npos) return ours;
    }
    return "a refusal that this table does not know";
}

void check_case(const endpoint_parameters& of, const json::object& expected) {
    if (const auto* refused = expected.if_contains("error")) {
        const auto words = testing_support::message_of(errc::invalid_argument,
                                                       [&] { (void)resolve_endpoint(of); });
        CHECK_THAT(words, Catch::Contains(std::string(our_words(refused->as_string()))));
        return;
    }
    const auto where = resolve_endpoint(of);
    CHECK(where.url() == expected.at("url").as_string());
    const auto* region = expected.if_contains("signing_region");
    CHECK(where.signing_region == (region ? std::string(region->as_string()) : of.region));
    const auto* service = expected.if_contains("signing_name");
    CHECK(where.signing_service == (service ? std::string(service->as_string()) : "dynamodb"));
}

} // namespace

TEST_CASE("the public endpoint cases pass") {
    const auto suite = testing_support::load_vectors("endpoint_vectors.json");
    if (!suite) return;
    testing_support::vector_tally tally;
    for (const auto& each : suite->as_array()) {
        const auto& params = each.at("params").as_object();
        if (on(params, "IsSearchOperation")) {
            tally.skip("vector search");
            continue;
        }
        INFO("case " << each.at("id").as_int64());
        check_case(parameters_of(params), each.at("expect").as_object());
        tally.pass();
    }
    tally.print("endpoint_vectors.json");
    CHECK(tally.passed() >= 371);
}
