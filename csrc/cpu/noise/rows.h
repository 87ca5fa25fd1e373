// Corrupted numbers of one row, made where they are needed: other kernels write them straight into their panels.
#pragma once

#include <algorithm>
#include <cmath>

#include "corruption.h"
#include "normal.h"
#include "patches.h"
#include "spans.h"

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
        pepper(corruption.amount / 2),
        patches(corruption.patches) {}
  Kind kind;
  bool noiseless;
  float sigma, low, high;
  Threshold changed, pepper;
  Patches patches;
};

template <int spans>
FASTDAAE_INLINE void add_normals(const Plan& plan, const WideWords* words, Span<Float>* x) {
  if (plan.noiseless) return;  // x + 0 n would turn -0 into 0
  Word u[spans], v[spans];
  NormalPair normals[spans];
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) {
    u[s] = merged(words[s].w0, words[s].w2);
    v[s] = merged(words[s].w1, words[s].w3);
  }
  box_muller<spans>(u, v, normals);
  const Float sigma = broadcast(plan.sigma);
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) {
    const Span<Float> n = interleaved(normals[s].cosine_part, normals[s].sine_part);
    x[s] = {multiply_add(sigma, n.first, x[s].first), multiply_add(sigma, n.second, x[s].second)};
  }
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

template <Kind kind, int spans>
FASTDAAE_INLINE void corrupt_spans(const Plan& plan, const WideWords* words, Span<Float>* x) {
  if (kind == Kind::gaussian || kind == Kind::clipped_gaussian) add_normals<spans>(plan, words, x);
  if (kind == Kind::gaussian) return;
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) {
    if (kind == Kind::clipped_gaussian) {
      x[s] = {clipped(plan, x[s].first), clipped(plan, x[s].second)};
      continue;
    }
    const Span<Word> w = words_of_columns(words[s]);
    if (kind == Kind::masking) {
      x[s] = {plan.changed.above(w.first) ? Float{} : x[s].first, plan.changed.above(w.second) ? Float{} : x[s].second};
    } else {
      x[s] = {salted(plan, w.first, x[s].first), salted(plan, w.second, x[s].second)};
    }
  }
}

// Asks for the numbers one page ahead of a block: whether the processor finds them by itself, beside so much arithmetic,
// hangs on how the compiler orders the loads (0.46 ns a number from memory, or 0.85).
template <int spans, typename T>
FASTDAAE_INLINE void fetch_ahead(const T* from) {
  const char* ahead = reinterpret_cast<const char*>(from) + 4096;
#pragma GCC unroll 8
  for (size_t byte = 0; byte < spans * kSpan * sizeof(T); byte += 64) __builtin_prefetch(ahead + byte, 0, 3);
}

template <Kind kind, typename T>
inline void corrupt_stretch(const T* from, const Plan& plan, const RowNoise& noise, int64_t first, int64_t count,
                            float* out) {
  const RowSchedule schedule(noise);
  for_each_block(first, count, [&](auto number, int64_t column, Wide products) __attribute__((always_inline)) {
    constexpr int spans = decltype(number)::value;
    WideWords words[spans];
    Span<Float> x[spans];
    fetch_ahead<spans>(from + column);
    words_of_counters<spans>(schedule, products, words);
    load_spans<spans>(from + column, count - column, x);
    corrupt_spans<kind, spans>(plan, words, x);
    store_spans<spans>(out + column, x, count - column);
  });
}

// One span of columns, from column `column` on (a multiple of kSpan), of `count` rows that follow each other: the first
// is that of `noise`. Numbers are read as whole spans, kSpan apart, and written as `width` numbers, `stride` apart.
template <Kind kind>
inline void corrupt_tile(const float* from, const Plan& plan, const RowNoise& noise, int64_t column, int64_t count,
                         int64_t width, float* out, int64_t stride) {
  const Schedule schedule(noise);
  const Wide products = first_products(column);
  const auto corrupt_rows = [&](auto number, int64_t row) __attribute__((always_inline)) {
    constexpr int rows = decltype(number)::value;
    WideWords words[rows];
    Span<Float> x[rows];
    words_of_rows<rows>(schedule, noise.row + static_cast<uint32_t>(row), products, words);
    load_spans<rows>(from + row * kSpan, kSpan, x);
    corrupt_spans<kind, rows>(plan, words, x);
#pragma GCC unroll 4
    for (int i = 0; i < rows; ++i) store_span(out + (row + i) * stride, x[i], width);
  };
  int64_t row = 0;
  for (; row + 4 <= count; row += 4) corrupt_rows(std::integral_constant<int, 4>{}, row);
  for (; row + 2 <= count; row += 2) corrupt_rows(std::integral_constant<int, 2>{}, row);
  if (row < count) corrupt_rows(std::integral_constant<int, 1>{}, row);
}

template <typename T>
inline void patch_stretch(const T* from, const Plan& plan, const RowNoise& noise, int64_t first, int64_t count,
                          float* out) {
  convert_stretch(from, count, out);
  fill_patches(plan.patches, noise, first, count, plan.low, out);
}

template <typename T>
inline void corrupt_numbers(const T* from, const Plan& plan, const RowNoise& noise, int64_t first, int64_t count,
                            float* out) {
  switch (plan.kind) {
    case Kind::none:
      return convert_stretch(from, count, out);
    case Kind::gaussian:
      return corrupt_stretch<Kind::gaussian>(from, plan, noise, first, count, out);
    case Kind::clipped_gaussian:
      return corrupt_stretch<Kind::clipped_gaussian>(from, plan, noise, first, count, out);
    case Kind::masking:
      return corrupt_stretch<Kind::masking>(from, plan, noise, first, count, out);
    case Kind::salt_and_pepper:
      return corrupt_stretch<Kind::salt_and_pepper>(from, plan, noise, first, count, out);
    case Kind::patches:
      return patch_stretch(from, plan, noise, first, count, out);
  }
}

// The tile of corrupt_tile, of any kind.
inline void corrupted_tile(const float* from, const Plan& plan, const RowNoise& noise, int64_t column, int64_t count,
                           int64_t width, float* out, int64_t stride) {
  switch (plan.kind) {
    case Kind::none:
      for (int64_t row = 0; row < count; ++row) convert_stretch(from + row * kSpan, width, out + row * stride);
      return;
    case Kind::gaussian:
      return corrupt_tile<Kind::gaussian>(from, plan, noise, column, count, width, out, stride);
    case Kind::clipped_gaussian:
      return corrupt_tile<Kind::clipped_gaussian>(from, plan, noise, column, count, width, out, stride);
    case Kind::masking:
      return corrupt_tile<Kind::masking>(from, plan, noise, column, count, width, out, stride);
    case Kind::salt_and_pepper:
      return corrupt_tile<Kind::salt_and_pepper>(from, plan, noise, column, count, width, out, stride);
    case Kind::patches:
      for (int64_t row = 0; row < count; ++row) {
        const RowNoise own = {noise.key, noise.row + static_cast<uint32_t>(row), noise.copy_and_site, noise.step};
        patch_stretch(from + row * kSpan, plan, own, column, width, out + row * stride);
      }
      return;
  }
}

// Columns first..first+count-1 of the corrupted row `row`, whose source is row index[row], or `row` without an index;
// first is a multiple of 64. out may be the place where they are read.
inline void corrupted_columns(const Source& source, const Plan& plan, const RowNoise& noise, int64_t row, int64_t first,
                              int64_t count, float* out) {
  if (count <= 0) return;
  const int64_t start = (source.index ? source.index[row] : row) * source.columns + first;
  if (source.type == Number::uint8) {
    corrupt_numbers(static_cast<const uint8_t*>(source.values) + start, plan, noise, first, count, out);
  } else {
    corrupt_numbers(static_cast<const float*>(source.values) + start, plan, noise, first, count, out);
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
