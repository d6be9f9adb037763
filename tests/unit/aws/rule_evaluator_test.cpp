// SPDX-License-Identifier: BSL-1.0
// The interpreter of rule sets, over a small rule set: order, scopes of trees, texts, and the
// functions that the public rule sets do not call. tests/interop compares the public ones.
#include "aws/rule_evaluator.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace codynamo::aws::detail;

namespace {

using f = rule_function;
using o = operand_kind;
using k = rule_kind;

constexpr std::uint8_t region = 0, endpoint = 3, account = 4, arns = 7, first = 10, made = 11;

constexpr std::string_view texts[] = {"a{10}b", "prefix",   "got {11} of {0}",
                                      "{4}",    "the name", "no such {0}"};
constexpr rule_call calls[] = {
    {f::is_set, no_index, {{{o::slot, region}}}},
    {f::element, first, {{{o::slot, arns}, {o::number, 1}}}},
    {f::string_equals, no_index, {{{o::slot, endpoint}, {o::text, 0}}}},
    {f::substring, made, {{{o::slot, account}, {o::number, 0}, {o::number, 2}, {o::boolean, 1}}}},
    {f::uri_encode, made, {{{o::slot, account}}}},
    {f::is_valid_host_label, no_index, {{{o::slot, account}, {o::boolean, 1}}}},
    {f::negate, no_index, {{{o::call, 5}}}},
};
// 0 region, 1 and 2 element compared, 3 substring, 4 uriEncode, 5 not a host name
constexpr std::uint8_t conditions[] = {0, 1, 2, 3, 6, 4};
constexpr auth_scheme schemes[] = {{4, 3}};
constexpr rule rules[] = {
    {k::tree, no_index, no_index, 1, 0, 4}, // the region is set
    {k::error, 5, no_index, 2, 1, 2},       // the endpoint is "a<second ARN>b"
    {k::endpoint, 2, no_index, 2, 4, 3},    // the account is no host name: encoded
    {k::endpoint, 2, 0, 1, 3, 4},           // the account's last two characters
    {k::error, 1, no_index, 0, 0, 5},       // else
};
constexpr rule_set example{"example", "signing", rules, calls, conditions, texts, schemes};

} // namespace

TEST_CASE("the first rule whose conditions hold decides") {
    const std::vector<std::string> two{"x", "y"}, one{"x"};
    struct row {
        std::optional<std::string_view> region, endpoint, account;
        std::optional<std::span<const std::string>> arns;
        std::size_t rule;
        const char* text;
    };
    const row rows[] = {
        {{}, {}, "1234", two, 4, "prefix"},
        {"r", "ayb", "1234", two, 1, "no such r"},
        {"r", "axb", "1234", two, 3, "got 34 of r"},
        {"r", "ayb", "1234", one, 3, "got 34 of r"},
        {"r", "ayb", "1234", {}, 3, "got 34 of r"},
        {"", {}, "12", {}, 3, "got 12 of "},
        {"r", {}, "a b", {}, 2, "got a%20b of r"},
        // A tree whose rules all fail passes on to the rule behind it.
        {"r", {}, "a", {}, 4, "prefix"},
    };
    for (const row& each : rows) {
        INFO(each.text << " by rule " << each.rule);
        rule_parameters given;
        given.region = each.region;
        given.endpoint = each.endpoint;
        given.account_id = each.account;
        given.resource_arns = each.arns;
        const rule_result found = evaluate(example, given);
        CHECK(found.rule == each.rule);
        const bool refused = example.rules[each.rule].kind == rule_kind::error;
        CHECK((refused ? found.error : found.url) == each.text);
        CHECK((refused ? found.url : found.error).empty());
        const bool has_scheme = each.rule == 3;
        CHECK(found.signing_name == (has_scheme ? "the name" : "signing"));
        CHECK(found.signing_region == (has_scheme ? each.account.value() : ""));
    }
}

TEST_CASE("a rule set none of whose rules applies refuses") {
    rule_set without_last = example;
    without_last.rules = without_last.rules.first(4);
    const rule_result found = evaluate(without_last, {});
    CHECK(found.rule == 4);
    CHECK(found.error == "no rule applies");
    CHECK(found.url.empty());
}

TEST_CASE("every public rule set keeps to its tables") {
    for (const rule_set* each :
         {&dynamodb_rule_set, &sts_rule_set, &sso_rule_set, &sso_oidc_rule_set}) {
        INFO(each->service);
        CHECK(each->rules.size() > 20);
        CHECK_FALSE(each->signing_name.empty());
        for (const rule& one : each->rules) {
            CHECK(one.end <= each->rules.size());
            CHECK(std::size_t{one.first_condition} + one.condition_count <=
                  each->conditions.size());
            CHECK((one.kind == rule_kind::tree) == (one.text == no_index));
            CHECK((one.text == no_index || one.text < each->texts.size()));
            CHECK((one.scheme == no_index || one.scheme < each->schemes.size()));
        }
        for (const auto index : each->conditions)
            CHECK(index < each->calls.size());
    }
    CHECK_FALSE(endpoint_data_version.empty());
}
