// Addressed noise: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), for host and device.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define FASTDAAE_HD __host__ __device__
#else
#define FASTDAAE_HD
#endif

// The CPU kernels are compiled once per instruction set, which reaches only what is inlined into them.
#if defined(__GNUC__)
#define FASTDAAE_INLINE inline __attribute__((always_inline))
#else
#define FASTDAAE_INLINE inline
#endif

namespace fastdaae {

struct PhiloxKey {
  uint32_t low, high;
};

struct PhiloxWords {
  uint32_t w0, w1, w2, w3;
};

// Words in 64-bit lanes, the upper halves of no meaning: a vector of them is multiplied without any shuffling.
struct PhiloxLanes {
  uint64_t w0, w1, w2, w3;
};

template <int rounds>
FASTDAAE_HD FASTDAAE_INLINE PhiloxLanes philox_rounds(PhiloxLanes c, PhiloxKey key) {
  const uint64_t product0 = (c.w0 & 0xFFFFFFFFu) * 0xD2511F53u;
  const uint64_t product2 = (c.w2 & 0xFFFFFFFFu) * 0xCD9E8D57u;
  const PhiloxLanes next = {(product2 >> 32) ^ c.w1 ^ key.low, product2, (product0 >> 32) ^ c.w3 ^ key.high, product0};
  // A recursion instead of a loop: nothing is left to unroll, so the loop around it vectorises.
  if constexpr (rounds == 1) {
    return next;
  } else {
    return philox_rounds<rounds - 1>(next, {key.low + 0x9E3779B9u, key.high + 0xBB67AE85u});
  }
}

FASTDAAE_HD FASTDAAE_INLINE PhiloxWords philox4x32(PhiloxWords counter, PhiloxKey key) {
  const PhiloxLanes lanes = philox_rounds<10>({counter.w0, counter.w1, counter.w2, counter.w3}, key);
  return {static_cast<uint32_t>(lanes.w0), static_cast<uint32_t>(lanes.w1), static_cast<uint32_t>(lanes.w2),
          static_cast<uint32_t>(lanes.w3)};
}

}  // namespace fastdaae
