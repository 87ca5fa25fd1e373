// Corrupted numbers of one row, made where they are needed: other kernels write them straight into their panels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "corruption.h"
#include "normal.h"

#ifndef FASTDAAE_ISA
#error "define FASTDAAE_ISA: the namespace of this instruction set, so that no two files share a function"
#endif

namespace fastdaae {
namespace FASTDAAE_ISA {

constexpr int kCounters = 16;
constexpr int kBlock = 4 * kCounters;  // columns worked on at once, one Philox counter per four

struct RowNoise {
  PhiloxKey key;
  uint32_t row, copy_and_site, step;
};

// Decides (w + 1/2) 2^-32 < probability exactly, in integers.
struct Threshold {
  explicit Threshold(double probability) {
    const double count = std::ceil(probability * 0x1p32 - 0.5);  // words below: exact, both steps keep every bit
    any = count >= 1.0;
    last = any ? static_cast<uint32_t>(std::min(count, 0x1p32) - 1.0) : 0u;
  }
  FASTDAAE_INLINE bool above(uint32_t word) const { return any & (word <= last); }
  bool any;
  uint32_t last;
};

// Everything a block needs, converted once per call.
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

FASTDAAE_INLINE PhiloxWords words_of(const RowNoise& noise, uint32_t quad) {
  return philox4x32({quad, noise.row, noise.copy_and_site, noise.step}, noise.key);
}

FASTDAAE_INLINE void fill_words(const RowNoise& noise, uint32_t first_quad, uint32_t* words) {
  for (int q = 0; q < kCounters; ++q) {
    const PhiloxWords w = words_of(noise, first_quad + static_cast<uint32_t>(q));
    words[4 * q] = w.w0;
    words[4 * q + 1] = w.w1;
    words[4 * q + 2] = w.w2;
    words[4 * q + 3] = w.w3;
  }
}

FASTDAAE_INLINE void fill_normals(const RowNoise& noise, uint32_t first_quad, float* normals) {
  for (int q = 0; q < kCounters; ++q) {
    const PhiloxWords w = words_of(noise, first_quad + static_cast<uint32_t>(q));
    const NormalPair first = box_muller(w.w0, w.w1);
    const NormalPair second = box_muller(w.w2, w.w3);
    normals[4 * q] = first.cosine_part;
    normals[4 * q + 1] = first.sine_part;
    normals[4 * q + 2] = second.cosine_part;
    normals[4 * q + 3] = second.sine_part;
  }
}

FASTDAAE_INLINE void add_normals(const Plan& plan, const RowNoise& noise, uint32_t first_quad, float* x) {
  if (plan.noiseless) return;  // x + 0 n would turn -0 into 0
  float normals[kBlock];
  fill_normals(noise, first_quad, normals);
  for (int j = 0; j < kBlock; ++j) x[j] += plan.sigma * normals[j];
}

FASTDAAE_INLINE void corrupt_block(const Plan& plan, const RowNoise& noise, uint32_t first_quad, float* x) {
  if (plan.kind == Kind::none) return;
  if (plan.kind == Kind::gaussian || plan.kind == Kind::gaussian_clip) {
    add_normals(plan, noise, first_quad, x);
    if (plan.kind == Kind::gaussian) return;
    for (int j = 0; j < kBlock; ++j) {
      const float raised = x[j] < plan.low ? plan.low : x[j];
      x[j] = raised > plan.high ? plan.high : raised;
    }
    return;
  }
  uint32_t words[kBlock];
  fill_words(noise, first_quad, words);
  if (plan.kind == Kind::masking) {
    for (int j = 0; j < kBlock; ++j) x[j] = plan.changed.above(words[j]) ? 0.0f : x[j];
    return;
  }
  for (int j = 0; j < kBlock; ++j) {
    const float extreme = plan.pepper.above(words[j]) ? plan.low : plan.high;
    x[j] = plan.changed.above(words[j]) ? extreme : x[j];
  }
}

// Sets grad to 0 where the corruption did not let x through; x is overwritten.
FASTDAAE_INLINE void stop_block(const Plan& plan, const RowNoise& noise, uint32_t first_quad, float* x, float* grad) {
  if (plan.kind == Kind::none || plan.kind == Kind::gaussian) return;
  if (plan.kind == Kind::gaussian_clip) {
    add_normals(plan, noise, first_quad, x);
    for (int j = 0; j < kBlock; ++j) grad[j] = (x[j] >= plan.low) & (x[j] <= plan.high) ? grad[j] : 0.0f;
    return;
  }
  uint32_t words[kBlock];
  fill_words(noise, first_quad, words);
  for (int j = 0; j < kBlock; ++j) grad[j] = plan.changed.above(words[j]) ? 0.0f : grad[j];
}

// A full block is moved with a size known to the compiler: a few vector moves instead of a call.
template <typename T>
FASTDAAE_INLINE void move_block(T* to, const T* from, int64_t width) {
  if (width == kBlock) {
    std::memcpy(to, from, kBlock * sizeof(T));
  } else {
    std::memcpy(to, from, static_cast<size_t>(width) * sizeof(T));
  }
}

FASTDAAE_INLINE void load_block(const Source& source, int64_t row, int64_t column, int64_t width, float* x) {
  const int64_t start = (source.index ? source.index[row] : row) * source.columns + column;
  if (!source.is_uint8) {
    move_block(x, static_cast<const float*>(source.values) + start, width);
    return;
  }
  uint8_t pixels[kBlock] = {};
  move_block(pixels, static_cast<const uint8_t*>(source.values) + start, width);
  for (int j = 0; j < kBlock; ++j) x[j] = static_cast<float>(pixels[j]) / 255.0f;
}

FASTDAAE_INLINE RowNoise row_noise(const NoiseAddress& noise, int64_t row, int64_t copy) {
  const auto counter_row = static_cast<uint32_t>(static_cast<uint64_t>(noise.row_offset) + static_cast<uint64_t>(row));
  return {noise.key, counter_row, static_cast<uint32_t>(copy) | noise.site << 16, noise.step};
}

// Columns first..first+count-1 of the corrupted row `row`, whose source is row index[row] or `row`; first is a multiple
// of 64.
FASTDAAE_INLINE void corrupted_columns(const Source& source, const Plan& plan, const RowNoise& noise, int64_t row,
                                       int64_t first, int64_t count, float* out) {
  for (int64_t column = first; column < first + count; column += kBlock) {
    const int64_t width = std::min<int64_t>(kBlock, first + count - column);
    float x[kBlock] = {};
    load_block(source, row, column, width, x);
    corrupt_block(plan, noise, static_cast<uint32_t>(column / 4), x);
    move_block(out + (column - first), x, width);
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
