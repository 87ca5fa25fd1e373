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

  int64_t columns() const { return input_.extent.columns; }

 private:
  LayerInput input_;
  Plan plan_;
};

template <typename Element>
struct CorruptedRows {
  CorruptedBatch batch;

  void pack(int64_t first_row, int64_t count, float* panel) const {
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t start = 0; start < batch.columns(); start += kSegment) {
        const int64_t width = std::min(kSegment, batch.columns() - start);
        float numbers[kSegment] = {};
        batch.read(first_row + i, start, width, numbers);
        put_in_row<Element>(numbers, i, start, width, panel);
      }
    }
  }
};

// The gradient's rows: pair = copy * rows + row, or row alone where the copies are summed.
template <typename Element>
struct GradientRows {
  LayerGradient g;
  bool sums_copies;

  void pack(int64_t first_row, int64_t count, float* panel) const {
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t start = 0; start < g.outputs; start += kSegment) {
        const int64_t width = std::min(kSegment, g.outputs - start);
        float numbers[kSegment] = {};
        read(first_row + i, start, width, numbers);
        put_in_row<Element>(numbers, i, start, width, panel);
      }
    }
  }

 private:
  FASTDAAE_INLINE void read(int64_t row, int64_t start, int64_t width, float* numbers) const {
    for (int64_t k = 0; k < width; k += kLanes) {
      if (sums_copies) {
        Float sum = {};
        for (int64_t copy = 0; copy < g.copies; ++copy) sum += gradient_at(g, copy, row, start + k, width - k);
        store(numbers + k, sum);
      } else {
        store(numbers + k, gradient_at(g, row / g.rows, row % g.rows, start + k, width - k));
      }
    }
  }
};

// The gradient's columns as rows of the product, along the rows first_pair.. of the batch; their sums come out beside.
template <typename Element>
struct GradientColumns {
  LayerGradient g;
  int64_t first_pair, depth;
  float* bias_grad;  // or null
  bool adds;

  void pack(int64_t first_output, int64_t count, float* panel) const {
    Float sums[kLanes] = {};
    for (int64_t part = 0; part < count; part += kLanes) {
      const int64_t width = std::min<int64_t>(kLanes, count - part);
      Float sum = {};
      for (int64_t k = 0; k < words_of_depth<Element>(depth); k += kLanes) {
        pack_square(first_output + part, width, k, panel + row_panel_at(part, k), sum);
      }
      sums[part / kLanes] = sum;
    }
    if (!bias_grad) return;
    for (int64_t i = 0; i < count; ++i) {
      const float sum = sums[i / kLanes][i % kLanes];
      bias_grad[first_output + i] = adds ? bias_grad[first_output + i] + sum : sum;
    }
  }

 private:
  FASTDAAE_INLINE Float at(int64_t k, int64_t first_output, int64_t width) const {
    if (k >= depth) return Float{};
    const int64_t pair = first_pair + k;
    return gradient_at(g, pair / g.rows, pair % g.rows, first_output, width);
  }

  FASTDAAE_INLINE void pack_square(int64_t first_output, int64_t width, int64_t word, float* to, Float& sum) const {
    Float rows[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      const int64_t k = (word + i) * Element::kDepthOfWord;
      const Float first = at(k, first_output, width);
      const Float second = Element::kDepthOfWord == 2 ? at(k + 1, first_output, width) : Float{};
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
  const char* source(int64_t panel) const {
    const int64_t size = weight.type == NumberType::bf16 ? 2 : 4;
    return static_cast<const char*>(weight.numbers) + panel * kTileColumns * depth * size;
  }
  int64_t source_bytes(int64_t panel) const {
    const int64_t columns = std::min<int64_t>(kTileColumns, outputs - panel * kTileColumns);
    return columns * depth * (weight.type == NumberType::bf16 ? 2 : 4);
  }

 private:
  FASTDAAE_INLINE Float at(int64_t row, int64_t k) const {
    return row < outputs && k < depth ? load_numbers(weight, row * depth + k, depth - k) : Float{};
  }

  FASTDAAE_INLINE void pack_square(int64_t first, int64_t word, float* to) const {
    constexpr int64_t pairs = Element::kDepthOfWord;
    Float rows[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      const int64_t k = word * pairs;
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

  const char* source(int64_t) const { return nullptr; }
  int64_t source_bytes(int64_t) const { return 0; }

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

  const char* source(int64_t) const { return nullptr; }
  int64_t source_bytes(int64_t) const { return 0; }
};

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
