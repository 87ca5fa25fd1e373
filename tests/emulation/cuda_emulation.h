// A thread block on the CPU: enough of CUDA for the kernels of csrc/cuda to be compiled by a C++ compiler and run.
#pragma once

#include <climits>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <vector>

#include "fibers.h"

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define __shared__ static  // blocks run one at a time
#define FASTDAAE_DYNAMIC_SHARED(type, name) type* const name = reinterpret_cast<type*>(emulation::dynamic_shared())

struct alignas(16) float4 {
  float x, y, z, w;
};

namespace emulation {

inline void warp_barrier(unsigned mask) { suspend(State::at_warp_barrier, mask); }

// Every lane of the mask gives a value; then each reads the lane it names.
template <typename T>
T read_lane(unsigned mask, T value, int lane) {
  static_assert(sizeof(T) <= sizeof(double));
  const int first = block.current / kWarp * kWarp;
  std::memcpy(&block.exchanged[block.current], &value, sizeof value);
  warp_barrier(mask);
  std::memcpy(&value, &block.exchanged[first + lane], sizeof value);
  warp_barrier(mask);
  return value;
}

inline int own_lane() { return block.current % kWarp; }

}  // namespace emulation

inline void __syncthreads() { emulation::suspend(emulation::State::at_block_barrier); }
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu) { emulation::warp_barrier(mask); }

template <typename T>
T __shfl_sync(unsigned mask, T value, int lane) {
  return emulation::read_lane(mask, value, lane);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int flip) {
  return emulation::read_lane(mask, value, emulation::own_lane() ^ flip);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance) {
  const int lane = emulation::own_lane() - static_cast<int>(distance);
  return emulation::read_lane(mask, value, lane < 0 ? emulation::own_lane() : lane);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance) {
  const int lane = emulation::own_lane() + static_cast<int>(distance);
  return emulation::read_lane(mask, value, lane >= emulation::kWarp ? emulation::own_lane() : lane);
}
inline unsigned __ballot_sync(unsigned mask, bool yes) {
  unsigned votes = 0;
  const int first = emulation::block.current / emulation::kWarp * emulation::kWarp;
  emulation::block.exchanged[emulation::block.current] = yes;
  emulation::warp_barrier(mask);
  for (int lane = 0; lane < emulation::kWarp; ++lane) {
    if (mask >> lane & 1u && emulation::block.exchanged[first + lane] != 0.0) votes |= 1u << lane;
  }
  emulation::warp_barrier(mask);
  return votes;
}
inline int __ffs(unsigned bits) { return __builtin_ffs(static_cast<int>(bits)); }
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }

template <typename T>
T atomicAdd(T* address, T value) {
  const T before = *address;
  *address += value;
  return before;
}

// A device may deliver a copy at any time until the wait: here at the wait, or at once with an odd order_seed.
namespace emulation {
inline std::vector<std::vector<std::tuple<void*, const void*, size_t>>> pending;
}
inline void __pipeline_memcpy_async(void* to, const void* from, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(to) % bytes || reinterpret_cast<uintptr_t>(from) % bytes) {
    emulation::fail("an asynchronous copy is not aligned");
  }
  if (emulation::order_seed % 2) {
    std::memcpy(to, from, bytes);
  } else {
    emulation::pending[emulation::block.current].emplace_back(to, from, bytes);
  }
}
inline void __pipeline_commit() {}
inline void __pipeline_wait_prior(int) {
  for (const auto& [to, from, bytes] : emulation::pending[emulation::block.current]) std::memcpy(to, from, bytes);
  emulation::pending[emulation::block.current].clear();
}

using cudaStream_t = void*;
enum cudaError_t { cudaSuccess = 0 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
struct cudaFuncAttributes {};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
};
inline const char* cudaGetErrorString(cudaError_t) { return "no error"; }
inline cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
inline cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
inline cudaError_t cudaSetDevice(int) { return cudaSuccess; }
inline cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) { return cudaSuccess; }
inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, const void*) { return cudaSuccess; }

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               const Arguments&... arguments) {
  gridDim = config->gridDim;
  blockDim = config->blockDim;
  std::mt19937 random(emulation::order_seed);
  auto& block = emulation::block;
  block.fibers = std::vector<emulation::Fiber>(blockDim.x);
  block.exchanged.assign(blockDim.x, 0.0);
  emulation::pending.assign(blockDim.x, {});
  block.body = [&] { kernel(arguments...); };
  for (unsigned index = 0; index < gridDim.x; ++index) {
    blockIdx = dim3(index);
    // exactly as large as asked for, so that AddressSanitizer sees past its end, and filled with NaN
    block.shared.assign((config->dynamicSmemBytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t), {});
    if (!block.shared.empty()) std::memset(block.shared.data(), 0xFF, config->dynamicSmemBytes);
    emulation::run_block(random);
  }
  return cudaSuccess;
}
