#include "chain.h"

#include <algorithm>
#include <cstring>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "../machine.h"
#include "../noise/rows.h"
#include "../tile/activate.h"
#include "../tile/pack.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

constexpr int64_t round_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

// A layer as column panels, each followed by its kTileColumns biases.
struct PackedLayer {
  DenseLayer layer;
  int64_t panels, panel_size;
  float* first;

  float* panel(int64_t index) const { return first + index * panel_size; }
};

// The decoder's layers and then the encoder's, as they follow each other in the chain.
std::vector<PackedLayer> laid_out(const Chain& chain) {
  std::vector<PackedLayer> layers;
  for (const DenseNetwork& network : {chain.decoder, chain.encoder}) {
    for (int64_t i = 0; i < network.count; ++i) {
      const DenseLayer& layer = network.layers[i];
      const int64_t panels = round_up(layer.outputs, kTileColumns) / kTileColumns;
      layers.push_back({layer, panels, column_panel_size(layer.inputs) + kTileColumns, nullptr});
    }
  }
  return layers;
}

void pack_panel(const PackedLayer& packed, int64_t index) {
  const DenseLayer& layer = packed.layer;
  const float* rows[kTileColumns] = {};
  float* biases = packed.panel(index) + column_panel_size(layer.inputs);
  for (int64_t j = 0; j < kTileColumns; ++j) {
    const int64_t output = index * kTileColumns + j;
    const bool real = output < layer.outputs;
    rows[j] = real ? layer.weight + output * layer.inputs : nullptr;
    biases[j] = real && layer.bias ? layer.bias[output] : 0.0f;
  }
  pack_columns_of_rows(rows, layer.inputs, packed.panel(index));
}

// Row panels of one block of chains: as wide as the widest layer, so that any layer's output fits.
struct Activations {
  float* panels;
  int64_t width;  // columns in use

  float* panel(int64_t index) const { return panels + index * row_panel_size(width); }
  float* at(int64_t row, int64_t column) const {
    return panel(row / kTileRows) + row_panel_at(row % kTileRows, column);
  }
};

template <Activation activation, typename Write>
void finish_tile(const float* tile, const float* biases, int64_t height, const Write& write) {
  Float bias[kTileVectors];
  for (int v = 0; v < kTileVectors; ++v) bias[v] = load(biases + v * kLanes);
  for (int64_t row = 0; row < height; ++row) {
    for (int v = 0; v < kTileVectors; ++v) {
      write(row, v, activated<activation>(load(tile + row * kTileColumns + v * kLanes) + bias[v]));
    }
  }
}

template <typename Write>
void finish(Activation activation, const float* tile, const float* biases, int64_t height, const Write& write) {
  if (activation == Activation::relu) return finish_tile<Activation::relu>(tile, biases, height, write);
  if (activation == Activation::sigmoid) return finish_tile<Activation::sigmoid>(tile, biases, height, write);
  finish_tile<Activation::none>(tile, biases, height, write);
}

// Brings one of `parts` pieces of a panel nearer while another is at work.
void fetch_piece(const float* panel, int64_t size, int64_t part, int64_t parts) {
  const int64_t line = 64 / static_cast<int64_t>(sizeof(float));
  const int64_t piece = round_up(size / parts + 1, line);
  for (int64_t at = part * piece; at < std::min(size, (part + 1) * piece); at += line) {
    __builtin_prefetch(panel + at, 0, 2);
  }
}

// Calls make_write(panel of rows, first column)(row in the panel, vector of the tile, values) over the layer's output.
template <typename MakeWrite>
void apply(const PackedLayer& packed, int64_t rows, const Activations& input, const MakeWrite& make_write) {
  alignas(64) float tile[kTileRows * kTileColumns];
  const int64_t depth = packed.layer.inputs, row_panels = round_up(rows, kTileRows) / kTileRows;
  for (int64_t j = 0; j < packed.panels; ++j) {
    const float* columns = packed.panel(j);
    const bool last = j + 1 == packed.panels;
    for (int64_t i = 0; i < row_panels; ++i) {
      if (!last) fetch_piece(packed.panel(j + 1), packed.panel_size, i, row_panels);
      const int64_t height = std::min<int64_t>(kTileRows, rows - i * kTileRows);
      multiply<Summation::chained>(height, depth, input.panel(i), columns, tile);
      finish(packed.layer.activation, tile, columns + column_panel_size(depth), height,
             make_write(i, j * kTileColumns));
    }
  }
}

void apply_to_panels(const PackedLayer& packed, int64_t rows, const Activations& input, const Activations& output) {
  apply(packed, rows, input, [&](int64_t panel, int64_t column) {
    // a tile's columns never straddle two depth blocks, and what stands beyond the width is not read
    float* first = output.panel(panel) + row_panel_at(0, column);
    return [first](int64_t row, int v, Float values) { store(first + row * kDepthBlock + v * kLanes, values); };
  });
}

void apply_to_rows(const PackedLayer& packed, int64_t rows, const Activations& input, float* output) {
  const int64_t width = packed.layer.outputs;
  apply(packed, rows, input, [&](int64_t panel, int64_t column) {
    float* first = output + panel * kTileRows * width + column;
    const int64_t left = width - column;
    return [first, left, width](int64_t row, int v, Float values) {
      const int64_t count = left - v * kLanes;
      if (count >= kLanes) {
        store(first + row * width + v * kLanes, values);
      } else if (count > 0) {
        store_part(first + row * width + v * kLanes, values, count);
      }
    };
  });
}

// One block of chains from first to last step.
class Block {
 public:
  Block(const Chain& chain, const std::vector<PackedLayer>& layers, float* memory, int64_t activations_size)
      : chain_(chain), layers_(layers), plan_(chain.corruption), current_{memory, 0},
        next_{memory + activations_size, 0}, pixels_(memory + 2 * activations_size) {}

  void run(int64_t first, int64_t rows) {
    first_ = first;
    rows_ = rows;
    load_codes();
    for (int64_t kept = 0, t = 0; kept < chain_.kept; ++t) {
      const bool keeps = t == chain_.keep[kept];
      const int64_t width = layers_[static_cast<size_t>(chain_.decoder.count - 1)].layer.outputs;
      float* x = keeps ? chain_.out + (kept * chain_.rows + first_) * width : pixels_;
      decode(x);
      kept += keeps;
      if (kept < chain_.kept) {
        corrupt(x, width, t);
        encode();
      }
    }
  }

 private:
  void load_codes() {
    current_.width = layers_.front().layer.inputs;
    for (int64_t row = 0; row < rows_; ++row) {
      const float* codes = chain_.codes + (first_ + row) * current_.width;
      for (int64_t k = 0; k < current_.width; ++k) *current_.at(row, k) = codes[k];
    }
  }

  void decode(float* x) {
    const auto decoder = static_cast<size_t>(chain_.decoder.count);
    for (size_t i = 0; i + 1 < decoder; ++i) advance(layers_[i]);
    apply_to_rows(layers_[decoder - 1], rows_, current_, x);
  }

  void encode() {
    for (size_t i = static_cast<size_t>(chain_.decoder.count); i < layers_.size(); ++i) advance(layers_[i]);
  }

  void advance(const PackedLayer& layer) {
    next_.width = layer.layer.outputs;
    apply_to_panels(layer, rows_, current_, next_);
    std::swap(current_, next_);
  }

  void corrupt(const float* x, int64_t width, int64_t t) {
    NoiseAddress noise = chain_.noise;
    noise.step += static_cast<uint32_t>(t);
    current_.width = width;
    const Source source = {x, false, nullptr, width};
    for (int64_t row = 0; row < rows_; ++row) {
      const RowNoise address = row_noise(noise, first_ + row, 0);
      for (int64_t column = 0; column < width; column += kDepthBlock) {
        corrupted_columns(source, plan_, address, row, column, std::min(kDepthBlock, width - column),
                          current_.at(row, column));
      }
    }
  }

  const Chain& chain_;
  const std::vector<PackedLayer>& layers_;
  const Plan plan_;
  Activations current_, next_;
  float* pixels_;
  int64_t first_ = 0, rows_ = 0;
};

void run(const Chain& chain, int threads) {
  std::vector<PackedLayer> layers = laid_out(chain);
  int64_t widest = 0, weights = 0;
  for (const PackedLayer& packed : layers) {
    widest = std::max({widest, packed.layer.inputs, packed.layer.outputs});
    weights += packed.panels * packed.panel_size;
  }
  const Scratch packed_weights(static_cast<size_t>(weights) * sizeof(float));
  float* first = packed_weights.as<float>();
  for (PackedLayer& packed : layers) {
    packed.first = first;
    first += packed.panels * packed.panel_size;
  }
  const int64_t row_panels = round_up(chain.rows, kTileRows) / kTileRows;
  const int64_t panel_bytes = 2 * row_panel_size(widest) * static_cast<int64_t>(sizeof(float));
  const int64_t share = (row_panels + threads - 1) / threads;
  const int64_t block = kTileRows * std::max<int64_t>(1, std::min(2 * resident_panels(panel_bytes), share));
  const int64_t activations_size = block / kTileRows * row_panel_size(widest);
  const int64_t block_size = round_up(2 * activations_size + block * widest, 16);
  const Scratch buffers(static_cast<size_t>(threads * block_size) * sizeof(float));
#pragma omp parallel num_threads(threads)
  {
    for (const PackedLayer& packed : layers) {
#pragma omp for schedule(static) nowait
      for (int64_t j = 0; j < packed.panels; ++j) pack_panel(packed, j);
    }
#pragma omp barrier
#pragma omp for schedule(dynamic)
    for (int64_t start = 0; start < chain.rows; start += block) {
#ifdef _OPENMP
      const int thread = omp_get_thread_num();
#else
      const int thread = 0;
#endif
      Block(chain, layers, buffers.as<float>() + thread * block_size, activations_size)
          .run(start, std::min(block, chain.rows - start));
    }
  }
}

}  // namespace

ChainKernels chain_kernels() { return {run}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
