// SPDX-License-Identifier: BSL-1.0
// The only file that calls OpenSSL's low-level digest functions, which are marked deprecated.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "aws/sha256.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace codynamo::aws::detail {

namespace {

constexpr auto pairs = [] {
    constexpr char digits[] = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> made{};
    for (std::size_t i = 0; i < made.size(); ++i)
        made[i] = {digits[i >> 4], digits[i & 15]};
    return made;
}();

} // namespace

hex_digest to_hex(const digest& value) noexcept {
    hex_digest hex;
    for (std::size_t i = 0; i < value.size(); ++i)
        std::memcpy(hex.data() + 2 * i, pairs[value[i]].data(), 2);
    return hex;
}

sha256::sha256() noexcept {
    SHA256_Init(&state_);
}

void sha256::update(std::string_view data) noexcept {
    SHA256_Update(&state_, data.data(), data.size());
}

void sha256::update(std::span<const unsigned char> data) noexcept {
    SHA256_Update(&state_, data.data(), data.size());
}

digest sha256::finish() noexcept {
    digest result;
    SHA256_Final(result.data(), &state_);
    return result;
}

void sha256::wipe() noexcept {
    OPENSSL_cleanse(&state_, sizeof(state_));
}

digest sha256_of(std::string_view data) noexcept {
    sha256 hash;
    hash.update(data);
    return hash.finish();
}

hmac_sha256::hmac_sha256(std::span<const unsigned char> key) noexcept {
    std::array<unsigned char, 64> block{};
    if (key.size() > block.size()) {
        sha256 hash;
        hash.update(key);
        digest shortened = hash.finish();
        std::copy(shortened.begin(), shortened.end(), block.begin());
        OPENSSL_cleanse(shortened.data(), shortened.size());
        hash.wipe();
    } else {
        std::copy(key.begin(), key.end(), block.begin());
    }
    for (unsigned char& byte : block)
        byte ^= 0x36;
    inner_.update(block);
    for (unsigned char& byte : block)
        byte ^= 0x36 ^ 0x5c;
    outer_.update(block);
    OPENSSL_cleanse(block.data(), block.size());
}

hmac_sha256::~hmac_sha256() {
    inner_.wipe();
    outer_.wipe();
}

digest hmac_sha256::finish() noexcept {
    const digest inside = inner_.finish();
    outer_.update(inside);
    return outer_.finish();
}

digest hmac_of(std::span<const unsigned char> key, std::string_view data) noexcept {
    hmac_sha256 mac(key);
    mac.update(data);
    return mac.finish();
}

} // namespace codynamo::aws::detail
