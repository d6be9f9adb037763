// SPDX-License-Identifier: BSL-1.0
#include "cache/record_item.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <utility>

namespace codynamo::detail {

namespace {

using std::chrono::microseconds;

constexpr std::int64_t million = 1'000'000;

[[noreturn]] void refuse(std::string_view attribute, std::string_view wanted,
                         std::string_view found) {
    throw error(errc::deserialize_failed, "attribute \"" + std::string(attribute) + "\" is " +
                                              std::string(found) + " where a cache record has " +
                                              std::string(wanted));
}

/// Digits of a decimal number with the position of its point, as far as microseconds can hold them.
struct decimal {
    std::int64_t digits = 0;
    long exponent = 0;
};

bool append_digit(decimal& to, char c) noexcept {
    if (c < '0' || c > '9') return false;
    const int digit = c - '0';
    if (to.digits > (std::numeric_limits<std::int64_t>::max() - digit) / 10) {
        ++to.exponent; // what no longer fits is below the microsecond, or saturates later
    } else {
        to.digits = to.digits * 10 + digit;
    }
    return true;
}

std::int64_t scale(decimal d) noexcept {
    for (; d.exponent < 0 && d.digits != 0; ++d.exponent)
        d.digits /= 10;
    for (; d.exponent > 0 && d.digits != 0; --d.exponent) {
        if (d.digits > std::numeric_limits<std::int64_t>::max() / 10) {
            return std::numeric_limits<std::int64_t>::max();
        }
        d.digits *= 10;
    }
    return d.digits;
}

} // namespace

std::string seconds_text(microseconds value) {
    const std::int64_t count = value.count();
    std::string text = count < 0 ? "-" : "";
    // Unsigned, so that the most negative count has a magnitude.
    const std::uint64_t magnitude =
        count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
    text += std::to_string(magnitude / million);
    if (const std::uint64_t fraction = magnitude % million; fraction != 0) {
        std::string digits = std::to_string(fraction);
        digits.insert(0, 6 - digits.size(), '0');
        digits.erase(digits.find_last_not_of('0') + 1);
        text += '.' + digits;
    }
    return text;
}

std::optional<microseconds> parse_seconds(std::string_view text) noexcept {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    decimal d;
    std::size_t at = 0;
    while (at < text.size() && append_digit(d, text[at]))
        ++at;
    std::size_t seen = at;
    if (at < text.size() && text[at] == '.') {
        for (++at; at < text.size() && append_digit(d, text[at]); ++at, ++seen)
            --d.exponent;
    }
    if (seen == 0) return std::nullopt;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        std::string_view rest = text.substr(at + 1);
        if (rest.starts_with('+')) rest.remove_prefix(1);
        int exponent = 0;
        const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
        // DynamoDB's exponents have three digits; anything longer is not a number of its.
        if (read.ec != std::errc{} || std::abs(exponent) > 999) return std::nullopt;
        d.exponent += exponent;
        at = static_cast<std::size_t>(read.ptr - text.data());
    }
    if (at != text.size()) return std::nullopt;
    d.exponent += 6;
    const std::int64_t count = scale(d);
    return microseconds(negative ? -count : count);
}

timestamp by_table_clock(timestamp ours, microseconds offset) noexcept {
    const microseconds since = ours.time_since_epoch();
    if (offset.count() > 0 && since > microseconds::max() - offset) return timestamp::max();
    if (offset.count() < 0 && since < microseconds::min() - offset) return timestamp::min();
    return ours + offset;
}

timestamp by_own_clock(timestamp tables, microseconds offset) noexcept {
    return by_table_clock(tables, -offset);
}

std::optional<std::int64_t> native_ttl(const record& r) noexcept {
    const std::optional<timestamp> end = expires_at(r);
    if (!end) return std::nullopt;
    return std::chrono::ceil<std::chrono::seconds>(*end).time_since_epoch().count();
}

dynamodb::item key_item(const record_attributes& names, std::string key) {
    dynamodb::item item;
    item.emplace(names.key, std::move(key));
    return item;
}

dynamodb::item to_item(const record_attributes& names, std::string key, record&& r) {
    dynamodb::item item = key_item(names, std::move(key));
    set_times(names, item, r);
    item.emplace(names.value, dynamodb::binary{std::move(r.value)});
    return item;
}

void set_times(const record_attributes& names, dynamodb::item& of, const record& r) {
    of.insert_or_assign(names.expire, dynamodb::number(seconds_text(r.lifetime)));
    of.insert_or_assign(names.update_ts,
                        dynamodb::number(seconds_text(r.written.time_since_epoch())));
    if (names.ttl.empty()) return;
    if (const auto end = native_ttl(r)) of.insert_or_assign(names.ttl, dynamodb::number(*end));
}

record_field record_builder::field_of(std::string_view attribute) const noexcept {
    if (attribute == names_.value) return record_field::value;
    if (attribute == names_.expire) return record_field::expire;
    if (attribute == names_.update_ts) return record_field::update_ts;
    return record_field::none;
}

void record_builder::number(record_field field, std::string_view text) {
    if (field == record_field::none) return;
    if (field == record_field::value) refuse(names_.value, "binary", "N");
    const std::string& name = field == record_field::expire ? names_.expire : names_.update_ts;
    auto seconds = parse_seconds(text);
    if (!seconds) refuse(name, "a number", '"' + std::string(text.substr(0, 64)) + '"');
    // A lifetime below a microsecond is short, and not for ever.
    const bool is_zero = text.substr(0, text.find_first_of("eE")).find_first_of("123456789") ==
                         std::string_view::npos;
    if (field == record_field::expire && seconds->count() == 0 && !is_zero) {
        seconds = microseconds(text.starts_with('-') ? -1 : 1);
    }
    (field == record_field::expire ? expire_ : update_ts_) = seconds;
}

void record_builder::bytes(record_field field, std::string raw) {
    if (field == record_field::value) {
        value_ = std::move(raw);
    } else {
        other(field, "B");
    }
}

void record_builder::other(record_field field, std::string_view type) const {
    switch (field) {
    case record_field::none:
        return;
    case record_field::value:
        refuse(names_.value, "binary", type);
    case record_field::expire:
    case record_field::update_ts:
        if (type == "NULL") return; // as good as missing
        refuse(field == record_field::expire ? names_.expire : names_.update_ts, "a number", type);
    }
}

record record_builder::finish(bool with_value) && {
    if (with_value && !value_) refuse(names_.value, "binary", "missing");
    record r;
    r.source = "dynamodb";
    if (with_value) r.value = *std::move(value_);
    r.lifetime = expire_.value_or(for_ever);
    if (r.lifetime != for_ever && !update_ts_) refuse(names_.update_ts, "a number", "missing");
    r.written = timestamp(update_ts_.value_or(microseconds(0)));
    return r;
}

record to_record(const record_attributes& names, const dynamodb::item& stored, bool with_value) {
    record_builder builder(names);
    for (const auto& [name, value] : stored) {
        const record_field field = builder.field_of(name);
        if (const auto* n = value.get_if<dynamodb::number>()) {
            builder.number(field, n->text());
        } else if (const auto* b = value.get_if<dynamodb::binary>()) {
            builder.bytes(field, b->bytes);
        } else {
            builder.other(field, value.type_name());
        }
    }
    return std::move(builder).finish(with_value);
}

} // namespace codynamo::detail
