#include "chain.h"

#include <algorithm>

#include "../machine.h"
#include "block.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

// How many chains advance together, and the floats that they need.
struct Shape {
  int64_t rows, activations, total;
};

template <typename Element>
Shape shape_of(const Chain& chain, const std::vector<PackedLayer<Element>>& layers, int threads) {
  int64_t widest = 0;
  for (const auto& packed : layers) widest = std::max({widest, packed.layer.inputs, packed.layer.outputs});
  const int64_t panel = row_panel_size(words_of_depth<Element>(widest));
  const int64_t share = (round_up(chain.rows, kTileRows) / kTileRows + threads - 1) / threads;
  // what a layer reads and what it writes fill the second-level cache between them
  const int64_t panels = std::max<int64_t>(1, std::min(resident_panels(panel * 4), share));
  const int64_t pixels = panels * kTileRows * layers[static_cast<size_t>(chain.decoder.count - 1)].layer.outputs;
  return {panels * kTileRows, panels * panel, round_up(2 * panels * panel + pixels, 16)};
}

template <typename Element>
void place(std::vector<PackedLayer<Element>>& layers, float* first) {
  for (auto& packed : layers) {
    packed.first = first;
    first += packed.panels * packed.panel_size;
  }
}

template <typename Element>
void run_with(const Chain& chain, int threads) {
  auto layers = laid_out<Element>(chain);
  int64_t weights = 0;
  for (const auto& packed : layers) weights += packed.panels * packed.panel_size;
  const Scratch packed_weights(static_cast<size_t>(weights) * sizeof(float));
  place(layers, packed_weights.as<float>());
  const Shape shape = shape_of(chain, layers, threads);
  ProgressCounter progress("samples", chain.rows, chain.rows * (chain.keep[chain.kept - 1] + 1));
  const Scratch buffers(static_cast<size_t>(threads * shape.total) * sizeof(float));
#pragma omp parallel num_threads(threads)
  {
    for (const auto& packed : layers) {
#pragma omp for schedule(static) nowait
      for (int64_t j = 0; j < packed.panels; ++j) packed.pack(j);
    }
#pragma omp barrier
    Block<Element> block(chain, layers, progress, buffers.as<float>() + thread_number() * shape.total,
                         shape.activations);
#pragma omp for schedule(dynamic)
    for (int64_t start = 0; start < chain.rows; start += shape.rows) {
      block.run(start, std::min(shape.rows, chain.rows - start));
    }
  }
}

void run(const Chain& chain, int threads) {
  chain.half ? run_with<HalfElement>(chain, threads) : run_with<FloatElement>(chain, threads);
}

}  // namespace

ChainKernels chain_kernels() { return {run}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
