// Exact nearest neighbours in two passes: float32 tile products leave each query a list of the points that rounding
// cannot exclude, and direct float64 differences rank them.
#include "neighbors.h"

#include <cfloat>
#include <cmath>
#include <omp.h>

#include <thread>

#include "join.h"
#include "schedule.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

constexpr int64_t kPanelBytes = int64_t{256} << 20;  // for the panels of all threads together
constexpr int64_t kFewRows = 64;  // queries that a thread should have before the points are split instead
constexpr int64_t kBlock = 2048;  // points whose packing is a small part of their multiplication

int64_t rounded_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

int64_t common_multiple(int64_t a, int64_t b) {
  int64_t multiple = a;
  while (multiple % b) multiple += a;
  return multiple;
}

// Points in a block: about `wanted`, whole panels of both kinds where they fit, and always whole column panels.
int64_t block_size(const NeighborSearch& search, int64_t wanted) {
  if (search.block > 0) return rounded_up(search.block, kTileColumns);
  const int64_t point_bytes = 2 * search.points.columns * static_cast<int64_t>(sizeof(float));
  const int64_t fit = kPanelBytes / search.threads / point_bytes;
  const int64_t most = fit < kBlock ? fit : kBlock, unit = common_multiple(kTileRows, kTileColumns);
  if (most < unit) return most < kTileColumns ? kTileColumns : most / kTileColumns * kTileColumns;
  return wanted < most ? rounded_up(wanted, unit) : most / unit * unit;
}

// What a search works with; its memory stands in `Memory`.
struct Work {
  NeighborSearch search;
  Frame frame;
  Lists lists;
  int64_t list_count, parts;  // parts: lists of one query, each over a share of the points
  const float *point_norms, *column_limits;
  float* panels;  // of every thread
  Ranked* entries;
  double* query_rows;
  int64_t block, panel_size;

  bool own() const { return !search.queries.values; }
  const Points& queries() const { return own() ? search.points : search.queries; }
  int64_t entries_size() const { return parts * lists.capacity; }

  Panels thread_panels(int thread) const {
    return Panels(panels + thread * panel_size, block, block, search.points.columns);
  }
  Ranker ranker(int thread) const {
    return {queries(), search.points, entries + thread * entries_size(), query_rows + thread * search.points.columns};
  }
  Join join(int thread) const { return {lists, point_norms, column_limits, ranker(thread)}; }

  void pack_row_block(const Points& set, const Block& rows, const Panels& to) const {
    with_numbers(set, [&](auto* values) {
      pack_rows(frame, values, rows.start, rows.count, set.columns, to.rows);
    });
  }
  void pack_column_block(const Block& columns, const Panels& to) const {
    with_numbers(search.points, [&](auto* values) {
      pack_columns(frame, values, columns.start, columns.count, search.points.columns, to.stripe, to.columns);
    });
  }
};

Block block_of(int64_t number, int64_t size, int64_t rows) {
  const int64_t start = number * size;
  return {start, rows - start < size ? rows - start : size, start};
}

// Every unordered pair of points once: a distance serves the lists of both.
void join_with_itself(const Work& work) {
  const int64_t rows = work.search.points.rows, blocks = (rows + work.block - 1) / work.block;
  const Scratch memory(static_cast<size_t>(PairSchedule::bytes(blocks)));
  PairSchedule schedule(blocks, memory.as<void>());
#pragma omp parallel num_threads(work.search.threads)
  {
    const int thread = omp_get_thread_num();
    const Panels panels = work.thread_panels(thread);
    const Join join = work.join(thread);
    int64_t packed = -1;
    for (BlockPair pair = {-1, -1};;) {
      Turn turn = Turn::done;
#pragma omp critical(fastdaae_block_pairs)
      turn = schedule.next(pair);
      if (turn == Turn::done) break;
      if (turn == Turn::wait) {
        std::this_thread::yield();
        continue;
      }
      const Block first = block_of(pair.first, work.block, rows), second = block_of(pair.second, work.block, rows);
      if (packed != pair.first) work.pack_row_block(work.search.points, first, panels);
      packed = pair.first;
      work.pack_column_block(second, panels);
      join_blocks(join, panels, first, second, pair.first == pair.second);
    }
  }
}

// Every query with every point; few queries share the points out among the threads, in `parts`.
void join_with_points(const Work& work) {
  const int64_t query_blocks = (work.queries().rows + work.block - 1) / work.block;
  const int64_t points = work.search.points.rows;
  const int64_t share = rounded_up((points + work.parts - 1) / work.parts, kTileColumns);
#pragma omp parallel num_threads(work.search.threads)
  {
    const int thread = omp_get_thread_num();
    const Panels panels = work.thread_panels(thread);
    const Join join = work.join(thread);
#pragma omp for schedule(dynamic, 1)
    for (int64_t unit = 0; unit < query_blocks * work.parts; ++unit) {
      const int64_t part = unit % work.parts;
      Block rows = block_of(unit / work.parts, work.block, work.queries().rows);
      rows.first_list += part * work.queries().rows;
      work.pack_row_block(work.queries(), rows, panels);
      const int64_t last = points < (part + 1) * share ? points : (part + 1) * share;
      for (int64_t start = part * share; start < last; start += work.block) {
        const Block columns = {start, last - start < work.block ? last - start : work.block, 0};
        work.pack_column_block(columns, panels);
        join_blocks(join, panels, rows, columns, false);
      }
    }
  }
}

// Gathers the entries of a query's lists that may be among its k nearest; returns how many.
int64_t gather(const Work& work, int64_t query, Ranked* entries) {
  const int64_t k = work.lists.k, rows = work.queries().rows;
  float limit = FLT_MAX;
  for (int64_t part = 0; part < work.parts; ++part) {
    const int64_t list = part * rows + query, count = work.lists.counts[list];
    const float* shown = work.lists.shown + list * work.lists.capacity;
    const float own = count < k ? FLT_MAX : work.lists.limit_for(kth_bound(shown, count, k, k), list);
    limit = own < limit ? own : limit;
  }
  int64_t gathered = 0;
  for (int64_t part = 0; part < work.parts; ++part) {
    const int64_t list = part * rows + query, start = list * work.lists.capacity;
    for (int64_t i = 0; i < work.lists.counts[list]; ++i) {
      const float shown = work.lists.shown[start + i];
      if (shown <= limit) entries[gathered++] = {0.0, work.lists.indices[start + i], shown};
    }
  }
  return gathered;
}

template <typename T>
void write_row(const Work& work, int64_t query, const Ranked* entries, double unit) {
  const int64_t k = work.search.k;
  T* distances = static_cast<T*>(work.search.distances) + query * k;
  int64_t* indices = work.search.indices + query * k;
  for (int64_t i = 0; i < k; ++i) {
    distances[i] = static_cast<T>(__builtin_sqrt(entries[i].squared) / unit);
    indices[i] = entries[i].index;
  }
}

void rank_all(const Work& work) {
  const int64_t rows = work.queries().rows, k = work.search.k;
#pragma omp parallel num_threads(work.search.threads)
  {
    const Ranker ranker = work.ranker(omp_get_thread_num());
#pragma omp for schedule(dynamic, 64)
    for (int64_t query = 0; query < rows; ++query) {
      const int64_t count = gather(work, query, ranker.entries);
      ranker.measure(query, count);
      ranker.select(k, count);
      std::sort(ranker.entries, ranker.entries + k);
      if (work.search.points.number == Number::float64) {
        write_row<double>(work, query, ranker.entries, 1.0);
      } else {
        write_row<float>(work, query, ranker.entries, work.search.points.number == Number::uint8 ? 255.0 : 1.0);
      }
    }
  }
}

void measure_all_norms(const Work& work, const Points& set, float* norms) {
  const int threads = work.search.threads;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int slice = 0; slice < threads; ++slice) {
    const int64_t first = set.rows * slice / threads, last = set.rows * (slice + 1) / threads;
    with_numbers(set, [&](auto* values) { measure_norms(work.frame, values, first, last, set.columns, norms); });
  }
}

// How queries and points are cut into blocks and parts.
void plan(Work& work) {
  const NeighborSearch& search = work.search;
  const int64_t threads = search.threads, rows = work.queries().rows;
  work.parts = 1;
  if (work.own()) {
    // blocks enough that every thread finds two of which no other thread holds one
    work.block = block_size(search, (rows + 8 * threads - 1) / (8 * threads));
  } else if (rows >= kFewRows * threads) {
    const int64_t rounds = (rows + kBlock * threads - 1) / (kBlock * threads);
    work.block = block_size(search, (rows + rounds * threads - 1) / (rounds * threads));
  } else {
    work.block = block_size(search, kFewRows);
    const int64_t query_blocks = (rows + work.block - 1) / work.block;
    work.parts = (threads + query_blocks - 1) / query_blocks;
  }
  work.panel_size = Panels::size(work.block, work.block, search.points.columns);
  work.list_count = rows * work.parts;
}

template <typename T>
void fill(T* values, int64_t first, int64_t last, T value) {
  for (int64_t i = first; i < last; ++i) values[i] = value;
}

Scratch scratch(int64_t count, size_t size) { return Scratch(static_cast<size_t>(count) * size); }

void search(const NeighborSearch& asked) {
  Work work = {};
  work.search = asked;
  plan(work);
  const int64_t points = asked.points.rows, columns = asked.points.columns, threads = asked.threads;
  const int64_t padded = rounded_up(points, kTileColumns), capacity = list_capacity(asked.k);
  const Scratch center = scratch(columns, sizeof(double));
  work.frame = frame_of(asked.points, asked.queries, asked.threads, center.as<double>());

  const Scratch norms = scratch(padded, sizeof(float));
  const Scratch list_norms = scratch(work.own() ? 0 : work.list_count, sizeof(float));
  const Scratch limits = scratch(padded + work.list_count, sizeof(float));
  const Scratch counts = scratch(work.list_count, sizeof(int32_t));
  const Scratch shown = scratch(work.list_count * capacity, sizeof(float));
  const Scratch indices = scratch(work.list_count * capacity, sizeof(int32_t));
  const Scratch panels = scratch(threads * work.panel_size, sizeof(float));
  const Scratch entries = scratch(threads * work.parts * capacity, sizeof(Ranked));
  const Scratch query_rows = scratch(threads * columns, sizeof(double));

  measure_all_norms(work, asked.points, norms.as<float>());
  fill(norms.as<float>(), points, padded, HUGE_VALF);
  if (!work.own()) measure_all_norms(work, asked.queries, list_norms.as<float>());
  for (int64_t i = work.queries().rows; !work.own() && i < work.list_count; ++i) {
    list_norms.as<float>()[i] = list_norms.as<float>()[i - work.queries().rows];
  }
  // columns have lists only where points are joined with themselves
  float* const column_limits = limits.as<float>();
  float* const list_limits = work.own() ? column_limits : column_limits + padded;
  fill(column_limits, 0, padded, -HUGE_VALF);
  fill(list_limits, 0, work.list_count, FLT_MAX);
  fill(counts.as<int32_t>(), 0, work.list_count, 0);

  const float* const query_norms = (work.own() ? norms : list_norms).as<float>();
  work.lists = {asked.k,     capacity,             columns,           list_limits,
                query_norms, counts.as<int32_t>(), shown.as<float>(), indices.as<int32_t>()};
  work.point_norms = norms.as<float>();
  work.column_limits = column_limits;
  work.panels = panels.as<float>();
  work.entries = entries.as<Ranked>();
  work.query_rows = query_rows.as<double>();
  work.own() ? join_with_itself(work) : join_with_points(work);
  rank_all(work);
}

}  // namespace

NeighborKernels neighbor_kernels() { return {search}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
