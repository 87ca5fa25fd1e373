// Corrupted numbers of one row, made where they are needed: other kernels write them straight into their panels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "corruption.h"
#include "normal.h"
#include "words.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// Decides (w + 1/2) 2^-32 < probability exactly, in integers.
struct Threshold {
  explicit Threshold(double probability) {
    const double count = std::ceil(probability * 0x1p32 - 0.5);  // words below: exact, both steps keep every bit
    any = count >= 1.0 ? -1 : 0;
    last = any ? static_cast<uint32_t>(std::min(count, 0x1p32) - 1.0) : 0u;
  }
  FASTDAAE_INLINE Int above(Word words) const { return (words <= last) & any; }
  int32_t any;
  uint32_t last;
};

// Everything a row needs, converted once per call.
struct Plan {
  explicit Plan(const Corruption& corruption)
      : kind(corruption.kind),
        noiseless(corruption.amount == 0.0),
        sigma(static_cast<float>(corruption.amount)),
        low(static_cast<float>(corruption.low)),
        high(static_cast<float>(corruption.high)),
        changed(corruption.amount),
        pepper(corruption.amount / 2) {}
  Kind kind;
  bool noiseless;
  float sigma, low, high;
  Threshold changed, pepper;
};

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

// v / 255, rounded correctly for every v: the product with 257/65536 is exact, and the other is small.
FASTDAAE_INLINE Float pixel_values(const uint8_t* pixels) {
  typedef uint8_t Pixels __attribute__((vector_size(kLanes)));
  const Float v = as_float(__builtin_convertvector(load<Pixels>(pixels), Int));
  return multiply_add(v, broadcast(257.0f / 65536.0f), v * 5.983839e-08f);
}

FASTDAAE_INLINE Span<Float> load_span(const uint8_t* from, int64_t count) {
  if (count >= kSpan) return {pixel_values(from), pixel_values(from + kLanes)};
  uint8_t pixels[kSpan] = {};
  std::memcpy(pixels, from, static_cast<size_t>(count));
  return {pixel_values(pixels), pixel_values(pixels + kLanes)};
}

FASTDAAE_INLINE Span<Float> with_normals(const Plan& plan, const WideWords& words, Span<Float> x) {
  if (plan.noiseless) return x;  // x + 0 n would turn -0 into 0
  const NormalPair normals = box_muller(merged(words.w0, words.w2), merged(words.w1, words.w3));
  const Span<Float> n = interleaved(normals.cosine_part, normals.sine_part);
  const Float sigma = broadcast(plan.sigma);
  return {multiply_add(sigma, n.first, x.first), multiply_add(sigma, n.second, x.second)};
}

FASTDAAE_INLINE Float clipped(const Plan& plan, Float x) {
  const Float low = broadcast(plan.low), high = broadcast(plan.high);
  const Float raised = x < low ? low : x;
  return raised > high ? high : raised;
}

FASTDAAE_INLINE Float salted(const Plan& plan, Word words, Float x) {
  const Float extreme = plan.pepper.above(words) ? broadcast(plan.low) : broadcast(plan.high);
  return plan.changed.above(words) ? extreme : x;
}

template <Kind kind>
FASTDAAE_INLINE Span<Float> corrupted_span(const Plan& plan, const WideWords& words, Span<Float> x) {
  if (kind == Kind::gaussian) return with_normals(plan, words, x);
  if (kind == Kind::gaussian_clip) {
    x = with_normals(plan, words, x);
    return {clipped(plan, x.first), clipped(plan, x.second)};
  }
  const Span<Word> w = words_of_columns(words);
  if (kind == Kind::masking) {
    return {plan.changed.above(w.first) ? Float{} : x.first, plan.changed.above(w.second) ? Float{} : x.second};
  }
  return {salted(plan, w.first, x.first), salted(plan, w.second, x.second)};
}

template <Kind kind, typename Number>
inline void corrupt_stretch(const Number* from, const Plan& plan, const RowNoise& noise, int64_t first, int64_t count,
                            float* out) {
  const RowSchedule schedule(noise);
  Wide products = first_products(first);
  int64_t column = 0;
  for (; column + kSpan <= count; column += kSpan, products += kNextSpan) {
    const WideWords words = words_of_counters(schedule, products);
    store_span(out + column, corrupted_span<kind>(plan, words, load_span(from + column, kSpan)), kSpan);
  }
  if (column == count) return;
  const WideWords words = words_of_counters(schedule, products);
  const int64_t left = count - column;
  store_span(out + column, corrupted_span<kind>(plan, words, load_span(from + column, left)), left);
}

inline void convert_stretch(const float* from, int64_t count, float* out) {
  std::memmove(out, from, static_cast<size_t>(count) * sizeof(float));
}

inline void convert_stretch(const uint8_t* from, int64_t count, float* out) {
  for (int64_t column = 0; column < count; column += kSpan) {
    const int64_t left = count - column;
    store_span(out + column, load_span(from + column, left), left);
  }
}

template <typename Number>
inline void corrupt_numbers(const Number* from, const Plan& plan, const RowNoise& noise, int64_t first, int64_t count,
                            float* out) {
  switch (plan.kind) {
    case Kind::none:
      return convert_stretch(from, count, out);
    case Kind::gaussian:
      return corrupt_stretch<Kind::gaussian>(from, plan, noise, first, count, out);
    case Kind::gaussian_clip:
      return corrupt_stretch<Kind::gaussian_clip>(from, plan, noise, first, count, out);
    case Kind::masking:
      return corrupt_stretch<Kind::masking>(from, plan, noise, first, count, out);
    case Kind::salt_and_pepper:
      return corrupt_stretch<Kind::salt_and_pepper>(from, plan, noise, first, count, out);
  }
}

// Columns first..first+count-1 of the corrupted row `row`, whose source is row index[row], or `row` without an index;
// first is a multiple of 64. out may be the place where they are read.
inline void corrupted_columns(const Source& source, const Plan& plan, const RowNoise& noise, int64_t row, int64_t first,
                              int64_t count, float* out) {
  if (count <= 0) return;
  const int64_t start = (source.index ? source.index[row] : row) * source.columns + first;
  if (source.is_uint8) {
    corrupt_numbers(static_cast<const uint8_t*>(source.values) + start, plan, noise, first, count, out);
  } else {
    corrupt_numbers(static_cast<const float*>(source.values) + start, plan, noise, first, count, out);
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
