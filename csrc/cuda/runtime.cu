#include "runtime.h"

#include "device.h"

namespace fastdaae {

int device_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

DeviceScope::DeviceScope(int device) {
  cudaError_t error = cudaGetDevice(&previous_);
  if (error == cudaSuccess) error = cudaSetDevice(device);
  problem_ = in_words(error);
}

DeviceScope::~DeviceScope() {
  if (previous_ >= 0) cudaSetDevice(previous_);
}

}  // namespace fastdaae
