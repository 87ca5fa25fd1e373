// What the CUDA files share: launches without the <<<>>> syntax, so that a C++ compiler reads them too.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// A test that runs kernels on the CPU supplies a definition of its own.
#ifndef FASTDAAE_DYNAMIC_SHARED
#define FASTDAAE_DYNAMIC_SHARED(type, name) extern __shared__ type name[]
#endif

namespace fastdaae {

constexpr unsigned kAllLanes = 0xFFFFFFFFu;
constexpr int kWarpSize = 32;

template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), int64_t blocks, int threads, size_t shared_bytes, void* stream,
                   const Arguments&... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = shared_bytes;
  config.stream = static_cast<cudaStream_t>(stream);
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

// The error in words, or nullptr.
inline const char* in_words(cudaError_t error) { return error == cudaSuccess ? nullptr : cudaGetErrorString(error); }

}  // namespace fastdaae
