// SPDX-License-Identifier: BSL-1.0
// Runs of a secret as bits of their hashes, and the three escapings.
#include "aws/secret_scan.hpp"

#include "aws/secret_memory.hpp"
#include "aws/text.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace codynamo::aws::detail {
namespace {

constexpr int most_rounds = 3;

std::uint64_t run_at(const char* text) noexcept {
    static_assert(sizeof(std::uint64_t) == telling_length);
    std::uint64_t run = 0;
    std::memcpy(&run, text, sizeof run);
    return run;
}

/// Multiplicative: the high bits depend on every bit of the run.
std::size_t bit_of(std::uint64_t run, std::size_t bits) noexcept {
    return static_cast<std::size_t>((run * 0x9e3779b97f4a7c15U) >> 32U) % bits;
}

/// A number at the front of the text, and how many characters it has; nothing when it is none.
std::pair<unsigned, std::size_t> number(std::string_view text, int base, std::size_t most) {
    const auto digits = text.substr(0, most);
    unsigned value = 0;
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (failed != std::errc()) return {0, 0};
    return {value, static_cast<std::size_t>(end - digits.data())};
}

/// What an escape at the front of the text stands for, and its length; length 0: it is none.
struct escape {
    char stands_for = 0;
    std::size_t length = 0;
};

escape made(unsigned value, std::size_t length) {
    return {value < 0x80 ? static_cast<char>(value) : '?', length};
}

escape percent(std::string_view text) {
    const auto [value, digits] = number(text.substr(1), 16, 2);
    return digits == 2 ? made(value, 3) : escape{};
}

/// Of JSON, and \xNN, by which messages show control characters.
escape backslash(std::string_view text) {
    if (text.size() < 2) return {};
    const std::size_t most = text[1] == 'u' ? 4 : text[1] == 'x' ? 2 : 0;
    if (most == 0) {
        constexpr std::string_view single = "\"\\/bfnrt";
        return single.find(text[1]) == std::string_view::npos ? escape{} : escape{text[1], 2};
    }
    const auto [value, digits] = number(text.substr(2), 16, most);
    return digits == most ? made(value, 2 + digits) : escape{};
}

escape ampersand(std::string_view text) {
    constexpr std::pair<std::string_view, char> names[] = {
        {"&amp;", '&'},    {"&lt;", '<'},     {"&gt;", '>'},     {"&quot;", '"'}, {"&apos;", '\''},
        {"&sol;", '/'},    {"&plus;", '+'},   {"&equals;", '='}, {"&num;", '#'},  {"&percnt;", '%'},
        {"&lowbar;", '_'}, {"&period;", '.'}, {"&hyphen;", '-'}, {"&colon;", ':'}};
    for (const auto& [name, character] : names)
        if (text.starts_with(name)) return {character, name.size()};
    if (!text.starts_with("&#")) return {};
    const bool hex = text.size() > 2 && to_lower(text[2]) == 'x';
    const std::size_t start = hex ? 3 : 2;
    const auto [value, digits] =
        number(text.substr(std::min(start, text.size())), hex ? 16 : 10, 7);
    if (digits == 0) return {};
    const std::size_t end = start + digits;
    // The semicolon may be missing; a number whose next digit is escaped again is not over yet.
    if (end < text.size() && text[end] == '&') return {};
    return made(value, end < text.size() && text[end] == ';' ? end + 1 : end);
}

using escape_reader = escape (*)(std::string_view);
constexpr std::pair<char, escape_reader> escapings[] = {
    {'%', percent}, {'\\', backslash}, {'&', ampersand}};

secret_string unescaped(std::string_view text, char marker, escape_reader read) {
    std::string plain;
    plain.reserve(text.size());
    while (!text.empty()) {
        const escape found = text.front() == marker ? read(text) : escape{};
        plain += found.length != 0 ? found.stands_for : text.front();
        text.remove_prefix(std::max<std::size_t>(found.length, 1));
    }
    return secret_string(std::move(plain));
}

} // namespace

secret_scanner::secret_scanner(std::vector<std::string_view> secrets)
    : secrets_(std::move(secrets)) {
    std::erase_if(secrets_,
                  [](std::string_view secret) { return secret.size() < shortest_secret; });
    for (const auto secret : secrets_)
        for (std::size_t at = 0; at + telling_length <= secret.size(); ++at) {
            const std::size_t bit = bit_of(run_at(secret.data() + at), 64 * seen_.size());
            seen_[bit / 64] |= std::uint64_t{1} << bit % 64;
        }
}

secret_scanner::~secret_scanner() {
    OPENSSL_cleanse(seen_.data(), sizeof seen_);
}

bool secret_scanner::repeats_run(std::string_view run) const {
    const std::size_t bit = bit_of(run_at(run.data()), 64 * seen_.size());
    if ((seen_[bit / 64] >> bit % 64 & 1U) == 0) return false;
    return std::any_of(secrets_.begin(), secrets_.end(), [run](std::string_view secret) {
        return secret.find(run) != std::string_view::npos;
    });
}

bool secret_scanner::is_in(std::string_view plain) const {
    for (std::size_t at = 0; at + telling_length <= plain.size(); ++at)
        if (repeats_run(plain.substr(at, telling_length))) return true;
    return std::any_of(secrets_.begin(), secrets_.end(), [plain](std::string_view secret) {
        return secret.size() < telling_length && plain.find(secret) != std::string_view::npos;
    });
}

bool secret_scanner::finds_in(std::string_view text) const {
    if (is_in(text)) return true;
    secret_string plain;
    for (int round = 0; round != most_rounds; ++round) {
        const std::size_t before = text.size();
        for (const auto& [marker, read] : escapings) {
            if (text.find(marker) == std::string_view::npos) continue;
            plain = unescaped(text, marker, read);
            text = plain.text();
            if (is_in(text)) return true;
        }
        if (text.size() == before) break; // every escape is longer than what it stands for
    }
    return false;
}

bool repeats_secret(std::string_view text, const std::vector<std::string_view>& secrets) {
    return secret_scanner(secrets).finds_in(text);
}

} // namespace codynamo::aws::detail
