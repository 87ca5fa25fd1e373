// Points in memory that is only read: an array or a memory map, row after row, of any of three kinds of numbers.
#pragma once

#include <cstdint>

namespace fastdaae {

enum class Number { uint8, float32, float64 };  // uint8 means value / 255

struct Points {
  const void* values;
  Number number;
  int64_t rows, columns;
};

inline int64_t bytes_of(Number number) { return number == Number::uint8 ? 1 : number == Number::float32 ? 4 : 8; }

inline const void* row_of(const Points& points, int64_t row) {
  return static_cast<const char*>(points.values) + row * points.columns * bytes_of(points.number);
}

}  // namespace fastdaae
