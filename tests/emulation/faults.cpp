// Kernels with faults that the emulation must report.
#include "cuda_emulation.h"

namespace {

__global__ void divergent_barrier() {
  if (threadIdx.x < 3) __syncthreads();
  __syncwarp();
}

__global__ void misaligned_copy(char* memory) { __pipeline_memcpy_async(memory + 4, memory + 64, 16); }

}  // namespace

int main(int, char** arguments) {
  alignas(16) static char memory[128];
  cudaLaunchConfig_t config;
  config.gridDim = 1;
  config.blockDim = 32;
  if (arguments[1][0] == '0') {
    cudaLaunchKernelEx(&config, divergent_barrier);
  } else {
    cudaLaunchKernelEx(&config, misaligned_copy, static_cast<char*>(memory));
  }
  return 0;
}
