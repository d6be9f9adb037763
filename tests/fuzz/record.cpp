// SPDX-License-Identifier: BSL-1.0
// Records: the reader without a tree and the one with a tree agree, and what is read can be
// written.
#include "cache/record_item.hpp"
#include "dynamodb/codec.hpp"
#include "fuzz/targets.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

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

using by_key = std::map<std::string, result<codynamo::record>, std::less<>>;

/// What a reader of batches is told, the first answer of each key.
struct batch_told final : detail::batch_answers {
    [[nodiscard]] bool is_table(std::string_view) const override { return true; }
    void found(std::string_view key, result<codynamo::record> what) override {
        records.emplace(std::string(key), std::move(what));
    }
    void left(std::string_view key) override { keys.emplace(key); }
    by_key records;
    std::set<std::string, std::less<>> keys;
};

void read_batch_by_tree(const record_attributes& names, std::string_view answer, batch_told& told) {
    dynamodb::batch_get_item_output out;
    dynamodb::decode(answer, out);
    const auto key_of = [&](const dynamodb::item& item) {
        const auto found = item.find(names.key);
        return found == item.end() ? nullptr : found->second.get_if<std::string>();
    };
    for (const auto& [table, items] : out.responses) {
        for (const dynamodb::item& item : items) {
            const std::string* const key = key_of(item);
            if (!key) continue;
            try {
                told.found(*key, detail::to_record(names, item));
            } catch (const error& why) {
                told.found(*key, {boost::system::in_place_error, why.as_failure()});
            }
        }
    }
    for (const auto& [table, left] : out.unprocessed_keys)
        for (const dynamodb::item& item : left.keys)
            if (const std::string* const key = key_of(item)) told.left(*key);
}

/// Whether some name stands there twice, within one object: then the tree takes the last, and who
/// reads on the way the first.
bool is_plain(std::string_view answer) {
    dynamodb::batch_get_item_output out;
    try {
        dynamodb::decode(answer, out);
    } catch (const error&) {
        return false;
    }
    std::size_t names = 0;
    for (std::size_t at = answer.find(':'); at != answer.npos; at = answer.find(':', at + 1))
        ++names;
    std::size_t counted = 0;
    for (const auto& [table, items] : out.responses) {
        ++counted;
        for (const dynamodb::item& item : items)
            counted += 2 * item.size();
    }
    return out.responses.size() <= 1 && names <= counted + 1;
}

void record_batch(std::string_view answer) {
    const record_attributes names;
    batch_told streamed, treed;
    const bool one =
        succeeds([&] { detail::decode_batch(names, answer, streamed); }, errc::bad_response);
    const bool other =
        succeeds([&] { read_batch_by_tree(names, answer, treed); }, errc::bad_response);
    if (!one || !other || !is_plain(answer)) return;
    require(streamed.records.size() == treed.records.size(), "both find the same keys");
    for (const auto& [key, found] : treed.records) {
        const auto same = streamed.records.find(key);
        require(same != streamed.records.end(), "what the tree finds");
        require(same->second.has_value() == found.has_value(), "both find it a record or not");
        if (!found) continue;
        require(same->second->value == found->value && same->second->written == found->written &&
                    same->second->lifetime == found->lifetime,
                "both read the same record of a batch");
    }
}

} // namespace

void record(std::string_view input) {
    record_batch(input);

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
