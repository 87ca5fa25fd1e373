// Drives every operator of the engine over odd shapes, with every instruction set, under the sanitisers.
#include "driver.h"

int main() {
  using namespace fastdaae;
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
