// A block of queries, packed once, against all samples, packed chunk by chunk.
#pragma once

#include "../progress.h"
#include "consume.h"
#include "producers.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

constexpr int64_t kDepthChunk = 8 * kDepthBlock;  // a chunk of a column panel and of several row panels fit the cache
constexpr int64_t kLine = 16;                      // floats of a cache line
constexpr int64_t kPanelsAtOnce = 8;              // column panels whose tiles wait while deeper points' chunks pass
constexpr int64_t kSampleBytes = 16 << 20;        // packed samples at a time
constexpr int64_t kSamples = 8192;                // float32 sums take at most kSamples / kTileColumns terms a lane
constexpr int64_t kLeastGroup = 8;                // row panels that a column panel should serve once it is in the cache

inline int64_t divided(int64_t a, int64_t b) { return (a + b - 1) / b; }

// How the work is cut: `groups` of row panels by `splits` of every chunk's column panels, each pair one thread's item.
struct Cut {
  int64_t row_panels, group, groups, splits, chunk;

  Cut(int64_t queries, int64_t samples, int64_t columns, int threads) {
    row_panels = divided(queries, kTileRows);
    const int64_t bytes = row_panel_size(std::min(columns, kDepthChunk)) * 4;
    const int64_t wanted = threads > 1 ? 4 * threads : 1;
    group = std::min(resident_panels(bytes), std::max(kLeastGroup, row_panels / wanted));
    group = std::max<int64_t>(1, std::min(group, row_panels));
    groups = divided(row_panels, group);
    const int64_t fit = std::min(kSamples, kSampleBytes / (4 * columns)) / kTileColumns;
    chunk = std::max<int64_t>(1, std::min(fit, divided(samples, kTileColumns)));
    splits = std::max<int64_t>(1, std::min(chunk, divided(wanted, groups)));
  }
};

template <typename Producer>
class Stream {
 public:
  Stream(const Problem& problem, const Producer& producer, ProgressCounter& progress, int64_t first, int64_t count,
         int threads)
      : problem_(problem),
        producer_(producer),
        progress_(progress),
        first_(first),
        count_(count),
        threads_(threads),
        depth_(producer.depth()),
        bandwidths_(static_cast<int64_t>(problem.plan.bandwidths.size())),
        cut_(count, problem.samples.rows, depth_, threads),
        single_chunk_(depth_ <= kDepthChunk),
        states_(cut_.splits * count, bandwidths_),
        row_panels_(floats(cut_.row_panels * row_panel_size(depth_))),
        column_panels_(floats(cut_.chunk * column_panel_size(depth_))),
        squares_(floats(cut_.chunk * kTileColumns)),
        query_sums_(floats(count)),
        workspaces_(floats(threads * workspace_size())) {}

  void take_queries() {
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (int64_t i = 0; i < count_; ++i) {
      float* panel = row_panels_.as<float>() + i / kTileRows * row_panel_size(depth_);
      const SquareSums sums = producer_.pack_query(first_ + i, i % kTileRows, panel, query_sums_.as<uint32_t>() + i);
      const Care care = problem_.plan.care({std::sqrt(sums.square), std::sqrt(sums.weighted)});
      for (int64_t split = 0; split < cut_.splits; ++split) {
        states_.start(split * count_ + i, first_ + i, sums.square, care);
      }
    }
  }

  void run() {
    const int64_t samples = problem_.samples.rows, panels = divided(samples, kTileColumns);
    for (int64_t start = 0; start < panels; start += cut_.chunk) {
      const int64_t taken = std::min(cut_.chunk, panels - start);
      take_samples(start, taken);
      const int64_t items = cut_.groups * cut_.splits;
#pragma omp parallel for num_threads(threads_) schedule(dynamic, 1)
      for (int64_t item = 0; item < items; ++item) work(item, start, taken);
    }
  }

  // out [bandwidths][all queries]
  void finish(double* out) {
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (int64_t i = 0; i < count_; ++i) {
      for (int64_t split = 0; split < cut_.splits; ++split) {
        const int64_t state = split * count_ + i;
        thin_out(states_.query(state));
        if (states_.query(state).listed) settle(problem_, states_.query(state), states_.sums(state));
      }
      for (int64_t b = 0; b < bandwidths_; ++b) {
        LogSum sum = empty_log_sum();
        for (int64_t split = 0; split < cut_.splits; ++split) {
          const int64_t state = split * count_ + i;
          sum = merged(sum, log_sum(problem_.plan, states_.query(state), states_.sums(state), b));
        }
        const Bandwidth& one = problem_.plan.bandwidths[static_cast<size_t>(b)];
        out[one.place * problem_.queries.rows + first_ + i] = log_of(sum) - one.log_mass;
      }
    }
  }

 private:
  static size_t floats(int64_t count) { return static_cast<size_t>(count) * sizeof(float); }

  int64_t tiles() const { return single_chunk_ ? 1 : kPanelsAtOnce * cut_.group; }

  // Of one thread, in whole cache lines: tiles, and what its group accumulates.
  int64_t workspace_size() const {
    const int64_t accumulated = Group::size(cut_.group * kTileRows, bandwidths_);
    return divided(tiles() * kTileRows * kTileColumns + accumulated, kLine) * kLine;
  }

  void take_samples(int64_t start, int64_t taken) {
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (int64_t panel = 0; panel < taken; ++panel) {
      const int64_t first = (start + panel) * kTileColumns;
      const int64_t count = std::min<int64_t>(kTileColumns, problem_.samples.rows - first);
      double squares[kTileColumns];
      std::fill_n(squares, kTileColumns, HUGE_VAL);
      producer_.pack_samples(first, count, column_panel(panel), squares);
      for (int j = 0; j < kTileColumns; ++j) square(panel)[j] = static_cast<float>(squares[j]);
    }
  }

  float* column_panel(int64_t panel) const {
    return column_panels_.as<float>() + panel * column_panel_size(depth_);
  }
  float* square(int64_t panel) const { return squares_.as<float>() + panel * kTileColumns; }

  // One group of row panels against one split of the chunk's column panels.
  void work(int64_t item, int64_t start, int64_t taken) {
    const int64_t group = item / cut_.splits, split = item % cut_.splits;
    const int64_t first_panel = taken * split / cut_.splits, last_panel = taken * (split + 1) / cut_.splits;
    if (first_panel == last_panel) return;
    float* memory = workspaces_.as<float>() + thread_number() * workspace_size();
    const int64_t first_row_panel = group * cut_.group, first_row = first_row_panel * kTileRows;
    const Item one = {first_row_panel,
                      std::min(cut_.group, cut_.row_panels - first_row_panel),
                      split * count_ + first_row,
                      start,
                      memory,
                      Group(memory + tiles() * kTileRows * kTileColumns, cut_.group * kTileRows, bandwidths_)};
    const int64_t rows = std::min(one.row_panels * kTileRows, count_ - first_row);
    open(problem_.plan, states_, one.group, one.first_state, rows);
    const int64_t step = single_chunk_ ? 1 : kPanelsAtOnce;
    for (int64_t panel = first_panel; panel < last_panel; panel += step) {
      multiply_panels(one, panel, std::min(step, last_panel - panel), last_panel);
    }
    close(problem_.plan, states_, one.group, one.first_state, rows);
    const int64_t last_sample = std::min((start + last_panel) * kTileColumns, problem_.samples.rows);
    progress_.add(rows * (last_sample - (start + first_panel) * kTileColumns));
  }

  struct Item {
    int64_t first_row_panel, row_panels, first_state, start;
    float* tiles;
    Group group;
  };

  void multiply_panels(const Item& item, int64_t panel, int64_t panels, int64_t last_panel) {
    for (int64_t k = 0; k < depth_; k += kDepthChunk) {
      const int64_t depth = std::min(kDepthChunk, depth_ - k);
      for (int64_t p = panel; p < panel + panels; ++p) {
        const float* columns = column_panel(p) + k * kTileColumns;
        // while this panel is used, the next comes to the second-level cache, a piece with each tile
        const float* next = p + 1 < last_panel ? column_panel(p + 1) + k * kTileColumns : nullptr;
        const int64_t piece = next ? divided(depth * kTileColumns, item.row_panels) : 0;
        for (int64_t r = 0; r < item.row_panels; ++r) {
          const int64_t place = r * kTileRows, row_panel = item.first_row_panel + r;
          const int64_t rows = std::min<int64_t>(kTileRows, count_ - row_panel * kTileRows);
          const float* queries = row_panels_.as<float>() + row_panel * row_panel_size(depth_) + k * kTileRows;
          const int64_t waiting = single_chunk_ ? 0 : (p - panel) * cut_.group + r;
          float* tile = item.tiles + waiting * kTileRows * kTileColumns;
          const Ahead ahead = {reinterpret_cast<const char*>(next ? next + r * piece : nullptr), 4 * piece};
          multiply<Producer::kSummation, typename Producer::Step>(rows, depth, queries, columns, tile, k > 0, ahead);
          if (k + depth < depth_) continue;
          producer_.finish_tile(rows, query_sums_.as<uint32_t>() + row_panel * kTileRows, tile);
          consume(problem_, states_, item.group, item.first_state + place, place, rows,
                  {square(p), (item.start + p) * kTileColumns}, tile);
        }
      }
    }
  }

  const Problem& problem_;
  const Producer& producer_;
  ProgressCounter& progress_;
  const int64_t first_, count_;
  const int threads_;
  const int64_t depth_, bandwidths_;
  const Cut cut_;
  const bool single_chunk_;
  const States states_;
  const Scratch row_panels_, column_panels_, squares_, query_sums_, workspaces_;
};

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
