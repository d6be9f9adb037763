// SPDX-License-Identifier: BSL-1.0
// Records to items and back: the table's layout. Pure.
#pragma once

#include <codynamo/dynamodb/attribute_value.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/record.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace codynamo::detail {

/// Microseconds as the decimal text of seconds, without trailing zeros: "0", "3600", "0.5",
/// "1795362414.052798".
[[nodiscard]] std::string seconds_text(std::chrono::microseconds value);

/// The reverse, for any decimal text (sign, fraction, exponent): digits below the microsecond are
/// cut off, values beyond the range saturate. nullopt when it is no number.
[[nodiscard]] std::optional<std::chrono::microseconds>
parse_seconds(std::string_view text) noexcept;

/// Times in the table are the server's; those of records are ours. `offset` is what the server's
/// clock is ahead of ours. Saturating.
[[nodiscard]] timestamp by_table_clock(timestamp ours, std::chrono::microseconds offset) noexcept;
[[nodiscard]] timestamp by_own_clock(timestamp tables, std::chrono::microseconds offset) noexcept;

/// When the service may delete the record: its end, rounded up to whole seconds. nullopt when it
/// never ends.
[[nodiscard]] std::optional<std::int64_t> native_ttl(const record& r) noexcept;

[[nodiscard]] dynamodb::item key_item(const record_attributes& names, std::string key);

/// Moves the value out of `r`.
[[nodiscard]] dynamodb::item to_item(const record_attributes& names, std::string key, record&& r);

/// Replaces the times of an item by those of `r`.
void set_times(const record_attributes& names, dynamodb::item& of, const record& r);

enum class record_field { none, value, expire, update_ts };

/// The rules of what makes a record out of attributes, whichever way they are read.
/// Every member throws errc::deserialize_failed naming the attribute when it is not what a record
/// has there.
class record_builder {
public:
    explicit record_builder(const record_attributes& names) noexcept : names_(names) {}

    [[nodiscard]] record_field field_of(std::string_view attribute) const noexcept;
    void number(record_field field, std::string_view text);
    void bytes(record_field field, std::string raw);
    /// An attribute of any other type; `type` is its tag. A time that is NULL counts as missing.
    void other(record_field field, std::string_view type) const;
    [[nodiscard]] record finish(bool with_value) &&;

private:
    const record_attributes& names_;
    std::optional<std::string> value_;
    std::optional<std::chrono::microseconds> expire_;
    std::optional<std::chrono::microseconds> update_ts_;
};

/// What an item says about itself. Missing or NULL times mean for ever.
/// Throws errc::deserialize_failed when an attribute is missing or of another type; the value is
/// looked at only `with_value`.
[[nodiscard]] record to_record(const record_attributes& names, const dynamodb::item& stored,
                               bool with_value = true);

/// Reads the response to a GetItem of `key` straight into a record, without a tree in between.
/// nullopt when the response has no item. Throws errc::bad_response when it is no such response or
/// holds the item of another key (an empty `key` accepts any), else what to_record() throws.
/// `consumed`, unless null, becomes the capacity units that it says it took.
[[nodiscard]] std::optional<record> decode_record(const record_attributes& names,
                                                  std::string_view get_item_response,
                                                  bool with_value = true, std::string_view key = {},
                                                  double* consumed = nullptr);

/// What the response to a BatchGetItem turns out to say.
class batch_answers {
public:
    virtual ~batch_answers() = default;
    /// Whether the table that an answer names is the one that was asked.
    [[nodiscard]] virtual bool is_table(std::string_view name) const = 0;
    /// The record of a key, or why its item is none. `key` is valid during the call.
    virtual void found(std::string_view key, result<record> what) = 0;
    /// A key that was left unprocessed.
    virtual void left(std::string_view key) = 0;
    /// Capacity units.
    virtual void consumed(double /*units*/) {}
};

/// The same for BatchGetItem, in the order of the response; whether keys were asked for at all is
/// for the receiver to say. Throws errc::bad_response, also for an item without a key and for what
/// names neither items nor unprocessed keys, and whatever `to` throws; part of the answers may have
/// been told by then.
void decode_batch(const record_attributes& names, std::string_view batch_get_item_response,
                  batch_answers& to);

} // namespace codynamo::detail
