// The packed tile product: kTileRows x kTileColumns dot products, kept in registers while the depth streams past.
#pragma once

#include <array>
#include <utility>

#include "vector.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// Accumulators, one column vector and one broadcast fill the register file: 32 registers, or 16.
#if defined(__AVX512F__)
constexpr int kTileRows = 14;
#elif defined(__aarch64__)
constexpr int kTileRows = 12;
#else
constexpr int kTileRows = 6;
#endif
constexpr int kTileVectors = 2;
constexpr int kTileColumns = kTileVectors * kLanes;

// Depth is cut into blocks so that a block of both panels (7 + 16 KiB) stays in the first-level cache.
constexpr int64_t kDepthBlock = 128;

// A row panel holds kTileRows rows as [depth block][row][kDepthBlock], rows as they come: nothing is transposed, and the
// fixed stride makes every row's address a constant away from the first one's. A column panel holds kTileColumns
// columns as [depth][column].
constexpr int64_t row_panel_size(int64_t depth) {
  return (depth + kDepthBlock - 1) / kDepthBlock * kTileRows * kDepthBlock;
}
constexpr int64_t column_panel_size(int64_t depth) { return depth * kTileColumns; }

// Where element (row, k) of a row panel stands.
constexpr int64_t row_panel_at(int64_t row, int64_t k) {
  return (k / kDepthBlock * kTileRows + row) * kDepthBlock + k % kDepthBlock;
}

// chained: one sum through the whole depth. by_block: the sums of the depth blocks are added, whose rounding errors grow
// with kDepthBlock + depth / kDepthBlock instead of depth.
enum class Summation { chained, by_block };

// One step along the depth. A panel's number is a 32-bit word: here a float, in half.h a pair of bf16 numbers, in
// bytes.h four bytes.
struct SingleFloats {
  static FASTDAAE_INLINE Float row_word(const float* at) { return broadcast(*at); }
  static FASTDAAE_INLINE Float add_product(Float sum, Float row, Float column) { return sum + row * column; }
  static FASTDAAE_INLINE Float added(Float a, Float b) { return a + b; }
};

template <int rows>
using Accumulators = Float[rows][kTileVectors];

// How the rows of a product lie in memory: in a row panel, or as rows of a matrix, `stride` numbers apart.
struct PackedRows {
  static constexpr int64_t kStride = kDepthBlock, kBlock = kTileRows * kDepthBlock;
  FASTDAAE_INLINE int64_t stride() const { return kStride; }
};
struct StridedRows {
  static constexpr int64_t kBlock = kDepthBlock;
  int64_t numbers;
  FASTDAAE_INLINE int64_t stride() const { return numbers; }
};

template <typename Step, int vectors, int rows, typename Layout>
FASTDAAE_INLINE void accumulate(int64_t depth, const float* row_panel, Layout layout, const float* column_panel,
                                Accumulators<rows>& sums) {
  for (int64_t k = 0; k < depth; ++k) {
    Float columns[vectors];
    for (int v = 0; v < vectors; ++v) columns[v] = load(column_panel + k * kTileColumns + v * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const auto value = Step::row_word(row_panel + i * layout.stride() + k);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sums[i][v] = Step::add_product(sums[i][v], value, columns[v]);
    }
  }
}

template <typename Step, int vectors, int rows>
FASTDAAE_INLINE void flush(Accumulators<rows>& sums, float* tile, bool adds) {
  for (int i = 0; i < rows; ++i) {
    for (int v = 0; v < vectors; ++v) {
      float* at = tile + i * kTileColumns + v * kLanes;
      store(at, adds ? Step::added(load(at), sums[i][v]) : sums[i][v]);
      sums[i][v] = Float{};
    }
  }
}

// Memory that will be read soon. It is asked for a little at a time: many requests at once would make the product wait.
struct Ahead {
  const char* from = nullptr;
  int64_t bytes = 0;
};

constexpr int64_t kCacheLine = 64;

// Asks for part `part` of `parts`, into the second-level cache.
FASTDAAE_INLINE void fetch(const Ahead& ahead, int64_t part, int64_t parts) {
  const int64_t last = ahead.bytes * (part + 1) / parts;
  for (int64_t byte = ahead.bytes * part / parts; byte < last; byte += kCacheLine) {
    __builtin_prefetch(ahead.from + byte, 0, 2);
  }
}

// tile [rows][kTileColumns] = (tile if adds, else 0) + the products of a row panel's first rows and a column panel, of
// whose columns only the first vectors count.
template <Summation summation, typename Step, int vectors, int rows, typename Layout>
void multiply_rows(int64_t depth, const float* row_panel, Layout layout, const float* column_panel, float* tile,
                   bool adds, const Ahead& ahead) {
  Accumulators<rows> sums;  // not `= {}`: that would be a fill of memory and a reload
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
    for (int v = 0; v < vectors; ++v) sums[i][v] = Float{};
  }
  for (int64_t start = 0; start < depth; start += kDepthBlock) {
    if (ahead.bytes) fetch(ahead, start / kDepthBlock, (depth + kDepthBlock - 1) / kDepthBlock);
    const int64_t size = depth - start < kDepthBlock ? depth - start : kDepthBlock;
    accumulate<Step, vectors, rows>(size, row_panel, layout, column_panel, sums);
    row_panel += Layout::kBlock;
    column_panel += kDepthBlock * kTileColumns;
    if (summation == Summation::by_block && start + kDepthBlock < depth) {
      flush<Step, vectors, rows>(sums, tile, adds);
      adds = true;
    }
  }
  flush<Step, vectors, rows>(sums, tile, adds);
}

template <typename Layout>
using Multiply = void (*)(int64_t, const float*, Layout, const float*, float*, bool, const Ahead&);

template <Summation summation, typename Step, int vectors, typename Layout, size_t... rows>
constexpr std::array<Multiply<Layout>, kTileRows> multiply_table(std::index_sequence<rows...>) {
  return {multiply_rows<summation, Step, vectors, static_cast<int>(rows) + 1, Layout>...};
}

// One product per count of rows: a last panel of few rows costs only these.
template <Summation summation, typename Step = SingleFloats, int vectors = kTileVectors, typename Layout = PackedRows>
FASTDAAE_INLINE void multiply(int64_t rows, int64_t depth, const float* row_panel, const float* column_panel,
                              float* tile, bool adds = false, const Ahead& ahead = {}, Layout layout = {}) {
  static constexpr auto table = multiply_table<summation, Step, vectors, Layout>(std::make_index_sequence<kTileRows>());
  table[static_cast<size_t>(rows - 1)](depth, row_panel, layout, column_panel, tile, adds, ahead);
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
