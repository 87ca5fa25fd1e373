// Fused distances and k smallest, in two passes. `screen` multiplies tiles in float32 and keeps, for each query, every
// point that the rounding bound cannot exclude: a distance of at most `limit` is appended to a list in scratch memory,
// and a list that grows full is cut back to what its own k-th smallest, by radix selection, allows: then `limit` falls.
// That is right for any k and any order of the points. `rank` sorts the survivors by direct float64 differences.
#include "nearest_neighbors.h"

#include <cuda_pipeline.h>

#include "device.h"
#include "selection.h"

namespace fastdaae {
namespace {

constexpr int kTile = kNeighborTile, kDepth = kNeighborDepth;
constexpr int kThreads = 256, kWarps = kThreads / kWarpSize;
constexpr int kOwn = 8;  // each thread multiplies 8 queries by 8 points: 4 in each half of the tile
constexpr int kHalf = kTile / 2;

__device__ inline int half_split(int group, int i) { return (i / 4) * kHalf + group * 4 + i % 4; }

struct alignas(16) TilePair {  // for asynchronous copies and loads of 16 bytes
  float queries[2][kDepth][kTile], points[2][kDepth][kTile];  // double-buffered
};

// Starts bringing in one step's columns of both sides, past the registers; `arrived` waits for them.
__device__ inline void fetch(const DeviceNeighborSearch& s, int32_t first_query, int32_t first_point, int32_t depth,
                             TilePair& tiles, int buffer) {
  for (int row = threadIdx.x / kWarpSize; row < kDepth; row += kWarps) {
    const int column = threadIdx.x % kWarpSize * 4;
    const int64_t query = int64_t{depth + row} * whole_units(s.query_count, kTile) + first_query + column;
    const int64_t point = int64_t{depth + row} * whole_units(s.point_count, kTile) + first_point + column;
    __pipeline_memcpy_async(&tiles.queries[buffer][row][column], s.queries_transposed + query, sizeof(float4));
    __pipeline_memcpy_async(&tiles.points[buffer][row][column], s.points_transposed + point, sizeof(float4));
  }
  __pipeline_commit();
}

__device__ inline void arrived() {
  __pipeline_wait_prior(0);
  __syncthreads();
}

__device__ inline void load_own(const float (&row)[kTile], int group, float (&own)[kOwn]) {
  const float4 low = *reinterpret_cast<const float4*>(&row[group * 4]);
  const float4 high = *reinterpret_cast<const float4*>(&row[kHalf + group * 4]);
  own[0] = low.x, own[1] = low.y, own[2] = low.z, own[3] = low.w;
  own[4] = high.x, own[5] = high.y, own[6] = high.z, own[7] = high.w;
}

__device__ inline void multiply(const TilePair& tiles, int buffer, float (&product)[kOwn][kOwn]) {
#pragma unroll 4  // of 16: the whole would need more than the 128 registers of two blocks on a multiprocessor
  for (int depth = 0; depth < kDepth; ++depth) {
    float queries[kOwn], points[kOwn];
    load_own(tiles.queries[buffer][depth], threadIdx.x / 16, queries);
    load_own(tiles.points[buffer][depth], threadIdx.x % 16, points);
#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
#pragma unroll
      for (int j = 0; j < kOwn; ++j) product[i][j] += queries[i] * points[j];
    }
  }
}

// product[i][j] = q p, summed in the order of the columns. Others may still read the tiles when a thread returns.
__device__ inline void multiply_tiles(const DeviceNeighborSearch& s, int32_t first_query, int32_t first_point,
                                      TilePair& tiles, float (&product)[kOwn][kOwn]) {
  fetch(s, first_query, first_point, 0, tiles, 0);
  arrived();
  int buffer = 0;
  for (int32_t depth = kDepth; depth < s.columns; depth += kDepth) {
    fetch(s, first_query, first_point, depth, tiles, buffer ^ 1);
    multiply(tiles, buffer, product);
    buffer ^= 1;
    arrived();
  }
  multiply(tiles, buffer, product);
}

// The candidate lists of a tile of queries; the entries themselves stand in scratch memory.
struct Lists {
  float limits[kTile], norms[kTile];
  int counts[kTile];
};

__device__ inline void append(const DeviceNeighborSearch& s, Lists& lists, Candidate* entries, int32_t first_query,
                              int32_t first_point, const float (&product)[kOwn][kOwn]) {
  float norms[kOwn];
#pragma unroll
  for (int j = 0; j < kOwn; ++j) norms[j] = s.point_norms[first_point + half_split(threadIdx.x % 16, j)];
#pragma unroll
  for (int i = 0; i < kOwn; ++i) {
    const int row = half_split(threadIdx.x / 16, i);
    const float limit = lists.limits[row], norm = lists.norms[row];
#pragma unroll
    for (int j = 0; j < kOwn; ++j) {
      const float screened = norm + norms[j] - 2.0f * product[i][j];
      if (!(screened <= limit)) continue;  // NaN too
      const int32_t point = first_point + half_split(threadIdx.x % 16, j);
      if (point >= s.point_count || (s.self_join && point == first_query + row)) continue;
      entries[row * s.capacity + atomicAdd(&lists.counts[row], 1)] = {screened, point};
    }
  }
}

// Cuts every list longer than `longest` back to what may still be among the k nearest, each by one warp. A list that
// stays longer is given up: its count becomes -1 and its limit lets nothing in. The whole block calls this.
__device__ inline void cut_back(const DeviceNeighborSearch& s, Lists& lists, Candidate* entries, int64_t longest,
                                uint32_t* histograms) {
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
  for (int row = warp; row < kTile; row += kWarps) {
    const int count = lists.counts[row];
    if (count <= longest || count <= s.k) continue;
    Candidate* list = entries + row * s.capacity;
    const float kth = kth_smallest(list, count, s.k, histograms + warp * kDigits);
    const float limit = screening_limit(kth, lists.norms[row], s.columns);
    const int kept = keep_within(list, count, limit);
    const bool full = longest > 0 && kept > longest;
    if (lane == 0) {
      lists.counts[row] = full ? -1 : kept;
      lists.limits[row] = full ? -HUGE_VALF : limit;
    }
  }
}

__global__ void __launch_bounds__(kThreads, 2) screen(DeviceNeighborSearch s, int64_t chunk_start) {
  __shared__ TilePair tiles;
  __shared__ Lists lists;
  __shared__ uint32_t histograms[kWarps * kDigits];
  const int64_t tile_start = static_cast<int64_t>(blockIdx.x) * kTile;
  const int32_t first_query = static_cast<int32_t>(chunk_start + tile_start);
  Candidate* entries = s.candidates + tile_start * s.capacity;
  for (int row = threadIdx.x; row < kTile; row += kThreads) {
    lists.counts[row] = 0;
    lists.limits[row] = first_query + row < s.query_count ? HUGE_VALF : -HUGE_VALF;
    lists.norms[row] = s.query_norms[first_query + row];
  }
  for (int32_t first_point = 0; first_point < s.point_count; first_point += kTile) {
    float product[kOwn][kOwn] = {};
    multiply_tiles(s, first_query, first_point, tiles, product);
    append(s, lists, entries, first_query, first_point, product);
    __syncthreads();
    cut_back(s, lists, entries, s.capacity - kTile, histograms);
  }
  __syncthreads();
  cut_back(s, lists, entries, 0, histograms);
  __syncthreads();
  for (int row = threadIdx.x; row < kTile && first_query + row < s.query_count; row += kThreads) {
    // fewer than k where NaN is among the numbers
    s.counts[first_query + row] = lists.counts[row] < s.k ? -1 : lists.counts[row];
  }
}

// |q - p|^2 in float64 by one warp, in an order that the points do not change: equal rows give equal distances.
template <typename Value>
__device__ inline double squared_distance(const Value* query, const Value* point, int64_t columns) {
  double sum = 0.0;
  for (int64_t column = threadIdx.x % kWarpSize; column < columns; column += kWarpSize) {
    const double difference = static_cast<double>(query[column]) - static_cast<double>(point[column]);
    sum += difference * difference;
  }
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2) sum += __shfl_xor_sync(kAllLanes, sum, distance);
  return sum;
}

__device__ inline void sort(RankedList list, int64_t length) {
  for (int64_t size = 2; size <= length; size *= 2) {
    for (int64_t stride = size / 2; stride > 0; stride /= 2) {
      __syncthreads();
      for (int64_t pair = threadIdx.x; pair < length / 2; pair += kThreads) bitonic_exchange(list, pair, size, stride);
    }
  }
  __syncthreads();
}

// One block for one query: float64 distances of its candidates, sorted; the k first are the result.
template <typename Value>
__global__ void __launch_bounds__(kThreads) rank(DeviceNeighborSearch s, int64_t chunk_start) {
  FASTDAAE_DYNAMIC_SHARED(double, shared);
  const RankedList list = {shared, reinterpret_cast<int32_t*>(shared + s.capacity)};
  const int64_t query = chunk_start + blockIdx.x;
  const int count = s.counts[query];
  if (count < 0) return;
  const Candidate* entries = s.candidates + static_cast<int64_t>(blockIdx.x) * s.capacity;
  const Value* own = static_cast<const Value*>(s.queries) + query * s.columns;
  int64_t length = 1;
  while (length < count) length *= 2;
  for (int64_t i = threadIdx.x / kWarpSize; i < length; i += kWarps) {
    const int32_t index = i < count ? entries[i].index : INT32_MAX;
    double distance = HUGE_VAL;
    if (i < count) {
      distance = squared_distance(own, static_cast<const Value*>(s.points) + index * s.columns, s.columns);
    }
    if (threadIdx.x % kWarpSize == 0) {
      list.distances[i] = distance;
      list.indices[i] = index;
    }
  }
  sort(list, length);
  for (int64_t i = threadIdx.x; i < s.k; i += kThreads) {
    static_cast<Value*>(s.distances)[query * s.k + i] = static_cast<Value>(sqrt(list.distances[i]));
    s.indices[query * s.k + i] = list.indices[i];
  }
}

}  // namespace

const char* nearest_neighbors(const DeviceNeighborSearch& search, void* stream) {
  const size_t shared_bytes = static_cast<size_t>(search.capacity) * (sizeof(double) + sizeof(int32_t));
  const auto rank_kernel = search.is_float64 ? rank<double> : rank<float>;
  cudaError_t error = cudaFuncSetAttribute(reinterpret_cast<const void*>(rank_kernel),
                                           cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
  for (int64_t start = 0; start < search.query_count && error == cudaSuccess; start += search.chunk) {
    const int64_t rows = search.query_count - start < search.chunk ? search.query_count - start : search.chunk;
    error = launch(screen, (rows + kTile - 1) / kTile, kThreads, 0, stream, search, start);
    if (error == cudaSuccess) error = launch(rank_kernel, rows, kThreads, shared_bytes, stream, search, start);
  }
  return in_words(error);
}

const char* nearest_neighbors_problem() {
  cudaFuncAttributes attributes;
  return in_words(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(screen)));
}

}  // namespace fastdaae
