// Devices, for callers that do not include the CUDA headers.
#pragma once

namespace fastdaae {

// 0 where there is no device or no driver.
int device_count();

// Makes a device the calling thread's current one and gives back the previous one.
class DeviceScope {
 public:
  explicit DeviceScope(int device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

  // nullptr, or why the device could not be chosen, in words.
  const char* problem() const { return problem_; }

 private:
  int previous_ = -1;
  const char* problem_ = nullptr;
};

}  // namespace fastdaae
