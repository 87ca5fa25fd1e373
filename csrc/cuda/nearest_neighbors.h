// Exact nearest neighbours on a CUDA device. Pointers are device addresses, `stream` a cudaStream_t; nothing waits.
#pragma once

#include <cstdint>

#include "../k_smallest.h"

namespace fastdaae {

constexpr int kNeighborTile = 128;  // rows of queries and of points that one block multiplies at a time
constexpr int kNeighborDepth = 16;  // columns that one step multiplies

FASTDAAE_HD constexpr int64_t whole_units(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

struct DeviceNeighborSearch {
  // Centred, scaled to [-1, 1], float32, transposed: [columns, rows], columns padded with 0 to whole depths and rows to
  // whole tiles. Norms are the squared norms of these rows, [rows].
  const float *points_transposed, *queries_transposed, *point_norms, *query_norms;
  // As given: [points, columns] and [queries, columns], float32 or float64. In a self-join both are the points.
  const void *points, *queries;
  bool is_float64, self_join;
  int64_t point_count, query_count, columns, k;
  // Scratch for `chunk` queries (whole tiles) at a time: [chunk, capacity], capacity a power of two.
  Candidate* candidates;
  int64_t chunk, capacity;
  // [queries]: candidates found, or -1 where more of them tie than `capacity` holds, or where NaN leaves fewer than k:
  // that row's result is not written.
  int32_t* counts;
  void* distances;    // [queries, k] of the points' type, ascending
  int64_t* indices;   // [queries, k]
};

// nullptr, or what went wrong at the launch, in words.
const char* nearest_neighbors(const DeviceNeighborSearch& search, void* stream);

// nullptr, or why the kernels cannot run on the current device, in words.
const char* nearest_neighbors_problem();

}  // namespace fastdaae
