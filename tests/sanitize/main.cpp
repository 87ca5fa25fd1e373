// Drives every operator of the engine over odd shapes, with every instruction set, under the sanitisers.
#include "driver.h"

namespace fastdaae {
namespace emulated {
LayerKernels layer_kernels();  // pairs of bf16 numbers, as processors with instructions for them pack and multiply them
}
}  // namespace fastdaae

int main() {
  using namespace fastdaae;
  Engine pairs = engines().back();
  pairs.isa = "pairs of bf16 numbers";
  pairs.layers = emulated::layer_kernels();
  for (int threads : {1, 2}) sanitize::drive_layers(pairs, threads);
  std::printf("%s: nothing to report\n", pairs.isa);
  for (const Engine& engine : engines()) {
    for (int threads : {1, 2}) {
      sanitize::drive_corruption(engine, threads);
      sanitize::drive_layers(engine, threads);
      sanitize::drive_chain(engine, threads);
      sanitize::drive_parzen(engine, threads);
      sanitize::drive_neighbors(engine, threads);
    }
    std::printf("%s: nothing to report\n", engine.isa);
  }
  return 0;
}
