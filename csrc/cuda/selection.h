// Selection in one query's list of candidates, by the lanes of one warp together.
#pragma once

#include "../k_smallest.h"
#include "device.h"

namespace fastdaae {

constexpr int kDigits = 256;  // bins of the radix selection: 8 bits at a time

// The digit whose bin of the histogram holds the element of this rank (from 1); `rank` becomes its rank in the bin.
__device__ inline uint32_t choose_digit(const uint32_t* histogram, uint32_t& rank) {
  constexpr int kPerLane = kDigits / kWarpSize;
  const int lane = threadIdx.x % kWarpSize;
  uint32_t own = 0;
  for (int i = 0; i < kPerLane; ++i) own += histogram[lane * kPerLane + i];
  uint32_t through = own;
  for (int distance = 1; distance < kWarpSize; distance *= 2) {
    const uint32_t before = __shfl_up_sync(kAllLanes, through, distance);
    if (lane >= distance) through += before;
  }
  const int chosen = __ffs(__ballot_sync(kAllLanes, through >= rank)) - 1;
  uint32_t digit = lane * kPerLane, left = rank - (through - own);
  if (lane == chosen) {
    while (histogram[digit] < left) left -= histogram[digit++];
  }
  rank = __shfl_sync(kAllLanes, left, chosen);
  return __shfl_sync(kAllLanes, digit, chosen);
}

// The k-th smallest screened distance, by one warp: four digits of 8 bits, the highest first.
__device__ inline float kth_smallest(const Candidate* entries, int count, int64_t k, uint32_t* histogram) {
  const int lane = threadIdx.x % kWarpSize;
  uint32_t chosen = 0, known = 0, rank = static_cast<uint32_t>(k);
  for (int shift = 24; shift >= 0; shift -= 8) {
    for (int bin = lane; bin < kDigits; bin += kWarpSize) histogram[bin] = 0;
    __syncwarp();
    for (int i = lane; i < count; i += kWarpSize) {
      const uint32_t key = sortable(entries[i].screened);
      if ((key & known) == chosen) atomicAdd(&histogram[key >> shift & 0xFF], 1u);
    }
    __syncwarp();
    chosen |= choose_digit(histogram, rank) << shift;
    known |= 0xFFu << shift;
    __syncwarp();
  }
  return from_sortable(chosen);
}

// Moves the entries within the limit to the front, by one warp; returns how many. Every lane has read its entry before
// the vote, and none is written at or behind the next one to be read.
__device__ inline int keep_within(Candidate* entries, int count, float limit) {
  const int lane = threadIdx.x % kWarpSize;
  int kept = 0;
  for (int start = 0; start < count; start += kWarpSize) {
    Candidate entry = {0.0f, 0};
    if (start + lane < count) entry = entries[start + lane];
    const unsigned keepers = __ballot_sync(kAllLanes, start + lane < count && entry.screened <= limit);
    if (keepers >> lane & 1u) entries[kept + __popc(keepers & ((1u << lane) - 1u))] = entry;
    kept += __popc(keepers);
  }
  return kept;
}

}  // namespace fastdaae
