// Multiplies a block of rows by a block of columns, and hands every tile of squared distances to the lists.
#pragma once

#include "../tile/bytes.h"
#include "candidates.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

constexpr int64_t kTileSize = kTileRows * kTileColumns;
constexpr int64_t kLineFloats = 16;  // of a cache line

// How far the depth is cut, so that this part of a column panel stays in a quarter of the second-level cache.
inline int64_t depth_part(int64_t columns) {
  const int64_t fit = second_level_cache() / 4 / (kTileColumns * static_cast<int64_t>(sizeof(float)));
  const int64_t part = fit < kDepthBlock ? kDepthBlock : fit / kDepthBlock * kDepthBlock;
  return part < columns ? part : columns;
}

// Points that stand in a row: where they start in their set, and their lists where they have some.
struct Block {
  int64_t start, count;
  int64_t first_list;
};

// One thread's panels.
struct Panels {
  float *rows, *columns, *stripe, *tiles;
  int64_t resident;  // row panels that stay in the second-level cache, and as many tiles
  int64_t depth;

  static int64_t resident_of(int64_t depth) {
    return resident_panels(row_panel_size(depth_part(depth)) * static_cast<int64_t>(sizeof(float)));
  }
  static int64_t row_size(int64_t count, int64_t depth) {
    return (count + kTileRows - 1) / kTileRows * row_panel_size(depth);
  }
  static int64_t column_size(int64_t count, int64_t depth) {
    return (count + kTileColumns - 1) / kTileColumns * column_panel_size(depth);
  }
  static int64_t size(int64_t rows, int64_t columns, int64_t depth) {
    const int64_t all = row_size(rows, depth) + column_size(columns, depth) + kTileColumns * depth;
    return (all + resident_of(depth) * kTileSize + kLineFloats - 1) / kLineFloats * kLineFloats;
  }

  Panels(float* memory, int64_t row_count, int64_t column_count, int64_t depth)
      : rows(memory),
        columns(rows + row_size(row_count, depth)),
        stripe(columns + column_size(column_count, depth)),
        tiles(stripe + kTileColumns * depth),
        resident(resident_of(depth)),
        depth(depth) {}
};

// What happens to tiles: both sides' norms and limits, padded to whole column panels, and where hits go.
struct Join {
  Lists lists;                // of the rows' side, and for a self-join of the columns' side too
  const float* column_norms;  // by row of the points; infinite for padding
  const float* column_limits;  // by row of the points; minus infinity without lists
  const uint32_t* row_sums;  // by row of the queries, where bytes are multiplied, else null
  Ranker ranker;
};

// `pairs_before`: of a block with itself only the pairs whose row comes before their column count.
struct Place {
  int64_t row_list, row, column;  // of the tile's first row and first column
  bool pairs_before;
};

__attribute__((noinline)) void append_hits(const Join& join, const Place& place, const float* distances,
                                           uint32_t hits) {
  for (; hits; hits &= hits - 1) {
    const int64_t lane = __builtin_ctz(hits), column = place.column + lane;
    if (place.pairs_before && column <= place.row) continue;
    const float distance = distances[lane];
    if (distance <= join.lists.limits[place.row_list]) {
      join.lists.append(place.row_list, place.row, distance, column, join.ranker);
    }
    if (distance <= join.column_limits[column]) {
      join.lists.append(column, column, distance, place.row, join.ranker);
    }
  }
}

// Turns products into squared distances and looks for those within the limit of either side.
FASTDAAE_INLINE void consume(const Join& join, Place place, int64_t rows, float* tile) {
  for (int64_t i = 0; i < rows; ++i, ++place.row_list, ++place.row, tile += kTileColumns) {
    const Float own = broadcast(join.lists.norms[place.row_list]);
    const Float limit = broadcast(join.lists.limits[place.row_list]);
    uint32_t hits = 0;
    for (int v = 0; v < kTileVectors; ++v) {
      const float* norms = join.column_norms + place.column + v * kLanes;
      const float* limits = join.column_limits + place.column + v * kLanes;
      const Float distance = own + load(norms) - 2.0f * load(tile + v * kLanes);
      store(tile + v * kLanes, distance);
      hits |= at_most(distance, larger(limit, load(limits))) << (v * kLanes);
    }
    if (hits) append_hits(join, place, tile, hits);
  }
}

// Fetches part `part` of `parts` of a panel into the second-level cache.
FASTDAAE_INLINE void prefetch_part(const float* panel, int64_t size, int64_t part, int64_t parts) {
  const int64_t lines = (size + kLineFloats - 1) / kLineFloats;
  const int64_t last = lines * (part + 1) / parts;
  for (int64_t line = lines * part / parts; line < last; ++line) {
    __builtin_prefetch(panel + line * kLineFloats, 0, 2);
  }
}

// All tiles of one column panel with some row panels, which stay in the second-level cache from call to call.
template <Summation summation, typename Step>
void multiply_panels(const Panels& panels, int64_t first_panel, int64_t panel_count, int64_t row_count,
                            const float* column_panel, const float* next_column_panel) {
  const int64_t depth = panels.depth, step = depth_part(depth);
  for (int64_t start = 0; start < depth; start += step) {
    const int64_t part = depth - start < step ? depth - start : step;
    for (int64_t p = 0; p < panel_count; ++p) {
      const int64_t rows_left = row_count - (first_panel + p) * kTileRows;
      const float* row_panel = panels.rows + (first_panel + p) * row_panel_size(depth) + start * kTileRows;
      multiply<summation, Step>(rows_left < kTileRows ? rows_left : kTileRows, part, row_panel,
                                column_panel + start * kTileColumns, panels.tiles + p * kTileSize, start > 0);
      if (next_column_panel && step == depth) {
        prefetch_part(next_column_panel, column_panel_size(depth), p, panel_count);
      }
    }
  }
}

// Every pair of a row and a column block whose panels are packed; of a block with itself every pair once.
inline void join_blocks(const Join& join, const Panels& panels, const Block& rows, const Block& columns, bool same) {
  const int64_t panel_total = (rows.count + kTileRows - 1) / kTileRows;
  for (int64_t first = 0; first < panel_total; first += panels.resident) {
    const int64_t group = panel_total - first < panels.resident ? panel_total - first : panels.resident;
    for (int64_t c = 0; c < columns.count; c += kTileColumns) {
      // panels whose rows all come after the last column hold no new pair
      const int64_t useful = same ? (c + kTileColumns - 1 + kTileRows - 1) / kTileRows - first : group;
      const int64_t count = useful < group ? useful : group;
      if (count <= 0) continue;
      const float* panel = panels.columns + c * panels.depth;
      const float* next = c + kTileColumns < columns.count ? panel + column_panel_size(panels.depth) : nullptr;
      kByteProducts && join.row_sums
          ? multiply_panels<Summation::chained, ByteQuads>(panels, first, count, rows.count, panel, next)
          : multiply_panels<Summation::by_block, SingleFloats>(panels, first, count, rows.count, panel, next);
      for (int64_t p = 0; p < count; ++p) {
        const int64_t row = (first + p) * kTileRows;
        const int64_t left = rows.count - row;
        const Place place = {rows.first_list + row, rows.start + row, columns.start + c, same};
        const int64_t used = left < kTileRows ? left : kTileRows;
        float* const tile = panels.tiles + p * kTileSize;
        // a frame's coordinates are 1/256 of bytes
        if (kByteProducts && join.row_sums) to_float_products(used, join.row_sums + place.row, 0x1p-16f, tile);
        consume(join, place, used, tile);
      }
    }
  }
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
