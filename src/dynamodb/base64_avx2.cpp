// SPDX-License-Identifier: BSL-1.0
// Method and constants: Muła and Lemire, "Faster Base64 Encoding and Decoding Using AVX2
// Instructions", ACM Transactions on the Web 12(3), 2018.
#include "dynamodb/base64_avx2.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#else
#include <cstdlib>
#endif

namespace codynamo::dynamodb {

#if defined(__x86_64__) && defined(__GNUC__)
namespace {

#define CODYNAMO_AVX2 __attribute__((target("avx2")))

/// Both halves of a register alike, as byte shuffles want it.
CODYNAMO_AVX2 __m256i twice(__m128i half) noexcept {
    return _mm256_broadcastsi128_si256(half);
}

/// Each three bytes of a half's lower twelve become four bytes of six bits.
CODYNAMO_AVX2 __m256i spread(__m256i bytes) noexcept {
    const __m256i places = twice(_mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
    const __m256i words = _mm256_shuffle_epi8(bytes, places);
    const __m256i odd = _mm256_mulhi_epu16(_mm256_and_si256(words, _mm256_set1_epi32(0x0fc0fc00)),
                                           _mm256_set1_epi32(0x04000040));
    const __m256i even = _mm256_mullo_epi16(_mm256_and_si256(words, _mm256_set1_epi32(0x003f03f0)),
                                            _mm256_set1_epi32(0x01000010));
    return _mm256_or_si256(odd, even);
}

/// The characters of numbers below 64: each gets the distance to its range of the alphabet.
CODYNAMO_AVX2 __m256i letters(__m256i sixes) noexcept {
    const __m256i distances =
        twice(_mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                            '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0));
    const __m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), sixes);
    const __m256i range = _mm256_or_si256(_mm256_subs_epu8(sixes, _mm256_set1_epi8(51)),
                                          _mm256_and_si256(upper, _mm256_set1_epi8(13)));
    return _mm256_add_epi8(_mm256_shuffle_epi8(distances, range), sixes);
}

/// The numbers of 32 characters; false when one is not in the alphabet.
CODYNAMO_AVX2 bool numbers(__m256i text, __m256i& sixes) noexcept {
    // A character is foreign when the sets of its two nibbles have a bit in common.
    const __m256i by_low = twice(_mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                               0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a));
    const __m256i by_high = twice(_mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
                                                0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10));
    const __m256i distances =
        twice(_mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i mask = _mm256_set1_epi8(0x2f);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), mask);
    const __m256i low = _mm256_and_si256(text, mask);
    if (_mm256_testz_si256(_mm256_shuffle_epi8(by_low, low), _mm256_shuffle_epi8(by_high, high)) ==
        0)
        return false;
    const __m256i is_slash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('/'));
    const __m256i distance = _mm256_shuffle_epi8(distances, _mm256_add_epi8(is_slash, high));
    sixes = _mm256_add_epi8(text, distance);
    return true;
}

/// Four numbers of six bits become three bytes; they end up in the lower 24 bytes.
CODYNAMO_AVX2 __m256i pack(__m256i sixes) noexcept {
    const __m256i twelves = _mm256_maddubs_epi16(sixes, _mm256_set1_epi32(0x01400140));
    const __m256i triples = _mm256_madd_epi16(twelves, _mm256_set1_epi32(0x00011000));
    const __m256i order =
        twice(_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
    return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(triples, order),
                                       _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

} // namespace

CODYNAMO_AVX2 std::size_t encode_by_avx2(std::string_view bytes, char* to) noexcept {
    constexpr std::size_t step = 24;
    constexpr std::size_t read = 28; // by two loads of 16 bytes, the second one from byte 12 on
    std::size_t at = 0;
    for (; bytes.size() - at >= read; at += step, to += 32) {
        const auto* const from = reinterpret_cast<const __m128i*>(bytes.data() + at);
        const auto* const second = reinterpret_cast<const __m128i*>(bytes.data() + at + 12);
        const __m256i both = _mm256_set_m128i(_mm_loadu_si128(second), _mm_loadu_si128(from));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), letters(spread(both)));
    }
    return at;
}

CODYNAMO_AVX2 std::size_t decode_by_avx2(std::string_view text, char* to) noexcept {
    constexpr std::size_t step = 32;
    constexpr std::size_t room = 44; // characters whose bytes hold the 32 that are stored at once
    std::size_t at = 0;
    for (; text.size() - at >= room; at += step, to += 24) {
        __m256i sixes;
        if (!numbers(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + at)), sixes))
            break;
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), pack(sixes));
    }
    return at;
}

bool has_base64_by_avx2() noexcept {
    return __builtin_cpu_supports("avx2") != 0;
}

#undef CODYNAMO_AVX2
#else

bool has_base64_by_avx2() noexcept {
    return false;
}
std::size_t encode_by_avx2(std::string_view, char*) noexcept {
    std::abort();
}
std::size_t decode_by_avx2(std::string_view, char*) noexcept {
    std::abort();
}

#endif

} // namespace codynamo::dynamodb
