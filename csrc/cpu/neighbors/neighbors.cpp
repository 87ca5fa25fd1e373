// Exact nearest neighbours in two passes: float32 tile products leave each query a list of the points that rounding
// cannot exclude, and direct float64 differences rank them.
#include "neighbors.h"

#include <cfloat>
#include <cmath>

#include "passes.h"
#include "results.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

Scratch scratch(int64_t count, size_t size) { return Scratch(static_cast<size_t>(count) * size); }

// The memory of one search whose blocks are planned.
struct Memory {
  explicit Memory(const Work& work)
      : padded(rounded_up(work.search.points.rows, kTileColumns)),
        capacity(list_capacity(work.search.k)),
        center(scratch(work.search.points.columns, sizeof(double))),
        byte_sums(scratch(work.bytes ? work.queries().rows : 0, sizeof(uint32_t))),
        norms(scratch(padded, sizeof(float))),
        list_norms(scratch(work.own() ? 0 : work.list_count, sizeof(float))),
        limits(scratch(padded + work.list_count, sizeof(float))),
        counts(scratch(work.list_count, sizeof(int32_t))),
        shown(scratch(work.list_count * capacity, sizeof(float))),
        indices(scratch(work.list_count * capacity, sizeof(int32_t))),
        panels(scratch(work.search.threads * work.panel_size, sizeof(float))),
        entries(scratch(work.search.threads * work.parts * capacity, sizeof(Ranked))),
        query_rows(scratch(work.search.threads * work.search.points.columns, sizeof(double))) {}

  const int64_t padded, capacity;  // points in whole column panels; entries of a list
  const Scratch center, byte_sums, norms, list_norms, limits, counts, shown, indices, panels, entries, query_rows;
};

template <typename T>
void fill(T* values, int64_t first, int64_t last, T value) {
  for (int64_t i = first; i < last; ++i) values[i] = value;
}

void measure_all_norms(const Work& work, const Points& set, float* norms) {
  const int threads = work.search.threads;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int slice = 0; slice < threads; ++slice) {
    const int64_t first = set.rows * slice / threads, last = set.rows * (slice + 1) / threads;
    with_numbers(set, [&](auto* values) { measure_norms(work.frame, values, first, last, set.columns, norms); });
  }
}

// Norms of the points, padded with infinity, and of the queries once for each part.
void fill_norms(const Work& work, const Memory& memory) {
  float* const norms = memory.norms.as<float>();
  measure_all_norms(work, work.search.points, norms);
  fill(norms, work.search.points.rows, memory.padded, HUGE_VALF);
  if (work.own()) return;
  float* const list_norms = memory.list_norms.as<float>();
  const int64_t rows = work.queries().rows;
  measure_all_norms(work, work.search.queries, list_norms);
  for (int64_t i = rows; i < work.list_count; ++i) list_norms[i] = list_norms[i - rows];
}

// Of the rows that are multiplied as bytes.
void fill_byte_sums(const Work& work, const Memory& memory) {
  if (!work.bytes) return;
  const Points& rows = work.queries();
  uint32_t* const sums = memory.byte_sums.as<uint32_t>();
#pragma omp parallel for num_threads(work.search.threads) schedule(static)
  for (int64_t row = 0; row < rows.rows; ++row) {
    sums[row] = byte_sums(static_cast<const uint8_t*>(row_of(rows, row)), rows.columns).plain;
  }
}

// Empty lists. Columns have lists only where points are joined with themselves.
void open_lists(Work& work, const Memory& memory) {
  float* const column_limits = memory.limits.as<float>();
  float* const list_limits = work.own() ? column_limits : column_limits + memory.padded;
  fill(column_limits, 0, memory.padded, -HUGE_VALF);
  fill(list_limits, 0, work.list_count, FLT_MAX);
  fill(memory.counts.as<int32_t>(), 0, work.list_count, 0);
  work.column_limits = column_limits;
  work.lists.k = work.search.k;
  work.lists.capacity = memory.capacity;
  work.lists.columns = work.search.points.columns;
  work.lists.roundings = work.bytes ? 1 : summed_roundings(work.lists.columns);
  work.lists.limits = list_limits;
  work.lists.norms = (work.own() ? memory.norms : memory.list_norms).as<float>();
  work.lists.counts = memory.counts.as<int32_t>();
  work.lists.shown = memory.shown.as<float>();
  work.lists.indices = memory.indices.as<int32_t>();
}

void search(const NeighborSearch& asked) {
  Work work = {};
  work.search = asked;
  plan(work);
  const Memory memory(work);
  const int64_t rows = work.queries().rows;
  ProgressCounter progress(work.own() ? "points" : "queries", rows, work.pairs() + work.ranking(rows));
  work.progress = &progress;
  work.row_sums = work.bytes ? memory.byte_sums.as<uint32_t>() : nullptr;
  work.frame = work.bytes ? byte_frame(asked.points, memory.center.as<double>())
                          : frame_of(asked.points, asked.queries, asked.threads, memory.center.as<double>());
  work.point_norms = memory.norms.as<float>();
  work.panels = memory.panels.as<float>();
  work.entries = memory.entries.as<Ranked>();
  work.query_rows = memory.query_rows.as<double>();
  fill_norms(work, memory);
  fill_byte_sums(work, memory);
  open_lists(work, memory);
  work.own() ? join_with_itself(work) : join_with_points(work);
  rank_all(work);
}

}  // namespace

NeighborKernels neighbor_kernels() { return {search}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
