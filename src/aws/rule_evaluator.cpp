// SPDX-License-Identifier: BSL-1.0
// Source: Smithy, "Endpoint rule set". As in botocore, a tree none of whose rules applies passes on
// to the rule behind it.
#include "aws/rule_evaluator.hpp"

#include "aws/rule_functions.hpp"
#include "aws/text.hpp"

#include <array>
#include <forward_list>
#include <initializer_list>
#include <utility>
#include <variant>

namespace codynamo::aws::detail {
namespace {

using rule_value =
    std::variant<std::monostate, bool, std::string_view, std::span<const std::string>>;

template <class T>
rule_value value_of(const std::optional<T>& given) {
    return given ? rule_value(*given) : rule_value();
}

std::string_view text_of(const rule_value& value) noexcept {
    const auto* text = std::get_if<std::string_view>(&value);
    return text ? *text : std::string_view();
}

bool is_true(const rule_value& value) noexcept {
    const auto* flag = std::get_if<bool>(&value);
    return flag && *flag;
}

/// One evaluation: the slots of its variables. The script has checked types and scopes: what is
/// read is assigned before, and what is compared is set.
class evaluation {
public:
    evaluation(const rule_set& rules, const rule_parameters& given,
               std::span<const partition> known);

    /// Index of the endpoint or error that applies; the number of rules when there is none.
    [[nodiscard]] std::size_t find();
    [[nodiscard]] std::string text(std::size_t index) const;

private:
    [[nodiscard]] bool holds(const rule& each);
    [[nodiscard]] rule_value call(const rule_call& of);
    [[nodiscard]] rule_value compute(const rule_call& of);
    [[nodiscard]] rule_value operand(rule_operand of);
    [[nodiscard]] rule_value part(const rule_call& of);
    [[nodiscard]] rule_value assign(std::uint8_t slot, std::initializer_list<rule_value> values);
    [[nodiscard]] std::string_view keep(std::string text);
    [[nodiscard]] std::size_t number(rule_operand of) const noexcept { return of.value; }

    const rule_set& rules_;
    const std::span<const partition> partitions_;
    std::array<rule_value, rule_slot_count> slots_{};
    /// Texts that were made on the way.
    std::forward_list<std::string> made_;
};

evaluation::evaluation(const rule_set& rules, const rule_parameters& given,
                       std::span<const partition> known)
    : rules_(rules), partitions_(known) {
    const auto set = [&](rule_parameter name, rule_value value) {
        slots_[static_cast<std::size_t>(name)] = value;
    };
    set(rule_parameter::region, value_of(given.region));
    set(rule_parameter::use_dualstack, given.use_dualstack);
    set(rule_parameter::use_fips, given.use_fips);
    set(rule_parameter::endpoint, value_of(given.endpoint));
    set(rule_parameter::account_id, value_of(given.account_id));
    set(rule_parameter::account_id_endpoint_mode, value_of(given.account_id_endpoint_mode));
    set(rule_parameter::resource_arn, value_of(given.resource_arn));
    set(rule_parameter::resource_arn_list, value_of(given.resource_arns));
    set(rule_parameter::is_search_operation, value_of(given.is_search_operation));
    set(rule_parameter::use_global_endpoint, given.use_global_endpoint);
}

std::size_t evaluation::find() {
    std::size_t at = 0;
    while (at < rules_.rules.size()) {
        const rule& each = rules_.rules[at];
        const bool applies = holds(each);
        if (applies && each.kind != rule_kind::tree) return at;
        at = applies ? at + 1 : each.end;
    }
    return at;
}

bool evaluation::holds(const rule& each) {
    for (const auto index : rules_.conditions.subspan(each.first_condition, each.condition_count)) {
        const rule_value value = call(rules_.calls[index]);
        const auto* flag = std::get_if<bool>(&value);
        if (std::holds_alternative<std::monostate>(value) || (flag && !*flag)) return false;
    }
    return true;
}

rule_value evaluation::call(const rule_call& of) {
    const rule_value value = compute(of);
    const bool is_single = of.function == rule_function::element ||
                           of.function == rule_function::substring ||
                           of.function == rule_function::uri_encode;
    return is_single && of.slot != no_index ? assign(of.slot, {value}) : value;
}

rule_value evaluation::compute(const rule_call& of) {
    const rule_value first = operand(of.arguments[0]);
    switch (of.function) {
    case rule_function::is_set:
        return !std::holds_alternative<std::monostate>(first);
    case rule_function::negate:
        return !is_true(first);
    case rule_function::string_equals:
        return text_of(first) == text_of(operand(of.arguments[1]));
    case rule_function::boolean_equals:
        return is_true(first) == is_true(operand(of.arguments[1]));
    case rule_function::is_valid_host_label:
        return is_valid_host_label(text_of(first), is_true(operand(of.arguments[1])));
    case rule_function::element:
    case rule_function::substring:
    case rule_function::uri_encode:
        return part(of);
    case rule_function::partition_of: {
        const partition& in = partition_of(text_of(first), partitions_);
        return assign(of.slot, {in.name, in.dns_suffix, in.dualstack_suffix, in.supports_fips,
                                in.supports_dualstack});
    }
    case rule_function::parse_arn:
        if (const auto arn = parse_arn(text_of(first)))
            return assign(of.slot, {arn->partition, arn->service, arn->region, arn->account_id});
        return {};
    case rule_function::parse_url:
        if (const auto url = parse_url(text_of(first)))
            return assign(of.slot, {url->scheme, url->authority, url->path});
        return {};
    }
    return {};
}

/// The functions whose result is one text.
rule_value evaluation::part(const rule_call& of) {
    const rule_value from = operand(of.arguments[0]);
    if (of.function == rule_function::element) {
        const auto* list = std::get_if<std::span<const std::string>>(&from);
        const std::size_t index = number(of.arguments[1]);
        if (!list || index >= list->size()) return {};
        return std::string_view((*list)[index]);
    }
    if (std::holds_alternative<std::monostate>(from)) return {};
    if (of.function == rule_function::substring) {
        return value_of(substring(text_of(from), number(of.arguments[1]), number(of.arguments[2]),
                                  is_true(operand(of.arguments[3]))));
    }
    std::string encoded;
    append_uri_encoded(encoded, text_of(from));
    return keep(std::move(encoded));
}

rule_value evaluation::operand(rule_operand of) {
    switch (of.kind) {
    case operand_kind::none:
    case operand_kind::number:
        break;
    case operand_kind::boolean:
        return of.value != 0;
    case operand_kind::text: {
        const auto literal = rules_.texts[of.value];
        return literal.find('{') == std::string_view::npos ? literal : keep(text(of.value));
    }
    case operand_kind::slot:
        return slots_[of.value];
    case operand_kind::call:
        return call(rules_.calls[of.value]);
    }
    return {};
}

/// Gives the first of them.
rule_value evaluation::assign(std::uint8_t slot, std::initializer_list<rule_value> values) {
    std::size_t at = slot;
    for (const rule_value& value : values)
        slots_[at++] = value;
    return *values.begin();
}

std::string_view evaluation::keep(std::string text) {
    made_.push_front(std::move(text));
    return made_.front();
}

std::string evaluation::text(std::size_t index) const {
    std::string made;
    std::string_view rest = rules_.texts[index];
    for (auto brace = rest.find('{'); brace != std::string_view::npos; brace = rest.find('{')) {
        made += rest.substr(0, brace);
        std::size_t slot = 0;
        for (++brace; rest[brace] != '}'; ++brace)
            slot = slot * 10 + static_cast<std::size_t>(rest[brace] - '0');
        made += text_of(slots_[slot]);
        rest.remove_prefix(brace + 1);
    }
    return made += rest;
}

} // namespace

rule_result evaluate(const rule_set& rules, const rule_parameters& given,
                     std::span<const partition> known) {
    evaluation of(rules, given, known);
    rule_result result;
    result.rule = of.find();
    if (result.rule == rules.rules.size()) {
        result.error = "no rule applies";
        return result;
    }
    const rule& decided = rules.rules[result.rule];
    (decided.kind == rule_kind::error ? result.error : result.url) = of.text(decided.text);
    result.signing_name = rules.signing_name;
    if (decided.scheme != no_index) {
        const auth_scheme& scheme = rules.schemes[decided.scheme];
        result.signing_region = of.text(scheme.signing_region);
        result.signing_name = of.text(scheme.signing_name);
    }
    return result;
}

} // namespace codynamo::aws::detail
