// Checked entry points of the CUDA kernels for the bindings: a number out of range or an error of the runtime throws.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "../require.h"
#include "intrinsic_dimension.h"
#include "nearest_neighbors.h"
#include "runtime.h"

namespace fastdaae::checked {

inline void succeeded(const char* problem) {
  if (problem) throw std::runtime_error(std::string("CUDA reports: ") + problem);
}

inline void nearest_neighbors(int device, void* stream, const DeviceNeighborSearch& search) {
  require_between("point_count", search.point_count, 1, INT32_MAX - kNeighborTile);
  require_between("k", search.k, 1, kLargestK);
  require_between("k", search.k, 1, search.point_count - search.self_join);
  require_between("columns", search.columns, 1, kLargestColumns);
  require_between("query_count", search.query_count, 0, INT32_MAX - kNeighborTile);
  require(!search.self_join || search.query_count == search.point_count,
          "query_count must be point_count in a self-join, got " + std::to_string(search.query_count));
  require(search.capacity == candidate_capacity(search.k, kNeighborTile),
          "capacity must be that of neighbor_layout, got " + std::to_string(search.capacity));
  require(search.chunk >= kNeighborTile && search.chunk % kNeighborTile == 0,
          "chunk must be a multiple of the tile, got " + std::to_string(search.chunk));
  const DeviceScope scope(device);
  succeeded(scope.problem());
  succeeded(fastdaae::nearest_neighbors(search, stream));
}

inline void log_ratio_moments(int device, void* stream, const LogRatioMoments& task) {
  require_between("points", task.points, 1, INT32_MAX);
  require_between("k", task.k, 2, INT32_MAX);
  const DeviceScope scope(device);
  succeeded(scope.problem());
  succeeded(fastdaae::log_ratio_moments(task, stream));
}

// Why the kernels cannot run on the device; empty where they can.
inline std::string problem(int device) {
  const DeviceScope scope(device);
  if (scope.problem()) return scope.problem();
  const char* found = nearest_neighbors_problem();
  return found ? found : "";
}

}  // namespace fastdaae::checked
