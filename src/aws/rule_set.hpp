// SPDX-License-Identifier: BSL-1.0
// An endpoint rule set as tables: the form into which tools/update-aws-data.py translates the
// public JSON, and which rule_evaluator interprets. Variables are numbered slots, and getAttr of a
// record is the slot of its field.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace codynamo::aws::detail {

/// The first slots. The order is that of PARAMETERS in the script.
enum class rule_parameter : std::uint8_t {
    region,
    use_dualstack,
    use_fips,
    endpoint,
    account_id,
    account_id_endpoint_mode,
    resource_arn,
    resource_arn_list,
    is_search_operation,
    use_global_endpoint,
};
inline constexpr std::size_t rule_slot_count = 32;
/// In place of an index: there is none.
inline constexpr std::uint8_t no_index = 255;

/// Functions of the rule sets' standard library. Those with several results write consecutive
/// slots.
enum class rule_function : std::uint8_t {
    is_set,
    negate,
    string_equals,
    boolean_equals,
    is_valid_host_label,
    element, ///< getAttr(list, "[index]")
    substring,
    uri_encode,
    partition_of, ///< name, dnsSuffix, dualStackDnsSuffix, supportsFIPS, supportsDualStack
    parse_arn,    ///< partition, service, region, accountId
    parse_url,    ///< scheme, authority, path
};

enum class operand_kind : std::uint8_t { none, boolean, number, text, slot, call };

struct rule_operand {
    operand_kind kind = operand_kind::none;
    /// The boolean or the number itself, else an index.
    std::uint8_t value = 0;
};

struct rule_call {
    rule_function function;
    /// The first slot of the result; no_index: it is not assigned.
    std::uint8_t slot;
    std::array<rule_operand, 4> arguments;
};

enum class rule_kind : std::uint8_t { tree, endpoint, error };

/// Rules are in preorder: a tree's own rules follow it.
struct rule {
    rule_kind kind;
    std::uint8_t text;   ///< the URL of an endpoint, the message of an error
    std::uint8_t scheme; ///< no_index: the request's region and the service's signing name
    std::uint8_t condition_count;
    std::uint16_t first_condition;
    std::uint16_t end; ///< the first rule that is not inside this one
};

/// Indices of texts.
struct auth_scheme {
    std::uint8_t signing_name;
    std::uint8_t signing_region;
};

struct rule_set {
    std::string_view service;
    std::string_view signing_name;
    std::span<const rule> rules;
    std::span<const rule_call> calls;
    std::span<const std::uint8_t> conditions; ///< indices of calls
    std::span<const std::string_view> texts;  ///< "{12}" stands for the text in slot 12
    std::span<const auth_scheme> schemes;
};

} // namespace codynamo::aws::detail
