// Drives every operator of the engine over odd shapes, with every instruction set, under the sanitisers.
#include "driver.h"

namespace fastdaae {
namespace emulated {
// pairs of bf16 numbers and bytes, as processors with instructions for them pack and multiply them
LayerKernels layer_kernels();
ParzenKernels parzen_kernels();
NeighborKernels neighbor_kernels();
}  // namespace emulated
}  // namespace fastdaae

int main() {
  using namespace fastdaae;
  Engine narrow = engines().back();
  narrow.isa = "products of bf16 numbers and of bytes";
  narrow.layers = emulated::layer_kernels();
  narrow.parzen = emulated::parzen_kernels();
  narrow.neighbors = emulated::neighbor_kernels();
  for (int threads : {1, 2}) {
    sanitize::drive_layers(narrow, threads);
    sanitize::drive_parzen(narrow, threads);
    sanitize::drive_neighbors(narrow, threads);
  }
  std::printf("%s: nothing to report\n", narrow.isa);
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
