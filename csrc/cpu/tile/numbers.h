// Points and pixels in memory, whatever kind of number they are, as vectors of floats or doubles.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "../points.h"
#include "vector.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

typedef int32_t HalfInt __attribute__((vector_size(kVectorBytes / 2)));

// kLanes bytes as whole numbers, and kWideLanes of them; the compiler would widen them one by one.
FASTDAAE_INLINE Int widened(const uint8_t* from) {
#if defined(__AVX512F__)
  return bits_as<Int>(_mm512_cvtepu8_epi32(load<__m128i>(from)));
#elif defined(__AVX2__)
  return bits_as<Int>(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(load<int64_t>(from))));
#elif defined(__SSE2__)
  const __m128i zero = _mm_setzero_si128(), bytes = _mm_cvtsi32_si128(load<int32_t>(from));
  return bits_as<Int>(_mm_unpacklo_epi16(_mm_unpacklo_epi8(bytes, zero), zero));
#else
  Int numbers;
  for (int i = 0; i < kLanes; ++i) numbers[i] = from[i];
  return numbers;
#endif
}

FASTDAAE_INLINE HalfInt widened_half(const uint8_t* from) {
#if defined(__AVX512F__)
  return bits_as<HalfInt>(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(load<int64_t>(from))));
#elif defined(__AVX2__)
  return bits_as<HalfInt>(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(load<int32_t>(from))));
#else
  HalfInt numbers;
  for (int i = 0; i < kWideLanes; ++i) numbers[i] = from[i];
  return numbers;
#endif
}

// Numbers as they stand: bytes are whole numbers.
FASTDAAE_INLINE Float load_float(const uint8_t* from) { return __builtin_convertvector(widened(from), Float); }

FASTDAAE_INLINE Double load_double(const uint8_t* from) { return __builtin_convertvector(widened_half(from), Double); }
FASTDAAE_INLINE Double load_double(const float* from) {
  return __builtin_convertvector(load<HalfFloat>(from), Double);
}
FASTDAAE_INLINE Double load_double(const double* from) { return load<Double>(from); }

// v / 255 in float32, rounded correctly for every byte v: the product with 257/65536 is exact, and the other is small.
template <typename Floats>
FASTDAAE_INLINE Floats pixel_value(Floats v) {
  return v * (257.0f / 65536.0f) + v * 5.983839e-08f;
}

FASTDAAE_INLINE Float pixel_values(const uint8_t* from) { return pixel_value(load_float(from)); }

// The first `count` of kWideLanes; the others are zeros.
template <typename T>
FASTDAAE_INLINE Double load_double(const T* from, int64_t count) {
  if (count >= kWideLanes) return load_double(from);
  T numbers[kWideLanes] = {};
  std::memcpy(numbers, from, static_cast<size_t>(count) * sizeof(T));
  return load_double(numbers);
}

// Calls `use` with the address of a row in its own type.
template <typename Use>
FASTDAAE_INLINE auto with_row(const Points& points, int64_t row, const Use& use) {
  const void* from = row_of(points, row);
  if (points.type == Number::uint8) return use(static_cast<const uint8_t*>(from));
  if (points.type == Number::float32) return use(static_cast<const float*>(from));
  return use(static_cast<const double*>(from));
}

// The same for all rows at once.
template <typename Use>
FASTDAAE_INLINE auto with_numbers(const Points& points, const Use& use) {
  return with_row(points, 0, use);
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
