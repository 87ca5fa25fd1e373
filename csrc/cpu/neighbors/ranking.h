// Distances by direct differences, of the points as given: what decides between the candidates that screening leaves.
#pragma once

#include <algorithm>

#include "frame.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

struct Ranked {
  double squared;
  int32_t index;
  float shown;  // the squared distance as screened
};

// Sorting and selection are instantiated for this type of this file alone, so no other instruction set shares them.
inline bool operator<(const Ranked& a, const Ranked& b) {
  return a.squared < b.squared || (a.squared == b.squared && a.index < b.index);
}

constexpr int kTogether = 4;  // candidates at a time: their rows are far apart in memory, and wait for one another

// Sums of squared differences from the query in float64; the query is lifted already.
template <typename T>
FASTDAAE_INLINE void direct_distances(const double* query, const T* const (&rows)[kTogether], int64_t columns,
                                      double lift, double (&squared)[kTogether]) {
  Double sums[kTogether] = {};
  int64_t d = 0;
  for (; d + kWideLanes <= columns; d += kWideLanes) {
    const Double own = load_double(query + d);
#pragma GCC unroll 4
    for (int i = 0; i < kTogether; ++i) {
      const Double apart = load_double(rows[i] + d) * lift - own;
      sums[i] += apart * apart;
    }
  }
  for (int i = 0; i < kTogether; ++i) {
    squared[i] = 0.0;
    for (int lane = 0; lane < kWideLanes; ++lane) squared[i] += sums[i][lane];
    for (int64_t rest = d; rest < columns; ++rest) {
      const double apart = static_cast<double>(rows[i][rest]) * lift - query[rest];
      squared[i] += apart * apart;
    }
  }
}

// 256 squares of at most 255^2 stay below 2^24: float32 sums of so many are exact.
constexpr int64_t kExactSquares = 256 * kLanes;

// The same of bytes: whole numbers, exact.
FASTDAAE_INLINE void direct_distances(const float* query, const uint8_t* const (&rows)[kTogether], int64_t columns,
                                      double, double (&squared)[kTogether]) {
  int64_t totals[kTogether] = {};
  int64_t d = 0;
  while (d + kLanes <= columns) {
    const int64_t last = columns - d < kExactSquares ? columns : d + kExactSquares;
    Float sums[kTogether] = {};
    for (; d + kLanes <= last; d += kLanes) {
      const Float own = load(query + d);
#pragma GCC unroll 4
      for (int i = 0; i < kTogether; ++i) {
        const Float apart = load_float(rows[i] + d) - own;
        sums[i] += apart * apart;
      }
    }
    for (int i = 0; i < kTogether; ++i) {
      const Int whole = __builtin_convertvector(sums[i], Int);
      for (int lane = 0; lane < kLanes; ++lane) totals[i] += whole[lane];
    }
  }
  for (int i = 0; i < kTogether; ++i) {
    for (int64_t rest = d; rest < columns; ++rest) {
      const int64_t apart = static_cast<int64_t>(rows[i][rest]) - static_cast<int64_t>(query[rest]);
      totals[i] += apart * apart;
    }
    squared[i] = static_cast<double>(totals[i]);
  }
}

template <typename T>
struct QueryNumber {
  using type = double;
};
template <>
struct QueryNumber<uint8_t> {
  using type = float;
};

// Sets `squared` of `count` entries, the squared distances of their points from row `query`, lifted.
template <typename T>
void measure_entries(const T* query, const T* points, int64_t columns, double lift, Ranked* entries, int64_t count,
                     void* memory) {
  using Wide = typename QueryNumber<T>::type;
  Wide* const own = static_cast<Wide*>(memory);
  for (int64_t d = 0; d < columns; ++d) own[d] = static_cast<Wide>(query[d] * static_cast<Wide>(lift));
  for (int64_t start = 0; start < count; start += kTogether) {
    const T* rows[kTogether];
    double squared[kTogether];
    for (int i = 0; i < kTogether; ++i) {
      const int64_t at = start + i < count ? start + i : count - 1;
      rows[i] = points + entries[at].index * columns;
    }
    direct_distances(own, rows, columns, lift, squared);
    for (int i = 0; i < kTogether && start + i < count; ++i) entries[start + i].squared = squared[i];
  }
}

// Ranks the candidates of one query at a time; one for each thread.
struct Ranker {
  Points queries, points;
  Ranked* entries;
  void* query;  // room for a row in float64
  double lift;  // of float64 points, a power of two; 1 for the others

  void measure(int64_t query_row, int64_t count) const {
    with_numbers(points, [&](auto* values) {
      const auto* from = static_cast<decltype(values)>(queries.values) + query_row * queries.columns;
      measure_entries(from, values, points.columns, lift, entries, count, query);
    });
  }

  // Brings the k nearest of the entries to the front, in no order.
  void select(int64_t k, int64_t count) const {
    if (k < count) std::nth_element(entries, entries + (k - 1), entries + count);
  }
};

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
