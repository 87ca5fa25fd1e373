// Two passes in float64. `summarize`: a block takes 64 points, 32 columns at a time: each warp turns rows of distances
// into mean log-ratios by a running prefix sum, then one thread for each column and quantity takes the moments of its
// rows. `combine`: one warp for each column and quantity merges the blocks' moments in a fixed tree.
#include "intrinsic_dimension.h"

#include "../moments.h"
#include "device.h"

namespace fastdaae {
namespace {

constexpr int kRows = kLogRatioRows, kColumns = kWarpSize;
constexpr int kThreads = 256, kWarps = kThreads / kWarpSize;

__device__ inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// The sum of `value` over this lane and those before it.
__device__ inline double inclusive_sum(double value) {
  for (int distance = 1; distance < kWarpSize; distance *= 2) {
    const double before = __shfl_up_sync(kAllLanes, value, distance);
    if (static_cast<int>(threadIdx.x % kWarpSize) >= distance) value += before;
  }
  return value;
}

using Slab = double[kRows][kColumns + 1];  // the last column is never read: it spreads the rows over the banks

// Moments of one column of the slab, or of the inverses of its positive entries.
__device__ inline Moments column_moments(const Slab& slab, int rows, int column, bool inverse) {
  double count = 0.0, sum = 0.0, squares = 0.0;
  for (int row = 0; row < rows; ++row) {
    const double value = slab[row][column];
    if (inverse && !(value > 0.0)) continue;
    sum += inverse ? 1.0 / value : value;
    count += 1.0;
  }
  const double mean = count > 0.0 ? sum / count : 0.0;
  for (int row = 0; row < rows; ++row) {
    const double value = slab[row][column];
    if (inverse && !(value > 0.0)) continue;
    const double deviation = (inverse ? 1.0 / value : value) - mean;
    squares += deviation * deviation;
  }
  return {count, mean, squares};
}

__device__ inline void write(const Moments& found, double* out) {
  out[0] = found.mean;
  out[1] = found.squares;
  out[2] = found.count;
}

template <typename Value>
__global__ void __launch_bounds__(kThreads) summarize(LogRatioMoments task) {
  __shared__ Slab slab;
  __shared__ double log_sums[kRows];
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * kRows;
  const int rows = static_cast<int>(smaller(kRows, task.points - first_row));
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
  for (int row = threadIdx.x; row < kRows; row += kThreads) log_sums[row] = 0.0;
  __syncthreads();
  for (int64_t first = 0; first < task.k; first += kColumns) {
    for (int row = warp; row < rows; row += kWarps) {
      const int64_t column = first + lane;
      const Value* distances = static_cast<const Value*>(task.distances) + (first_row + row) * task.k;
      // relative to the nearest, so that equal distances give zero, whatever the rounding of sums
      const double nearest = log(static_cast<double>(distances[0]));
      const double own = column < task.k ? log(static_cast<double>(distances[column])) - nearest : 0.0;
      const double through = log_sums[row] + inclusive_sum(own);
      // The first column has no earlier ones: its entry is never used.
      slab[row][lane] = own - (through - own) / (column > 0 ? static_cast<double>(column) : 1.0);
      if (column == task.k - 1) task.per_point[first_row + row] = slab[row][lane];
      __syncwarp();
      if (lane == kWarpSize - 1) log_sums[row] = through;
    }
    __syncthreads();
    const int64_t column = first + lane;
    if (warp < 2 && column > 0 && column < task.k) {
      const int64_t series = (static_cast<int64_t>(blockIdx.x) * 2 + warp) * (task.k - 1) + column - 1;
      write(column_moments(slab, rows, lane, warp == 0), task.partial + series * 3);
    }
    __syncthreads();
  }
}

__global__ void __launch_bounds__(kThreads) combine(LogRatioMoments task) {
  const int64_t series = 2 * (task.k - 1), blocks = (task.points + kRows - 1) / kRows;
  const int64_t one = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarpSize;
  if (one >= series) return;
  Moments total = {0.0, 0.0, 0.0};
  for (int64_t block = threadIdx.x % kWarpSize; block < blocks; block += kWarpSize) {
    const double* partial = task.partial + (block * series + one) * 3;
    total = merged(total, {partial[2], partial[0], partial[1]});
  }
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
    const Moments other = {__shfl_down_sync(kAllLanes, total.count, distance),
                           __shfl_down_sync(kAllLanes, total.mean, distance),
                           __shfl_down_sync(kAllLanes, total.squares, distance)};
    total = merged(total, other);
  }
  if (threadIdx.x % kWarpSize == 0) write(total, task.moments + one * 3);
}

}  // namespace

const char* log_ratio_moments(const LogRatioMoments& task, void* stream) {
  const int64_t blocks = (task.points + kRows - 1) / kRows, series = 2 * (task.k - 1);
  const auto summarize_kernel = task.is_float64 ? summarize<double> : summarize<float>;
  cudaError_t error = launch(summarize_kernel, blocks, kThreads, 0, stream, task);
  if (error == cudaSuccess) error = launch(combine, (series + kWarps - 1) / kWarps, kThreads, 0, stream, task);
  return in_words(error);
}

}  // namespace fastdaae
