// Producers of column panels: weights, and corrupted batches by rows or by columns.
#pragma once

#include "row_panels.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// Corrupted rows as columns of the product, for weights that are multiplied where they lie.
template <typename Element>
struct CorruptedRowsAsColumns {
  static constexpr int64_t kPanelsAtOnce = 1;
  CorruptedBatch batch;
  int64_t pairs;

  void pack(int64_t panel, float* to) const {
    for (int64_t start = 0; start < batch.columns(); start += kSegment) {
      for (int64_t v = 0; v < kTileColumns; v += kLanes) {
        const int64_t width = std::min(kSegment, batch.columns() - start);
        pack_rows(panel * kTileColumns + v, start, width, to + start / Element::kDepthOfWord * kTileColumns + v);
      }
    }
  }

  Ahead source(int64_t) const { return {}; }

 private:
  FASTDAAE_INLINE void pack_rows(int64_t first_pair, int64_t start, int64_t width, float* to) const {
    alignas(kVectorBytes) float numbers[kLanes][kSegment];
    for (int64_t i = 0; i < kLanes; ++i) {
      if (width < kSegment || first_pair + i >= pairs) std::memset(numbers[i], 0, sizeof numbers[i]);
      if (first_pair + i < pairs) batch.read(first_pair + i, start, width, numbers[i]);
    }
    constexpr int64_t step = kLanes * Element::kDepthOfWord;
    for (int64_t k = 0; k < width; k += step) {
      Float rows[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) {
        rows[i] = Element::follow(load(numbers[i] + k), load(numbers[i] + k + step - kLanes));
      }
      transpose(rows);
      const int64_t words = std::min<int64_t>(kLanes, words_of_depth<Element>(width - k));
      for (int64_t i = 0; i < words; ++i) store(to + (k / Element::kDepthOfWord + i) * kTileColumns, rows[i]);
    }
  }
};

// Columns of the product = rows of a weight [outputs, depth].
template <typename Element>
struct WeightRows {
  static constexpr int64_t kPanelsAtOnce = 1;
  Matrix weight;
  int64_t outputs, depth;

  void pack(int64_t panel, float* to) const {
    for (int64_t word = 0; word < words_of_depth<Element>(depth); word += kLanes) {
      for (int v = 0; v < kTileVectors; ++v) {
        pack_square(panel * kTileColumns + v * kLanes, word, to + word * kTileColumns + v * kLanes);
      }
    }
  }

  // Where a panel's numbers are read, for those who fetch ahead.
  Ahead source(int64_t panel) const {
    const int64_t row_bytes = depth * bytes_of(weight.type), first = panel * kTileColumns;
    const int64_t rows = std::min<int64_t>(kTileColumns, outputs - first);
    return {static_cast<const char*>(weight.numbers) + first * row_bytes, rows * row_bytes};
  }

 private:
  FASTDAAE_INLINE Float at(int64_t row, int64_t k) const {
    return row < outputs && k < depth ? load_numbers(weight, row * depth + k, depth - k) : Float{};
  }

  FASTDAAE_INLINE void pack_square(int64_t first, int64_t word, float* to) const {
    constexpr int64_t pairs = Element::kDepthOfWord;
    const int64_t k = word * pairs;
    Float rows[kLanes];
    if (weight.type == Number::float32 && first + kLanes <= outputs && k + pairs * kLanes <= depth) {
      const float* from = static_cast<const float*>(weight.numbers) + first * depth + k;
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) {
        rows[i] = Element::follow(load(from + i * depth), load(from + i * depth + (pairs - 1) * kLanes));
      }
      transpose(rows);
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) store(to + i * kTileColumns, rows[i]);
      return;
    }
    for (int i = 0; i < kLanes; ++i) {
      rows[i] = Element::follow(at(first + i, k), pairs == 2 ? at(first + i, k + kLanes) : Float{});
    }
    transpose(rows);
    const int64_t kept = std::min<int64_t>(kLanes, words_of_depth<Element>(depth) - word);
    for (int64_t k = 0; k < kept; ++k) store(to + k * kTileColumns, rows[k]);
  }
};

// Columns of the product = columns of a weight [depth, columns].
template <typename Element>
struct WeightColumns {
  static constexpr int64_t kPanelsAtOnce = 1;
  Matrix weight;
  int64_t columns, depth;

  void pack(int64_t panel, float* to) const {
    const int64_t first = panel * kTileColumns;
    int64_t word = 0;
    if (weight.type == Number::float32 && first + kTileColumns <= columns) {
      word = depth / Element::kDepthOfWord;
      pack_floats(static_cast<const float*>(weight.numbers) + first, word, to);
    }
    for (; word < words_of_depth<Element>(depth); ++word) {
      const int64_t k = word * Element::kDepthOfWord;
      for (int64_t v = 0; v < kTileColumns; v += kLanes) {
        store(to + word * kTileColumns + v, Element::join(at(k, first + v), at(k + 1, first + v)));
      }
    }
  }

  Ahead source(int64_t) const { return {}; }

 private:
  // Rows of a weight are often a page apart, where no processor fetches ahead by itself.
  static constexpr int64_t kFetched = 16;

  FASTDAAE_INLINE void pack_floats(const float* from, int64_t words, float* to) const {
    constexpr int64_t pairs = Element::kDepthOfWord;
    for (int64_t word = 0; word < words; ++word, from += pairs * columns) {
      const float* ahead = from + (word + kFetched < words ? kFetched * pairs * columns : 0);
      for (int64_t line = 0; line < kTileColumns; line += 16) __builtin_prefetch(ahead + line);
      for (int64_t v = 0; v < kTileColumns; v += kLanes) {
        store(to + word * kTileColumns + v, Element::join(load(from + v), load(from + (pairs - 1) * columns + v)));
      }
    }
  }

  FASTDAAE_INLINE Float at(int64_t k, int64_t first) const {
    return k < depth && first < columns ? load_numbers(weight, k * columns + first, columns - first) : Float{};
  }
};

// Columns of the product = columns of the corrupted batch, along its rows first_pair...
template <typename Element>
struct CorruptedColumns {
  static constexpr int64_t kColumns = 64;  // one call of corrupted_columns
  static constexpr int64_t kPanelsAtOnce = kColumns / kTileColumns;
  CorruptedBatch batch;
  int64_t first_pair, depth;

  void pack(int64_t group, float* to) const {
    const int64_t first = group * kColumns, width = std::min(kColumns, batch.columns() - first);
    const int64_t words = words_of_depth<Element>(depth), panels = (width + kTileColumns - 1) / kTileColumns;
    for (int64_t word = 0; word < words; ++word) {
      float front[kColumns] = {}, back[kColumns] = {};
      const int64_t k = word * Element::kDepthOfWord;
      batch.read(first_pair + k, first, width, front);
      if (Element::kDepthOfWord == 2 && k + 1 < depth) batch.read(first_pair + k + 1, first, width, back);
      for (int64_t column = 0; column < panels * kTileColumns; column += kLanes) {
        float* panel = to + column / kTileColumns * column_panel_size(words) + word * kTileColumns;
        store(panel + column % kTileColumns, Element::join(load(front + column), load(back + column)));
      }
    }
  }

  Ahead source(int64_t) const { return {}; }
};

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
