// Moments of the log-ratios of neighbour distances on a CUDA device. Addresses are the device's; nothing waits.
#pragma once

#include <cstdint>

namespace fastdaae {

constexpr int kLogRatioRows = 64;  // points that one block takes

// With m(i, c) = (1 / c) sum_{j <= c} log(T_{c+1} / T_j), the mean log-ratio of point i's c + 1 nearest, c = 1..k - 1:
// the mean over points, the sum of squared deviations from it and the number of points, of 1 / m where m > 0 and of m,
// and each point's m(i, k - 1). Where the first c + 1 distances are equal, m is exactly zero.
struct LogRatioMoments {
  const void* distances;  // [points, k], float32 or float64, ascending
  bool is_float64;
  int64_t points, k;
  double* partial;    // scratch [ceil(points / kLogRatioRows), 2, k - 1, 3]
  double* moments;    // [2 (1 / m, m), k - 1, 3 (mean, squared deviations, points)]
  double* per_point;  // [points]
};

// nullptr, or what went wrong at the launch, in words. The order of every sum is fixed: equal calls give equal bits.
const char* log_ratio_moments(const LogRatioMoments& task, void* stream);

}  // namespace fastdaae
