// C entry points, for ctypes, of the headers that host and device share, compiled for the host.
#include "../../csrc/k_smallest.h"
#include "../../csrc/log_sum.h"
#include "../../csrc/moments.h"

extern "C" {

void sortable(const float* values, int64_t count, uint32_t* keys, float* back) {
  for (int64_t i = 0; i < count; ++i) {
    keys[i] = fastdaae::sortable(values[i]);
    back[i] = fastdaae::from_sortable(keys[i]);
  }
}

int64_t candidate_capacity(int64_t k, int64_t tile) { return fastdaae::candidate_capacity(k, tile); }
int64_t largest_k() { return fastdaae::kLargestK; }
int64_t largest_columns() { return fastdaae::kLargestColumns; }

float screening_limit(float kth, float query_norm, int64_t columns) {
  return fastdaae::screening_limit(kth, query_norm, columns);
}

void bitonic_sort(double* distances, int32_t* indices, int64_t length) {
  for (int64_t size = 2; size <= length; size *= 2) {
    for (int64_t stride = size / 2; stride > 0; stride /= 2) {
      for (int64_t pair = length / 2 - 1; pair >= 0; --pair) {
        fastdaae::bitonic_exchange({distances, indices}, pair, size, stride);
      }
    }
  }
}

// Pairwise: halves are merged with halves.
fastdaae::LogSum log_sum_of(const double* exponents, int64_t count) {
  if (count == 0) return fastdaae::empty_log_sum();
  if (count == 1) return {exponents[0], 1.0};
  const int64_t half = count / 2;
  return fastdaae::merged(log_sum_of(exponents, half), log_sum_of(exponents + half, count - half));
}

double log_sum(const double* exponents, int64_t count) {
  return fastdaae::log_of(fastdaae::merged(fastdaae::empty_log_sum(), log_sum_of(exponents, count)));
}

fastdaae::Moments moments_of(const double* values, int64_t count) {
  if (count == 0) return {0.0, 0.0, 0.0};
  if (count == 1) return {1.0, values[0], 0.0};
  const int64_t part = (count + 2) / 3;
  return fastdaae::merged(moments_of(values, part), moments_of(values + part, count - part));
}

void moments(const double* values, int64_t count, double* result) {
  const fastdaae::Moments found = fastdaae::merged({0.0, 0.0, 0.0}, moments_of(values, count));
  result[0] = found.count;
  result[1] = found.mean;
  result[2] = found.squares;
}
}
