// What the engine asks of the machine: cache sizes, and memory that is kept between calls.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace fastdaae {

// This thread's place in its team, 0 without OpenMP.
inline int thread_number() {
#ifdef _OPENMP
  return omp_get_thread_num();
#else
  return 0;
#endif
}

// Bytes of one core's second-level cache; 1 MiB where the system does not say.
int64_t second_level_cache();

// Row panels of `panel_bytes` each that one thread reads again and again: as many as fill half of its second-level cache.
inline int64_t resident_panels(int64_t panel_bytes) {
  const int64_t fit = second_level_cache() / 2 / (panel_bytes > 0 ? panel_bytes : 1);
  return fit < 1 ? 1 : fit > 64 ? 64 : fit;
}

// Asks for large pages, whose first touch costs a fraction of the small ones', for memory that nobody has written yet.
void prefer_large_pages(void* memory, size_t bytes);

// Uninitialised memory, aligned to 64 bytes, for the time of one operation. It goes back to a small store instead of
// the system, because fresh pages cost more than many an operation. Throws std::bad_alloc.
class Scratch {
 public:
  explicit Scratch(size_t bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  template <typename T>
  T* as() const {
    return static_cast<T*>(memory_);
  }

 private:
  void* memory_;
  size_t bytes_;
};

}  // namespace fastdaae
