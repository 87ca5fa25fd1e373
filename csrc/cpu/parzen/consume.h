// What happens to a tile of products: squared distances, the nearest, the sums of every bandwidth that they can matter
// for, and the list of samples to settle.
#pragma once

#include "../tile/exponential.h"
#include "state.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

static_assert(kTileVectors == 2, "consumers hold one row of a tile in two vectors");

// A thread's accumulators for the queries of its group, [row][bandwidth], one sum per lane; the queries' own sums take
// them over after each chunk of samples, so that float32 adds few terms.
struct GroupSums {
  float* sums;
  float* limits;  // [row]: a sample beyond it weighs nothing and is not listed
  int64_t bandwidths;

  float* of(int64_t row) const { return sums + row * bandwidths * kLanes; }
};

struct TileColumns {
  const float* squares;  // |s|^2, infinite where there is no sample
  int64_t first;         // the sample of the first column
};

inline void set_limit(const Plan& plan, const Query& query, float& limit) {
  limit = query.nearest + std::max(plan.bandwidths[0].reach, query.care.reach);
}

inline void approach(const Plan& plan, Query& query, float nearest, float* sums) {
  const float fall = query.nearest - nearest;
  for (const Bandwidth& one : plan.bandwidths) {
    store(sums, load(sums) * exp2_of(broadcast(-fall * one.binary)));
    sums += kLanes;
  }
  query.nearest = nearest;
}

inline void list_row(const Problem& problem, Query& query, const Sums& sums, const TileColumns& columns, Float first,
                     Float second) {
  const Float limit = broadcast(query.nearest + query.care.reach);
  uint32_t near = at_most(first, limit) | at_most(second, limit) << kLanes;
  if (!near) return;
  float distances[kTileColumns];
  store(distances, first);
  store(distances + kLanes, second);
  for (; near; near &= near - 1) {
    const int column = __builtin_ctz(near);
    list_sample(problem, query, sums, columns.first + column, distances[column]);
  }
}

FASTDAAE_INLINE void add_row(const Plan& plan, float nearest, float* sums, Float first, Float second) {
  const Float least = smaller(first, second);
  for (const Bandwidth& one : plan.bandwidths) {
    if (!at_most(least, broadcast(nearest + one.reach))) return;  // the narrower ones reach less far
    const Float rate = broadcast(one.binary), offset = broadcast(nearest);
    const Float terms = exp2_of((offset - first) * rate) + exp2_of((offset - second) * rate);
    store(sums, load(sums) + terms);
    sums += kLanes;
  }
}

// The rows of one tile are the queries states.query(first), ...
inline void consume(const Problem& problem, const States& states, const GroupSums& accumulators, int64_t first,
                    int64_t place, int64_t rows, const TileColumns& columns, const float* tile) {
  const Float squares[2] = {load(columns.squares), load(columns.squares + kLanes)};
  for (int64_t i = 0; i < rows; ++i, tile += kTileColumns) {
    const Float near = squares[0] - 2.0f * load(tile), far = squares[1] - 2.0f * load(tile + kLanes);
    float& limit = accumulators.limits[place + i];
    const Float least = smaller(near, far);
    if (!at_most(least, broadcast(limit))) continue;
    Query& query = states.query(first + i);
    float* sums = accumulators.of(place + i);
    if (at_most(least, broadcast(query.nearest))) {
      approach(problem.plan, query, smallest_of(least), sums);
      set_limit(problem.plan, query, limit);
    }
    if (query.care.reach >= 0.0f) list_row(problem, query, states.sums(first + i), columns, near, far);
    add_row(problem.plan, query.nearest, sums, near, far);
  }
}

// Before a chunk: zeros, relative to the nearest so far.
inline void open(const Plan& plan, const States& states, const GroupSums& accumulators, int64_t first,
                 int64_t rows) {
  std::fill_n(accumulators.sums, rows * accumulators.bandwidths * kLanes, 0.0f);
  for (int64_t i = 0; i < rows; ++i) set_limit(plan, states.query(first + i), accumulators.limits[i]);
}

// After it: into the query's sums, which were relative to the nearest before the chunk.
inline void close(const Plan& plan, const States& states, const GroupSums& accumulators, int64_t first,
                  int64_t rows, const float* nearest_before) {
  for (int64_t i = 0; i < rows; ++i) {
    const Query& query = states.query(first + i);
    double* sums = states.sums(first + i).streamed;
    const float* added = accumulators.of(i);
    const double fall = static_cast<double>(nearest_before[i]) - static_cast<double>(query.nearest);
    for (const Bandwidth& one : plan.bandwidths) {
      *sums = *sums * std::exp(-fall * one.scaled) + static_cast<double>(sum_of(load(added)));
      ++sums;
      added += kLanes;
    }
  }
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
