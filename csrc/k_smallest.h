// The k smallest distances, ties broken by the lower index: what the host and the device share.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "philox.h"  // FASTDAAE_HD

namespace fastdaae {

constexpr int64_t kLargestK = 2048;
constexpr int64_t kLargestColumns = 1 << 20;  // beyond it the rounding bound of float32 products says nothing

// A point that may be among the k nearest, with its squared distance in float32.
struct alignas(8) Candidate {
  float screened;
  int32_t index;
};

// Entries kept for one query, a power of two: k, as many again that tie within the rounding bound, and two tiles.
FASTDAAE_HD inline int64_t candidate_capacity(int64_t k, int64_t tile) {
  int64_t capacity = 1;
  while (capacity < 2 * k + 2 * tile) capacity *= 2;
  return capacity;
}

// Unsigned integers in the order of the floats, for selection by digits.
FASTDAAE_HD inline uint32_t sortable(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits ^ (bits >> 31 ? 0xFFFFFFFFu : 0x80000000u);
}

FASTDAAE_HD inline float from_sortable(uint32_t key) {
  const uint32_t bits = key ^ (key >> 31 ? 0x80000000u : 0xFFFFFFFFu);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// The largest float32 squared distance that one of the true k nearest can show, when the k-th smallest shown is `kth`.
//
// A squared distance s shown as |q|^2 + |p|^2 - 2 q p, each coordinate rounded to float32 and the product summed in
// float32, is within g (|q|^2 + |p|^2) of the true d^2: g = (D + 16) u / (1 - (D + 16) u), u = 2^-24, covers D
// roundings of the product, 4 of the coordinates, 4 of the norms and sums, and leaves 8 for the bound's own arithmetic
// and for the float64 re-ranking. As |p| <= |q| + d, the error is at most g (3 |q|^2 + 2 d^2): it depends on the query
// alone, and the norm of a far outlier costs the others nothing. Hence the k points shown nearest have d^2 <= e =
// (kth + 3 g |q|^2) / (1 - 2 g), so have the true k nearest, and these show at most e + g (3 |q|^2 + 2 e). Coordinates
// are scaled to [-1, 1] first, so the last term covers underflow.
// `roundings` counts those of the product where it is summed in blocks, each of D numbers at most.
FASTDAAE_HD inline float screening_limit(float kth, float query_norm, int64_t columns, int64_t roundings) {
  const double relative = static_cast<double>(roundings + 16) * 0x1p-24;
  const double g = relative / (1.0 - relative);
  const double underflow = static_cast<double>(columns) * 0x1p-140;
  const double own = 3.0 * g * query_norm + underflow;
  const double farthest = ((kth > 0.0f ? kth : 0.0f) + own) / (1.0 - 2.0 * g);
  return static_cast<float>((farthest + 2.0 * g * farthest + own) * (1.0 + 0x1p-22));
}

FASTDAAE_HD inline float screening_limit(float kth, float query_norm, int64_t columns) {
  return screening_limit(kth, query_norm, columns, columns);
}

// Distances and indices of a list that is sorted in place: ascending, equal distances by ascending index.
struct RankedList {
  double* distances;
  int32_t* indices;
};

FASTDAAE_HD inline bool nearer(double distance, int32_t index, double other_distance, int32_t other_index) {
  return distance < other_distance || (distance == other_distance && index < other_index);
}

// Comparator number `pair` of one step of a bitonic sorting network; the comparators of a step are independent.
FASTDAAE_HD inline void bitonic_exchange(RankedList list, int64_t pair, int64_t size, int64_t stride) {
  const int64_t i = 2 * pair - (pair & (stride - 1)), j = i + stride;
  const double di = list.distances[i], dj = list.distances[j];
  const int32_t ii = list.indices[i], ij = list.indices[j];
  const bool ascending = (i & size) == 0;
  if (ascending ? nearer(dj, ij, di, ii) : nearer(di, ii, dj, ij)) {
    list.distances[i] = dj;
    list.distances[j] = di;
    list.indices[i] = ij;
    list.indices[j] = ii;
  }
}

}  // namespace fastdaae
