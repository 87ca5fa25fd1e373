// One block of chains, from first to last step in one core's cache.
#pragma once

#include "../layers/activation.h"
#include "../noise/rows.h"
#include "../progress.h"
#include "weights.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

// Row panels of a block of chains: as large as the widest layer needs, so that any layer's output fits.
template <typename Element>
struct Activations {
  float* panels;
  int64_t width;  // numbers in use

  float* panel(int64_t index) const { return panels + index * row_panel_size(words_of_depth<Element>(width)); }

  // Numbers start.. of a row, `count` <= kSegment of them and zeros up to the end of a pair of vectors.
  void put(int64_t row, int64_t start, int64_t count, const float* numbers) const {
    put_in_row<Element>(numbers, row % kTileRows, start, count, panel(row / kTileRows));
  }
};

// Calls write(row of the panel, its kTileVectors vectors) for every row of a tile of sums.
template <typename Activated, typename Write>
void finish(const Activated& activated, const float* tile, const float* biases, int64_t height, const Write& write) {
  Float bias[kTileVectors];
  for (int v = 0; v < kTileVectors; ++v) bias[v] = load(biases + v * kLanes);
  for (int64_t row = 0; row < height; ++row) {
    Float values[kTileVectors];
    for (int v = 0; v < kTileVectors; ++v) {
      values[v] = activated.of(load(tile + row * kTileColumns + v * kLanes) + bias[v]);
    }
    write(row, values);
  }
}

// Applies a layer; write_of(row panel, first column) gives what takes a tile's rows.
template <typename Element, typename WriteOf>
void apply(const PackedLayer<Element>& packed, int64_t rows, const Activations<Element>& input,
           const WriteOf& write_of) {
  alignas(kVectorBytes) float tile[kTileRows * kTileColumns];
  const int64_t words = packed.words(), row_panels = round_up(rows, kTileRows) / kTileRows;
  const int64_t piece = packed.panel_size / row_panels;
  for (int64_t j = 0; j < packed.panels; ++j) {
    for (int64_t i = 0; i < row_panels; ++i) {
      Ahead ahead;  // the next column panel, a piece with every tile
      if (j + 1 < packed.panels) {
        ahead = {reinterpret_cast<const char*>(packed.panel(j + 1) + i * piece), piece * 4};
      }
      const int64_t height = std::min<int64_t>(kTileRows, rows - i * kTileRows);
      multiply<Summation::chained, typename Element::Step>(height, words, input.panel(i), packed.panel(j), tile, false,
                                                           ahead);
      with_activation(packed.layer.activation, [&](const auto& activated) {
        finish(activated, tile, packed.biases(j), height, write_of(i, j * kTileColumns));
      });
    }
  }
}

template <typename Element>
void apply_to_panels(const PackedLayer<Element>& packed, int64_t rows, const Activations<Element>& input,
                     const Activations<Element>& output) {
  apply(packed, rows, input, [&](int64_t panel, int64_t column) {
    // a tile's columns never straddle two depth blocks, and what stands beyond the width meets zero weights or nobody
    float* first = output.panel(panel) + row_panel_at(0, column / Element::kDepthOfWord);
    return [first](int64_t row, const Float (&values)[kTileVectors]) {
      for (int v = 0; v < kTileVectors; v += Element::kDepthOfWord) {
        store(first + row * kDepthBlock + v * kLanes / Element::kDepthOfWord,
              Element::follow(values[v], values[v + Element::kDepthOfWord - 1]));
      }
    };
  });
}

template <typename Element>
void apply_to_rows(const PackedLayer<Element>& packed, int64_t rows, const Activations<Element>& input,
                   float* output) {
  const int64_t width = packed.layer.outputs;
  apply(packed, rows, input, [&](int64_t panel, int64_t column) {
    float* first = output + panel * kTileRows * width + column;
    const int64_t left = width - column;
    return [first, left, width](int64_t row, const Float (&values)[kTileVectors]) {
      for (int v = 0; v < kTileVectors && v * kLanes < left; ++v) {
        float* to = first + row * width + v * kLanes;
        left - v * kLanes >= kLanes ? store(to, values[v]) : store_part(to, values[v], left - v * kLanes);
      }
    };
  });
}

template <typename Element>
class Block {
 public:
  Block(const Chain& chain, const std::vector<PackedLayer<Element>>& layers, ProgressCounter& progress, float* memory,
        int64_t activations_size)
      : chain_(chain),
        layers_(layers),
        progress_(progress),
        decoder_(static_cast<size_t>(chain.decoder.count)),
        plan_(chain.corruption),
        current_{memory, 0},
        next_{memory + activations_size, 0},
        pixels_(memory + 2 * activations_size) {}

  void run(int64_t first, int64_t rows) {
    first_ = first;
    rows_ = rows;
    const int64_t width = layers_[decoder_ - 1].layer.outputs;
    take_codes();
    for (int64_t kept = 0, t = 0; kept < chain_.kept; ++t) {
      const bool keeps = t == chain_.keep[kept];
      float* x = keeps ? chain_.out + (kept * chain_.rows + first_) * width : pixels_;
      decode(x);
      progress_.add(rows);
      kept += keeps;
      if (kept < chain_.kept) {
        corrupt(x, width, t);
        for (size_t i = decoder_; i < layers_.size(); ++i) advance(layers_[i]);
      }
    }
  }

 private:
  void take_codes() {
    current_.width = layers_.front().layer.inputs;
    const Source source = {chain_.codes, Number::float32, nullptr, current_.width};
    NoiseAddress nobody = {};
    take_rows(source, Plan({Kind::none, 0.0, 0.0, 0.0}), nobody, first_);
  }

  void decode(float* x) {
    for (size_t i = 0; i + 1 < decoder_; ++i) advance(layers_[i]);
    apply_to_rows(layers_[decoder_ - 1], rows_, current_, x);
  }

  void advance(const PackedLayer<Element>& layer) {
    next_.width = layer.layer.outputs;
    apply_to_panels(layer, rows_, current_, next_);
    std::swap(current_, next_);
  }

  void corrupt(const float* x, int64_t width, int64_t t) {
    current_.width = width;
    NoiseAddress noise = chain_.noise;
    noise.step += static_cast<uint32_t>(t);
    take_rows({x, Number::float32, nullptr, width}, plan_, noise, 0);
  }

  // Corrupted rows from..from + rows - 1 of the source become the current activations.
  void take_rows(const Source& source, const Plan& plan, const NoiseAddress& noise, int64_t from) {
    for (int64_t row = 0; row < rows_; ++row) {
      const RowNoise address = row_noise(noise, first_ + row, 0);
      for (int64_t start = 0; start < source.columns; start += kSegment) {
        const int64_t count = std::min(kSegment, source.columns - start);
        float numbers[kSegment];
        if (count < kSegment) std::memset(numbers, 0, sizeof numbers);
        corrupted_columns(source, plan, address, from + row, start, count, numbers);
        current_.put(row, start, count, numbers);
      }
    }
  }

  const Chain& chain_;
  const std::vector<PackedLayer<Element>>& layers_;
  ProgressCounter& progress_;
  const size_t decoder_;
  const Plan plan_;
  Activations<Element> current_, next_;
  float* pixels_;
  int64_t first_ = 0, rows_ = 0;
};

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
