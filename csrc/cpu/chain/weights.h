// The weights of a chain as column panels, packed once for all of its steps.
#pragma once

#include <vector>

#include "../layers/column_panels.h"
#include "chain.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

constexpr int64_t round_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

// A layer as column panels, each followed by its kTileColumns biases.
template <typename Element>
struct PackedLayer {
  Layer layer;
  int64_t panels, panel_size;
  float* first;

  explicit PackedLayer(const Layer& dense)
      : layer(dense),
        panels(round_up(dense.outputs, kTileColumns) / kTileColumns),
        panel_size(column_panel_size(words_of_depth<Element>(dense.inputs)) + kTileColumns),
        first(nullptr) {}

  int64_t words() const { return words_of_depth<Element>(layer.inputs); }
  float* panel(int64_t index) const { return first + index * panel_size; }
  float* biases(int64_t index) const { return panel(index) + column_panel_size(words()); }

  void pack(int64_t index) const {
    const WeightRows<Element> rows = {layer.weight, layer.outputs, layer.inputs};
    rows.pack(index, panel(index));
    for (int64_t j = 0; j < kTileColumns; ++j) {
      const int64_t output = index * kTileColumns + j;
      biases(index)[j] = layer.bias && output < layer.outputs ? layer.bias[output] : 0.0f;
    }
  }
};

// The decoder's layers and then the encoder's, as they follow each other in the chain.
template <typename Element>
std::vector<PackedLayer<Element>> laid_out(const Chain& chain) {
  std::vector<PackedLayer<Element>> layers;
  for (const Network& network : {chain.decoder, chain.encoder}) {
    for (int64_t i = 0; i < network.count; ++i) layers.emplace_back(network.layers[i]);
  }
  return layers;
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
