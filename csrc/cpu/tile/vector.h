// Vectors of the instruction set that the including file is compiled for, as the compiler's own vector types:
// + - * / & | ^ << >> and comparisons work lane by lane, and a * b + c becomes one fused multiply-add where it exists.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#include "../../philox.h"  // FASTDAAE_INLINE

#ifndef FASTDAAE_ISA
#error "define FASTDAAE_ISA: the namespace of this instruction set, so that no two files share a function"
#endif

namespace fastdaae {
namespace FASTDAAE_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
constexpr int kLanes = kVectorBytes / 4;      // float, int32 or uint32 lanes
constexpr int kWideLanes = kVectorBytes / 8;  // double or uint64 lanes

typedef float Float __attribute__((vector_size(kVectorBytes)));
typedef int32_t Int __attribute__((vector_size(kVectorBytes)));
typedef uint32_t Word __attribute__((vector_size(kVectorBytes)));
typedef double Double __attribute__((vector_size(kVectorBytes)));
typedef uint64_t Wide __attribute__((vector_size(kVectorBytes)));
typedef float HalfFloat __attribute__((vector_size(kVectorBytes / 2)));  // as many lanes as Double

template <typename To, typename From>
FASTDAAE_INLINE To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From), "the same bits in another type");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// Unaligned moves of a whole vector, and of its first `count` lanes (the others read as zero).
template <typename Vector, typename T>
FASTDAAE_INLINE Vector load(const T* from) {
  Vector value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

FASTDAAE_INLINE Float load(const float* from) { return load<Float>(from); }

template <typename Vector, typename T>
FASTDAAE_INLINE void store(T* to, Vector value) {
  std::memcpy(to, &value, sizeof value);
}

FASTDAAE_INLINE Float load_part(const float* from, int64_t count) {
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), from);
#else
  float lanes[kLanes] = {};
  std::memcpy(lanes, from, static_cast<size_t>(count) * sizeof(float));
  return load(lanes);
#endif
}

FASTDAAE_INLINE void store_part(float* to, Float value, int64_t count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1u), value);
#else
  float lanes[kLanes];
  store(lanes, value);
  std::memcpy(to, lanes, static_cast<size_t>(count) * sizeof(float));
#endif
}

FASTDAAE_INLINE Float broadcast(float value) { return value - Float{}; }
FASTDAAE_INLINE Word broadcast(uint32_t value) { return value - Word{}; }
FASTDAAE_INLINE Double broadcast(double value) { return value - Double{}; }

// a b + c, rounded once where the instruction set can: named, so that no compiler decides it differently in two places.
FASTDAAE_INLINE Float multiply_add(Float a, Float b, Float c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

FASTDAAE_INLINE Float multiply_add(Float a, float b, float c) { return multiply_add(a, broadcast(b), broadcast(c)); }

// x, rounded: no compiler may merge the product that it is with the sum that it enters.
FASTDAAE_INLINE Float rounded(Float x) {
#if defined(__SSE2__)
  asm("" : "+v"(x));
#elif defined(__aarch64__)
  asm("" : "+w"(x));
#endif
  return x;
}

FASTDAAE_INLINE Float smaller(Float a, Float b) { return a < b ? a : b; }
FASTDAAE_INLINE Float larger(Float a, Float b) { return a > b ? a : b; }

FASTDAAE_INLINE Float square_root(Float x) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(x);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#else
  for (int i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

// One bit per lane: 1 where a <= b.
FASTDAAE_INLINE uint32_t at_most(Float a, Float b) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
#elif defined(__AVX2__)
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LE_OQ)));
#else
  const Int holds = a <= b;
  uint32_t bits = 0;
  for (int i = 0; i < kLanes; ++i) bits |= static_cast<uint32_t>(holds[i] & 1) << i;
  return bits;
#endif
}

FASTDAAE_INLINE float sum_of(Float x) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps(x);
#else
  float sum = 0.0f;
  for (int i = 0; i < kLanes; ++i) sum += x[i];
  return sum;
#endif
}

FASTDAAE_INLINE float smallest_of(Float x) {
#if defined(__AVX512F__)
  return _mm512_reduce_min_ps(x);
#else
  float least = x[0];
  for (int i = 1; i < kLanes; ++i) least = x[i] < least ? x[i] : least;
  return least;
#endif
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
