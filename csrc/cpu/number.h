// The kinds of numbers in memory.
#pragma once

#include <cstdint>

namespace fastdaae {

enum class Number { uint8, float32, float64, bfloat16 };

inline int64_t bytes_of(Number number) {
  return number == Number::uint8 ? 1 : number == Number::bfloat16 ? 2 : number == Number::float32 ? 4 : 8;
}

}  // namespace fastdaae
