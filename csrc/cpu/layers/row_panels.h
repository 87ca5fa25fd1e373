// Producers of row panels: corrupted batches, gradients, and weights where they lie.
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
    if (input_.corruption.kind != Kind::none || input_.source.type != Number::float32) return nullptr;
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
    with_activation(g.activation, [&](const auto& activated) {
      only_floats(g) ? pack_from<true>(activated, first_row, count, panel)
                     : pack_from<false>(activated, first_row, count, panel);
    });
  }

 private:
  template <bool floats, typename Activated>
  void pack_from(const Activated& activated, int64_t first_row, int64_t count, float* panel) const {
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t start = 0; start < g.outputs; start += kSegment) {
        const int64_t width = std::min(kSegment, g.outputs - start);
        float numbers[kSegment];
        if (width < kSegment) std::memset(numbers, 0, sizeof numbers);
        for (int64_t k = 0; k < width; k += kLanes) {
          Float sum = gradient_at<floats>(g, activated, first_row + i, start + k, width - k);
          for (int64_t copy = 1; sums_copies && copy < g.copies; ++copy) {
            sum += gradient_at<floats>(g, activated, copy * g.rows + first_row + i, start + k, width - k);
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
    with_activation(g.activation, [&](const auto& activated) {
      only_floats(g) ? pack_from<true>(activated, first_output, count, panel)
                     : pack_from<false>(activated, first_output, count, panel);
    });
  }

 private:
  template <bool floats, typename Activated>
  void pack_from(const Activated& activated, int64_t first_output, int64_t count, float* panel) const {
    Float sums[kLanes] = {};
    for (int64_t part = 0; part < count; part += kLanes) {
      const int64_t width = std::min<int64_t>(kLanes, count - part);
      Float sum = {};
      for (int64_t k = 0; k < words_of_depth<Element>(depth); k += kLanes) {
        pack_square<floats>(activated, first_output + part, width, k, panel + row_panel_at(part, k), sum);
      }
      sums[part / kLanes] = sum;
    }
    if (!bias_grad) return;
    for (int64_t i = 0; i < count; ++i) {
      const float sum = sums[i / kLanes][i % kLanes];
      bias_grad[first_output + i] = adds ? bias_grad[first_output + i] + sum : sum;
    }
  }

  template <bool floats, typename Activated>
  FASTDAAE_INLINE Float at(const Activated& activated, int64_t k, int64_t first_output, int64_t width) const {
    return k < depth ? gradient_at<floats>(g, activated, first_pair + k, first_output, width) : Float{};
  }

  template <bool floats, typename Activated>
  FASTDAAE_INLINE void pack_square(const Activated& activated, int64_t first_output, int64_t width, int64_t word,
                                   float* to, Float& sum) const {
    Float rows[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      const int64_t k = (word + i) * Element::kDepthOfWord;
      const Float first = at<floats>(activated, k, first_output, width);
      const bool pairs = Element::kDepthOfWord == 2;
      const Float second = pairs ? at<floats>(activated, k + 1, first_output, width) : Float{};
      sum += first + second;
      rows[i] = Element::join(first, second);
    }
    transpose(rows);
    for (int64_t i = 0; i < width; ++i) store(to + i * kDepthBlock, rows[i]);
  }
};

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
