// Spans of a row in memory: floats, and bytes that mean value / 255.
#pragma once

#include <cstring>

#include "../tile/numbers.h"
#include "words.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// The first `count` numbers of a span; the others read as zero and are not written.
FASTDAAE_INLINE Span<Float> load_span(const float* from, int64_t count) {
  if (count >= kSpan) return {load(from), load(from + kLanes)};
  if (count <= kLanes) return {load_part(from, count), Float{}};
  return {load(from), load_part(from + kLanes, count - kLanes)};
}

FASTDAAE_INLINE void store_span(float* to, Span<Float> x, int64_t count) {
  if (count <= kLanes) return store_part(to, x.first, count);
  store(to, x.first);
  if (count >= kSpan) return store(to + kLanes, x.second);
  store_part(to + kLanes, x.second, count - kLanes);
}

FASTDAAE_INLINE Span<Float> load_span(const uint8_t* from, int64_t count) {
  if (count >= kSpan) return {pixel_values(from), pixel_values(from + kLanes)};
  uint8_t pixels[kSpan] = {};
  std::memcpy(pixels, from, static_cast<size_t>(count));
  return {pixel_values(pixels), pixel_values(pixels + kLanes)};
}

template <int spans, typename T>
FASTDAAE_INLINE void load_spans(const T* from, int64_t count, Span<Float>* x) {
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) x[s] = load_span(from + s * kSpan, spans > 1 ? kSpan : count);
}

template <int spans>
FASTDAAE_INLINE void store_spans(float* to, const Span<Float>* x, int64_t count) {
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) store_span(to + s * kSpan, x[s], spans > 1 ? kSpan : count);
}

// A row as it is, in floats; `out` may be the place where it is read.
inline void convert_stretch(const float* from, int64_t count, float* out) {
  std::memmove(out, from, static_cast<size_t>(count) * sizeof(float));
}

inline void convert_stretch(const uint8_t* from, int64_t count, float* out) {
  for (int64_t column = 0; column < count; column += kSpan) {
    const int64_t left = count - column;
    store_span(out + column, load_span(from + column, left), left);
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
