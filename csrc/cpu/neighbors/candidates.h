// For every query the points that may be among its k nearest, and the limit that a distance must keep to enter.
#pragma once

#include "../../k_smallest.h"
#include "ranking.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

// How many of `values` are at most `bound`.
FASTDAAE_INLINE int64_t count_at_most(const float* values, int64_t count, float bound) {
  const Float limit = broadcast(bound);
  Int found = Int{};
  int64_t i = 0, total = 0;
  for (; i + kLanes <= count; i += kLanes) found -= load(values + i) <= limit;
  for (int lane = 0; lane < kLanes; ++lane) total += found[lane];
  for (; i < count; ++i) total += values[i] <= bound;
  return total;
}

// A bound that at least k of `values` keep: the k-th smallest, or the first found that no more than `most` keep.
inline float kth_bound(const float* values, int64_t count, int64_t k, int64_t most) {
  Float least = broadcast(values[0]), most_of_all = least;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    least = smaller(least, load(values + i));
    most_of_all = larger(most_of_all, load(values + i));
  }
  for (; i < count; ++i) {
    least = smaller(least, broadcast(values[i]));
    most_of_all = larger(most_of_all, broadcast(values[i]));
  }
  // fewer than k keep `low`, k or more keep `high`
  uint32_t low = sortable(smallest_of(least)) - 1, high = sortable(-smallest_of(-most_of_all));
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    const int64_t kept = count_at_most(values, count, from_sortable(middle));
    if (kept >= k) {
      high = middle;
      if (kept <= most) break;
    } else {
      low = middle;
    }
  }
  return from_sortable(high);
}

// Moves the entries within the limit to the front, in their order, and returns how many there are.
inline int64_t keep_within(float* shown, int32_t* indices, int64_t count, float limit) {
  int64_t kept = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float value = shown[i];
    const int32_t index = indices[i];
    shown[kept] = value;
    indices[kept] = index;
    kept += value <= limit;
  }
  return kept;
}

// Roundings of one product of `columns` numbers that is summed block by block.
inline int64_t summed_roundings(int64_t columns) {
  return columns < kDepthBlock ? columns : kDepthBlock + columns / kDepthBlock;
}

struct Lists {
  int64_t k, capacity, columns;
  int64_t roundings;   // of one product
  float* limits;       // finite, so that the infinite distances of padding stay out
  const float* norms;  // of the queries
  int32_t* counts;
  float* shown;      // [lists, capacity]
  int32_t* indices;  // [lists, capacity]

  float limit_for(float kth, int64_t list) const {
    const float limit = screening_limit(kth, norms[list], columns, roundings);
    return limit < limits[list] ? limit : limits[list];
  }

  // Cuts a full list back to what its own k-th smallest allows. Where that is too much, because more points tie than
  // rounding can tell apart, their true distances decide: a point with k nearer ones is out for good.
  __attribute__((noinline)) void tighten(int64_t list, int64_t query, const Ranker& ranker) const {
    float* own = shown + list * capacity;
    int32_t* own_indices = indices + list * capacity;
    const int64_t spare = capacity - k;
    limits[list] = limit_for(kth_bound(own, capacity, k, k + spare / 4), list);
    int64_t kept = keep_within(own, own_indices, capacity, limits[list]);
    if (kept > k + spare / 4 * 3) {
      for (int64_t i = 0; i < kept; ++i) ranker.entries[i] = {0.0, own_indices[i], own[i]};
      ranker.measure(query, kept);
      ranker.select(k, kept);
      kept = k;
      for (int64_t i = 0; i < kept; ++i) own_indices[i] = ranker.entries[i].index, own[i] = ranker.entries[i].shown;
    }
    counts[list] = static_cast<int32_t>(kept);
  }

  FASTDAAE_INLINE void append(int64_t list, int64_t query, float distance, int64_t index, const Ranker& ranker) const {
    const int64_t at = list * capacity + counts[list];
    shown[at] = distance;
    indices[at] = static_cast<int32_t>(index);
    if (++counts[list] == capacity) tighten(list, query, ranker);
  }
};

// Entries of one list: k, about as many again before a list is cut back, and room for lists of few.
inline int64_t list_capacity(int64_t k) { return (2 * k + 64 + 15) / 16 * 16; }

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
