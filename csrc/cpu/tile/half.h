// bf16: the upper half of a float. Two of them, next to each other along the depth, share a 32-bit word of a panel.
#pragma once

#include "product.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// The nearest bf16 number, ties to even, as a float's bits; NaN stays NaN.
FASTDAAE_INLINE Word nearest_half(Float x) {
  const Word bits = bits_as<Word>(x);
  const Word rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) & 0xFFFF0000u;
  const Word unordered = bits_as<Word>(Int(x != x));
  return (rounded & ~unordered) | (((bits & 0xFFFF0000u) | 0x00400000u) & unordered);
}

FASTDAAE_INLINE Float rounded_to_half(Float x) { return bits_as<Float>(nearest_half(x)); }

// Lane i: the pair (first[i], second[i]), the first in the lower half.
FASTDAAE_INLINE Float pairs_of(Float first, Float second) {
  return bits_as<Float>((nearest_half(first) >> 16) | nearest_half(second));
}

// The pairs of 2 kLanes numbers that follow one another.
template <int... lane>
FASTDAAE_INLINE Float neighbouring_pairs(Float front, Float back, std::integer_sequence<int, lane...>) {
  return pairs_of(__builtin_shuffle(front, back, Int{2 * lane...}),
                  __builtin_shuffle(front, back, Int{2 * lane + 1 ...}));
}

FASTDAAE_INLINE Float neighbouring_pairs(Float front, Float back) {
  return neighbouring_pairs(front, back, std::make_integer_sequence<int, kLanes>());
}

// kLanes (or `count`) bf16 numbers as floats, and back.
FASTDAAE_INLINE Float load_half(const uint16_t* from, int64_t count) {
  typedef uint16_t Halves __attribute__((vector_size(kVectorBytes / 2)));
  Halves halves = {};
  if (count >= kLanes) {
    std::memcpy(&halves, from, sizeof halves);
  } else {
    std::memcpy(&halves, from, static_cast<size_t>(count) * sizeof(uint16_t));
  }
  return bits_as<Float>(__builtin_convertvector(halves, Word) << 16);
}

FASTDAAE_INLINE void store_half(uint16_t* to, Float x, int64_t count) {
  typedef uint16_t Halves __attribute__((vector_size(kVectorBytes / 2)));
  const Halves halves = __builtin_convertvector(nearest_half(x) >> 16, Halves);
  std::memcpy(to, &halves, static_cast<size_t>(count < kLanes ? count : kLanes) * sizeof(uint16_t));
}

#if defined(__AVX512BF16__) || defined(FASTDAAE_EMULATED_BF16)
#define FASTDAAE_HALF_PRODUCTS
// One step of product.h over a pair: sum + both products, in single precision.
struct HalfPairs {
  static FASTDAAE_INLINE Float added(Float a, Float b) { return a + b; }
  static FASTDAAE_INLINE Word row_word(const float* at) {
    uint32_t word;
    std::memcpy(&word, at, sizeof word);
    return broadcast(word);
  }
  static FASTDAAE_INLINE Float add_product(Float sum, Word row, Float column) {
#if defined(FASTDAAE_EMULATED_BF16)
    const Word other = bits_as<Word>(column);
    sum += bits_as<Float>(row << 16) * bits_as<Float>(other << 16);
    return sum + bits_as<Float>(row & 0xFFFF0000u) * bits_as<Float>(other & 0xFFFF0000u);
#else
    return _mm512_dpbf16_ps(sum, bits_as<__m512bh>(row), bits_as<__m512bh>(column));
#endif
  }
};
#endif

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
