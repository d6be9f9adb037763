// SPDX-License-Identifier: BSL-1.0
// SipHash-1-3, for every table that is indexed by callers' keys. Keyed, so that keys which
// collide cannot be chosen.
#pragma once

#include <codynamo/detail/hash_seed.hpp>
#include <codynamo/environment.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace codynamo::detail {

/// A seed of a table's own.
[[nodiscard]] inline hash_seed draw_hash_seed(random_source& random) noexcept {
    const std::uint64_t first = random.next();
    return {first, random.next()};
}

/// The state of SipHash (Aumasson and Bernstein, 2012).
class siphash_state {
public:
    explicit siphash_state(const hash_seed& seed) noexcept
        : a_(seed.first ^ 0x736f6d6570736575U), b_(seed.second ^ 0x646f72616e646f6dU),
          c_(seed.first ^ 0x6c7967656e657261U), d_(seed.second ^ 0x7465646279746573U) {}

    void take(std::uint64_t word) noexcept {
        d_ ^= word;
        round();
        a_ ^= word;
    }
    [[nodiscard]] std::uint64_t finish() noexcept {
        c_ ^= 0xff;
        for (int i = 0; i != 3; ++i)
            round();
        return a_ ^ b_ ^ c_ ^ d_;
    }

private:
    void round() noexcept {
        a_ += b_;
        b_ = std::rotl(b_, 13) ^ a_;
        a_ = std::rotl(a_, 32);
        c_ += d_;
        d_ = std::rotl(d_, 16) ^ c_;
        a_ += d_;
        d_ = std::rotl(d_, 21) ^ a_;
        c_ += b_;
        b_ = std::rotl(b_, 17) ^ c_;
        c_ = std::rotl(c_, 32);
    }

    std::uint64_t a_;
    std::uint64_t b_;
    std::uint64_t c_;
    std::uint64_t d_;
};

/// Words are read as this machine has them: the value is never stored or sent.
[[nodiscard]] inline std::uint64_t siphash(const hash_seed& seed, std::string_view text) noexcept {
    siphash_state state(seed);
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        state.take(word);
    }
    std::uint64_t last = 0;
    if (left != 0) std::memcpy(&last, at, left);
    state.take(last | static_cast<std::uint64_t>(text.size()) << 56);
    return state.finish();
}

/// For the standard's containers.
struct keyed_hash {
    hash_seed seed;

    [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept {
        return siphash(seed, text);
    }
};

} // namespace codynamo::detail
