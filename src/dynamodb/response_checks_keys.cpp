// SPDX-License-Identifier: BSL-1.0
// Compares the keys and tables of an answer with those that were asked for.
#include "dynamodb/response_checks.hpp"
#include "dynamodb/same_value.hpp"
#include "dynamodb/words.hpp"

#include <algorithm>
#include <string>

namespace codynamo::dynamodb {
namespace {

bool has_key(const item& found, const item& asked) {
    return std::all_of(asked.begin(), asked.end(), [&](const auto& attribute) {
        const auto at = found.find(attribute.first);
        return at == found.end() || same_value(attribute.second, at->second);
    });
}

void require_key(const item& asked, const item& found, const path& where) {
    if (!has_key(found, asked)) refuse_response(where, "is the item of another key");
}

/// Of a key's attribute: what it is written with.
std::string_view text_of(const attribute_value& value) noexcept {
    if (const auto* text = value.get_if<std::string>()) return *text;
    if (const auto* digits = value.get_if<number>()) return digits->text();
    if (const auto* raw = value.get_if<binary>()) return raw->bytes;
    return {};
}

/// Compares the attributes of `key` with those of `found`, which may have more or lack some.
int compare(const item& key, const item& found) noexcept {
    for (const auto& [name, value] : key) {
        const auto at = found.find(name);
        if (at == found.end()) continue;
        if (const int order = text_of(value).compare(text_of(at->second)); order != 0) return order;
    }
    return 0;
}

/// The keys of a batch. As a rule all have the same attributes; only then there is an order.
class sorted_keys {
public:
    explicit sorted_keys(const std::vector<item>& keys) {
        for (const item& key : keys)
            sorted_.push_back(&key);
        is_sorted_ = std::all_of(keys.begin(), keys.end(), [&keys](const item& key) {
            return std::equal(key.begin(), key.end(), keys.front().begin(), keys.front().end(),
                              [](const auto& a, const auto& b) { return a.first == b.first; });
        });
        if (!is_sorted_) return;
        std::sort(sorted_.begin(), sorted_.end(),
                  [](const item* a, const item* b) { return compare(*a, *b) < 0; });
    }
    [[nodiscard]] bool contain_that_of(const item& found) const {
        if (is_sorted_) {
            const auto near = std::lower_bound(
                sorted_.begin(), sorted_.end(), found,
                [](const item* key, const item& other) { return compare(*key, other) < 0; });
            if (near != sorted_.end() && has_key(found, **near)) return true;
        }
        return std::any_of(sorted_.begin(), sorted_.end(),
                           [&](const item* key) { return has_key(found, *key); });
    }

private:
    std::vector<const item*> sorted_;
    bool is_sorted_ = false;
};

void require_any_key(const std::vector<item>& asked, const std::vector<item>& found,
                     const path& where) {
    if (found.size() > asked.size())
        refuse_response(where, "has " + std::to_string(found.size()) + " elements where " +
                                   std::to_string(asked.size()) + " were asked for");
    const sorted_keys keys(asked);
    for (std::size_t i = 0; i < found.size(); ++i)
        if (!keys.contain_that_of(found[i]))
            refuse_response(path(where, i), "has a key that was not asked for");
}

/// Null for a table that was not asked for.
template <class Tables>
const typename Tables::mapped_type* find_table(const Tables& asked, std::string_view named) {
    if (const auto at = asked.find(named); at != asked.end()) return &at->second;
    const auto at = std::find_if(asked.begin(), asked.end(), [&](const auto& table) {
        return is_same_table(table.first, named);
    });
    return at == asked.end() ? nullptr : &at->second;
}

template <class Tables>
const typename Tables::mapped_type& require_table(const Tables& asked, std::string_view named,
                                                  const path& where) {
    const auto* const found = find_table(asked, named);
    if (found == nullptr) refuse_response(where, "is of a table that was not asked for");
    return *found;
}

void require_writes(const std::vector<write_request>& asked, const std::vector<write_request>& left,
                    const path& where) {
    for (std::size_t i = 0; i < left.size(); ++i) {
        const bool known = std::any_of(asked.begin(), asked.end(), [&](const write_request& one) {
            return one.is_put == left[i].is_put && same_item(one.item, left[i].item);
        });
        if (!known) refuse_response(path(where, i), "is a write that was not asked for");
    }
}

void require_table_name(std::string_view asked, const table_output& answer,
                        std::string_view member) {
    const std::string& named = answer.table.table_name;
    if (named.empty() || is_same_table(asked, named)) return;
    refuse_response(path(path("response"), member), "describes the table " + quote(named) +
                                                        " where " + quote(asked) +
                                                        " was asked for");
}

/// "arn:aws:dynamodb:us-east-1:1:table/NAME" to NAME.
std::string_view bare_name(std::string_view table) noexcept {
    constexpr std::string_view before = ":table/";
    const std::size_t at = table.starts_with("arn:") ? table.find(before) : table.npos;
    if (at == table.npos) return table;
    table.remove_prefix(at + before.size());
    return table.substr(0, table.find('/'));
}

} // namespace

bool is_same_table(std::string_view asked, std::string_view named) noexcept {
    return asked == named || bare_name(asked) == bare_name(named);
}

void check_answer(const get_item_input& asked, const get_item_output& answer) {
    if (answer.item) require_key(asked.key, *answer.item, path(path("response"), "Item"));
}

void check_answer(const update_item_input& asked, const update_item_output& answer) {
    require_key(asked.key, answer.attributes, path(path("response"), "Attributes"));
}

void check_answer(const delete_item_input& asked, const delete_item_output& answer) {
    require_key(asked.key, answer.attributes, path(path("response"), "Attributes"));
}

void check_answer(const batch_get_item_input& asked, const batch_get_item_output& answer) {
    const path root("response");
    const path responses(root, "Responses");
    for (const auto& [table, items] : answer.responses) {
        const path where(responses, table);
        require_any_key(require_table(asked.request_items, table, where).keys, items, where);
    }
    const path unprocessed(root, "UnprocessedKeys");
    for (const auto& [table, left] : answer.unprocessed_keys) {
        const path where(unprocessed, table);
        require_any_key(require_table(asked.request_items, table, where).keys, left.keys, where);
    }
}

void check_answer(const batch_write_item_input& asked, const batch_write_item_output& answer) {
    const path root("response");
    const path unprocessed(root, "UnprocessedItems");
    for (const auto& [table, left] : answer.unprocessed_items) {
        const path where(unprocessed, table);
        require_writes(require_table(asked.request_items, table, where), left, where);
    }
}

void check_answer(const transact_get_items_input& asked, const transact_get_items_output& answer) {
    const path root("response");
    const path responses(root, "Responses");
    if (answer.responses.size() != asked.items.size())
        refuse_response(responses, "has " + std::to_string(answer.responses.size()) +
                                       " elements where " + std::to_string(asked.items.size()) +
                                       " were asked for");
    for (std::size_t i = 0; i < asked.items.size(); ++i)
        if (answer.responses[i])
            require_key(asked.items[i].key, *answer.responses[i], path(responses, i));
}

void check_answer(const create_table_input& asked, const create_table_output& answer) {
    require_table_name(asked.table_name, answer, "TableDescription");
}

void check_answer(const describe_table_input& asked, const describe_table_output& answer) {
    require_table_name(asked.table_name, answer, "Table");
}

void check_answer(const delete_table_input& asked, const delete_table_output& answer) {
    require_table_name(asked.table_name, answer, "TableDescription");
}

void check_answer(const update_time_to_live_input& asked,
                  const update_time_to_live_output& answer) {
    if (answer.attribute_name.empty() || answer.attribute_name == asked.attribute_name) return;
    const path root("response");
    const path specification(root, "TimeToLiveSpecification");
    refuse_response(path(specification, "AttributeName"),
                    "is " + quote(answer.attribute_name) + " where " + quote(asked.attribute_name) +
                        " was asked for");
}

} // namespace codynamo::dynamodb
