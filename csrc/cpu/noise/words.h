// Philox words of many counters at once, in the 64-bit lanes that its multiplications want.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <type_traits>

#include "../tile/vector.h"
#include "corruption.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// Columns made at once: a counter in each 64-bit lane gives the words of four columns, two vectors in all.
constexpr int kSpan = 4 * kWideLanes;
static_assert(64 % kSpan == 0, "a stretch that begins at a multiple of 64 begins at a span");

struct RowNoise {
  PhiloxKey key;
  uint32_t row, copy_and_site, step;
};

FASTDAAE_INLINE RowNoise row_noise(const NoiseAddress& noise, int64_t row, int64_t copy) {
  const auto counter_row = static_cast<uint32_t>(static_cast<uint64_t>(noise.row_offset) + static_cast<uint64_t>(row));
  return {noise.key, counter_row, static_cast<uint32_t>(copy) | noise.site << 16, noise.step};
}

constexpr uint64_t kFactor0 = 0xD2511F53u, kFactor2 = 0xCD9E8D57u;
constexpr uint32_t kKeyStep0 = 0x9E3779B9u, kKeyStep1 = 0xBB67AE85u;
constexpr int kRounds = 10;

// What a row adds to the keys of the second and of the third round.
struct RowKeys {
  uint64_t second, third;
};

// What the counters of many rows have in common: the keys of the rounds, and with them what the first rounds make of
// the counter's constant words. The first word differs along a row, and it reaches the others in the third round.
struct Schedule {
  explicit FASTDAAE_INLINE Schedule(const RowNoise& noise) {
    for (uint32_t r = 0; r < kRounds; ++r) {
      key0[r] = noise.key.low + r * kKeyStep0;
      key1[r] = noise.key.high + r * kKeyStep1;
    }
    const uint64_t product2 = noise.copy_and_site * kFactor2;
    before_row = (product2 >> 32) ^ key0[0];
    key1[0] ^= noise.step;
    key0[1] ^= product2 & 0xFFFFFFFFu;
  }

  FASTDAAE_INLINE RowKeys of(uint32_t row) const {
    const uint64_t product0 = ((before_row ^ row) & 0xFFFFFFFFu) * kFactor0;
    return {product0 >> 32, product0 & 0xFFFFFFFFu};
  }

  uint64_t key0[kRounds], key1[kRounds], before_row;
};

// The same of one row.
struct RowSchedule : Schedule {
  explicit FASTDAAE_INLINE RowSchedule(const RowNoise& noise) : Schedule(noise) {
    const RowKeys own = of(noise.row);
    key1[1] ^= own.second;
    key1[2] ^= own.third;
  }
};

// Products of the lower halves of the lanes.
FASTDAAE_INLINE Wide product(Wide a, uint64_t factor) {
  const Wide factors = Wide{} + factor;
#if defined(__AVX512F__)
  return bits_as<Wide>(_mm512_mul_epu32(bits_as<__m512i>(a), bits_as<__m512i>(factors)));
#elif defined(__AVX2__)
  return bits_as<Wide>(_mm256_mul_epu32(bits_as<__m256i>(a), bits_as<__m256i>(factors)));
#elif defined(__SSE2__)
  return bits_as<Wide>(_mm_mul_epu32(bits_as<__m128i>(a), bits_as<__m128i>(factors)));
#else
  return (a & 0xFFFFFFFFu) * factors;
#endif
}

// First products of the counters of a span, in the order that leaves only moves within 128 bits to the end: each
// 128-bit part holds a counter of the first vector of columns and one of the second.
FASTDAAE_INLINE Wide first_products(int64_t column) {
  Wide quads;
  for (int i = 0; i < kWideLanes; ++i) quads[i] = static_cast<uint64_t>(i / 2 + i % 2 * (kWideLanes / 2));
  return product(quads + static_cast<uint64_t>(column / 4), kFactor0);
}

// From the first products of one span to those of the next.
constexpr uint64_t kNextSpan = kWideLanes * kFactor0;

// The upper halves of the lanes mean nothing.
struct WideWords {
  Wide w0, w1, w2, w3;
};

// The rounds from the fourth on, of several spans side by side: one alone waits for its own multiplications.
template <int spans>
FASTDAAE_INLINE void later_rounds(const Schedule& schedule, WideWords* w) {
#pragma GCC unroll 10
  for (int r = 3; r < kRounds; ++r) {
#pragma GCC unroll 4
    for (int i = 0; i < spans; ++i) {
      const Wide product0 = product(w[i].w0, kFactor0), product2 = product(w[i].w2, kFactor2);
      w[i].w0 = (product2 >> 32) ^ w[i].w1 ^ schedule.key0[r];
      w[i].w2 = (product0 >> 32) ^ w[i].w3 ^ schedule.key1[r];
      w[i].w1 = product2;
      w[i].w3 = product0;
    }
  }
}

// The words of adjacent spans of a row.
template <int spans>
FASTDAAE_INLINE void words_of_counters(const RowSchedule& schedule, Wide first_product, WideWords* w) {
#pragma GCC unroll 4
  for (int i = 0; i < spans; ++i) {
    const Wide first = first_product + static_cast<uint64_t>(i) * kNextSpan;
    w[i].w1 = product((first >> 32) ^ schedule.key1[0], kFactor2);
    w[i].w3 = product((w[i].w1 >> 32) ^ schedule.key0[1], kFactor0);
    const Wide product2 = product(first ^ schedule.key1[1], kFactor2);
    w[i].w0 = (product2 >> 32) ^ w[i].w1 ^ schedule.key0[2];
    w[i].w1 = product2;
    w[i].w2 = (w[i].w3 >> 32) ^ schedule.key1[2];
  }
  later_rounds<spans>(schedule, w);
}

// The words of one span of rows that follow each other, from row `first_row` of the counters on.
template <int rows>
FASTDAAE_INLINE void words_of_rows(const Schedule& schedule, uint32_t first_row, Wide first_product, WideWords* w) {
  const Wide second = product((first_product >> 32) ^ schedule.key1[0], kFactor2);
  const Wide third = product((second >> 32) ^ schedule.key0[1], kFactor0);
#pragma GCC unroll 4
  for (int i = 0; i < rows; ++i) {
    const RowKeys row = schedule.of(first_row + static_cast<uint32_t>(i));
    const Wide product2 = product(first_product ^ (schedule.key1[1] ^ row.second), kFactor2);
    w[i].w0 = (product2 >> 32) ^ second ^ schedule.key0[2];
    w[i].w1 = product2;
    w[i].w2 = (third >> 32) ^ (schedule.key1[2] ^ row.third);
    w[i].w3 = third;
  }
  later_rounds<rows>(schedule, w);
}

// The lower halves of both: those of `odd` in the odd 32-bit lanes.
FASTDAAE_INLINE Word merged(Wide even, Wide odd) {
#if defined(__AVX512F__)
  return bits_as<Word>(_mm512_mask_shuffle_epi32(bits_as<__m512i>(even), 0xAAAA, bits_as<__m512i>(odd), _MM_PERM_CCAA));
#elif defined(__AVX2__)
  return bits_as<Word>(_mm256_blend_epi32(bits_as<__m256i>(even), bits_as<__m256i>(odd << 32), 0xAA));
#else
  return bits_as<Word>((even & 0xFFFFFFFFu) | (odd << 32));
#endif
}

// Two vectors of adjacent columns.
template <typename Vector>
struct Span {
  Vector first, second;
};

// From pairs (a, b) in the lanes of two vectors to columns: within each 128 bits a0 b0 a1 b1, then a2 b2 a3 b3.
FASTDAAE_INLINE Span<Float> interleaved(Float a, Float b) {
  Int low, high;
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    low[i] = i / 4 * 4 + i % 4 / 2 + i % 2 * kLanes;
    high[i] = low[i] + 2;
  }
  return {__builtin_shuffle(a, b, low), __builtin_shuffle(a, b, high)};
}

FASTDAAE_INLINE Span<Word> words_of_columns(const WideWords& words) {
  const Wide a = bits_as<Wide>(merged(words.w0, words.w1)), b = bits_as<Wide>(merged(words.w2, words.w3));
  Wide low;
#pragma GCC unroll 8
  for (int i = 0; i < kWideLanes; ++i) low[i] = static_cast<uint64_t>(i / 2 * 2 + i % 2 * kWideLanes);
  return {bits_as<Word>(__builtin_shuffle(a, b, low)), bits_as<Word>(__builtin_shuffle(a, b, low + 1))};
}

// Calls block(number of spans, column, first products) until `count` columns from `first` on are done; the last span
// may be a part of one. Most are done four spans at a time, and no number depends on which.
template <typename Block>
FASTDAAE_INLINE void for_each_block(int64_t first, int64_t count, const Block& block) {
  Wide products = first_products(first);
  int64_t column = 0;
  for (; column + 4 * kSpan <= count; column += 4 * kSpan, products += 4 * kNextSpan) {
    block(std::integral_constant<int, 4>{}, column, products);
  }
  if (column + 2 * kSpan <= count) {
    block(std::integral_constant<int, 2>{}, column, products);
    column += 2 * kSpan;
    products += 2 * kNextSpan;
  }
  for (; column < count; column += kSpan, products += kNextSpan) {
    block(std::integral_constant<int, 1>{}, column, products);
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
