// Corruption of rows by addressed noise, and its backward pass. Matrices are row-major and dense; sizes are int64.
#pragma once

#include <cstdint>

#include "../../philox.h"
#include "../number.h"

namespace fastdaae {

enum class Kind { none, gaussian, clipped_gaussian, masking, salt_and_pepper, patches };

// Rectangles of an image [planes, image_height, image_width], at the same place in every plane.
struct Patches {
  int64_t planes, image_height, image_width, height, width, count;
};

// amount: standard deviation (gaussian), probability of a drop (masking) or of salt or pepper. low: what patches write.
struct Corruption {
  Kind kind;
  double amount, low, high;
  Patches patches = {};
};

// Counter = (column / 4, row_offset + row, copy | site << 16, step), modulo 2^32 each.
struct NoiseAddress {
  PhiloxKey key;
  uint32_t step, site;
  int64_t row_offset;
};

// Where row i is read: row index[i] of the [rows, columns] matrix `values`, or row i without an index. type: float32,
// or uint8, which means value / 255.
struct Source {
  const void* values;
  Number type;
  const int64_t* index;
  int64_t columns;
};

struct Extent {
  int64_t rows, columns, copies;
};

// Whether so many numbers save more on several threads than waking these costs.
inline bool worth_threads(const Extent& extent) { return extent.copies * extent.rows * extent.columns > 32768; }

// Position of the first index outside 0..rows_of_source-1, or -1.
inline int64_t first_index_out_of_range(const int64_t* index, int64_t count, int64_t rows_of_source) {
  for (int64_t i = 0; i < count; ++i) {
    if (index[i] < 0 || index[i] >= rows_of_source) return i;
  }
  return -1;
}

struct CorruptionKernels {
  // out [copies, rows, columns].
  void (*corrupt)(const Source&, const Corruption&, const NoiseAddress&, const Extent&, float* out, int threads);

  // dx [rows, columns] = sum over copies, in their order, of grad [copies, rows, columns] where the corruption let x
  // through.
  void (*corrupt_backward)(const float* grad, const Source&, const Corruption&, const NoiseAddress&, const Extent&,
                           float* dx, int threads);
};

}  // namespace fastdaae
