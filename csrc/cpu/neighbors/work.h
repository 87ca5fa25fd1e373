// What the threads of one search share, and how queries and points are cut into blocks for them.
#pragma once

#include "../progress.h"
#include "join.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

constexpr int64_t kPanelBytes = int64_t{256} << 20;  // for the panels of all threads together
constexpr int64_t kFewRows = 64;  // queries that a thread should have before the points are split instead
constexpr int64_t kPairsOfRanking = 40;  // products that take as long as ranking one neighbour
constexpr int64_t kBlock = 2048;  // points whose packing is a small part of their multiplication

inline int64_t rounded_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

inline int64_t common_multiple(int64_t a, int64_t b) {
  int64_t multiple = a;
  while (multiple % b) multiple += a;
  return multiple;
}

// Points in a block: about `wanted`, whole panels of both kinds where they fit, and always whole column panels.
inline int64_t block_size(const NeighborSearch& search, int64_t wanted) {
  if (search.block > 0) return rounded_up(search.block, kTileColumns);
  const int64_t point_bytes = 2 * search.points.columns * static_cast<int64_t>(sizeof(float));
  const int64_t fit = kPanelBytes / search.threads / point_bytes;
  const int64_t most = fit < kBlock ? fit : kBlock, unit = common_multiple(kTileRows, kTileColumns);
  if (most < unit) return most < kTileColumns ? kTileColumns : most / kTileColumns * kTileColumns;
  return wanted < most ? rounded_up(wanted, unit) : most / unit * unit;
}

// What a search works with; it owns nothing.
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
  bool bytes;                // the products are of bytes, exact
  int64_t depth;             // words of a row of a panel
  const uint32_t* row_sums;  // of the queries' bytes, where these are multiplied
  ProgressCounter* progress;

  bool own() const { return !search.queries.values; }
  const Points& queries() const { return own() ? search.points : search.queries; }
  // Each pair of a self-join is multiplied once, and a row with itself, whose product is thrown away.
  int64_t pairs() const {
    const int64_t rows = queries().rows;
    return own() ? rows * (rows + 1) / 2 : rows * search.points.rows;
  }
  int64_t ranking(int64_t query_count) const { return query_count * search.k * kPairsOfRanking; }
  int64_t entries_size() const { return parts * lists.capacity; }

  Panels thread_panels(int thread) const {
    return Panels(panels + thread * panel_size, block, block, depth);
  }
  Ranker ranker(int thread) const {
    return {queries(), search.points, entries + thread * entries_size(), query_rows + thread * search.points.columns,
            frame.lift};
  }
  Join join(int thread) const { return {lists, point_norms, column_limits, row_sums, ranker(thread)}; }

  void pack_row_block(const Points& set, const Block& rows, const Panels& to) const {
    if (bytes) {
      for (int64_t i = 0; i < rows.count; ++i) {
        pack_byte_row(static_cast<const uint8_t*>(row_of(set, rows.start + i)), set.columns, i % kTileRows,
                      to.rows + i / kTileRows * row_panel_size(depth));
      }
      return;
    }
    with_numbers(set, [&](auto* values) {
      pack_rows(frame, values, rows.start, rows.count, set.columns, to.rows);
    });
  }
  void pack_column_block(const Block& columns, const Panels& to) const {
    if (bytes) {
      for (int64_t i = 0; i < columns.count; i += kTileColumns) {
        const int64_t count = columns.count - i < kTileColumns ? columns.count - i : kTileColumns;
        pack_byte_columns(static_cast<const uint8_t*>(row_of(search.points, columns.start + i)), count,
                          search.points.columns, to.columns + i * depth);
      }
      return;
    }
    with_numbers(search.points, [&](auto* values) {
      pack_columns(frame, values, columns.start, columns.count, search.points.columns, to.stripe, to.columns);
    });
  }
};

// How queries and points are cut into blocks and parts.
inline void plan(Work& work) {
  const NeighborSearch& search = work.search;
  work.bytes = multiplies_bytes(search.points, work.queries());
  work.depth = work.bytes ? byte_words(search.points.columns) : search.points.columns;
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
  work.panel_size = Panels::size(work.block, work.block, work.depth);
  work.list_count = rows * work.parts;
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
