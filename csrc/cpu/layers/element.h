// What the panels of a layer's product hold: floats, floats rounded to bf16, or pairs of bf16 numbers.
#pragma once

#include "../tile/half.h"
#include "../tile/pack.h"
#include "layers.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

FASTDAAE_INLINE Float load_floats(const Matrix& matrix, int64_t at, int64_t count) {
  const float* from = static_cast<const float*>(matrix.numbers) + at;
  return count >= kLanes ? load(from) : load_part(from, count);
}

FASTDAAE_INLINE Float load_numbers(const Matrix& matrix, int64_t at, int64_t count) {
  if (matrix.type == Number::bfloat16) return load_half(static_cast<const uint16_t*>(matrix.numbers) + at, count);
  return load_floats(matrix, at, count);
}

// kDepthOfWord numbers along the depth make one word. join: the words of rows k (and k + 1); follow: the words of
// kDepthOfWord kLanes numbers along one row.
struct FloatElement {
  using Step = SingleFloats;
  static constexpr int64_t kDepthOfWord = 1;
  static FASTDAAE_INLINE Float join(Float first, Float) { return first; }
  static FASTDAAE_INLINE Float follow(Float front, Float) { return front; }
};

struct RoundedElement : FloatElement {
  static FASTDAAE_INLINE Float join(Float first, Float) { return rounded_to_half(first); }
  static FASTDAAE_INLINE Float follow(Float front, Float) { return rounded_to_half(front); }
};

#if defined(FASTDAAE_HALF_PRODUCTS)
struct HalfElement {
  using Step = HalfPairs;
  static constexpr int64_t kDepthOfWord = 2;
  static FASTDAAE_INLINE Float join(Float first, Float second) { return pairs_of(first, second); }
  static FASTDAAE_INLINE Float follow(Float front, Float back) { return neighbouring_pairs(front, back); }
};
#else
// Without instructions for pairs the rounded numbers are multiplied as floats: the same products, at the floats' speed.
using HalfElement = RoundedElement;
#endif

template <typename Element>
constexpr int64_t words_of_depth(int64_t depth) {
  return (depth + Element::kDepthOfWord - 1) / Element::kDepthOfWord;
}

// Writes numbers start.. of a panel's row, `count` <= kSegment of them, as words; start is a multiple of kSegment, and
// what follows the numbers up to the end of a pair of vectors can be read and is zero.
constexpr int64_t kSegment = kDepthBlock;

template <typename Element>
FASTDAAE_INLINE void put_in_row(const float* numbers, int64_t row, int64_t start, int64_t count,
                                float* row_panel) {
  float* to = row_panel + row_panel_at(row, start / Element::kDepthOfWord);
  constexpr int64_t step = kLanes * Element::kDepthOfWord;
  for (int64_t k = 0; k < count; k += step) {
    store(to + k / Element::kDepthOfWord, Element::follow(load(numbers + k), load(numbers + k + step - kLanes)));
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
