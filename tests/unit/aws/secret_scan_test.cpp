// SPDX-License-Identifier: BSL-1.0
// Secrets are found in foreign text, whatever escaping it has; by random escapings too.
#include "aws/secret_scan.hpp"
#include "support/catch.hpp"
#include "support/secrets.hpp"

#include <random>
#include <string>
#include <vector>

using codynamo::aws::detail::repeats_secret;
namespace secrets = codynamo::testing_support::secrets;

namespace {

std::string hex(unsigned value, int digits) {
    constexpr std::string_view all = "0123456789abcdef";
    std::string text;
    for (int at = digits - 1; at >= 0; --at)
        text += all[(value >> (4 * at)) & 15];
    return text;
}

/// Escapes some of the characters in one of the ways, and always those that would mean an escape.
std::string escaped(const std::string& text, std::mt19937& random) {
    const auto way = random() % 5;
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (random() % 2 == 0 && c != '%' && c != '\\' && c != '&') {
            out += c;
        } else if (way == 0) {
            out += "%" + hex(byte, 2);
        } else if (way == 1) {
            out += "\\u" + hex(byte, 4);
        } else if (way == 2) {
            out += "&#" + std::to_string(byte) + ";";
        } else if (way == 3) {
            out += "&#x" + hex(byte, 2) + ";";
        } else if (c == '\\' || c == '/') {
            out += std::string("\\") + c;
        } else {
            out += c == '&' ? "&amp;" : c == '+' ? "&plus;" : std::string(1, c);
        }
    }
    return out;
}

} // namespace

TEST_CASE("eight characters of a secret in a row are found, and seven are not") {
    const std::string secret(secrets::token);
    for (std::size_t at = 0; at + 8 <= secret.size(); ++at) {
        CHECK(repeats_secret("x " + secret.substr(at, 8) + " y", {"other", secret}));
        CHECK_FALSE(repeats_secret("x " + secret.substr(at, 7) + " y", {"other", secret}));
    }
    CHECK_FALSE(repeats_secret("", {secret, ""}));
    CHECK_FALSE(repeats_secret(secret, {}));
}

TEST_CASE("a short secret is found as a whole, and one of three characters is none") {
    CHECK(repeats_secret("key hush! is bad", {"hush!"}));
    CHECK(repeats_secret("key hush%21 is bad", {"hush!"}));
    CHECK_FALSE(repeats_secret("key hush is bad", {"hush!"}));
    CHECK_FALSE(repeats_secret("not at all", {"t", "all"}));
}

TEST_CASE("half of a secret is found under one to three layers of escapes") {
    std::mt19937 random(20260131);
    for (int round = 0; round != 3000; ++round) {
        const std::string_view secret = secrets::all[random() % 3];
        const std::size_t from = random() % (secret.size() - 8);
        std::string text(secret.substr(from, 8 + random() % (secret.size() - from - 7)));
        const auto layers = random() % 4;
        for (auto left = layers; left != 0; --left)
            text = escaped(text, random);
        INFO(text);
        CHECK(repeats_secret("words before " + text + " and after", {secret}));
    }
}

TEST_CASE("random text is not taken for a secret, and breaks nothing") {
    std::mt19937 random(1);
    constexpr std::string_view alphabet = "%\\&#;xu0123456789abcdef+/= ";
    for (int round = 0; round != 3000; ++round) {
        std::string text;
        for (auto length = random() % 60; length != 0; --length)
            text += alphabet[random() % alphabet.size()];
        INFO(text);
        CHECK_FALSE(repeats_secret(text, {secrets::key, secrets::token}));
    }
}
