// From row-major matrices to the panels of product.h. Missing rows and columns are zeros.
#pragma once

#include "product.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// Lanes of a pair of rows, written out as constants: of the squares of 2 half lanes the off-diagonal quarters change
// places, seen from the upper row (high = false) or from the lower one.
template <int half, bool high, int... lane>
FASTDAAE_INLINE Int exchanged_lanes(std::integer_sequence<int, lane...>) {
  return Int{(lane & half ? lane + kLanes - (high ? 0 : half) : lane + (high ? half : 0))...};
}

// rows[i][k] <-> rows[k][i], in registers.
template <int half = kLanes / 2>
FASTDAAE_INLINE void transpose(Float (&rows)[kLanes]) {
  const Int low = exchanged_lanes<half, false>(std::make_integer_sequence<int, kLanes>());
  const Int high = exchanged_lanes<half, true>(std::make_integer_sequence<int, kLanes>());
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    if (i & half) continue;
    const Float a = rows[i], b = rows[i + half];
    rows[i] = __builtin_shuffle(a, b, low);
    rows[i + half] = __builtin_shuffle(a, b, high);
  }
  if constexpr (half > 1) transpose<half / 2>(rows);
}

// kLanes x kLanes numbers, transposed: to[k * to_stride + i] = from[i][k], from[i] read for `count` numbers.
FASTDAAE_INLINE void transpose_square(const float* const* from, int64_t count, float* to, int64_t to_stride) {
  Float rows[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    rows[i] = !from[i] ? Float{} : count >= kLanes ? load(from[i]) : load_part(from[i], count);
  }
  transpose(rows);
  const int64_t kept = count < kLanes ? count : kLanes;
  for (int64_t k = 0; k < kept; ++k) store(to + k * to_stride, rows[k]);
}

// A column panel whose columns are `count` rows of a matrix, `depth` numbers each from from[i] on (null: zeros).
FASTDAAE_INLINE void pack_columns_of_rows(const float* const* from, int64_t depth, float* column_panel) {
  for (int64_t k = 0; k < depth; k += kLanes) {
    for (int v = 0; v < kTileVectors; ++v) {
      const float* at[kLanes];
      for (int i = 0; i < kLanes; ++i) at[i] = from[v * kLanes + i] ? from[v * kLanes + i] + k : nullptr;
      transpose_square(at, depth - k, column_panel + k * kTileColumns + v * kLanes, kTileColumns);
    }
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
