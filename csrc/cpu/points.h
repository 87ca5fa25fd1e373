// Points in memory that is only read: an array or a memory map, row after row, of any of three kinds of numbers.
#pragma once

#include "number.h"

namespace fastdaae {

// type: uint8, which means value / 255, float32 or float64.
struct Points {
  const void* values;
  Number type;
  int64_t rows, columns;
};

inline const void* row_of(const Points& points, int64_t row) {
  return static_cast<const char*>(points.values) + row * points.columns * bytes_of(points.type);
}

}  // namespace fastdaae
