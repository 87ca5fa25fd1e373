// Producers: what fills the row panels and the column panels of a layer's products.
#pragma once

#include "../noise/rows.h"
#include "activation.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// The corrupted rows of a batch, read in segments that start at multiples of 64.
class CorruptedBatch {
 public:
  explicit CorruptedBatch(const LayerInput& input) : input_(input), plan_(input.corruption) {}

  // `count` numbers of row `pair` = copy * rows + row, from column `first` on.
  FASTDAAE_INLINE void read(int64_t pair, int64_t first, int64_t count, float* out) const {
    const int64_t copy = pair / input_.extent.rows, row = pair % input_.extent.rows;
    corrupted_columns(input_.source, plan_, row_noise(input_.noise, row, copy), row, first, count, out);
  }

  // Row `pair` where it can be read as it is, else null.
  FASTDAAE_INLINE const float* plain(int64_t pair) const {
    if (input_.corruption.kind != Kind::none || input_.source.is_uint8) return nullptr;
    const int64_t row = input_.extent.copies == 1 ? pair : pair % input_.extent.rows;
    const int64_t from = input_.source.index ? input_.source.index[row] : row;
    return static_cast<const float*>(input_.source.values) + from * input_.source.columns;
  }

  int64_t columns() const { return input_.extent.columns; }

 private:
  LayerInput input_;
  Plan plan_;
};

template <typename Element>
struct CorruptedRows {
  static constexpr bool kInPlace = false;
  CorruptedBatch batch;

  void pack(int64_t first_row, int64_t count, float* panel) const {
    for (int64_t i = 0; i < count; ++i) {
      const float* plain = batch.plain(first_row + i);
      for (int64_t start = 0; start < batch.columns(); start += kSegment) {
        const int64_t width = std::min(kSegment, batch.columns() - start);
        if (plain && width == kSegment) {
          put_in_row<Element>(plain + start, i, start, width, panel);
          continue;
        }
        float numbers[kSegment];
        if (width < kSegment) std::memset(numbers, 0, sizeof numbers);
        batch.read(first_row + i, start, width, numbers);
        put_in_row<Element>(numbers, i, start, width, panel);
      }
    }
  }
};

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

// Rows of the product = rows of a float32 weight [outputs, depth], where they lie.
struct WeightInPlace {
  static constexpr bool kInPlace = true;
  const float* weight;
  int64_t depth;

  const float* at(int64_t first_row) const { return weight + first_row * depth; }
  void pack(int64_t, int64_t, float*) const {}
};

// The gradient's rows: pair = copy * rows + row, or row alone where the copies are summed.
template <typename Element>
struct GradientRows {
  static constexpr bool kInPlace = false;
  LayerGradient g;
  bool sums_copies;

  void pack(int64_t first_row, int64_t count, float* panel) const {
    only_floats(g) ? pack_from<true>(first_row, count, panel) : pack_from<false>(first_row, count, panel);
  }

 private:
  template <bool floats>
  void pack_from(int64_t first_row, int64_t count, float* panel) const {
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t start = 0; start < g.outputs; start += kSegment) {
        const int64_t width = std::min(kSegment, g.outputs - start);
        float numbers[kSegment];
        if (width < kSegment) std::memset(numbers, 0, sizeof numbers);
        for (int64_t k = 0; k < width; k += kLanes) {
          Float sum = gradient_at<floats>(g, first_row + i, start + k, width - k);
          for (int64_t copy = 1; sums_copies && copy < g.copies; ++copy) {
            sum += gradient_at<floats>(g, copy * g.rows + first_row + i, start + k, width - k);
          }
          store(numbers + k, sum);
        }
        put_in_row<Element>(numbers, i, start, width, panel);
      }
    }
  }
};

// The gradient's columns as rows of the product, along the rows first_pair.. of the batch; their sums come out beside.
template <typename Element>
struct GradientColumns {
  static constexpr bool kInPlace = false;
  LayerGradient g;
  int64_t first_pair, depth;
  float* bias_grad;  // or null
  bool adds;

  void pack(int64_t first_output, int64_t count, float* panel) const {
    only_floats(g) ? pack_from<true>(first_output, count, panel) : pack_from<false>(first_output, count, panel);
  }

 private:
  template <bool floats>
  void pack_from(int64_t first_output, int64_t count, float* panel) const {
    Float sums[kLanes] = {};
    for (int64_t part = 0; part < count; part += kLanes) {
      const int64_t width = std::min<int64_t>(kLanes, count - part);
      Float sum = {};
      for (int64_t k = 0; k < words_of_depth<Element>(depth); k += kLanes) {
        pack_square<floats>(first_output + part, width, k, panel + row_panel_at(part, k), sum);
      }
      sums[part / kLanes] = sum;
    }
    if (!bias_grad) return;
    for (int64_t i = 0; i < count; ++i) {
      const float sum = sums[i / kLanes][i % kLanes];
      bias_grad[first_output + i] = adds ? bias_grad[first_output + i] + sum : sum;
    }
  }

  template <bool floats>
  FASTDAAE_INLINE Float at(int64_t k, int64_t first_output, int64_t width) const {
    return k < depth ? gradient_at<floats>(g, first_pair + k, first_output, width) : Float{};
  }

  template <bool floats>
  FASTDAAE_INLINE void pack_square(int64_t first_output, int64_t width, int64_t word, float* to, Float& sum) const {
    Float rows[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      const int64_t k = (word + i) * Element::kDepthOfWord;
      const Float first = at<floats>(k, first_output, width);
      const Float second = Element::kDepthOfWord == 2 ? at<floats>(k + 1, first_output, width) : Float{};
      sum += first + second;
      rows[i] = Element::join(first, second);
    }
    transpose(rows);
    for (int64_t i = 0; i < width; ++i) store(to + i * kDepthBlock, rows[i]);
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
    const int64_t row_bytes = depth * (weight.type == NumberType::bf16 ? 2 : 4), first = panel * kTileColumns;
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
    if (weight.type == NumberType::float32 && first + kLanes <= outputs && k + pairs * kLanes <= depth) {
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
    for (int64_t word = 0; word < words_of_depth<Element>(depth); ++word) {
      const int64_t k = word * Element::kDepthOfWord;
      for (int v = 0; v < kTileVectors; ++v) {
        const int64_t first = panel * kTileColumns + v * kLanes;
        store(to + word * kTileColumns + v * kLanes, Element::join(at(k, first), at(k + 1, first)));
      }
    }
  }

  Ahead source(int64_t) const { return {}; }

 private:
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
