// From points as given to float32 coordinates that are centred and scaled to [-1, 1], and to the panels of product.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "../machine.h"
#include "../tile/numbers.h"
#include "../tile/pack.h"
#include "neighbors.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

// Coordinates are (x - center) * scale, computed in float64; scale is a power of two, so it rounds nothing. Direct
// differences are multiplied by another, so that their squares neither overflow nor vanish.
struct Frame {
  const double* center;
  double scale, lift;
};

// Squares of numbers to 2^481, summed over 2^20 columns, stay below 2^1024; down to 1e-296 of them they are normal.
constexpr int kLifted = 480;

// The power of two that brings a magnitude to at most 2^exponent, as far as float64 has it.
inline double power_of_two(int exponent, double magnitude) {
  int own = 0;
  std::frexp(magnitude, &own);
  return magnitude > 0.0 ? std::ldexp(1.0, std::min(exponent - own, 1000)) : 1.0;
}

template <typename T>
FASTDAAE_INLINE void to_frame(const Frame& frame, const T* row, int64_t start, int64_t count, float* out) {
  const double* center = frame.center + start;
  const T* from = row + start;
  const Double scale = broadcast(frame.scale);
  int64_t d = 0;
  for (; d + kWideLanes <= count; d += kWideLanes) {
    store(out + d, __builtin_convertvector((load_double(from + d) - load_double(center + d)) * scale, HalfFloat));
  }
  for (; d < count; ++d) out[d] = static_cast<float>((static_cast<double>(from[d]) - center[d]) * frame.scale);
}

// Sums, smallest and largest of every column over some rows.
struct ColumnRanges {
  double *sums, *lows, *highs;
};

template <typename T>
void measure_columns(const T* values, int64_t first, int64_t last, int64_t columns, const ColumnRanges& ranges) {
  for (int64_t row = first; row < last; ++row) {
    const T* from = values + row * columns;
    int64_t d = 0;
    for (; d + kWideLanes <= columns; d += kWideLanes) {
      const Double x = load_double(from + d), low = load_double(ranges.lows + d), high = load_double(ranges.highs + d);
      store(ranges.sums + d, load_double(ranges.sums + d) + x);
      store(ranges.lows + d, x < low ? x : low);
      store(ranges.highs + d, x > high ? x : high);
    }
    for (; d < columns; ++d) {
      const double x = static_cast<double>(from[d]);
      ranges.sums[d] += x;
      ranges.lows[d] = x < ranges.lows[d] ? x : ranges.lows[d];
      ranges.highs[d] = x > ranges.highs[d] ? x : ranges.highs[d];
    }
  }
}

// The ranges of a set, one slice of `slices` for each thread: `at` says where a slice's numbers stand.
template <typename At>
void measure_set(const Points& set, int threads, const At& at) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int slice = 0; slice < threads; ++slice) {
    const int64_t first = set.rows * slice / threads, last = set.rows * (slice + 1) / threads;
    with_numbers(set, [&](auto* values) { measure_columns(values, first, last, set.columns, at(slice)); });
  }
}

inline double middle(double sum, double low, double high, int64_t count) {
  const double mean = sum / static_cast<double>(count);
  return mean >= low && mean <= high ? mean : low / 2 + high / 2;
}

// The mean of the points, written to `center`, the scale that brings points and queries into [-1, 1], and the lift.
inline Frame frame_of(const Points& points, const Points& queries, int threads, double* center) {
  const int64_t columns = points.columns, slice_size = 3 * columns;
  const Scratch memory(static_cast<size_t>(threads * slice_size) * sizeof(double));
  double* const all = memory.as<double>();
  const auto at = [=](int64_t slice) {
    double* start = all + slice * slice_size;
    return ColumnRanges{start, start + columns, start + 2 * columns};
  };
  for (int64_t i = 0; i < threads * slice_size; ++i) {
    const int64_t part = i % slice_size / columns;
    all[i] = part == 0 ? 0.0 : part == 1 ? HUGE_VAL : -HUGE_VAL;
  }
  measure_set(points, threads, at);
  double farthest = 0.0, largest = 0.0;
  const auto widen = [&](double low, double high, int64_t d) {
    largest = std::fmax(largest, std::fmax(high, -low));
    const double reach = std::fmax(high - center[d], center[d] - low);
    farthest = reach > farthest ? reach : farthest;
  };
  for (int64_t d = 0; d < columns; ++d) {
    double sum = 0.0, low = HUGE_VAL, high = -HUGE_VAL;
    for (int slice = 0; slice < threads; ++slice) {
      sum += at(slice).sums[d];
      low = std::fmin(low, at(slice).lows[d]);
      high = std::fmax(high, at(slice).highs[d]);
    }
    center[d] = middle(sum, low, high, points.rows);
    widen(low, high, d);
  }
  if (queries.values) {
    measure_set(queries, threads, at);  // slices hold the points' ranges too: wider, and as good
    for (int slice = 0; slice < threads; ++slice) {
      for (int64_t d = 0; d < columns; ++d) widen(at(slice).lows[d], at(slice).highs[d], d);
    }
  }
  if (!(farthest < HUGE_VAL)) {
    throw std::invalid_argument("points must lie within 1e308 of their mean; scale them down");
  }
  return {center, power_of_two(0, farthest), points.type == Number::float64 ? power_of_two(kLifted, largest) : 1.0};
}

// Bytes are multiplied as they stand.
inline Frame byte_frame(const Points& points, double* center) {
  std::fill_n(center, points.columns, 0.0);
  return {center, 0x1p-8, 1.0};
}

// Squared length of coordinates in the frame, of the float32 numbers that are multiplied.
FASTDAAE_INLINE double squared_norm(const float* coordinates, int64_t columns) {
  Double sums = Double{};
  int64_t d = 0;
  for (; d + kWideLanes <= columns; d += kWideLanes) {
    const Double x = load_double(coordinates + d);
    sums += x * x;
  }
  double total = 0.0;
  for (int i = 0; i < kWideLanes; ++i) total += sums[i];
  for (; d < columns; ++d) total += static_cast<double>(coordinates[d]) * coordinates[d];
  return total;
}

template <typename T>
void measure_norms(const Frame& frame, const T* values, int64_t first, int64_t last, int64_t columns, float* norms) {
  constexpr int64_t size = 1024;
  float part[size];
  for (int64_t row = first; row < last; ++row) {
    double total = 0.0;
    for (int64_t d = 0; d < columns; d += size) {
      const int64_t count = columns - d < size ? columns - d : size;
      to_frame(frame, values + row * columns, d, count, part);
      total += squared_norm(part, count);
    }
    norms[row] = static_cast<float>(total);
  }
}

// Rows first..first+count-1 of a set as row panels.
template <typename T>
void pack_rows(const Frame& frame, const T* values, int64_t first, int64_t count, int64_t columns, float* panels) {
  for (int64_t i = 0; i < count; ++i) {
    float* panel = panels + i / kTileRows * row_panel_size(columns);
    for (int64_t d = 0; d < columns; d += kDepthBlock) {
      const int64_t part = columns - d < kDepthBlock ? columns - d : kDepthBlock;
      to_frame(frame, values + (first + i) * columns, d, part, panel + row_panel_at(i % kTileRows, d));
    }
  }
}

// Rows first..first+count-1 of a set as column panels; `stripe` holds kTileColumns rows for the transposition.
template <typename T>
void pack_columns(const Frame& frame, const T* values, int64_t first, int64_t count, int64_t columns, float* stripe,
                  float* panels) {
  for (int64_t start = 0; start < count; start += kTileColumns) {
    const float* from[kTileColumns];
    for (int64_t i = 0; i < kTileColumns; ++i) {
      from[i] = start + i < count ? stripe + i * columns : nullptr;
      if (from[i]) to_frame(frame, values + (first + start + i) * columns, 0, columns, stripe + i * columns);
    }
    pack_columns_of_rows(from, columns, panels + start * columns);
  }
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
