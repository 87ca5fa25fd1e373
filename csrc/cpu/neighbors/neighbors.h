// Exact nearest neighbours: what the engine offers, whatever the instruction set.
#pragma once

#include <cstdint>

#include "../points.h"

namespace fastdaae {

struct NeighborSearch {
  Points points;
  Points queries;  // of the points' number; without values: the points themselves, each without its own row
  int64_t k;         // 1..kLargestK
  int64_t block;     // points that are multiplied with one another at a time; 0: as the machine likes it
  void* distances;   // [rows, k], ascending; double for float64 points, else float
  int64_t* indices;  // [rows, k]; of equal distances the lower comes first
  int threads;
};

struct NeighborKernels {
  // Throws std::invalid_argument for points so far apart that their distances overflow, std::bad_alloc.
  void (*search)(const NeighborSearch&);
};

}  // namespace fastdaae
