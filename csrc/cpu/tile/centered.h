// Rows of points of any kind of number, read in float64: centred, scaled and cast for the tile product, or compared.
#pragma once

#include <type_traits>

#include "numbers.h"
#include "pack.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

FASTDAAE_INLINE double total(Double x) {
  double sum = 0.0;
  for (int i = 0; i < kWideLanes; ++i) sum += x[i];
  return sum;
}

// The sum of x_j^2, and of x_j^2 times the number of terms from j to the end of its depth block, itself included. A
// chain of multiply-adds rounds each of its partial sums, and Cauchy's inequality bounds their sum by the product of
// two such roots: half of what the block's length alone would say.
struct SquareSums {
  double square, weighted;
};

// Bytes are compared with bytes as whole numbers, whose squared distances are exact, and with other numbers as v / 255.
inline bool whole_numbers(const Points& a, const Points& b) {
  return a.type == Number::uint8 && b.type == Number::uint8;
}

// One row of points, centred, scaled, cast to float32 block by block into `to` (null: only the sums).
struct CenteredRow {
  const Points& points;
  double factor;         // from numbers as they stand to those compared
  const double* center;  // of these; padded with zeros to a multiple of kDepthBlock
  double scale;

  // Columns from..from + count - 1 (count <= kDepthBlock), padded with zeros to whole vectors.
  template <bool casts, typename T>
  FASTDAAE_INLINE void block(const T* row, int64_t from, int64_t count, float* to, Double sums[2]) const {
    Double weight;
    for (int i = 0; i < kWideLanes; ++i) weight[i] = static_cast<double>(count - i);
    for (int64_t k = 0; k < count; k += kWideLanes) {
      Double x = (load_double(row + from + k, count - k) * factor - load<Double>(center + from + k)) * scale;
      if (casts) {
        const HalfFloat narrow = __builtin_convertvector(x, HalfFloat);
        store(to + k, narrow);
        x = __builtin_convertvector(narrow, Double);
      }
      const Double square = x * x;
      sums[0] += square;
      sums[1] += square * weight;
      weight -= static_cast<double>(kWideLanes);
    }
  }
};

FASTDAAE_INLINE SquareSums reduced(const Double sums[2]) { return {total(sums[0]), total(sums[1])}; }

inline SquareSums square_sums(const CenteredRow& source, int64_t row) {
  Double sums[2] = {};
  with_row(source.points, row, [&](const auto* from) {
    for (int64_t k = 0; k < source.points.columns; k += kDepthBlock) {
      const int64_t left = source.points.columns - k;
      source.block<false>(from, k, left < kDepthBlock ? left : kDepthBlock, nullptr, sums);
    }
  });
  return reduced(sums);
}

// Row `row` of the points as row `place` of a row panel.
inline SquareSums pack_row(const CenteredRow& source, int64_t row, int64_t place, float* row_panel) {
  Double sums[2] = {};
  with_row(source.points, row, [&](const auto* from) {
    for (int64_t k = 0; k < source.points.columns; k += kDepthBlock) {
      const int64_t left = source.points.columns - k;
      const int64_t count = left < kDepthBlock ? left : kDepthBlock;
      source.block<true>(from, k, count, row_panel + row_panel_at(place, k), sums);
    }
  });
  return reduced(sums);
}

// Rows first..first + count - 1 (count <= kTileColumns) as the columns of a column panel; squares [kTileColumns].
inline void pack_columns(const CenteredRow& source, int64_t first, int64_t count, float* column_panel,
                         double* squares) {
  alignas(kVectorBytes) float rows[kTileColumns][kDepthBlock];
  const float* from[kTileColumns];
  Double sums[kTileColumns][2] = {};
  for (int i = 0; i < kTileColumns; ++i) from[i] = i < count ? rows[i] : nullptr;
  for (int64_t k = 0; k < source.points.columns; k += kDepthBlock) {
    const int64_t left = source.points.columns - k, depth = left < kDepthBlock ? left : kDepthBlock;
    for (int64_t i = 0; i < count; ++i) {
      with_row(source.points, first + i,
               [&](const auto* row) { source.block<true>(row, k, depth, rows[i], sums[i]); });
    }
    pack_columns_of_rows(from, depth, column_panel + k * kTileColumns);
  }
  for (int64_t i = 0; i < count; ++i) squares[i] = total(sums[i][0]);
}

// Asks for a row that is about to be read, whose place nobody could foresee.
inline void prefetch_row(const Points& points, int64_t row) {
  const char* from = static_cast<const char*>(row_of(points, row));
  const int64_t bytes = points.columns * bytes_of(points.type), most = 4096;
  for (int64_t at = 0; at < bytes && at < most; at += 64) __builtin_prefetch(from + at);
}

// What a number stands for beside one of type Other.
template <typename Other, typename T>
FASTDAAE_INLINE Double load_beside(const T* from, int64_t count) {
  const Double number = load_double(from, count);
  if constexpr (std::is_same_v<T, uint8_t> && !std::is_same_v<Other, uint8_t>) return number / 255.0;
  return number;
}

template <typename A, typename B>
FASTDAAE_INLINE double squared_distance(const A* a, const B* b, int64_t count) {
  const auto difference = [=](int64_t k, int64_t left) {
    return load_beside<B>(a + k, left) - load_beside<A>(b + k, left);
  };
  Double even = {}, odd = {};
  int64_t k = 0;
  for (; k + 2 * kWideLanes <= count; k += 2 * kWideLanes) {
    const Double first = difference(k, kWideLanes), second = difference(k + kWideLanes, kWideLanes);
    even += first * first;
    odd += second * second;
  }
  for (; k < count; k += kWideLanes) {
    const Double last = difference(k, count - k);
    even += last * last;
  }
  return total(even + odd);
}

// By direct differences in float64 of the points as given; of bytes in whole numbers, exact.
inline double squared_distance(const Points& a, int64_t row_a, const Points& b, int64_t row_b) {
  return with_row(a, row_a, [&](const auto* x) {
    return with_row(b, row_b, [&](const auto* y) { return squared_distance(x, y, a.columns); });
  });
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
