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
// them over after each chunk of samples, so that float32 adds few terms. What every tile asks stands together.
struct Group {
  float* sums;
  float* nearest;         // [row]: the queries' own
  float* nearest_before;  // [row]: before the chunk, what the queries' own sums are relative to
  float* limits;          // [row]: a sample beyond it weighs nothing and is not listed
  float* listed_within;   // [row]: a sample within it is listed
  int64_t bandwidths;

  static int64_t size(int64_t rows, int64_t bandwidths) { return rows * (bandwidths * kLanes + 4); }

  Group(float* memory, int64_t rows, int64_t count)
      : sums(memory),
        nearest(memory + rows * count * kLanes),
        nearest_before(nearest + rows),
        limits(nearest_before + rows),
        listed_within(limits + rows),
        bandwidths(count) {}

  float* of(int64_t row) const { return sums + row * bandwidths * kLanes; }

  void set_nearest(const Plan& plan, const Query& query, int64_t row) const {
    nearest[row] = query.nearest;
    limits[row] = query.nearest + std::max(plan.bandwidths[0].reach, query.care.reach);
    listed_within[row] = query.nearest + query.care.reach;
  }
};

struct TileColumns {
  const float* squares;  // |s|^2, infinite where there is no sample
  int64_t first;         // the sample of the first column
};

inline void approach(const Plan& plan, Query& query, float nearest, float* sums) {
  const float fall = query.nearest - nearest;
  for (const Bandwidth& one : plan.bandwidths) {
    store(sums, load(sums) * exp2_of(broadcast(-fall * one.binary)));
    sums += kLanes;
  }
  query.nearest = nearest;
}

inline void list_row(const Problem& problem, Query& query, const Sums& sums, const TileColumns& columns, Float limit,
                     Float first, Float second) {
  uint32_t near = at_most(first, limit) | at_most(second, limit) << kLanes;
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

// The rows of one tile are the queries states.query(first), ..., in the group from `place` on.
inline void consume(const Problem& problem, const States& states, const Group& group, int64_t first, int64_t place,
                    int64_t rows, const TileColumns& columns, const float* tile) {
  const Float squares[2] = {load(columns.squares), load(columns.squares + kLanes)};
  for (int64_t row = place; row < place + rows; ++row, ++first, tile += kTileColumns) {
    const Float near = squares[0] - 2.0f * load(tile), far = squares[1] - 2.0f * load(tile + kLanes);
    const Float least = smaller(near, far);
    if (!at_most(least, broadcast(group.limits[row]))) continue;
    float* sums = group.of(row);
    if (at_most(least, broadcast(group.nearest[row]))) {
      Query& query = states.query(first);
      approach(problem.plan, query, smallest_of(least), sums);
      group.set_nearest(problem.plan, query, row);
    }
    const Float listed = broadcast(group.listed_within[row]);
    if (at_most(least, listed)) {
      list_row(problem, states.query(first), states.sums(first), columns, listed, near, far);
    }
    add_row(problem.plan, group.nearest[row], sums, near, far);
  }
}

// Before a chunk: zeros, relative to the nearest so far.
inline void open(const Plan& plan, const States& states, const Group& group, int64_t first, int64_t rows) {
  std::fill_n(group.sums, rows * group.bandwidths * kLanes, 0.0f);
  for (int64_t row = 0; row < rows; ++row) {
    group.set_nearest(plan, states.query(first + row), row);
    group.nearest_before[row] = group.nearest[row];
  }
}

// After it: into the query's sums.
inline void close(const Plan& plan, const States& states, const Group& group, int64_t first, int64_t rows) {
  for (int64_t row = 0; row < rows; ++row) {
    double* sums = states.sums(first + row).streamed;
    const float* added = group.of(row);
    const double fall = static_cast<double>(group.nearest_before[row]) - static_cast<double>(group.nearest[row]);
    for (const Bandwidth& one : plan.bandwidths) {
      const double kept = fall > 0.0 ? *sums * std::exp(-fall * one.scaled) : *sums;
      *sums++ = kept + static_cast<double>(sum_of(load(added)));
      added += kLanes;
    }
  }
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
