// SPDX-License-Identifier: BSL-1.0
// Base64, CRC-32, JSON strings and UTF-8: known answers and hostile input.
#include "dynamodb/base64.hpp"
#include "dynamodb/crc32.hpp"
#include "dynamodb/json_writer.hpp"
#include "support/catch.hpp"

#include <codynamo/error.hpp>

#include <boost/json/parse.hpp>

#include <random>

namespace {

using namespace codynamo::dynamodb;
using namespace std::string_literals;

std::string base64(std::string_view bytes) {
    std::string out = ">";
    append_base64(out, bytes);
    return out.substr(1);
}

std::string json_text(std::string_view utf8) {
    std::string out;
    append_json_string(out, utf8);
    return out;
}

bool is_refused(std::string_view utf8) {
    std::string out;
    try {
        append_json_string(out, utf8);
    } catch (const codynamo::error& e) {
        return e.code() == codynamo::errc::invalid_argument;
    }
    return false;
}

TEST_CASE("codec: base64 gives the answers of RFC 4648, both ways") {
    const std::pair<std::string, std::string> cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf"s, "+/+/"},
        {"\0\0\0\0"s, "AAAAAA=="},
    };
    for (const auto& [bytes, text] : cases) {
        CAPTURE(text);
        CHECK(base64(bytes) == text);
        std::string back = "old";
        CHECK(decode_base64(text, back));
        CHECK(back == bytes);
    }
}

TEST_CASE("codec: base64 refuses what no encoder writes") {
    const auto text = GENERATE("Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg=a", "Zm9v=", "=Zm9",
                               "Zm9v\n", "Zm 9", "Zm-_", "Zh==", "Zm9=", "Zg==Zg==", "Zm9vZg=v",
                               "Z\xc3\xa4", "AAAA!AAAAAAA");
    CAPTURE(text);
    std::string out;
    CHECK_FALSE(decode_base64(text, out));
}

TEST_CASE("codec: base64 of random bytes of every length comes back") {
    std::mt19937 random(1);
    for (std::size_t length = 0; length < 300; ++length) {
        std::string bytes(length, '\0');
        for (char& c : bytes)
            c = static_cast<char>(random());
        const std::string text = base64(bytes);
        CHECK(text.size() == (length + 2) / 3 * 4);
        std::string back;
        REQUIRE(decode_base64(text, back));
        REQUIRE(back == bytes);
    }
}

TEST_CASE("codec: base64 is a character for six bits, wherever they are") {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string all; // each character once at each place of a vector
    for (std::size_t shift = 0; shift < 64; ++shift)
        all.append(alphabet.substr(shift)).append(alphabet.substr(0, shift));
    std::string bytes;
    REQUIRE(decode_base64(all, bytes));
    REQUIRE(bytes.size() == all.size() / 4 * 3);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::size_t bit = 6 * i;
        const auto byte = [&](std::size_t at) -> unsigned {
            return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
        };
        const unsigned word = byte(bit / 8) << 8 | byte(bit / 8 + 1);
        REQUIRE(alphabet[(word >> (10 - bit % 8)) & 63] == all[i]);
    }
    CHECK(base64(bytes) == all);
}

TEST_CASE("codec: base64 finds a foreign character at every place") {
    const std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::string good(128, 'k');
    std::string out;
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < good.size(); ++at)
        for (int c = 0; c < 256; ++c) {
            std::string text = good;
            text[at] = static_cast<char>(c);
            const bool fits = alphabet.find(text[at]) != std::string_view::npos;
            // At the very end padding is right, if no bits are left over: 'k' ends in a zero bit.
            if (at + 1 == good.size() && c == '=') continue;
            wrong += decode_base64(text, out) == fits ? 0U : 1U;
        }
    CHECK(wrong == 0);
}

TEST_CASE("codec: base64 by vectors and by tables agree, also on every byte at every place") {
    std::mt19937 random(3);
    std::string bytes(300, '\0');
    for (char& c : bytes)
        c = static_cast<char>(random());
    std::string vectors, tables;
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const std::string text = base64(std::string_view(bytes).substr(0, length));
        std::string looked_up;
        append_base64_by_tables(looked_up, std::string_view(bytes).substr(0, length));
        REQUIRE(text == looked_up);
        REQUIRE(decode_base64(text, vectors));
        REQUIRE(decode_base64_by_tables(text, tables));
        REQUIRE(vectors == tables);
    }
    const std::string good = base64(std::string_view(bytes).substr(0, 60));
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string text = good;
            text[at] = static_cast<char>(value);
            const bool taken = decode_base64(text, vectors);
            REQUIRE(taken == decode_base64_by_tables(text, tables));
            if (taken) REQUIRE(vectors == tables);
        }
    }
}

TEST_CASE("codec: CRC-32 gives zlib's answers at every alignment") {
    CHECK(crc32("") == 0);
    CHECK(crc32("123456789") == 0xcbf43926);
    CHECK(crc32("a") == 0xe8b7be43);
    CHECK(crc32("The quick brown fox jumps over the lazy dog") == 0x414fa339);
    CHECK(crc32("{}") == 2745614147); // what the service sends with an empty answer
    for (std::size_t skip = 0; skip < 8; ++skip)
        CHECK(crc32(std::string_view(std::string(skip, '-') + "123456789").substr(skip)) ==
              0xcbf43926);
    CHECK(crc32(std::string(32, '\0')) == 0x190a55ad);
    CHECK(crc32(std::string(32, '\xff')) == 0xff6cab0b);
}

TEST_CASE("codec: both ways to a CRC-32 agree at every length and alignment") {
    std::mt19937 random(2);
    std::string bytes(700, '\0');
    for (char& c : bytes)
        c = static_cast<char>(random());
    CHECK(crc32(std::string(1'000'000, 'a')) == 0xdc25bfbc);
    for (std::size_t length = 0; length < 600; ++length) {
        const std::string_view part = std::string_view(bytes).substr(length % 17, length);
        REQUIRE(crc32(part) == crc32_by_tables(part));
    }
}

TEST_CASE("codec: JSON strings escape what must be escaped and nothing else") {
    const std::pair<std::string, std::string> cases[] = {
        {"", R"("")"},
        {"plain", R"("plain")"},
        {"\"\\/", R"("\"\\/")"},
        {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
        {"\0\x01\x1f\x7f"s, "\"\\u0000\\u0001\\u001f\x7f\""},
        {"long enough for eight at a time \" and on",
         R"("long enough for eight at a time \" and on")"},
        {"ä€😀", "\"ä€😀\""},
        {"\u2028", "\"\u2028\""},
    };
    for (const auto& [text, expected] : cases)
        CHECK(json_text(text) == expected);
}

TEST_CASE("codec: each character finds its escape at each position of a long text") {
    for (int c = 0; c < 0x80; ++c)
        for (std::size_t at = 0; at < 20; ++at) {
            std::string text(20, 'x');
            text[at] = static_cast<char>(c);
            REQUIRE(boost::json::parse(json_text(text)).as_string() == text);
        }
}

TEST_CASE("codec: well-formed UTF-8 passes, up to the edges of its table") {
    const auto text =
        GENERATE("\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                 "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf");
    CAPTURE(text);
    CHECK(json_text(text) == '"' + std::string(text) + '"');
}

TEST_CASE("codec: ill-formed UTF-8 is refused, wherever it is") {
    const auto text = GENERATE(
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x80\x80", "\xe0\x9f\xbf",
        "\xe2\x82", "\xe2\x82\x41", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe");
    CAPTURE(text);
    CHECK(is_refused(text));
    CHECK(is_refused(std::string(17, 'a') + text));
    CHECK(is_refused(std::string(text) + std::string(17, 'a')));
}

TEST_CASE("codec: the message for ill-formed UTF-8 names place and byte and is itself clean") {
    std::string out;
    try {
        append_json_string(out, "ab\xff" + std::string(100, 'c'), path(path("item"), "name"));
        FAIL("must throw");
    } catch (const codynamo::error& e) {
        CHECK(e.info().message ==
              "item.name \"ab\\xff" + std::string(61, 'c') + "…\" is not UTF-8 at byte 2");
    }
}

} // namespace
