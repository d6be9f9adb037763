// SPDX-License-Identifier: BSL-1.0
// Base64 decoded 32 characters at a time, by AVX2. Method and constants: Muła and Lemire, "Faster
// Base64 Encoding and Decoding using AVX2 Instructions", ACM Transactions on the Web 12 (3), 2018.
#include "dynamodb/base64.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

namespace codynamo::dynamodb {

#if defined(__x86_64__) && defined(__GNUC__)
namespace {

#define CODYNAMO_WIDE __attribute__((target("avx2")))

/// The same 16 bytes in both halves, as look-ups need them.
CODYNAMO_WIDE __m256i both_halves(__m128i half) noexcept {
    return _mm256_broadcastsi128_si256(half);
}

/// Six bits of each byte, to 24 bytes in a row and 8 zeros.
CODYNAMO_WIDE __m256i packed(__m256i sextets) noexcept {
    const __m256i pairs = _mm256_maddubs_epi16(sextets, _mm256_set1_epi32(0x01400140));
    const __m256i words = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
    const __m256i in_order =
        both_halves(_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
    return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(words, in_order),
                                       _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7));
}

} // namespace

CODYNAMO_WIDE std::size_t decode_base64_wide(const unsigned char* from, std::size_t groups,
                                             char* to) noexcept {
    // A character is foreign when what its two halves may be together has a bit in common.
    const __m256i by_low =
        both_halves(_mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13,
                                  0x1A, 0x1B, 0x1B, 0x1B, 0x1A));
    const __m256i by_high =
        both_halves(_mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10,
                                  0x10, 0x10, 0x10, 0x10, 0x10));
    const __m256i to_sextet =
        both_halves(_mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i slash = _mm256_set1_epi8('/'); // its bits are also a mask for halves
    std::size_t done = 0;
    for (; groups - done >= wide_groups_needed; done += 8, from += 32, to += 24) {
        const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        const __m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), slash);
        const __m256i low = _mm256_and_si256(text, slash);
        if (_mm256_testz_si256(_mm256_shuffle_epi8(by_low, low),
                               _mm256_shuffle_epi8(by_high, high)) == 0)
            break;
        const __m256i shift =
            _mm256_shuffle_epi8(to_sextet, _mm256_add_epi8(_mm256_cmpeq_epi8(text, slash), high));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), packed(_mm256_add_epi8(text, shift)));
    }
    return done;
}

bool has_decode_base64_wide() noexcept {
    return __builtin_cpu_supports("avx2") != 0;
}

#undef CODYNAMO_WIDE
#else

std::size_t decode_base64_wide(const unsigned char*, std::size_t, char*) noexcept {
    return 0;
}
bool has_decode_base64_wide() noexcept {
    return false;
}

#endif

} // namespace codynamo::dynamodb
