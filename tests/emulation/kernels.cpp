// C entry points, for ctypes, of the kernels compiled under the emulation.
#include "../../csrc/cuda/intrinsic_dimension.h"
#include "../../csrc/cuda/nearest_neighbors.h"
#include "cuda_emulation.h"

extern "C" {

void set_order_seed(unsigned seed) { emulation::order_seed = seed; }

void neighbor_layout(int64_t k, int64_t* layout) {
  layout[0] = fastdaae::kNeighborTile;
  layout[1] = fastdaae::kNeighborDepth;
  layout[2] = fastdaae::candidate_capacity(k, fastdaae::kNeighborTile);
}

int64_t log_ratio_rows() { return fastdaae::kLogRatioRows; }

void nearest_neighbors_cuda(int64_t, const void*, const float* points_transposed, const float* queries_transposed,
                            const float* point_norms, const float* query_norms, const void* points,
                            const void* queries, int64_t is_float64, int64_t self_join, int64_t point_count,
                            int64_t query_count, int64_t columns, int64_t k, void* candidates, int64_t chunk,
                            int64_t capacity, int32_t* counts, void* distances, int64_t* indices) {
  fastdaae::nearest_neighbors(
      {points_transposed, queries_transposed, point_norms, query_norms, points, queries, is_float64 != 0,
       self_join != 0, point_count, query_count, columns, k, static_cast<fastdaae::Candidate*>(candidates), chunk,
       capacity, counts, distances, indices},
      nullptr);
}

void intrinsic_dimension_cuda(int64_t, const void*, const void* distances, int64_t is_float64, int64_t points,
                              int64_t k, double* partial, double* moments, double* per_point) {
  fastdaae::log_ratio_moments({distances, is_float64 != 0, points, k, partial, moments, per_point}, nullptr);
}
}
