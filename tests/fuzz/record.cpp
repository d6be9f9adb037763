// SPDX-License-Identifier: BSL-1.0
// Records: the reader without a tree and the one with a tree agree, and what is read can be
// written.
#include "cache/record_item.hpp"
#include "dynamodb/codec.hpp"
#include "fuzz/targets.hpp"

#include <optional>
#include <string>

namespace codynamo::fuzz {
namespace {

std::optional<codynamo::record> by_tree(const record_attributes& names, std::string_view answer) {
    dynamodb::get_item_output out;
    dynamodb::decode(answer, out);
    if (!out.item) return std::nullopt;
    return detail::to_record(names, *out.item);
}

template <class Read>
bool reads(Read read, std::optional<codynamo::record>& out) {
    return succeeds([&] { out = read(); }, errc::bad_response, errc::deserialize_failed);
}

/// Whether it can be read once each name stands there once.
bool reads_without_tree(const record_attributes& names, std::string_view answer) {
    dynamodb::get_item_output out;
    dynamodb::decode(answer, out);
    dynamodb::put_item_input put;
    if (out.item) put.item = *std::move(out.item);
    std::string text;
    dynamodb::encode(put, text);
    std::optional<codynamo::record> found;
    return reads([&] { return detail::decode_record(names, text); }, found);
}

} // namespace

void record(std::string_view input) {
    const record_attributes names;
    const std::string answer(input);
    std::optional<codynamo::record> streamed;
    std::optional<codynamo::record> treed;
    const bool one = reads([&] { return detail::decode_record(names, answer); }, streamed);
    const bool other = reads([&] { return by_tree(names, answer); }, treed);
    // The one without a tree does not look at attributes that are no concern of a record's, and
    // refuses what is wrong in the first of two of the same name.
    if (!one && other) require(reads_without_tree(names, answer), "what the tree reads");
    if (!one || !other) return;
    require(streamed.has_value() == treed.has_value(), "both find it or none");
    if (!streamed) return;
    require(streamed->value == treed->value && streamed->written == treed->written &&
                streamed->lifetime == treed->lifetime,
            "both read the same record");
    const auto text = detail::seconds_text(streamed->lifetime);
    require(detail::parse_seconds(text) == streamed->lifetime, "a lifetime reads back");
}

} // namespace codynamo::fuzz
